//! Messages of exports: their jobs, and the records of their logs.
//!
//! An export job has one shard, number 0. Its log works like that of a traffic shard: every record names the one it
//! follows. The file itself travels in the records, piece by piece. An owner writes it from its first byte: the pieces
//! of the owner before are worth nothing, for two programs need not write the same bytes.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::codec::versioned;
use super::report::{Delivery, EndReason, bytes_field};
use crate::model::export::ExportSpec;

/// The message that asks for an export.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExportJob {
    /// Message version.
    pub v: u16,
    /// The job's id, a `UUIDv7`.
    pub job: String,
    /// What to write.
    pub spec: Arc<ExportSpec>,
    /// How often it was published, from 1.
    pub attempt: u32,
    /// Desired revision when it was published.
    pub revision: u64,
    /// What the coordinator knows of its log.
    pub known: KnownExport,
}

/// The coordinator's knowledge of an export's log when it published the job message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KnownExport {
    /// Whether the job ever started: then an empty log is an error.
    pub started: bool,
    /// Epoch of the last ingested record.
    pub epoch: u32,
}

/// One record of an export's log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExportRecord {
    /// Message version.
    pub v: u16,
    /// The job.
    pub job: String,
    /// Counts owners; every start raises it.
    pub epoch: u32,
    /// The worker that wrote it.
    pub worker: String,
    /// Which delivery of which job message the worker holds.
    pub delivery: Delivery,
    /// Desired revision the worker has applied.
    pub revision: u64,
    /// What happened.
    pub event: ExportEvent,
    /// Starts in a row that were not given back unharmed.
    #[serde(default)]
    pub starts: u32,
    /// Rows written by this owner so far.
    #[serde(default)]
    pub rows: u64,
    /// Bytes of the file this owner told before this record.
    #[serde(default)]
    pub from: u64,
    /// The next bytes of the file.
    #[serde(default, with = "bytes_field", skip_serializing_if = "Bytes::is_empty")]
    pub output: Bytes,
}

/// What an export's record is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ExportEvent {
    /// A worker has taken the job and writes the file from its first byte.
    Start,
    /// A piece of the file.
    Batch,
    /// The worker gives the job back, unharmed.
    Yield,
    /// The job is over; completed, the pieces of this owner are the whole file.
    End {
        /// Why.
        reason: EndReason,
    },
    /// The job cannot be done.
    Failed {
        /// A sentence for people.
        reason: String,
        /// Starts before giving up.
        attempts: u32,
    },
}

versioned!(ExportJob => 1, ExportRecord => 1);
