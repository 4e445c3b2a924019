//! The store in memory, for tests. It behaves as `sled_kv.rs` does, except that nothing outlives the process.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use super::kv::{Batch, CHUNK_BYTES, Change, KeyRange, Kv, Pair, Result};

/// A sorted map behind a lock.
#[derive(Debug, Default)]
pub struct MemKv {
    map: RwLock<BTreeMap<Vec<u8>, Vec<u8>>>,
}

impl MemKv {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<Vec<u8>, Vec<u8>>> {
        self.map.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kv for MemKv {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.read().get(key).cloned())
    }

    fn chunk(&self, range: &KeyRange, reverse: bool, limit: usize) -> Result<Vec<Pair>> {
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let map = self.read();
        let start = Bound::Included(range.start.as_slice());
        let end = range.end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let pairs = map.range::<[u8], _>((start, end));
        Ok(if reverse { take_chunk(pairs.rev(), limit) } else { take_chunk(pairs, limit) })
    }

    fn apply(&self, batch: Batch) -> Result<()> {
        batch.check()?;
        let mut map = self.map.write().unwrap_or_else(PoisonError::into_inner);
        for change in batch.into_changes() {
            match change {
                Change::Put(key, value) => map.insert(key, value),
                Change::Delete(key) => map.remove(&key),
            };
        }
        Ok(())
    }

    fn flush(&self) -> Result<()> {
        Ok(())
    }

    /// A map keeps no old values.
    fn compact(&self) -> Result<()> {
        Ok(())
    }

    fn size(&self) -> Result<u64> {
        let bytes: usize = self.read().iter().map(|(key, value)| key.len() + value.len()).sum();
        Ok(u64::try_from(bytes).unwrap_or(u64::MAX))
    }
}

fn take_chunk<'a>(pairs: impl Iterator<Item = (&'a Vec<u8>, &'a Vec<u8>)>, limit: usize) -> Vec<Pair> {
    let mut chunk = Vec::new();
    let mut bytes = 0;
    for (key, value) in pairs.take(limit) {
        bytes += key.len() + value.len();
        chunk.push((key.clone(), value.clone()));
        if bytes >= CHUNK_BYTES {
            break;
        }
    }
    chunk
}
