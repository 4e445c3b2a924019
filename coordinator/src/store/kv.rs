//! The whole database behind five byte-level operations, so that the engine below can be exchanged.
//!
//! There is one keyspace. Tables (`table.rs`) divide it by prefixes. A write is visible as soon as `apply` returns and
//! durable only after a later `flush`; `commit.rs` joins the two.

use std::collections::VecDeque;

pub use super::batch::{Batch, Change, KeyRange, MAX_KEY_BYTES, MAX_VALUE_BYTES};
pub use super::error::{Result, StoreError};

/// A scan asks the engine for at most this many pairs at once…
const CHUNK_PAIRS: usize = 256;
/// …and stops filling a chunk when it holds this many bytes.
pub(crate) const CHUNK_BYTES: usize = 256 * 1024;

/// One key with its value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// A database of byte keys and byte values in key order.
pub trait Kv: Send + Sync + 'static {
    /// The value of `key`.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>>;

    /// The first pairs of `range` (the last ones, descending, when `reverse`): at most `limit`, and no more once the
    /// chunk holds `CHUNK_BYTES`. An empty answer means that the range holds nothing.
    fn chunk(&self, range: &KeyRange, reverse: bool, limit: usize) -> Result<Vec<Pair>>;

    /// Makes all changes visible at once. They are durable only after the next `flush` that began later.
    fn apply(&self, batch: Batch) -> Result<()>;

    /// Blocks until everything applied before the call is on the disk.
    fn flush(&self) -> Result<()>;

    /// Takes every value that was replaced or removed off the medium, and gives its room back. Reads and writes go on;
    /// writes wait for the last moment of it. What was applied before the call is durable after it. Blocks.
    ///
    /// # Errors
    /// `Engine` when it could not be done; nothing is lost then, and it may be tried again.
    fn compact(&self) -> Result<()>;

    /// Bytes the store takes on its medium.
    fn size(&self) -> Result<u64>;

    /// Why writes are refused, when they are.
    fn read_only(&self) -> Option<String> {
        None
    }
}

/// Pairs of `range` in key order, or backwards. Nothing is held in the engine between two chunks, so a long scan neither
/// blocks writers nor pins memory; it sees each pair as it is when its chunk is read.
pub fn scan(kv: &dyn Kv, range: KeyRange, reverse: bool) -> Scan<'_> {
    Scan { kv, range, reverse, buffer: VecDeque::new(), done: false }
}

/// Iterator of `scan`. Ends after the first error.
pub struct Scan<'a> {
    kv: &'a dyn Kv,
    range: KeyRange,
    reverse: bool,
    buffer: VecDeque<Pair>,
    done: bool,
}

impl Scan<'_> {
    fn refill(&mut self) -> Result<()> {
        if self.range.is_empty() {
            self.done = true;
            return Ok(());
        }
        let pairs = self.kv.chunk(&self.range, self.reverse, CHUNK_PAIRS)?;
        match pairs.last() {
            None => self.done = true,
            Some((last, _)) if self.reverse => self.range.end = Some(last.clone()),
            Some((last, _)) => {
                // The smallest key above `last` is `last` followed by a zero byte.
                self.range.start.clone_from(last);
                self.range.start.push(0);
            }
        }
        self.buffer = pairs.into();
        Ok(())
    }
}

impl Iterator for Scan<'_> {
    type Item = Result<Pair>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.buffer.is_empty()
            && !self.done
            && let Err(error) = self.refill()
        {
            self.done = true;
            return Some(Err(error));
        }
        self.buffer.pop_front().map(Ok)
    }
}
