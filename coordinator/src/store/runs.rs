//! Runs and their shards as stored: the plan, the desired state, and what the logs have shown.

use serde::{Deserialize, Serialize};
use trafficlab_engine::traffic::counters::Counters;
use trafficlab_engine::traffic::histogram::Histogram;
use trafficlab_shared::model::arrivals::RateChange;
use trafficlab_shared::model::run::RunSpec;
use trafficlab_shared::protocol::control::{Desired, DesiredState};
use trafficlab_shared::protocol::report::{Cursor, Origin};

use super::{FirstVersion, Table};

/// Plans by job id; written once.
pub const PLANS: Table<String, RunSpec> = Table::new("plan");
/// State of every run by job id.
pub const RUNS: Table<String, Run> = Table::new("run");
/// Runs of a campaign, oldest first, since job ids are ordered by time.
pub const RUNS_OF: Table<(String, String), ()> = Table::new("run_of");
/// State of every shard.
pub const SHARDS: Table<(String, u32), Shard> = Table::new("shard");
/// Exact counters by job id.
pub const TOTALS: Table<String, Totals> = Table::new("totals");
/// Histograms by job id and kind.
pub const HISTOGRAMS: Table<(String, u8), Histogram> = Table::new("histogram");
/// Jobs that are gone and must never start again, with the time they went.
pub const TOMBSTONES: Table<String, u64> = Table::new("tombstone");

/// Kinds of histograms in their table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Timing {
    /// From the intended moment.
    Response = 0,
    /// From the real send.
    Service = 1,
    /// Send lag.
    Lag = 2,
}

/// Where a run stands, by what its shards have logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// No shard has started yet.
    Starting,
    /// At least one shard generates.
    Running,
    /// Every shard that is not over holds.
    Paused,
    /// Over, its duration served.
    Completed,
    /// Over, stopped.
    Stopped,
    /// Over, for the reason given.
    Failed,
}

impl RunState {
    /// Whether nothing more will come.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Stopped | Self::Failed)
    }

    /// The word of the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }
}

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its job id.
    pub job: String,
    /// Its campaign.
    pub campaign: String,
    /// How many shards.
    pub shards: u32,
    /// What it should do.
    pub desired: Desired,
    /// What it does.
    pub state: RunState,
    /// Why it failed.
    #[serde(default)]
    pub reason: Option<String>,
    /// Why the system stopped it, such as a threshold that was crossed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_by: Option<String>,
    /// When it was asked for.
    pub created_ns: u64,
    /// When the first shard began its first active second.
    #[serde(default)]
    pub started_ns: Option<u64>,
    /// When the last shard was over.
    #[serde(default)]
    pub ended_ns: Option<u64>,
    /// Whether its messages have been removed from the broker.
    #[serde(default)]
    pub cleared: bool,
}

impl Run {
    /// Whether it generates or is about to, by what it was told.
    #[must_use]
    pub const fn is_generating(&self) -> bool {
        matches!(self.desired.state, DesiredState::Run) && !self.state.is_over()
    }

    /// Why it failed or was stopped by the system.
    #[must_use]
    pub fn why(&self) -> Option<&str> {
        self.reason.as_deref().or(self.stopped_by.as_deref())
    }

    /// Whether it is held and can go on.
    #[must_use]
    pub const fn is_held(&self) -> bool {
        matches!(self.desired.state, DesiredState::Pause) && !self.state.is_over()
    }
}

/// What the log of a shard has shown so far.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Shard {
    /// What it does.
    pub state: ShardState,
    /// Owners so far.
    pub epoch: u32,
    /// First arrival not accounted for.
    pub next: Cursor,
    /// Stream sequence of the last record taken.
    pub sequence: u64,
    /// Broker time of that record, in nanoseconds.
    #[serde(default)]
    pub stored_ns: u64,
    /// Desired revision it has applied.
    pub revision: u64,
    /// Active time in use.
    #[serde(default)]
    pub origin: Option<Origin>,
    /// Changes of rate and length in force, from its log.
    #[serde(default)]
    pub history: Vec<RateChange>,
    /// The worker that wrote last.
    #[serde(default)]
    pub worker: String,
    /// Why it failed or is quarantined.
    #[serde(default)]
    pub reason: Option<String>,
}

/// State of a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShardState {
    /// Nobody has started it.
    #[default]
    Waiting,
    /// A worker has it.
    Running,
    /// Given back, waiting for the next worker.
    Yielded,
    /// Held until the next activation.
    Paused,
    /// Over, its duration served.
    Ended,
    /// Over, stopped before that.
    Stopped,
    /// Given up.
    Failed,
    /// Its log has a gap: what follows is kept raw, not counted.
    Quarantined,
}

impl ShardState {
    /// Whether nothing more is expected of it.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Ended | Self::Stopped | Self::Failed | Self::Quarantined)
    }
}

/// Exact figures of a run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Totals {
    /// Counters of all its arrivals.
    pub counters: Counters,
    /// Stored entries.
    pub entries: u64,
    /// Bytes of its frames in the segments.
    pub bytes: u64,
    /// When the last of them was stored.
    #[serde(default)]
    pub updated_ns: u64,
}

/// Where a run stands by the states of its shards.
#[must_use]
pub fn run_state(shards: &[ShardState]) -> RunState {
    let any = |wanted: ShardState| shards.contains(&wanted);
    let begun = |shard: &ShardState| *shard != ShardState::Waiting;
    let still = shards.iter().all(|shard| shard.is_over() || *shard == ShardState::Paused);
    if still && (any(ShardState::Failed) || any(ShardState::Quarantined)) {
        RunState::Failed
    } else if still && any(ShardState::Paused) {
        RunState::Paused
    } else if still && any(ShardState::Stopped) {
        RunState::Stopped
    } else if still {
        RunState::Completed
    } else if shards.iter().any(begun) {
        RunState::Running
    } else {
        RunState::Starting
    }
}

impl FirstVersion for RunSpec {}
impl FirstVersion for Run {}
impl FirstVersion for Shard {}
impl FirstVersion for Totals {}
impl FirstVersion for Histogram {}
