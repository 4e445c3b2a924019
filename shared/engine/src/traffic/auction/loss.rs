//! Why a bid lost: the reasons of the standard (`AdCOM` 1.0, list "Loss Reason Codes") that this exchange gives.

use super::{Bid, Clearing};

/// Why a bid did not win; the number is what `${AUCTION_LOSS}` becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
pub enum Loss {
    /// The response or the bid does not answer the request.
    Invalid = 3,
    /// The deal is not on offer, or the auction takes only deals.
    Deal = 4,
    /// The price is missing or not above zero.
    Price = 9,
    /// Below the floor of the auction.
    BelowFloor = 100,
    /// Below the floor of the deal.
    BelowDealFloor = 101,
    /// Another bid was higher.
    LostToHigher = 102,
    /// A bid under a deal of higher priority won.
    LostToDeal = 103,
    /// The seat may not bid.
    Seat = 104,
    /// The creative has a size that does not fit.
    Size = 203,
    /// The creative is of another format.
    Format = 204,
    /// The advertiser is blocked.
    Advertiser = 205,
    /// The category is blocked.
    Category = 209,
    /// Seat or advertiser may not use the deal.
    NotInDeal = 213,
}

impl Loss {
    /// The standard's number.
    #[must_use]
    pub const fn code(self) -> u16 {
        self as u16
    }

    /// Why `bid` lost in an auction that ended so; none for its winner.
    #[must_use]
    pub fn of(bid: &Bid, clearing: Option<&Clearing>) -> Option<Self> {
        if bid.refused.is_some() {
            return bid.refused;
        }
        if bid.price < bid.floor {
            return Some(if bid.deal > 0 { Self::BelowDealFloor } else { Self::BelowFloor });
        }
        match clearing {
            Some(clearing) if clearing.winner == *bid => None,
            Some(clearing) if clearing.winner.rank > bid.rank => Some(Self::LostToDeal),
            _ => Some(Self::LostToHigher),
        }
    }
}
