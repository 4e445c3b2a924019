//! Messages of the analyzer: its jobs, and the records of their logs.
//!
//! A capture job has one shard, number 0. Its log works like that of a traffic shard: every record names the one it
//! follows, the last one is the checkpoint, and what it holds is counted once. The cursor is the number of windows told.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::codec::versioned;
use super::report::{Delivery, EndReason, bytes_field};
use crate::model::capture::work::Work;

/// The message that asks for a capture job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaptureJob {
    /// Message version.
    pub v: u16,
    /// The job's id, a `UUIDv7`.
    pub job: String,
    /// The capture it belongs to.
    pub capture: String,
    /// What to do.
    pub work: Arc<Work>,
    /// How often it was published, from 1.
    pub attempt: u32,
    /// Desired revision when it was published.
    pub revision: u64,
    /// What the coordinator knows of its log.
    pub known: KnownCapture,
}

/// The coordinator's knowledge of a capture job's log when it published the job message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KnownCapture {
    /// Whether the job ever started: then an empty log is an error.
    pub started: bool,
    /// Epoch of the last ingested record.
    pub epoch: u32,
    /// Windows ingested.
    pub windows: u64,
}

/// One record of a capture job's log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaptureRecord {
    /// Message version.
    pub v: u16,
    /// The job.
    pub job: String,
    /// The capture.
    pub capture: String,
    /// Counts owners; every start raises it.
    pub epoch: u32,
    /// The worker that wrote it.
    pub worker: String,
    /// Which delivery of which job message the worker holds.
    pub delivery: Delivery,
    /// Desired revision the worker has applied.
    pub revision: u64,
    /// What happened.
    pub event: CaptureEvent,
    /// Windows told before this record: `next` of the record before.
    pub from: u64,
    /// Windows told with this record.
    pub next: u64,
    /// Where window 0 begins, nanoseconds since 1970, once a packet was seen.
    #[serde(default)]
    pub origin_ns: Option<i64>,
    /// How far the job is.
    #[serde(default)]
    pub progress: Progress,
    /// `next - from` windows, as the engine's `packet::pack` writes them; empty without any.
    #[serde(default, with = "bytes_field", skip_serializing_if = "Bytes::is_empty")]
    pub windows: Bytes,
    /// Anomalies of windows up to `next`, packed likewise.
    #[serde(default, with = "bytes_field", skip_serializing_if = "Bytes::is_empty")]
    pub anomalies: Bytes,
    /// Connections told with this record, packed likewise.
    #[serde(default, with = "bytes_field", skip_serializing_if = "Bytes::is_empty")]
    pub connections: Bytes,
    /// How many connections that is.
    #[serde(default)]
    pub connection_count: u32,
    /// Anomalies told so far, those of this record included. Of a file all anomalies come after the last window and
    /// all connections after the last anomaly, each in the engine's order, which is the same for every owner: after a
    /// takeover the new owner leaves out as many as the last record says. Live ones come with their windows.
    #[serde(default)]
    pub anomalies_told: u64,
    /// Connections told so far, those of this record included.
    #[serde(default)]
    pub connections_told: u64,
    /// Starts since there was progress for the last time: a new window, for live captures any batch, or a job given
    /// back unharmed. A start counts from here.
    #[serde(default)]
    pub starts: u32,
    /// Live: when capturing began, nanoseconds since 1970; a duration counts from here, whoever captures.
    #[serde(default)]
    pub began_ns: Option<i64>,
    /// Live: everything before this moment is told, nanoseconds since 1970: the end of the last window, or when
    /// capturing began. A gap begins here.
    #[serde(default)]
    pub told_until_ns: Option<i64>,
}

/// How far a capture job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// Bytes of the file read.
    pub bytes: u64,
    /// Bytes of the file; 0 for live captures.
    pub of_bytes: u64,
    /// Packets analysed.
    pub packets: u64,
    /// Live: packets the kernel dropped so far.
    pub kernel_drops: u64,
    /// Live: packets this program refused so far.
    pub app_drops: u64,
}

/// What a capture record is for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CaptureEvent {
    /// A worker has taken the job. A file is analysed from its beginning; the windows told already are not told again.
    Start {
        /// Starts in a row, this one included, without a new window.
        idle_starts: u32,
    },
    /// The file is not there as described: it is wanted through the object store.
    FileWanted,
    /// Windows, anomalies, connections or progress.
    Batch,
    /// Live: nothing was captured in this time, nanoseconds since 1970.
    Gap {
        /// The last packet before it, or its beginning.
        from_ns: i64,
        /// When capturing went on.
        to_ns: i64,
        /// Why.
        reason: String,
    },
    /// The worker gives the job back, unharmed.
    Yield,
    /// The job is over.
    End {
        /// Why.
        reason: EndReason,
        /// What it found, JSON of [`Outcome`].
        #[serde(with = "bytes_field")]
        outcome: Bytes,
    },
    /// The job cannot be done.
    Failed {
        /// A sentence for people.
        reason: String,
        /// Starts without progress before giving up.
        attempts: u32,
    },
}

/// What a finished capture job found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Outcome {
    /// Of a file or a live capture.
    Analysis {
        /// Figures of the whole capture.
        summary: Box<crate::model::capture::summary::Summary>,
        /// The figures to compare with tshark, without windows; an object of the engine's `packet::wire`.
        wire: serde_json::Value,
    },
    /// Of a baseline job.
    Baselines {
        /// One of each kind that was asked for and has data.
        baselines: crate::model::capture::baseline::Baselines,
    },
    /// Of a detection; the anomalies are in the records before.
    Detection {
        /// How many.
        anomalies: u64,
    },
}

versioned!(CaptureJob => 1, CaptureRecord => 1);
