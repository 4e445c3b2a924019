//! Files that a tenant asks for: its campaigns and their figures, written by a worker, kept for an hour.
//!
//! Invariants: a file holds rows of one tenant, as they were when it was asked for, and no personal data; a link is known
//! to whoever was given it, here lies only its hash; a record without a file is worth nothing, a file without a record is
//! swept.

mod ask;
mod forget;
mod link;
mod make;
mod read;
mod rows;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use trafficlab_engine::ads::day::Days;
use trafficlab_shared::model::export::ExportSpec;

use super::actor::Who;
use super::table::TenantTable;
use crate::store::FirstVersion;
use crate::store::captures::CaptureState;

pub use ask::{Asked, read};
pub use forget::{drop_files, forget, plan_forget, upkeep};
pub use make::make;
pub use read::{Found, Status, download, get, link, list, remove};

/// Exports of each tenant by id, which is their job's: a `UUIDv7`, so the newest comes last.
pub const EXPORTS: TenantTable<String, Export> = TenantTable::new("ads_export");

/// Inputs being written at once; each reads memory and writes a file.
const AT_ONCE: usize = 2;

/// What ad operations remember of exports besides the store.
#[derive(Debug)]
pub struct Exports {
    writing: Semaphore,
}

impl Default for Exports {
    fn default() -> Self {
        Self { writing: Semaphore::new(AT_ONCE) }
    }
}

/// An export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Export {
    /// What is written.
    pub spec: ExportSpec,
    /// The days of its figures.
    pub days: Days,
    /// Who asked for it.
    pub who: Who,
    /// Nanoseconds since 1970.
    pub created_ns: u64,
    /// SHA-256 of the links that were given out, the newest last.
    #[serde(default)]
    pub links: Vec<[u8; 32]>,
    /// What became of it, once its file is gone.
    #[serde(default)]
    pub over: Option<Over>,
}

impl FirstVersion for Export {}

/// What an export came to; its job is forgotten by then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Over {
    /// How it ended.
    pub state: CaptureState,
    /// Bytes of its file.
    pub bytes: u64,
    /// Rows of its file.
    pub rows: u64,
    /// When, nanoseconds since 1970.
    pub ended_ns: u64,
    /// Why it failed.
    #[serde(default)]
    pub reason: Option<String>,
}
