//! Campaigns and their figures in memory, as they are on the disk: what every question reads.
//!
//! Invariants: an [`Entry`] never changes, a change puts another in its place; that happens while a batch is applied,
//! under the store's lock, so memory and disk take changes in the same order; the map's own lock is held for moments.

mod load;
mod packed;
pub mod records;
mod remove;
mod restated;
mod upsert;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use trafficlab_engine::ads::figures::Figures;
use trafficlab_engine::ads::series::Series;

use super::campaign::{CAMPAIGNS, Campaign, Platform};
use super::change::Change;
use super::ids::{CampaignId, TenantId};
use crate::store::{Store, StoreError};

pub use packed::Packed;
pub use records::Source;
pub use restated::{Restated, restatements};
pub use upsert::{Prepared, Upserted};

/// A campaign with its figures.
#[derive(Debug, Clone)]
pub struct Entry {
    /// As it is stored.
    pub campaign: Campaign,
    /// Its name in lower case, for searches.
    pub folded: String,
    /// Of all its real days.
    pub totals: Figures,
    /// What platforms and people told.
    pub real: Arc<Series>,
    /// What generated traffic made.
    pub synthetic: Arc<Series>,
}

impl Entry {
    /// A campaign without figures.
    #[must_use]
    pub fn new(campaign: Campaign) -> Self {
        let folded = campaign.name.to_lowercase();
        Self { campaign, folded, totals: Figures::default(), real: Arc::default(), synthetic: Arc::default() }
    }

    /// Its days of a source.
    #[must_use]
    pub const fn series(&self, source: Source) -> &Arc<Series> {
        match source {
            Source::Real => &self.real,
            Source::Synthetic => &self.synthetic,
        }
    }
}

/// The campaigns of one tenant.
#[derive(Debug, Default)]
struct Shelf {
    entries: BTreeMap<CampaignId, Arc<Entry>>,
    /// Of those that are not deleted.
    external: HashMap<(Platform, String), CampaignId>,
}

impl Shelf {
    fn put(&mut self, entry: Entry) {
        let id = entry.campaign.id;
        let key = |campaign: &Campaign| Some((campaign.platform, campaign.external_id.clone()?));
        if let Some(before) = self.entries.get(&id).and_then(|before| key(&before.campaign))
            && self.external.get(&before) == Some(&id)
        {
            self.external.remove(&before);
        }
        if let Some(key) = key(&entry.campaign).filter(|_| entry.campaign.deleted_ns.is_none()) {
            self.external.insert(key, id);
        }
        self.entries.insert(id, Arc::new(entry));
    }

    fn remove(&mut self, id: CampaignId) {
        self.entries.remove(&id);
        self.external.retain(|_, known| *known != id);
    }
}

type Shelves = HashMap<TenantId, Shelf>;

/// All campaigns of all tenants. Cheap to clone: clones are the same book.
#[derive(Debug, Clone, Default)]
pub struct Book(Arc<RwLock<Shelves>>);

impl Book {
    /// Reads what is stored. Blocks.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn open(store: &Store) -> Result<Self, StoreError> {
        load::shelves(store).map(|shelves| Self(Arc::new(RwLock::new(shelves))))
    }

    /// A campaign that is not deleted.
    #[must_use]
    pub fn get(&self, tenant: TenantId, id: CampaignId) -> Option<Arc<Entry>> {
        self.get_any(tenant, id).filter(|entry| entry.campaign.deleted_ns.is_none())
    }

    /// A campaign, deleted or not.
    #[must_use]
    pub fn get_any(&self, tenant: TenantId, id: CampaignId) -> Option<Arc<Entry>> {
        self.read().get(&tenant)?.entries.get(&id).cloned()
    }

    /// The campaigns that are not deleted, by id.
    #[must_use]
    pub fn all(&self, tenant: TenantId) -> Vec<Arc<Entry>> {
        let mut entries = self.all_any(tenant);
        entries.retain(|entry| entry.campaign.deleted_ns.is_none());
        entries
    }

    /// The campaigns, deleted ones too, by id.
    #[must_use]
    pub fn all_any(&self, tenant: TenantId) -> Vec<Arc<Entry>> {
        self.read().get(&tenant).map(|shelf| shelf.entries.values().cloned().collect()).unwrap_or_default()
    }

    /// The campaign of an id at a platform, unless it is deleted.
    #[must_use]
    pub fn by_external(&self, tenant: TenantId, platform: Platform, external_id: &str) -> Option<CampaignId> {
        self.read().get(&tenant)?.external.get(&(platform, external_id.to_owned())).copied()
    }

    /// The tenant of a campaign that is not deleted.
    #[must_use]
    pub fn tenant_of(&self, id: CampaignId) -> Option<TenantId> {
        let shelves = self.read();
        let found = |shelf: &Shelf| shelf.entries.get(&id).is_some_and(|entry| entry.campaign.deleted_ns.is_none());
        shelves.iter().find(|(_, shelf)| found(shelf)).map(|(tenant, _)| *tenant)
    }

    /// How many campaigns are not deleted.
    #[must_use]
    pub fn count(&self, tenant: TenantId) -> usize {
        self.all(tenant).len()
    }

    /// Writes a campaign; one of the same id is replaced and keeps its figures.
    ///
    /// # Errors
    /// When it cannot be encoded.
    pub fn put(&self, change: &mut Change<'_>, campaign: Campaign) -> Result<(), StoreError> {
        change.put(&CAMPAIGNS, campaign.id, &campaign)?;
        let (book, tenant) = (self.clone(), change.actor.tenant);
        change.then(move || {
            let fresh = Entry::new(campaign);
            let before = book.get_any(tenant, fresh.campaign.id);
            let entry = match before {
                Some(before) => Entry {
                    totals: before.totals,
                    real: Arc::clone(&before.real),
                    synthetic: Arc::clone(&before.synthetic),
                    ..fresh
                },
                None => fresh,
            };
            book.place(tenant, entry);
        });
        Ok(())
    }

    /// Puts an entry in the place of the one of its id.
    fn place(&self, tenant: TenantId, entry: Entry) {
        self.write().entry(tenant).or_default().put(entry);
    }

    fn read(&self) -> RwLockReadGuard<'_, Shelves> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Shelves> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
