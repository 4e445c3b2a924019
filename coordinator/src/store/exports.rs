//! Exports as jobs: what the log of each has shown so far. Whose they are is not known here.

use serde::{Deserialize, Serialize};
use trafficlab_shared::model::export::ExportSpec;
use trafficlab_shared::protocol::control::Desired;

use super::captures::CaptureState;
use super::{FirstVersion, Table};

/// State of every export by job id.
pub const EXPORT_JOBS: Table<String, ExportJobRow> = Table::new("export_job");

/// What the log of an export has shown so far, and what it should do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExportJobRow {
    /// Its id.
    pub job: String,
    /// What is written.
    pub spec: ExportSpec,
    /// What it should do; of its fields only state and revision count.
    pub desired: Desired,
    /// Where it stands.
    pub state: CaptureState,
    /// Why it failed.
    #[serde(default)]
    pub reason: Option<String>,
    /// The worker that wrote last.
    #[serde(default)]
    pub worker: String,
    /// Owners so far.
    #[serde(default)]
    pub epoch: u32,
    /// Bytes of the file that lie here, of this owner.
    #[serde(default)]
    pub bytes: u64,
    /// Rows written by this owner.
    #[serde(default)]
    pub rows: u64,
    /// Stream sequence of the last record taken.
    #[serde(default)]
    pub sequence: u64,
    /// Broker time of that record.
    #[serde(default)]
    pub stored_ns: u64,
    /// When it was asked for, nanoseconds since 1970.
    pub created_ns: u64,
    /// When it was over.
    #[serde(default)]
    pub ended_ns: Option<u64>,
    /// Whether its messages have been removed from the broker.
    #[serde(default)]
    pub cleared: bool,
}

impl FirstVersion for ExportJobRow {}
