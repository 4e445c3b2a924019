//! Layouts 1 and 2: which columns there are and what their bytes mean. Layout 2 has blobs as well.
//!
//! Before compression a block is its columns one after the other: for each column its length in bytes as a
//! varint, then its values. The auction columns hold only entries that have an auction.

/// Columns in the order they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Column {
    /// Varint of the folded difference to the slot before.
    Slot,
    /// Varint of the folded difference to the arrival after the one before.
    Arrival,
    /// One byte of [`flag`]s.
    Flags,
    /// Varint.
    Status,
    /// One byte, `ErrorKind::code`.
    Error,
    /// Varint.
    Attempt,
    /// Varint, microseconds.
    Service,
    /// Varint of the folded difference response - service, microseconds.
    Lag,
    /// Varint.
    BytesIn,
    /// Varint.
    BytesOut,
    /// One byte, `AuctionOutcome::code`.
    Outcome,
    /// One byte.
    Bids,
    /// One byte.
    Seat,
    /// One byte.
    Deal,
    /// Varint of price and unit: `price / 100 * 2` when the price is a multiple of 100, else `price * 2 + 1`.
    Price,
    /// Varint of the folded difference bid - price, with the same unit rule on the folded number.
    Bid,
    /// Layout 2: varint of the length of the blob, for entries that have one.
    BlobLength,
    /// Layout 2: the blobs, one behind the other.
    Blob,
}

/// Columns of layout 1, which has no blobs.
pub(super) const COLUMNS_1: usize = 16;
/// Columns of layout 2.
pub(super) const COLUMNS: usize = 18;
/// Columns that every entry has a value in, each of at least one byte.
pub(super) const ENTRY_COLUMNS: usize = 10;

/// Bits of the flags column; the others are 0.
pub(super) mod flag {
    pub(in crate::traffic::pack) const HTTP: u8 = 1;
    pub(in crate::traffic::pack) const SUCCESS: u8 = 2;
    pub(in crate::traffic::pack) const AUCTION: u8 = 4;
    /// Layout 2 only.
    pub(in crate::traffic::pack) const BLOB: u8 = 8;
}

/// Prices usually have four decimals: dropping two zero digits saves a byte each.
pub(super) const fn shorten(value: u64) -> u64 {
    if value.is_multiple_of(100) { value / 100 * 2 } else { value * 2 + 1 }
}

pub(super) fn lengthen(value: u64) -> Option<u64> {
    if value & 1 == 0 { (value / 2).checked_mul(100) } else { Some(value / 2) }
}
