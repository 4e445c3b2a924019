//! How arrivals are spread over time, in integers only.

use serde::{Deserialize, Serialize};

/// Rates are kept in millionths of a request per minute, so that sums stay exact.
pub const MICROS_PER_REQUEST: u64 = 1_000_000;

/// The shape of a campaign's arrival process.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Arrivals {
    /// Evenly spaced at the campaign's rate.
    #[default]
    Constant,
    /// Exponential gaps: every shard is a Poisson stream of its own.
    Poisson,
    /// Linear ramps, one after the other, beginning at the campaign's rate.
    Stages {
        /// The ramps in order; after the last one its target rate is held.
        stages: Vec<Stage>,
    },
}

/// One linear ramp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// How long the ramp takes, in whole seconds.
    pub seconds: u32,
    /// The rate at its end, in millionths of a request per minute.
    pub target: u64,
}

/// A rate and a length that hold from one slot on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateChange {
    /// The first slot (second of active time) it holds for.
    pub from_slot: u32,
    /// Millionths of a request per minute.
    pub rate: u64,
    /// Length of the whole run in milliseconds of active time.
    pub duration_ms: u64,
}
