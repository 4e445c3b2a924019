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

/// Thresholds of anomalies. The configuration, whose names these are, gives the reason for each default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Thresholds {
    /// Multiple of the usual packets that is a spike; bytes alone need twice as many.
    pub traffic_spike_ratio: f64,
    /// Multiple of the usual traffic below which it has dropped.
    pub traffic_drop_ratio: f64,
    /// Retransmitted data segments of a whole window, in percent.
    pub packet_loss_percent: f64,
    /// Retransmitted data segments of one direction of a flow, in percent: medium.
    pub flow_loss_percent: f64,
    /// The same: high.
    pub flow_loss_high_percent: f64,
    /// Round trip time in milliseconds: what counts as high when nothing usual is known.
    pub high_latency_ms: f64,
    /// Multiple of the usual round trip time.
    pub latency_ratio: f64,
    /// Ports of one host that a source tries in vain within five minutes.
    pub port_scan_ports: u32,
    /// Shift of the share of TCP or UDP in percentage points; a third of it for other protocols.
    pub protocol_shift_percent: f64,
    /// Robust standard deviations from the median that a value must lie away besides.
    pub robust_deviations: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            traffic_spike_ratio: 3.0,
            traffic_drop_ratio: 0.3,
            packet_loss_percent: 5.0,
            flow_loss_percent: 20.0,
            flow_loss_high_percent: 70.0,
            high_latency_ms: 200.0,
            latency_ratio: 2.0,
            port_scan_ports: 15,
            protocol_shift_percent: 60.0,
            robust_deviations: 6.0,
        }
    }
}
