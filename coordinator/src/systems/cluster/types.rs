//! Workers and set-aside messages as callers see them.

use poem_openapi::Object;
use serde::Deserialize;

/// An actor that is not simply running
#[derive(Debug, Clone, Object)]
pub struct TroubledView {
    /// The job
    pub job: String,
    /// The shard
    pub shard: u32,
    /// `starting`, `backing_off`, `stopping` or `failed`
    pub state: String,
    /// Why
    pub reason: Option<String>,
}

/// A worker
#[derive(Debug, Clone, Object)]
pub struct WorkerInfo {
    /// Its id
    pub id: String,
    /// Whether it beats
    pub live: bool,
    /// Since its last heartbeat
    pub silent_ms: u64,
    /// Program version
    pub version: String,
    /// Host name
    pub host: String,
    /// Process id
    pub pid: u32,
    /// Most shards it takes
    pub capacity: u32,
    /// Shards it holds
    pub running: u32,
    /// Generator threads
    pub lanes: u32,
    /// Share of the last second that each of them computed, from 0 to 1
    pub lane_busy: Vec<f64>,
    /// Whether it is leaving
    pub draining: bool,
    /// Resident memory
    pub rss_bytes: u64,
    /// Processor time
    pub cpu_seconds: f64,
    /// Restarts of actors
    pub restarts: u64,
    /// Job messages it could not read
    pub malformed_jobs: u64,
    /// Actors that are not simply running
    pub troubled: Vec<TroubledView>,
}

/// What is asked of a worker
#[derive(Debug, Deserialize, Object)]
pub struct DrainBody {
    /// True: give everything back and take nothing; false: take work again
    pub drain: Option<bool>,
}

/// It was asked
#[derive(Debug, Object)]
pub struct Asked {
    /// Always true
    pub success: bool,
    /// For people
    pub message: String,
}

/// A message that ingest could not use
#[derive(Debug, Clone, Object)]
pub struct AsideView {
    /// Its place in the stream
    pub sequence: u64,
    /// Its subject
    pub subject: String,
    /// Why it was set aside
    pub reason: String,
    /// When
    pub at: String,
    /// Bytes that were kept
    pub bytes: usize,
    /// The first of them, hexadecimal
    pub beginning: String,
}
