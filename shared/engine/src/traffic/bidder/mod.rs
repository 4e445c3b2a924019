//! A real bidder's answer: read strictly, auctioned, and turned into what is stored and what is told back.

mod judge;
mod notice;
mod offer;
mod response;
mod stored;

use trafficlab_shared::model::content::RtbSpec;

use super::content::Content;
use super::pack::AuctionRecord;
use super::rng::EntryKey;

pub use judge::judge;
pub use notice::{Notice, NoticeKind};
pub use stored::{MAX_STORED_BODY, Stored};

/// Longest answer that is read, in bytes.
pub const MAX_ANSWER: usize = 256 * 1024;
/// Most bids of one answer that take part in the auction; further ones are ignored.
pub const MAX_BIDS: usize = 64;

/// Seats of records from here on are bids of the real bidder, counted down from 255.
const FIRST_REAL_SEAT: u8 = 192;

/// What was asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Prepared content of the run.
    pub content: &'a Content,
    /// The entry.
    pub key: EntryKey,
    /// `BidRequest.id`.
    pub id: &'a str,
    /// Milliseconds since 1970, for `${AUCTION_IMP_TS}`.
    pub now_ms: u64,
}

/// What an answer comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The auction over its bids and those of simulated rivals.
    pub auction: AuctionRecord,
    /// The answer, or all its bids, break the standard.
    pub invalid: bool,
    /// Bids that broke the standard or the request.
    pub invalid_bids: u64,
    /// What the bidder asked to be told.
    pub notices: Vec<Notice>,
    /// The answer as it is stored with the entry.
    pub stored: Option<Vec<u8>>,
}

/// Whether the best bid of a record came from the real bidder.
#[must_use]
pub const fn is_real(record: &AuctionRecord) -> bool {
    record.bids > 0 && record.seat >= FIRST_REAL_SEAT
}

/// The real bidder of a specification.
#[must_use]
pub fn endpoint(spec: Option<&RtbSpec>) -> Option<&str> {
    spec?.bidder.as_ref().map(|bidder| bidder.endpoint.as_str())
}

#[cfg(test)]
mod tests;
