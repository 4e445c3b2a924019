//! Typed tables over the byte store: keys in their natural order, values as versioned records.

use std::marker::PhantomData;

use super::commit::Store;
pub use super::key::{Key, PrefixOf};
use super::kv::{Batch, KeyRange, Pair, Result, Scan, StoreError};
use super::migrate::Record;

/// A table, made as a constant: `const CAMPAIGNS: Table<String, Campaign> = Table::new("campaign");`
pub struct Table<K, V> {
    name: &'static str,
    types: PhantomData<fn(K) -> V>,
}

impl<K: Key, V: Record> Table<K, V> {
    /// The table called `name`. A zero byte ends the name in each key, so names may begin alike; two tables must not share one.
    pub const fn new(name: &'static str) -> Self {
        Self { name, types: PhantomData }
    }

    /// The name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The record of `key`.
    pub fn get(&self, store: &Store, key: &K) -> Result<Option<V>> {
        let value = store.get(&self.key_bytes(key))?;
        value.map(|bytes| self.value(&bytes)).transpose()
    }

    /// Whether there is a record of `key`.
    pub fn contains(&self, store: &Store, key: &K) -> Result<bool> {
        Ok(store.get(&self.key_bytes(key))?.is_some())
    }

    /// Adds the writing of a record to `batch`.
    pub fn put(&self, batch: &mut Batch, key: &K, value: &V) -> Result<()> {
        let bytes =
            value.to_bytes().map_err(|error| StoreError::Encode { table: self.name, message: error.to_string() })?;
        batch.put(self.key_bytes(key), bytes);
        Ok(())
    }

    /// Adds the removal of a record to `batch`.
    pub fn delete(&self, batch: &mut Batch, key: &K) {
        batch.delete(self.key_bytes(key));
    }

    /// All records in key order, or backwards.
    pub fn scan<'a>(&self, store: &'a Store, reverse: bool) -> Rows<'a, K, V> {
        self.rows(store, KeyRange::prefix(&self.prefix()), reverse)
    }

    /// The records whose key begins with the parts `first`.
    pub fn scan_prefix<'a, P: PrefixOf<K>>(&self, store: &'a Store, first: &P, reverse: bool) -> Rows<'a, K, V> {
        let mut prefix = self.prefix();
        first.encode(&mut prefix);
        self.rows(store, KeyRange::prefix(&prefix), reverse)
    }

    /// The records from `start` (included) to `end` (excluded).
    pub fn range<'a>(&self, store: &'a Store, start: &K, end: &K, reverse: bool) -> Rows<'a, K, V> {
        let range = KeyRange { start: self.key_bytes(start), end: Some(self.key_bytes(end)) };
        self.rows(store, range, reverse)
    }

    /// The records from `start` (included) to the end of the table.
    pub fn range_from<'a>(&self, store: &'a Store, start: &K) -> Rows<'a, K, V> {
        let range = KeyRange { start: self.key_bytes(start), ..KeyRange::prefix(&self.prefix()) };
        self.rows(store, range, false)
    }

    /// The records before `end`, from the last to the first.
    pub fn range_before<'a>(&self, store: &'a Store, end: &K) -> Rows<'a, K, V> {
        let range = KeyRange { start: self.prefix(), end: Some(self.key_bytes(end)) };
        self.rows(store, range, true)
    }

    /// The record with the smallest key.
    pub fn first(&self, store: &Store) -> Result<Option<(K, V)>> {
        self.scan(store, false).next().transpose()
    }

    /// The record with the greatest key.
    pub fn last(&self, store: &Store) -> Result<Option<(K, V)>> {
        self.scan(store, true).next().transpose()
    }

    fn prefix(&self) -> Vec<u8> {
        let mut prefix = Vec::with_capacity(self.name.len() + 40);
        prefix.extend_from_slice(self.name.as_bytes());
        prefix.push(0);
        prefix
    }

    fn key_bytes(&self, key: &K) -> Vec<u8> {
        let mut bytes = self.prefix();
        key.encode(&mut bytes);
        bytes
    }

    fn value(&self, bytes: &[u8]) -> Result<V> {
        V::from_bytes(bytes).map_err(|error| StoreError::Decode { table: self.name, message: error.to_string() })
    }

    fn rows<'a>(&self, store: &'a Store, range: KeyRange, reverse: bool) -> Rows<'a, K, V> {
        Rows { table: Self::new(self.name), scan: store.scan(range, reverse) }
    }
}

