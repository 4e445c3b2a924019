//! What the key-value store says of visits: which parts there are, and how far logs are sealed into them.

use serde::{Deserialize, Serialize};
use trafficlab_engine::visit::part::PartSummary;

use crate::store::{FirstVersion, Table};

/// Parts by their number. A file without a record here is a left-over.
pub const VISIT_PARTS: Table<u64, StoredPart> = Table::new("visit_part");
/// How far logs are sealed.
pub const VISIT_SEAL: Table<(), SealState> = Table::new("visit_seal");

/// A sealed part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredPart {
    /// The site's domain.
    pub site: String,
    /// What it holds.
    pub summary: PartSummary,
    /// When it was written, milliseconds since 1970.
    pub created_ms: i64,
}

/// How far logs are sealed. Written in the batch that names the parts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SealState {
    /// Logs up to this number are in parts and in the snapshot of that number; 0 before the first.
    pub log: u64,
    /// The number of the next part.
    pub next_part: u64,
}

impl FirstVersion for StoredPart {}
impl FirstVersion for SealState {}
