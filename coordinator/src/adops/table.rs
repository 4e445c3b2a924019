//! Tables whose every row belongs to a tenant: there is no way in without saying which.

use super::ids::TenantId;
use crate::store::kv::{Batch, Result};
use crate::store::table::{Key, PrefixOf, Rows};
use crate::store::{Record, Store, Table};

/// A table of tenants' rows: `const LABELS: TenantTable<u64, Label> = TenantTable::new("ads_label");`
///
/// The tenant is the first part of each key, as an integer of fixed length, so nothing that a tenant writes can reach
/// beyond its rows.
pub struct TenantTable<K, V>(Table<(TenantId, K), V>);

impl<K: Key, V: Record> TenantTable<K, V> {
    /// The table called `name`.
    pub const fn new(name: &'static str) -> Self {
        Self(Table::new(name))
    }

    /// A tenant's record of `key`.
    pub fn get(&self, store: &Store, tenant: TenantId, key: K) -> Result<Option<V>> {
        self.0.get(store, &(tenant, key))
    }

    /// Adds the writing of a record to `batch`.
    pub fn put(&self, batch: &mut Batch, tenant: TenantId, key: K, value: &V) -> Result<()> {
        self.0.put(batch, &(tenant, key), value)
    }

    /// Adds the removal of a record to `batch`.
    pub fn delete(&self, batch: &mut Batch, tenant: TenantId, key: K) {
        self.0.delete(batch, &(tenant, key));
    }

    /// A tenant's records in key order, or backwards.
    pub fn scan<'a>(&self, store: &'a Store, tenant: TenantId, reverse: bool) -> TenantRows<'a, K, V> {
        TenantRows(self.0.scan_prefix(store, &tenant, reverse))
    }

    /// A tenant's records whose key begins with `first`.
    pub fn scan_prefix<'a, P: Key + PrefixOf<K>>(
        &self,
        store: &'a Store,
        tenant: TenantId,
        first: P,
        reverse: bool,
    ) -> TenantRows<'a, K, V>
    where
        (TenantId, P): PrefixOf<(TenantId, K)>,
    {
        TenantRows(self.0.scan_prefix(store, &(tenant, first), reverse))
    }

    /// A tenant's records from `start` (included) to `end` (excluded).
    pub fn range<'a>(
        &self,
        store: &'a Store,
        tenant: TenantId,
        start: K,
        end: K,
        reverse: bool,
    ) -> TenantRows<'a, K, V> {
        TenantRows(self.0.range(store, &(tenant, start), &(tenant, end), reverse))
    }

    /// The records of all tenants, for the server's own work: opening, retention, erasure.
    pub(super) fn everyone<'a>(&self, store: &'a Store) -> Rows<'a, (TenantId, K), V> {
        self.0.scan(store, false)
    }
}

/// Records of one tenant, read chunk by chunk.
pub struct TenantRows<'a, K, V>(Rows<'a, (TenantId, K), V>);

impl<K: Key, V: Record> Iterator for TenantRows<'_, K, V> {
    type Item = Result<(K, V)>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|row| row.map(|((_, key), value)| (key, value)))
    }
}
