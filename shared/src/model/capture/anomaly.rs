//! What is strange in a window, with the numbers that say so.

use serde::{Deserialize, Serialize};

/// Kinds of anomalies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnomalyKind {
    /// More, or far less, traffic than usual.
    TrafficSpike,
    /// One source tries many hosts or ports.
    PortScan,
    /// Round trips take longer than usual.
    HighLatency,
    /// Segments are sent again.
    PacketLoss,
    /// The mix of protocols has shifted.
    ProtocolAnomaly,
    /// A connection has been open for long.
    LongLivedConn,
}

impl AnomalyKind {
    /// All of them, in the order of the API document.
    pub const ALL: [Self; 6] = [
        Self::TrafficSpike,
        Self::PortScan,
        Self::HighLatency,
        Self::PacketLoss,
        Self::ProtocolAnomaly,
        Self::LongLivedConn,
    ];

    /// The word of the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TrafficSpike => "traffic_spike",
            Self::PortScan => "port_scan",
            Self::HighLatency => "high_latency",
            Self::PacketLoss => "packet_loss",
            Self::ProtocolAnomaly => "protocol_anomaly",
            Self::LongLivedConn => "long_lived_conn",
        }
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth a look.
    Medium,
    /// Worth a look now.
    High,
}

impl Severity {
    /// The word of the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// One anomaly of one window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Anomaly {
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: AnomalyKind,
    /// How bad.
    pub severity: Severity,
    /// Place in time of its window.
    pub window_index: i64,
    /// The window, nanoseconds since 1970, half open.
    pub start_ns: i64,
    /// Its end.
    pub end_ns: i64,
    /// A sentence for people, with the numbers.
    pub message: String,
    /// What was measured, such as `packet_loss_percent`.
    pub metric: String,
    /// The measured value, in the metric's unit.
    pub current_value: f64,
    /// The value it crossed.
    pub threshold: f64,
    /// What the threshold was taken from.
    pub baseline: BaselineUsed,
    /// Who sends, `address` or `address:port`, when it is about one flow or host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow_src: Option<String>,
    /// Who receives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow_dst: Option<String>,
    /// The protocol it is about, `tcp`, `udp`, `arp`, …, when it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
}

/// Where a threshold comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BaselineUsed {
    /// `stored`, `capture` (its other windows) or `fixed` (the configuration alone).
    pub source: String,
    /// Median of the metric there, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub median: Option<f64>,
    /// Median absolute deviation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mad: Option<f64>,
    /// Windows it was computed from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub windows: Option<u64>,
}
