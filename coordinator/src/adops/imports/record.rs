//! What is remembered of an import. The file's name is not: people put names of people into those.

use serde::{Deserialize, Serialize};
use trafficlab_engine::ads::day::Day;
use trafficlab_engine::ads::money::Currency;

use crate::adops::actor::Who;
use crate::adops::book::Upserted;
use crate::adops::ids::TenantId;
use crate::adops::table::TenantTable;
use crate::store::{FirstVersion, Store, StoreError};

/// Imports that were written, by their number.
pub const IMPORTS: TenantTable<u64, AdsImport> = TenantTable::new("ads_import");

/// An import that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdsImport {
    /// Nanoseconds since 1970.
    pub at_ns: u64,
    /// Who sent the file.
    pub who: Who,
    /// What it was: `meta`, `google`, `plain`.
    pub format: String,
    /// Rows with figures, wrong ones too.
    pub rows: u64,
    /// What was wrong and left out.
    pub errors: u64,
    /// Campaigns that got days.
    pub campaigns: u64,
    /// Campaigns that were made.
    pub created: u64,
    /// What became of the days.
    pub outcome: Upserted,
    /// The first day.
    #[serde(default)]
    pub first: Option<Day>,
    /// The last day.
    #[serde(default)]
    pub last: Option<Day>,
    /// What the money was in.
    #[serde(default)]
    pub currencies: Vec<Currency>,
}

impl FirstVersion for AdsImport {}

/// A tenant's imports, the newest first. Blocks.
///
/// # Errors
/// When the store cannot be read.
pub fn list(store: &Store, tenant: TenantId) -> Result<Vec<(u64, AdsImport)>, StoreError> {
    IMPORTS.scan(store, tenant, true).collect()
}
