//! Desired state: what the coordinator wants, held in the control bucket.

use serde::{Deserialize, Serialize};

use super::codec::versioned;

/// What should happen to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DesiredState {
    /// Generate.
    Run,
    /// Hold at the next slot boundary.
    Pause,
    /// End now.
    Stop,
    /// The job is gone: nobody may start it again.
    Tombstone,
}

/// The desired state of one job; every change raises `revision`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Desired {
    /// Message version.
    pub v: u16,
    /// Counts changes from 1.
    pub revision: u64,
    /// Counts how often the job was told to run: 1 at first, one more with each resume.
    pub activation: u32,
    /// What should happen.
    pub state: DesiredState,
    /// Rate, in millionths of a request per minute.
    pub rate: u64,
    /// Length of the run in milliseconds of active time.
    pub duration_ms: u64,
    /// Slot from which a new rate or a pause should hold on every shard alike.
    #[serde(default)]
    pub at_slot: u32,
    /// Broker time in nanoseconds at which this activation's active time goes on;
    /// known once its first shard has started.
    #[serde(default)]
    pub origin_ns: Option<u64>,
}

/// What the coordinator asks of one worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerDirective {
    /// Message version.
    pub v: u16,
    /// Most shards it should keep; what is above is yielded.
    pub limit: Option<u32>,
    /// Whether it should yield everything and take nothing.
    pub drain: bool,
    /// Shards it should come to by its capacity: for some seconds, holding that many it lets others take first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<u32>,
}

versioned!(Desired => 1, WorkerDirective => 1);
