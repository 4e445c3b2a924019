//! How a capture is analysed: windows, limits, thresholds.

use serde::{Deserialize, Serialize};

/// Everything the analysis depends on besides the packets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AnalysisSettings {
    /// Length of a window in nanoseconds, at least one millisecond.
    pub window_ns: u64,
    /// Live: how long after its end a window waits for packets that are under way, in nanoseconds.
    pub lateness_ns: u64,
    /// Flows held at once; the one used least recently goes first, and is counted.
    pub flows: u32,
    /// Round trip samples, and distinct keys, that are held exactly; above that bounded sketches take over.
    pub exact: u64,
    /// Connections told one by one.
    pub connections: u32,
    /// When something is strange.
    pub thresholds: Thresholds,
}

impl Default for AnalysisSettings {
    fn default() -> Self {
        Self {
            window_ns: 10_000_000_000,
            lateness_ns: 1_000_000_000,
            flows: 1_000_000,
            exact: 10_000_000,
            connections: 100_000,
            thresholds: Thresholds::default(),
        }
    }
}

/// Thresholds of anomalies; the configuration explains each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs, reason = "each is explained where operators set it, in the default configuration")]
pub struct Thresholds {
    pub traffic_spike_ratio: f64,
    pub traffic_drop_ratio: f64,
    pub packet_loss_percent: f64,
    pub high_latency_ms: f64,
    pub latency_ratio: f64,
    pub port_scan_ports: u32,
    pub protocol_shift_percent: f64,
    pub robust_deviations: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            traffic_spike_ratio: 3.0,
            traffic_drop_ratio: 0.3,
            packet_loss_percent: 5.0,
            high_latency_ms: 200.0,
            latency_ratio: 2.0,
            port_scan_ports: 15,
            protocol_shift_percent: 20.0,
            robust_deviations: 6.0,
        }
    }
}
