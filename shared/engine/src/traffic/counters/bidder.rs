//! What a real bidder did, in numbers.

use serde::{Deserialize, Serialize};

/// Answers of a real bidder and the notices that it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct BidderCounters {
    /// Requests that were sent to it.
    #[serde(rename = "ask")]
    pub asked: u64,
    /// Auctions that one of its bids won.
    #[serde(rename = "win")]
    pub wins: u64,
    /// Requests that it did not answer within `tmax`.
    #[serde(rename = "tmo")]
    pub timeouts: u64,
    /// Bids, or whole answers, that break the standard or the request.
    #[serde(rename = "inv")]
    pub invalid_bids: u64,
    /// Notices that were requested and answered with a 2xx or 3xx.
    #[serde(rename = "nts")]
    pub notices_sent: u64,
    /// Notices that failed: refused by the allow-list, not answered within 2 s, or answered with an error.
    #[serde(rename = "ntf")]
    pub notices_failed: u64,
    /// Notices that were due while too many waited, or that were more than the bid requests had earned.
    #[serde(rename = "ntd")]
    pub notices_dropped: u64,
}

impl BidderCounters {
    pub(super) fn is_zero(&self) -> bool {
        *self == Self::default()
    }

    /// Adds other counters to these.
    pub const fn merge(&mut self, other: &Self) {
        self.asked += other.asked;
        self.wins += other.wins;
        self.timeouts += other.timeouts;
        self.invalid_bids += other.invalid_bids;
        self.notices_sent += other.notices_sent;
        self.notices_failed += other.notices_failed;
        self.notices_dropped += other.notices_dropped;
    }
}
