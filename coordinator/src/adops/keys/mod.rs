//! API keys: credentials of programs, made by people and never more than them.
//!
//! A key is 256 random bits that are shown once; what is stored is their SHA-256, under which they are found. Its role is
//! the lesser of its own and its maker's present one, and it is worth nothing while its maker may not sign in.

mod change;
mod find;

use serde::{Deserialize, Serialize};
use trafficlab_engine::ads::day::Day;

use super::actor::Role;
use super::ids::{KeyId, TenantId, UserId};
use super::table::TenantTable;
use crate::store::{FirstVersion, Table};

pub use change::{Made, list, make, remove, remove_all};
pub use find::find;

/// How every key begins.
pub const PREFIX: &str = "tlk_";

/// Keys of each tenant.
pub(super) const KEYS: TenantTable<KeyId, ApiKey> = TenantTable::new("ads_key");
/// The key of each hash.
pub(super) const HASHES: Table<[u8; 32], (TenantId, KeyId)> = Table::new("ads_key_hash");

/// A key, without what is secret of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// What it is for.
    pub name: String,
    /// Who made it.
    pub owner: UserId,
    /// What it may do at the most.
    pub role: Role,
    /// SHA-256 of the whole text.
    pub hash: [u8; 32],
    /// Its first letters, to recognise it by.
    pub beginning: String,
    /// When it ends, nanoseconds since 1970.
    #[serde(default)]
    pub expires_ns: Option<u64>,
    /// Nanoseconds since 1970.
    pub created_ns: u64,
    /// The day (UTC) it was last used on.
    #[serde(default)]
    pub used_on: Option<Day>,
}

impl FirstVersion for ApiKey {}
impl FirstVersion for (TenantId, KeyId) {}
