//! Erasures that were made, and the compaction that takes what they removed off the disk.
//!
//! The engine's files keep what was removed until they are written anew. So an erasure is not complete before a compaction
//! that began after it; several of them share one, since it copies the whole store.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use trafficlab_shared::clock;
use trafficlab_shared::config::Config;

use super::Privacy;
use super::list::Line;
use crate::adops::ids::{TenantId, UserId};
use crate::adops::table::TenantTable;
use crate::store::kv::Result as Stored;
use crate::store::{Batch, FirstVersion, Store};
use crate::systems::{Fault, Outcome};

/// Erasures by the moment they were made in. They outlive what they are of, a tenant too.
pub const ERASURES: TenantTable<u64, Erasure> = TenantTable::new("ads_erasure");

/// Erasures share a compaction for so long at the most.
const GATHERED_NS: u64 = 3600 * 1_000_000_000;
/// Before another try after a compaction that failed.
const RETRY_NS: u64 = 300 * 1_000_000_000;

/// What became of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Erased {
    /// A person whose number stays.
    Anonymised,
    /// A person who is gone altogether.
    Deleted,
    /// A tenant with everything of it.
    Tenant,
}

/// One erasure, without a word about whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// What was done.
    pub kind: Erased,
    /// The number of the person or tenant.
    pub id: u64,
    /// When it was done, nanoseconds since 1970.
    pub at_ns: u64,
    /// When the addresses of audit entries and all files were done too; until then it goes on at the next start.
    #[serde(default)]
    pub done_ns: Option<u64>,
    /// When nothing of it was left in any file.
    #[serde(default)]
    pub compacted_ns: Option<u64>,
}

impl FirstVersion for Erasure {}

impl Erasure {
    /// Its line in the list outside the store.
    #[must_use]
    pub const fn line(&self, tenant: TenantId) -> Line {
        Line { kind: self.kind, tenant: tenant.get(), id: self.id, at_ns: self.at_ns }
    }
}

/// The erasures of a tenant, the newest first.
///
/// # Errors
/// When the store cannot be read.
pub fn of(store: &Store, tenant: TenantId) -> Stored<Vec<Erasure>> {
    ERASURES.scan(store, tenant, true).map(|row| row.map(|(_, erasure)| erasure)).collect()
}

/// Whether a person of whom there is no row was removed, alone or with the tenant.
///
/// # Errors
/// When the store cannot be read.
pub fn is_gone(store: &Store, tenant: TenantId, person: UserId) -> Stored<bool> {
    for row in ERASURES.scan(store, tenant, true) {
        let (_, erasure) = row?;
        if erasure.kind == Erased::Tenant || erasure.kind == Erased::Deleted && erasure.id == person.get() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// When compactions are made.
#[derive(Debug)]
pub struct Compactions {
    gathered_ns: u64,
    retry_ns: u64,
    not_before_ns: AtomicU64,
}

impl Compactions {
    pub(super) fn new(config: &Config) -> Self {
        let within = config.gdpr.erase_within.nanoseconds();
        Self {
            gathered_ns: GATHERED_NS.min(within / 4),
            retry_ns: RETRY_NS.min(within / 4),
            not_before_ns: AtomicU64::new(0),
        }
    }
}

impl Privacy {
    /// Compacts the store when an erasure has waited for long enough.
    ///
    /// # Errors
    /// When it fails; it is tried again later.
    pub async fn compact(&self, store: &Store) -> Outcome<()> {
        let Compactions { gathered_ns, retry_ns, not_before_ns } = &self.compactions;
        let now_ns = clock::wall_ns();
        let pending = pending(store)?;
        let due = pending.iter().any(|(_, _, done_ns)| done_ns.saturating_add(*gathered_ns) <= now_ns);
        if !due || not_before_ns.load(Ordering::Relaxed) > now_ns {
            return Ok(());
        }
        not_before_ns.store(now_ns.saturating_add(*retry_ns), Ordering::Relaxed);
        self.forget_erasing(store).await?;
        let own = store.clone();
        let compacted = tokio::task::spawn_blocking(move || own.compact()).await;
        compacted.map_err(|error| Fault::internal("compaction", &error))??;
        not_before_ns.store(0, Ordering::Relaxed);
        let done_ns = clock::wall_ns();
        tracing::info!(erasures = pending.len(), ms = (done_ns - now_ns) / 1_000_000, "the store was compacted");
        Ok(mark(store, pending, done_ns).await?)
    }
}

/// The erasures that are done and still to be found in files: their tenant, key, and when they were done.
fn pending(store: &Store) -> Stored<Vec<(TenantId, u64, u64)>> {
    let rows = ERASURES.everyone(store).filter_map(|row| match row {
        Ok(((tenant, key), erasure)) if erasure.compacted_ns.is_none() => {
            erasure.done_ns.map(|done_ns| Ok((tenant, key, done_ns)))
        }
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    });
    rows.collect()
}

async fn mark(store: &Store, erasures: Vec<(TenantId, u64, u64)>, at_ns: u64) -> Stored<()> {
    let mut batch = Batch::new();
    for (tenant, key, _) in erasures {
        if let Some(erasure) = ERASURES.get(store, tenant, key)? {
            ERASURES.put(&mut batch, tenant, key, &Erasure { compacted_ns: Some(at_ns), ..erasure })?;
        }
    }
    store.commit(batch).await
}
