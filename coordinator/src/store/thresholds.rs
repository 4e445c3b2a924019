//! What a run must hold to, and where it did not.

use serde::{Deserialize, Serialize};
use trafficlab_shared::model::threshold::ThresholdRule;

use super::{FirstVersion, Table};

/// The thresholds of each run that has any, by job id.
pub const RULES: Table<String, Rules> = Table::new("rules");

/// Thresholds as of a run's start.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Rules {
    /// In the order of the campaign.
    pub rules: Vec<ThresholdRule>,
    /// First crossings of those that are judged while the run goes on.
    #[serde(default)]
    pub crossings: Vec<Crossing>,
}

/// The first moment at which a threshold did not hold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Crossing {
    /// Place of its rule.
    pub rule: usize,
    /// The figure, in the threshold's unit.
    pub value: f64,
    /// Active time of the run, in milliseconds.
    pub active_ms: u64,
}

impl Rules {
    /// The rules of a run that begins.
    #[must_use]
    pub const fn new(rules: Vec<ThresholdRule>) -> Self {
        Self { rules, crossings: Vec::new() }
    }

    /// The crossing of a rule, if there was one.
    #[must_use]
    pub fn crossing(&self, rule: usize) -> Option<&Crossing> {
        self.crossings.iter().find(|crossing| crossing.rule == rule)
    }
}

impl FirstVersion for Rules {}
