//! What a worker says of itself once a second.

use serde::{Deserialize, Serialize};

use super::codec::versioned;

/// A worker's condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// Message version.
    pub v: u16,
    /// The worker's id.
    pub worker: String,
    /// Program version.
    pub version: String,
    /// Process id on its host.
    pub pid: u32,
    /// Host name.
    pub host: String,
    /// Most shards it takes.
    pub capacity: u32,
    /// Shards it holds.
    pub running: u32,
    /// Lanes (generator threads) it has.
    pub lanes: u32,
    /// Whether it is leaving.
    pub draining: bool,
    /// Resident memory in bytes.
    pub rss_bytes: u64,
    /// Processor time used so far, in milliseconds.
    pub cpu_ms: u64,
    /// Actors that are not simply running, at most 100.
    #[serde(default)]
    pub troubled: Vec<ActorReport>,
    /// Job messages that could not be read since the process started.
    #[serde(default)]
    pub malformed_jobs: u64,
    /// Restarts of actors since the process started.
    #[serde(default)]
    pub restarts: u64,
    /// Share of the last second that each lane's thread was on a processor, from 0 to 1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lane_busy: Vec<f32>,
    /// Interfaces it can capture on; none without the right to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interfaces: Vec<String>,
    /// Capture jobs it holds.
    #[serde(default, skip_serializing_if = "is_none_held")]
    pub captures: u32,
}

fn is_none_held(count: &u32) -> bool {
    *count == 0
}

/// The state of one shard's actor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActorReport {
    /// The job.
    pub job: String,
    /// The shard.
    pub shard: u32,
    /// `starting`, `backing_off`, `stopping` or `failed`.
    pub state: String,
    /// Why, when it is in trouble.
    pub reason: Option<String>,
}

versioned!(Heartbeat => 1);
