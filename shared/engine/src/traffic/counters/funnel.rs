//! The auction funnel in numbers.

use serde::{Deserialize, Serialize};

use super::bidder::BidderCounters;
use crate::traffic::bidder::is_real;
use crate::traffic::pack::{AuctionOutcome, AuctionRecord};

/// From bid request to conversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RtbCounters {
    /// Auctions held.
    #[serde(rename = "req")]
    pub requests: u64,
    /// Bids received.
    #[serde(rename = "bid")]
    pub bids: u64,
    /// Auctions in which nobody bid.
    #[serde(rename = "nob")]
    pub no_bids: u64,
    /// Auctions in which all bids were below their floor.
    #[serde(rename = "los")]
    pub lost: u64,
    /// Auctions won and ads shown.
    #[serde(rename = "imp")]
    pub impressions: u64,
    /// Clicks.
    #[serde(rename = "clk")]
    pub clicks: u64,
    /// Conversions.
    #[serde(rename = "cnv")]
    pub conversions: u64,
    /// Money spent in billionths of the currency: a price in micros per thousand is exactly that for one impression.
    #[serde(rename = "spd")]
    pub spend_nanos: u64,
    /// What a real bidder adds to it.
    #[serde(rename = "rbd", skip_serializing_if = "BidderCounters::is_zero")]
    pub bidder: BidderCounters,
}

impl RtbCounters {
    pub(super) fn add(&mut self, auction: &AuctionRecord) {
        let reached = |stage: AuctionOutcome| u64::from(auction.outcome >= stage);
        self.requests += 1;
        self.bids += u64::from(auction.bids);
        self.no_bids += u64::from(auction.outcome == AuctionOutcome::NoBid);
        self.lost += u64::from(auction.outcome == AuctionOutcome::Lost);
        self.impressions += reached(AuctionOutcome::Impression);
        self.clicks += reached(AuctionOutcome::Click);
        self.conversions += reached(AuctionOutcome::Conversion);
        if auction.outcome.is_won() {
            self.spend_nanos += u64::from(auction.price_micros);
            self.bidder.wins += u64::from(is_real(auction));
        }
    }

    pub(super) const fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        self.bids += other.bids;
        self.no_bids += other.no_bids;
        self.lost += other.lost;
        self.impressions += other.impressions;
        self.clicks += other.clicks;
        self.conversions += other.conversions;
        self.spend_nanos += other.spend_nanos;
        self.bidder.merge(&other.bidder);
    }

    /// Money spent in millionths of the currency, rounded down.
    #[must_use]
    pub const fn spend_micros(&self) -> u64 {
        self.spend_nanos / 1_000
    }
}
