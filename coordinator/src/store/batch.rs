//! What is asked of the key-value store: changes that belong together, and ranges of keys.

use super::error::{Result, StoreError};

/// Longest value the store takes. The engine keeps longer ones in files of their own, which its recovery handles badly.
pub const MAX_VALUE_BYTES: usize = 60 * 1024;
/// Longest key the store takes.
pub const MAX_KEY_BYTES: usize = 1024;

/// Keys from `start` (included) to `end` (excluded; `None` is the end of the keyspace).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRange {
    /// First key of the range.
    pub start: Vec<u8>,
    /// First key behind the range.
    pub end: Option<Vec<u8>>,
}

impl KeyRange {
    /// Every key.
    pub fn all() -> Self {
        Self { start: Vec::new(), end: None }
    }

    /// All keys that begin with `prefix`.
    pub fn prefix(prefix: &[u8]) -> Self {
        Self { start: prefix.to_vec(), end: successor(prefix) }
    }

    /// Whether no key can lie inside. Engines may panic on a reversed range, so they ask first.
    pub(crate) fn is_empty(&self) -> bool {
        self.end.as_ref().is_some_and(|end| *end <= self.start)
    }
}

/// The first key behind all keys that begin with `prefix`; `None` when there is none (all bytes are 0xff).
fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if let Some(next) = last.checked_add(1) {
            end.push(next);
            return Some(end);
        }
    }
    None
}

/// One change of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Set a key.
    Put(Vec<u8>, Vec<u8>),
    /// Remove a key, which need not exist.
    Delete(Vec<u8>),
}

/// Changes that become visible, and later durable, together. A later change of the same key wins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    changes: Vec<Change>,
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `key` to `value`.
    pub fn put(&mut self, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.changes.push(Change::Put(key.into(), value.into()));
    }

    /// Removes `key`.
    pub fn delete(&mut self, key: impl Into<Vec<u8>>) {
        self.changes.push(Change::Delete(key.into()));
    }

    /// Adds all changes of `other` behind the present ones.
    pub fn extend(&mut self, other: Self) {
        self.changes.extend(other.changes);
    }

    /// Number of changes.
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// Whether nothing would change.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The keys that it changes.
    pub(super) fn keys(&self) -> impl Iterator<Item = &[u8]> {
        self.changes.iter().map(|change| match change {
            Change::Put(key, _) | Change::Delete(key) => key.as_slice(),
        })
    }

    /// The changes in their order.
    pub(crate) fn into_changes(self) -> Vec<Change> {
        self.changes
    }

    /// Refuses a batch with an oversized key or value before any of it is applied.
    pub(crate) fn check(&self) -> Result<()> {
        for change in &self.changes {
            let (key, value_len) = match change {
                Change::Put(key, value) => (key, value.len()),
                Change::Delete(key) => (key, 0),
            };
            within("key", key.len(), MAX_KEY_BYTES)?;
            within("value", value_len, MAX_VALUE_BYTES)?;
        }
        Ok(())
    }
}

fn within(what: &'static str, len: usize, limit: usize) -> Result<()> {
    if len > limit { Err(StoreError::TooLarge { what, len, limit }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_successor_of_a_prefix_skips_full_bytes() {
        assert_eq!(successor(b"ab"), Some(b"ac".to_vec()));
        assert_eq!(successor(b"a\xff"), Some(b"b".to_vec()));
        assert_eq!(successor(b"\xff\xff"), None);
        assert_eq!(KeyRange::prefix(b""), KeyRange::all());
    }

    #[test]
    fn a_batch_with_an_oversized_part_is_refused() {
        let mut batch = Batch::new();
        batch.put("k", vec![0; MAX_VALUE_BYTES]);
        assert_eq!(batch.check(), Ok(()));
        batch.put("k", vec![0; MAX_VALUE_BYTES + 1]);
        assert!(matches!(batch.check(), Err(StoreError::TooLarge { what: "value", .. })));
        let mut batch = Batch::new();
        batch.delete(vec![0; MAX_KEY_BYTES + 1]);
        assert!(matches!(batch.check(), Err(StoreError::TooLarge { what: "key", .. })));
    }
}
