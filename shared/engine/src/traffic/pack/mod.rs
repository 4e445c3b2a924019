//! Entries as they are stored: outcome fields only, in compressed columns.
//!
//! Everything else of an entry is made again on read from its key.

mod columns;
mod read;
pub(crate) mod varint;
mod write;

use trafficlab_shared::model::error_kind::ErrorKind;

pub use read::{BlockError, BlockReader, WithBlob};
pub use write::BlockWriter;

/// Version of the block layout that is written while no entry has a blob.
pub const BLOCK_VERSION: u8 = 1;

/// Version of the block layout with blobs: bytes that are stored with an entry as they came.
pub const BLOB_BLOCK_VERSION: u8 = 2;

/// Longest blob of an entry in bytes.
pub const MAX_BLOB: usize = 12 * 1024;

/// Bytes of all blobs of a block together, which also bounds what a reader allocates.
pub const MAX_BLOCK_BLOBS: usize = 512 * 1024;

/// Most entries in one block, which also bounds what a reader allocates.
pub const MAX_BLOCK_ENTRIES: usize = 65_536;

/// How an entry came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum EntryMode {
    /// Drawn from distributions; no packet left.
    #[default]
    Simulate,
    /// A real request.
    Http,
}

impl EntryMode {
    /// The word in entries.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Simulate => "simulate",
            Self::Http => "http",
        }
    }
}

/// What became of the ad opportunity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
pub enum AuctionOutcome {
    /// Nobody bid.
    #[default]
    NoBid = 0,
    /// All bids were below their floor.
    Lost = 1,
    /// Sold and shown.
    Impression = 2,
    /// Shown and clicked.
    Click = 3,
    /// Clicked and converted.
    Conversion = 4,
}

impl AuctionOutcome {
    /// All outcomes in the order of their stored codes.
    pub const ALL: [Self; 5] = [Self::NoBid, Self::Lost, Self::Impression, Self::Click, Self::Conversion];

    /// The stored code.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The outcome with this stored code.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The word in entries.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoBid => "no_bid",
            Self::Lost => "lost",
            Self::Impression => "impression",
            Self::Click => "click",
            Self::Conversion => "conversion",
        }
    }

    /// Whether the ad was sold.
    #[must_use]
    pub const fn is_won(self) -> bool {
        matches!(self, Self::Impression | Self::Click | Self::Conversion)
    }
}

/// The result of an auction; prices are micros per thousand impressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct AuctionRecord {
    /// What became of it.
    pub outcome: AuctionOutcome,
    /// Number of bids.
    pub bids: u8,
    /// Seat of the highest bid; meaningless without bids.
    pub seat: u8,
    /// 0 in the open auction, else the place of the deal plus 1.
    pub deal: u8,
    /// What the winner pays, 0 without a winner.
    pub price_micros: u32,
    /// The highest bid: the winner's, or the best below the floor.
    pub bid_micros: u32,
}

/// An entry as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct PackedEntry {
    /// Second of active time.
    pub slot: u32,
    /// Number of the arrival within the shard's slot.
    pub k: u32,
    /// How it came about.
    pub mode: EntryMode,
    /// Status of the response, 0 when none came.
    pub status: u16,
    /// Whether it counts as a success.
    pub success: bool,
    /// Why it failed.
    pub error: ErrorKind,
    /// Microseconds from the intended moment to the end.
    pub response_us: u32,
    /// Microseconds from the real send to the end.
    pub service_us: u32,
    /// Bytes received.
    pub bytes_in: u32,
    /// Bytes sent.
    pub bytes_out: u32,
    /// Which attempt of the shard made it, cut to 16 bits.
    pub attempt: u16,
    /// The auction, when there was one.
    pub auction: Option<AuctionRecord>,
}

impl PackedEntry {
    /// Microseconds between the intended moment and the real send.
    #[must_use]
    pub const fn lag_us(&self) -> u32 {
        self.response_us.saturating_sub(self.service_us)
    }
}

#[cfg(test)]
mod tests;
