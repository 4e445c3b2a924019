//! A vector that never moves what it holds: growing a vector of a hundred thousand flows would need twice their memory.

use super::table::Flow;

/// Flows of one chunk, as a power of two.
const CHUNK_BITS: u32 = 8;

/// Flows in chunks of equal size.
#[derive(Debug, Default)]
pub(super) struct Slab {
    chunks: Vec<Vec<Flow>>,
    len: u32,
}

impl Slab {
    /// A flow by its place.
    #[inline]
    pub(super) fn get(&self, slot: u32) -> Option<&Flow> {
        let (chunk, at) = split(slot);
        self.chunks.get(chunk)?.get(at)
    }

    /// A flow by its place.
    #[inline]
    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut Flow> {
        let (chunk, at) = split(slot);
        self.chunks.get_mut(chunk)?.get_mut(at)
    }

    /// Adds a flow and tells its place.
    pub(super) fn push(&mut self, flow: Flow) -> u32 {
        let slot = self.len;
        self.len = slot.checked_add(1).expect("a table holds at most 2^32 - 1 flows, by its limit");
        let (chunk, _) = split(slot);
        if self.chunks.len() <= chunk {
            self.chunks.push(Vec::with_capacity(1 << CHUNK_BITS));
        }
        if let Some(chunk) = self.chunks.get_mut(chunk) {
            chunk.push(flow);
        }
        slot
    }
}

fn split(slot: u32) -> (usize, usize) {
    let at = slot & ((1 << CHUNK_BITS) - 1);
    let whole = |part: u32| usize::try_from(part).unwrap_or(usize::MAX);
    (whole(slot >> CHUNK_BITS), whole(at))
}
