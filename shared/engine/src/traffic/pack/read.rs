//! Reading blocks; any bytes may come in, and none may bring the process down.

use trafficlab_shared::model::error_kind::ErrorKind;

use super::columns::{COLUMNS, COLUMNS_1, Column, ENTRY_COLUMNS, flag, lengthen};
use super::varint::{take, unfold};
use super::{
    AuctionOutcome, AuctionRecord, BLOB_BLOCK_VERSION, BLOCK_VERSION, EntryMode, MAX_BLOB, MAX_BLOCK_BLOBS,
    MAX_BLOCK_ENTRIES, PackedEntry,
};

/// Longest entry before compression, with room to spare.
const MAX_ENTRY_BYTES: usize = 96;

/// Why bytes are not a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// Written by a later version.
    #[error("block version `{0}` is not known to this build")]
    Version(u8),
    /// More entries than any writer puts into a block.
    #[error("block claims `{0}` entries")]
    Count(u64),
    /// The compressed part is damaged.
    #[error("block cannot be decompressed")]
    Compression,
    /// The columns end early, run over, or hold something impossible.
    #[error("column `{0}` of the block is damaged")]
    Column(usize),
}

/// The entries of a block, in the order they were written.
#[derive(Debug)]
pub struct BlockReader {
    plain: Vec<u8>,
    /// What is left of each column, as ranges of `plain`.
    columns: [(usize, usize); COLUMNS],
    left: usize,
    slot: u32,
    next: u32,
    /// Where the blob of the entry read last lies in `plain`.
    blob: Option<(usize, usize)>,
}

/// An entry with the bytes stored beside it.
pub type WithBlob = (PackedEntry, Option<Box<[u8]>>);

impl BlockReader {
    /// Decompresses a block and checks its frame; the entries are decoded as they are asked for.
    ///
    /// # Errors
    /// When the bytes are no block.
    pub fn new(block: &[u8]) -> Result<Self, BlockError> {
        let (&version, mut rest) = block.split_first().ok_or(BlockError::Compression)?;
        // Layout 2 may be larger by its blobs, with a length for each.
        let (used, extra) = match version {
            BLOCK_VERSION => (COLUMNS_1, 0),
            BLOB_BLOCK_VERSION => (COLUMNS, MAX_BLOCK_BLOBS),
            _ => return Err(BlockError::Version(version)),
        };
        let claimed = take(&mut rest).ok_or(BlockError::Compression)?;
        let count = usize::try_from(claimed)
            .ok()
            .filter(|count| *count <= MAX_BLOCK_ENTRIES)
            .ok_or(BlockError::Count(claimed))?;
        let limit = (count + 1) * MAX_ENTRY_BYTES + extra;
        let plain = zstd::bulk::decompress(rest, limit).map_err(|_error| BlockError::Compression)?;
        let columns = split(&plain, used)?;
        // Every entry has a byte in each of its columns, so a false count cannot ask for memory.
        for (column, (start, end)) in columns.iter().enumerate().take(ENTRY_COLUMNS) {
            if end - start < count {
                return Err(BlockError::Column(column));
            }
        }
        Ok(Self { plain, columns, left: count, slot: 0, next: 0, blob: None })
    }

