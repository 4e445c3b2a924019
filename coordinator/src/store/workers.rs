//! What each worker did of a run, added up at ingest.

use serde::{Deserialize, Serialize};
use trafficlab_engine::traffic::counters::Counters;
use trafficlab_engine::traffic::histogram::Histogram;

use super::{FirstVersion, Table};

/// Figures by job id and worker.
pub const WORKERS: Table<(String, String), WorkerFigures> = Table::new("run_worker");

/// Workers of one run that are told apart; the figures of all others go to `OTHER` together.
pub const MOST_WORKERS: usize = 64;
/// Stands for the workers beyond those.
pub const OTHER: &str = "other";
/// Buckets of a worker's histogram.
const MAX_BUCKETS: usize = 2048;

/// Where arrivals went, without the details.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Fell due: sent + dropped + missed.
    pub scheduled: u64,
    /// Were sent, or drawn.
    pub sent: u64,
    /// Of these, successes.
    pub succeeded: u64,
    /// Of these, failures.
    pub failed: u64,
    /// Of these, more than 10 ms late.
    pub late: u64,
    /// Fell due while the queue was full.
    pub dropped: u64,
    /// Fell due while no worker held their shard; counted by the worker that took it then.
    pub missed: u64,
}

/// What one worker did of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WorkerFigures {
    /// Exact counts.
    pub counts: Counts,
    /// Send lags; empty in simulations.
    #[serde(default)]
    pub lag: Histogram,
}

impl From<&Counters> for Counts {
    fn from(counters: &Counters) -> Self {
        Self {
            scheduled: counters.scheduled,
            sent: counters.sent,
            succeeded: counters.succeeded,
            failed: counters.failed,
            late: counters.late,
            dropped: counters.dropped,
            missed: counters.missed,
        }
    }
}

impl Counts {
    /// Adds other counts to these.
    pub fn merge(&mut self, other: &Self) {
        self.scheduled += other.scheduled;
        self.sent += other.sent;
        self.succeeded += other.succeeded;
        self.failed += other.failed;
        self.late += other.late;
        self.dropped += other.dropped;
        self.missed += other.missed;
    }
}

impl WorkerFigures {
    /// Adds other figures to these.
    pub fn merge(&mut self, other: &Self) {
        self.counts.merge(&other.counts);
        self.lag.merge(&other.lag);
        self.lag.thin(MAX_BUCKETS);
    }
}

impl FirstVersion for WorkerFigures {}
