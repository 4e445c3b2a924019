//! The sites whose visits are counted. Requests look them up without a lock; changes copy the map.

pub mod domain;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use foldhash::fast::RandomState;
use trafficlab_shared::clock;
use trafficlab_shared::config::TrackerConfig;

pub use crate::store::visit_settings::Site;
use crate::store::visit_settings::VISIT_SITES;
use crate::store::{Batch, Store, StoreError};

/// Sites that are made by themselves at the most. A flood of made-up hosts must not fill memory and disk.
pub const MOST_SITES: usize = 1000;
/// The zone of a site for which none is settled.
pub const DEFAULT_ZONE: &str = "UTC";

type Map = HashMap<String, Arc<Site>, RandomState>;

/// All sites.
pub struct Sites {
    store: Store,
    map: ArcSwap<Map>,
    /// Domains of the configuration; empty takes sites as they appear.
    listed: Vec<String>,
    /// One change at a time, since each copies the map. No data of its own, so poison means nothing.
    changing: Mutex<()>,
}

/// Whether a visit's site is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// It is known.
    Known(Arc<Site>),
    /// It was not known and is now.
    Made(Arc<Site>),
    /// It is not counted.
    Unknown,
    /// There are as many as may come by themselves.
    TooMany,
}

impl Site {
    /// A site without settings of its own.
    #[must_use]
    pub fn new(domain: &str, created_ns: u64) -> Self {
        Self {
            domain: domain.to_owned(),
            timezone: DEFAULT_ZONE.to_owned(),
            keep_days: None,
            respect_dnt: None,
            unique_mode: None,
            excluded_paths: Vec::new(),
            excluded_addresses: Vec::new(),
            origins: Vec::new(),
            visits_per_second: None,
            hash_routing: false,
            added: false,
            created_ns,
        }
    }
}

impl Sites {
    /// Reads all sites. Blocks. Sites of the configuration are there from the start.
    ///
    /// # Errors
    /// When the store fails.
    pub fn open(store: &Store, config: &TrackerConfig) -> Result<Self, StoreError> {
        let mut map = Map::default();
        for row in VISIT_SITES.scan(store, false) {
            let (domain, site) = row?;
            map.insert(domain, Arc::new(site));
        }
        let usable = |text: &String| {
            let found = domain::normal(text);
            if found.is_none() {
                tracing::warn!(site = %text.escape_default(), "`tracker.sites` names something that is no host");
            }
            found
        };
        let listed: Vec<String> = config.sites.iter().filter_map(usable).collect();
        let sites = Self { store: store.clone(), map: ArcSwap::from_pointee(map), listed, changing: Mutex::new(()) };
        sites.adopt(sites.listed.clone())?;
        Ok(sites)
    }

    /// The site of a host, counted or not any more. Never waits.
    #[must_use]
    pub fn find(&self, host: &str) -> Option<Arc<Site>> {
        self.map.load().get(host).cloned()
    }

    /// All sites, ordered by domain.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Site>> {
        let mut all: Vec<Arc<Site>> = self.map.load().values().cloned().collect();
        all.sort_by(|a, b| a.domain.cmp(&b.domain));
        all
    }

    /// Whether some site fits. Never waits.
    #[must_use]
    pub fn any(&self, fits: impl Fn(&Site) -> bool) -> bool {
        self.map.load().values().any(|site| fits(site))
    }

    /// The site of a visit's host, which is in lower case and without `www.`. With no sites in the configuration it is made
    /// at first sight; the record is durable with the next commit of anybody, and `adopt` makes it anew from its visits
    /// should it be lost before.
    #[must_use]
    pub fn admit(&self, host: &str) -> Admission {
        match self.look(host) {
            Admission::Made(_) => self.make(host),
            other => other,
        }
    }

    /// What `admit` will answer, without making anything: a site that would be made is as it would be. A visit that is
    /// left out for another reason must not leave a site behind.
    #[must_use]
    pub fn look(&self, host: &str) -> Admission {
        let map = self.map.load();
        match map.get(host) {
            Some(site) if self.is_counted(site) => Admission::Known(Arc::clone(site)),
            Some(_) => Admission::Unknown,
            None if !self.listed.is_empty() || !domain::is_domain(host) => Admission::Unknown,
            None if map.len() >= MOST_SITES => Admission::TooMany,
            None => Admission::Made(Arc::new(Site::new(host, clock::wall_ns()))),
        }
    }

    /// Whether visits of the site are taken.
    #[must_use]
    pub fn is_counted(&self, site: &Site) -> bool {
        self.listed.is_empty() || site.added || self.listed.contains(&site.domain)
    }

    fn make(&self, host: &str) -> Admission {
        let _changing = self.lock();
        let map = self.map.load();
        if let Some(site) = map.get(host) {
            return Admission::Known(Arc::clone(site));
        }
        if map.len() >= MOST_SITES {
            return Admission::TooMany;
        }
        match self.put_all([Site::new(host, clock::wall_ns())]) {
            Ok(()) => self.find(host).map_or(Admission::Unknown, Admission::Made),
            Err(error) => {
                tracing::error!(%error, "a site cannot be stored");
                Admission::Unknown
            }
        }
    }

    /// Makes records of sites that have none, such as those whose visits are there already.
    ///
    /// # Errors
    /// When the store fails.
    pub fn adopt(&self, domains: impl IntoIterator<Item = String>) -> Result<(), StoreError> {
        let _changing = self.lock();
        let map = self.map.load();
        let now = clock::wall_ns();
        let fresh =
            domains.into_iter().filter(|domain| !map.contains_key(domain)).map(|domain| Site::new(&domain, now));
        self.put_all(fresh.collect::<Vec<_>>())
    }

    /// Sets a site's record, durably.
    ///
    /// # Errors
    /// When the store fails; the change may be visible then until the next start.
    pub async fn put(&self, site: Site) -> Result<(), StoreError> {
        {
            let _changing = self.lock();
            self.put_all([site])?;
        }
        self.store.durable().await
    }

    /// Forgets a site, durably. Comes back with whether it was there.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remove(&self, domain: &str) -> Result<bool, StoreError> {
        {
            let _changing = self.lock();
            let mut map = Map::clone(&self.map.load());
            if map.remove(domain).is_none() {
                return Ok(false);
            }
            let mut batch = Batch::new();
            VISIT_SITES.delete(&mut batch, &domain.to_owned());
            self.store.apply(batch)?;
            self.map.store(Arc::new(map));
        }
        self.store.durable().await?;
        Ok(true)
    }

    /// Writes records and shows them. The caller holds the lock.
    fn put_all(&self, sites: impl IntoIterator<Item = Site>) -> Result<(), StoreError> {
        let mut map = Map::clone(&self.map.load());
        let mut batch = Batch::new();
        for site in sites {
            VISIT_SITES.put(&mut batch, &site.domain, &site)?;
            map.insert(site.domain.clone(), Arc::new(site));
        }
        self.store.apply(batch)?;
        self.map.store(Arc::new(map));
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