/// Records of a table, read chunk by chunk.
pub struct Rows<'a, K, V> {
    table: Table<K, V>,
    scan: Scan<'a>,
}

impl<K: Key, V: Record> Rows<'_, K, V> {
    fn row(&self, (key, value): &Pair) -> Result<(K, V)> {
        let mut rest = key.get(self.table.name.len() + 1..).unwrap_or_default();
        let Some(key) = K::decode(&mut rest).filter(|_| rest.is_empty()) else {
            let message = format!("its key has another form: `{}`", key.escape_ascii());
            return Err(StoreError::Decode { table: self.table.name, message });
        };
        Ok((key, self.table.value(value)?))
    }
}

impl<K: Key, V: Record> Iterator for Rows<'_, K, V> {
    type Item = Result<(K, V)>;

    fn next(&mut self) -> Option<Self::Item> {
        let pair = self.scan.next()?;
        Some(pair.and_then(|pair| self.row(&pair)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    const RUNS: Table<(String, u32), String> = Table::new("run");
    const RUNNERS: Table<(String, u32), String> = Table::new("runner");

    fn filled() -> Store {
        let store = Store::in_memory().unwrap();
        let mut batch = Batch::new();
        for (campaign, number) in [("b", 1), ("a", 300), ("a", 2), ("ab", 7)] {
            let text = format!("{campaign}{number}");
            RUNS.put(&mut batch, &(campaign.into(), number), &text).unwrap();
            RUNNERS.put(&mut batch, &(campaign.into(), number), &"other".into()).unwrap();
        }
        store.apply(batch).unwrap();
        store
    }

    fn values(rows: Rows<'_, (String, u32), String>) -> Vec<String> {
        rows.map(|row| row.unwrap().1).collect()
    }

    #[test]
    fn records_come_in_key_order_and_only_from_their_table() {
        let store = filled();
        assert_eq!(values(RUNS.scan(&store, false)), ["a2", "a300", "ab7", "b1"]);
        assert_eq!(values(RUNS.scan(&store, true)), ["b1", "ab7", "a300", "a2"]);
        assert_eq!(values(RUNS.scan_prefix(&store, &"a".to_owned(), false)), ["a2", "a300"]);
        let (from, to) = (("a".to_owned(), 3), ("b".to_owned(), 1));
        assert_eq!(values(RUNS.range(&store, &from, &to, true)), ["ab7", "a300"]);
        assert_eq!(values(RUNS.range(&store, &to, &from, false)), [""; 0]);
        assert_eq!(values(RUNS.range_from(&store, &from)), ["a300", "ab7", "b1"]);
        assert_eq!(values(RUNS.range_before(&store, &to)), ["ab7", "a300", "a2"]);
        assert_eq!(RUNS.first(&store).unwrap().unwrap().0, ("a".to_owned(), 2));
        assert_eq!(RUNS.last(&store).unwrap().unwrap().0, ("b".to_owned(), 1));
    }

    #[test]
    fn a_record_is_put_read_and_deleted() {
        let store = filled();
        let key = ("b".to_owned(), 1);
        assert_eq!(RUNS.get(&store, &key).unwrap().as_deref(), Some("b1"));
        let mut batch = Batch::new();
        RUNS.delete(&mut batch, &key);
        store.apply(batch).unwrap();
        assert!(!RUNS.contains(&store, &key).unwrap());
        assert!(RUNNERS.contains(&store, &key).unwrap());
    }

    #[test]
    fn damaged_records_are_errors_that_name_the_table() {
        let store = filled();
        let mut batch = Batch::new();
        batch.put(b"run\0zz".as_slice(), b"\x01\xa1x".as_slice());
        batch.put(b"run\0a\0\x01\0\0\0\x02".as_slice(), b"\x09".as_slice());
        store.apply(batch).unwrap();
        assert!(matches!(RUNS.get(&store, &("a".into(), 2)), Err(StoreError::Decode { table: "run", .. })));
        let last = RUNS.last(&store);
        assert!(matches!(last, Err(StoreError::Decode { table: "run", .. })), "{last:?}");
    }
}
