//! What the bidder of the target was asked and told.

use serde::Serialize;

/// Counts of bid requests, of the answers to them, and of notices.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Auctions {
    /// Bid requests that could be read.
    pub(super) requests: u64,
    /// Of these, answered without a bid.
    pub(super) no_bids: u64,
    /// Answered late on purpose.
    pub(super) slow: u64,
    /// Answered wrongly on purpose.
    pub(super) invalid: u64,
    /// Bids in right answers.
    pub(super) bids: u64,
    /// Win notices.
    pub(super) wins: u64,
    /// Billing notices.
    pub(super) bills: u64,
    /// Loss notices.
    pub(super) losses: u64,
    /// Notices without the mark of synthetic traffic.
    pub(super) unmarked_notices: u64,
}

impl Auctions {
    /// Adds what one answer counts.
    pub(super) const fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.no_bids += other.no_bids;
        self.slow += other.slow;
        self.invalid += other.invalid;
        self.bids += other.bids;
    }

    /// Counts a notice by the end of its path; false when it is none.
    pub(super) fn notice(&mut self, kind: &str, marked: bool) -> bool {
        match kind {
            "win" => self.wins += 1,
            "bill" => self.bills += 1,
            "loss" => self.losses += 1,
            _ => return false,
        }
        self.unmarked_notices += u64::from(!marked);
        true
    }
}
