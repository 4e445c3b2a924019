//! What is usual: figures of many windows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Kinds of baselines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BaselineKind {
    /// Bits per second.
    Bandwidth,
    /// Round trips in milliseconds.
    Latency,
    /// Share of each protocol in percent.
    Protocol,
    /// Connections.
    Connection,
}

impl BaselineKind {
    /// All of them, in the order of the API document.
    pub const ALL: [Self; 4] = [Self::Bandwidth, Self::Latency, Self::Protocol, Self::Connection];

    /// The word of the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bandwidth => "bandwidth",
            Self::Latency => "latency",
            Self::Protocol => "protocol",
            Self::Connection => "connection",
        }
    }
}

/// Figures of one metric over the windows that have it. Percentiles by nearest rank.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Figures {
    /// Windows counted.
    pub windows: u64,
    /// Mean.
    pub mean: f64,
    /// Median.
    pub median: f64,
    /// Least.
    pub min: f64,
    /// Greatest.
    pub max: f64,
    /// 95th percentile.
    pub p95: f64,
    /// 99th percentile.
    pub p99: f64,
    /// Median absolute deviation from the median.
    pub mad: f64,
}

/// A baseline of one kind. Units: bit/s, packets/s, milliseconds, percent, connections.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// Its kind.
    pub kind: BaselineKind,
    /// The main metric: bit/s, mean round trip, the share of the greatest protocol, connections.
    pub main: Figures,
    /// Further metrics by name: `pps`, `p95_rtt`, `loss_percent`, `opened`, and the share of each protocol.
    #[serde(default)]
    pub further: BTreeMap<String, Figures>,
}

/// All baselines there are.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Baselines {
    /// At most one of each kind.
    pub all: Vec<Baseline>,
}

impl Baselines {
    /// The one of a kind.
    #[must_use]
    pub fn of(&self, kind: BaselineKind) -> Option<&Baseline> {
        self.all.iter().find(|baseline| baseline.kind == kind)
    }
}