    /// Number of entries not yet read.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.left
    }

    /// Whether all entries are read.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.left == 0
    }

    /// Decodes all entries of a block.
    ///
    /// # Errors
    /// When the bytes are no block.
    pub fn read_all(block: &[u8]) -> Result<Vec<PackedEntry>, BlockError> {
        Self::new(block)?.collect()
    }

    /// Decodes all entries of a block with their blobs.
    ///
    /// # Errors
    /// When the bytes are no block.
    pub fn read_with_blobs(block: &[u8]) -> Result<Vec<WithBlob>, BlockError> {
        let mut reader = Self::new(block)?;
        let mut entries = Vec::with_capacity(reader.len());
        while let Some(entry) = reader.next() {
            let blob = reader.blob().map(Box::from);
            entries.push((entry?, blob));
        }
        Ok(entries)
    }

    /// The bytes stored beside the entry that was read last.
    #[must_use]
    pub fn blob(&self) -> Option<&[u8]> {
        let (start, end) = self.blob?;
        self.plain.get(start..end)
    }

    fn next_blob(&mut self) -> Result<(usize, usize), BlockError> {
        let damaged = BlockError::Column(Column::Blob as usize);
        let length: u32 = self.short(Column::BlobLength)?;
        let length = usize::try_from(length).ok().filter(|length| *length <= MAX_BLOB).ok_or(damaged)?;
        let (start, end) = self.columns.get_mut(Column::Blob as usize).ok_or(damaged)?;
        let begin = *start;
        *start = begin.checked_add(length).filter(|after| *after <= *end).ok_or(damaged)?;
        Ok((begin, begin + length))
    }

    fn varint(&mut self, column: Column) -> Result<u64, BlockError> {
        let damaged = BlockError::Column(column as usize);
        let (start, end) = self.columns.get_mut(column as usize).map(|range| (&mut range.0, range.1)).ok_or(damaged)?;
        let mut bytes = self.plain.get(*start..end).ok_or(damaged)?;
        let value = take(&mut bytes).ok_or(damaged)?;
        *start = end - bytes.len();
        Ok(value)
    }

    fn short<T: TryFrom<u64>>(&mut self, column: Column) -> Result<T, BlockError> {
        T::try_from(self.varint(column)?).map_err(|_error| BlockError::Column(column as usize))
    }

    fn byte(&mut self, column: Column) -> Result<u8, BlockError> {
        let damaged = BlockError::Column(column as usize);
        let (start, end) = self.columns.get_mut(column as usize).ok_or(damaged)?;
        let value = self.plain.get(*start..*end).and_then(|bytes| bytes.first()).ok_or(damaged)?;
        *start += 1;
        Ok(*value)
    }

    /// `base` plus a folded difference.
    fn shifted(&mut self, column: Column, base: u32) -> Result<u32, BlockError> {
        let shift = unfold(self.varint(column)?);
        let value = i64::from(base).checked_add(shift);
        value.and_then(|value| u32::try_from(value).ok()).ok_or(BlockError::Column(column as usize))
    }

    fn entry(&mut self) -> Result<PackedEntry, BlockError> {
        let slot = self.shifted(Column::Slot, self.slot)?;
        let expected = if slot == self.slot { self.next } else { 0 };
        let k = self.shifted(Column::Arrival, expected)?;
        (self.slot, self.next) = (slot, k.wrapping_add(1));
        let flags = self.byte(Column::Flags)?;
        let status = self.short(Column::Status)?;
        let error =
            ErrorKind::from_code(self.byte(Column::Error)?).ok_or(BlockError::Column(Column::Error as usize))?;
        let attempt = self.short(Column::Attempt)?;
        let service_us: u32 = self.short(Column::Service)?;
        self.blob = if flags & flag::BLOB == 0 { None } else { Some(self.next_blob()?) };
        Ok(PackedEntry {
            slot,
            k,
            mode: if flags & flag::HTTP == 0 { EntryMode::Simulate } else { EntryMode::Http },
            status,
            success: flags & flag::SUCCESS != 0,
            error,
            response_us: self.shifted(Column::Lag, service_us)?,
            service_us,
            bytes_in: self.short(Column::BytesIn)?,
            bytes_out: self.short(Column::BytesOut)?,
            attempt,
            auction: if flags & flag::AUCTION == 0 { None } else { Some(self.auction()?) },
        })
    }

    fn auction(&mut self) -> Result<AuctionRecord, BlockError> {
        let outcome = AuctionOutcome::from_code(self.byte(Column::Outcome)?)
            .ok_or(BlockError::Column(Column::Outcome as usize))?;
        let (bids, seat, deal) = (self.byte(Column::Bids)?, self.byte(Column::Seat)?, self.byte(Column::Deal)?);
        let price = lengthen(self.varint(Column::Price)?).and_then(|price| u32::try_from(price).ok());
        let price_micros = price.ok_or(BlockError::Column(Column::Price as usize))?;
        let above = lengthen(self.varint(Column::Bid)?).map(unfold);
        let bid = above.and_then(|above| above.checked_add(i64::from(price_micros)));
        Ok(AuctionRecord {
            outcome,
            bids,
            seat,
            deal,
            price_micros,
            bid_micros: bid.and_then(|bid| u32::try_from(bid).ok()).ok_or(BlockError::Column(Column::Bid as usize))?,
        })
    }
}

fn split(plain: &[u8], used: usize) -> Result<[(usize, usize); COLUMNS], BlockError> {
    let mut columns = [(0, 0); COLUMNS];
    let mut rest = plain;
    for (number, column) in columns.iter_mut().enumerate().take(used) {
        let length = take(&mut rest).and_then(|length| usize::try_from(length).ok());
        let length = length.ok_or(BlockError::Column(number))?;
        let start = plain.len() - rest.len();
        rest = rest.get(length..).ok_or(BlockError::Column(number))?;
        *column = (start, start + length);
    }
    if rest.is_empty() { Ok(columns) } else { Err(BlockError::Column(COLUMNS)) }
}

impl Iterator for BlockReader {
    type Item = Result<PackedEntry, BlockError>;

    /// After an error there are no more entries.
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let entry = self.entry();
        if entry.is_err() {
            self.left = 0;
        }
        Some(entry)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.left))
    }
}
