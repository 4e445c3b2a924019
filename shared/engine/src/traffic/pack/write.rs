//! Writing blocks.

use super::columns::{COLUMNS, COLUMNS_1, Column, flag, shorten};
use super::varint::{fold, push};
use super::{
    AuctionRecord, BLOB_BLOCK_VERSION, BLOCK_VERSION, EntryMode, MAX_BLOB, MAX_BLOCK_BLOBS, MAX_BLOCK_ENTRIES,
    PackedEntry,
};

/// Compression level: the first is fast and nearly as small as the others on these columns.
const LEVEL: i32 = 1;

/// Gathers entries of one shard and turns them into a block.
#[derive(Debug, Default)]
pub struct BlockWriter {
    columns: [Vec<u8>; COLUMNS],
    count: usize,
    slot: u32,
    /// The arrival that would follow the last one.
    next: u32,
}

impl BlockWriter {
    /// An empty block.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of entries so far.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there is nothing to write yet.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether the block takes no more entries.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.count >= MAX_BLOCK_ENTRIES
    }

    /// About how many bytes [`BlockWriter::finish`] would give; never less than half of it in practice.
    #[must_use]
    pub fn encoded_size_hint(&self) -> usize {
        let bytes: usize = self.columns.iter().map(Vec::len).sum();
        // Constant columns nearly vanish; what remains is about three fifths.
        16 + bytes * 3 / 5
    }

    /// Bytes of the blobs so far.
    #[must_use]
    pub fn blob_bytes(&self) -> usize {
        self.columns.get(Column::Blob as usize).map_or(0, Vec::len)
    }

    /// Whether an entry with a blob of this many bytes finds room; a blob that is too long for any block never does.
    #[must_use]
    pub fn has_room(&self, blob: usize) -> bool {
        !self.is_full() && blob <= MAX_BLOB && self.blob_bytes() + blob <= MAX_BLOCK_BLOBS
    }

    /// Adds an entry; false, and nothing added, when the block is full.
    pub fn push(&mut self, entry: &PackedEntry) -> bool {
        self.push_with(entry, None)
    }

    /// Adds an entry with bytes that belong to it; false, and nothing added, when there is no room.
    pub fn push_with(&mut self, entry: &PackedEntry, blob: Option<&[u8]>) -> bool {
        if !self.has_room(blob.map_or(0, <[u8]>::len)) {
            return false;
        }
        self.count += 1;
        self.varint(Column::Slot, fold(i64::from(entry.slot) - i64::from(self.slot)));
        let expected = if entry.slot == self.slot { self.next } else { 0 };
        self.varint(Column::Arrival, fold(i64::from(entry.k) - i64::from(expected)));
        self.slot = entry.slot;
        self.next = entry.k.wrapping_add(1);
        self.byte(Column::Flags, flags(entry) | if blob.is_some() { flag::BLOB } else { 0 });
        self.varint(Column::Status, u64::from(entry.status));
        self.byte(Column::Error, entry.error.code());
        self.varint(Column::Attempt, u64::from(entry.attempt));
        self.varint(Column::Service, u64::from(entry.service_us));
        self.varint(Column::Lag, fold(i64::from(entry.response_us) - i64::from(entry.service_us)));
        self.varint(Column::BytesIn, u64::from(entry.bytes_in));
        self.varint(Column::BytesOut, u64::from(entry.bytes_out));
        if let Some(auction) = &entry.auction {
            self.auction(auction);
        }
        if let Some(blob) = blob {
            self.varint(Column::BlobLength, u64::from(crate::traffic::cast::length(blob.len())));
            if let Some(bytes) = self.columns.get_mut(Column::Blob as usize) {
                bytes.extend_from_slice(blob);
            }
        }
        true
    }

    fn auction(&mut self, auction: &AuctionRecord) {
        self.byte(Column::Outcome, auction.outcome.code());
        self.byte(Column::Bids, auction.bids);
        self.byte(Column::Seat, auction.seat);
        self.byte(Column::Deal, auction.deal);
        self.varint(Column::Price, shorten(u64::from(auction.price_micros)));
        let above = i64::from(auction.bid_micros) - i64::from(auction.price_micros);
        self.varint(Column::Bid, shorten(fold(above)));
    }

    fn varint(&mut self, column: Column, value: u64) {
        if let Some(bytes) = self.columns.get_mut(column as usize) {
            push(bytes, value);
        }
    }

    fn byte(&mut self, column: Column, value: u8) {
        if let Some(bytes) = self.columns.get_mut(column as usize) {
            bytes.push(value);
        }
    }

    /// The block: version, count as a varint, then the compressed columns.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        let blobs = self.columns.get(Column::BlobLength as usize).is_some_and(|column| !column.is_empty());
        let (version, used) = if blobs { (BLOB_BLOCK_VERSION, COLUMNS) } else { (BLOCK_VERSION, COLUMNS_1) };
        let mut plain = Vec::with_capacity(self.columns.iter().map(|column| column.len() + 3).sum());
        for column in self.columns.iter().take(used) {
            push(&mut plain, u64::from(crate::traffic::cast::length(column.len())));
            plain.extend_from_slice(column);
        }
        let mut block = vec![version];
        push(&mut block, u64::from(crate::traffic::cast::length(self.count)));
        let packed =
            zstd::bulk::compress(&plain, LEVEL).expect("compressing memory into memory of the right size cannot fail");
        block.extend_from_slice(&packed);
        block
    }
}

fn flags(entry: &PackedEntry) -> u8 {
    let mut bits = 0;
    if entry.mode == EntryMode::Http {
        bits |= flag::HTTP;
    }
    if entry.success {
        bits |= flag::SUCCESS;
    }
    if entry.auction.is_some() {
        bits |= flag::AUCTION;
    }
    bits
}
