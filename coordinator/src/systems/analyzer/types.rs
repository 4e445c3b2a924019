//! The bodies of the analyzer document as its documentation shows them; the services make the values.

#![allow(dead_code, reason = "these types describe bodies whose values are made elsewhere")]

use std::collections::HashMap;

use poem_openapi::Object;
use serde_json::Value;

/// A job that goes on
#[derive(Debug, Object)]
#[oai(rename = "AnalyzerPending")]
pub struct PendingBody {
    /// Always true
    success: bool,
    /// For people
    message: String,
    /// The capture
    capture: String,
    /// The job
    job: String,
    /// `queued` or `running`
    status: String,
    /// In percent
    progress: f64,
}

/// A window. Times are seconds since 1970, round trips milliseconds, null where nothing was measured
#[derive(Debug, Object)]
#[oai(rename = "MetricsWindow")]
pub struct WindowBody {
    /// Counts stored windows from 0; windows without packets are not stored
    window_id: u64,
    /// Place in time, 0 holds the first packet of the file
    window_index: i64,
    /// Included
    window_start: f64,
    /// Not included
    window_end: f64,
    /// `avg_bps`, `avg_pps` over the full window, `duration_s` from its first to its last packet, `top_src_bytes`,
    /// `top_dst_bytes`, `top_flows`
    bandwidth: Value,
    /// `mean_rtt`, `max_rtt`, `p95_rtt` and more: ACKs by Karn's rule and both handshake halves
    latency: Value,
    /// `total`, `protocols`, `states` (Zeek's names), `opened`, `closed`
    connections: Value,
    /// Packets and bytes by protocol, shares in percent, services
    protocol: Value,
    /// Segments by verdict of the sequence analysis
    tcp: Value,
    /// Data segments, retransmitted ones, the directions with most loss
    loss: Value,
    /// Packets
    record_count: u64,
}

/// A page of windows
#[derive(Debug, Object)]
pub struct MetricsPage {
    /// Windows in it
    count: u64,
    /// Windows there are, or that fit the filters
    total: u64,
    /// As asked for
    offset: u64,
    /// As asked for
    limit: u64,
    /// The capture
    capture: Option<String>,
    /// Whether more windows will come
    partial: bool,
    /// In the order of time
    metrics: Vec<WindowBody>,
}

/// Bits a second over the stored windows
#[derive(Debug, Object)]
pub struct SummaryBandwidth {
    /// Mean
    mean_bps: Option<f64>,
    /// Of the busiest window
    max_bps: Option<f64>,
    /// Of the quietest window
    min_bps: Option<f64>,
}

/// Milliseconds over the windows with round trips
#[derive(Debug, Object)]
pub struct SummaryLatency {
    /// Mean of the windows' means
    mean_rtt: Option<f64>,
    /// The longest of all
    max_rtt: Option<f64>,
}

/// Connections over the windows
#[derive(Debug, Object)]
pub struct SummaryConnections {
    /// One that lasts counts in each of its windows
    total_across_windows: u64,
    /// Mean
    mean_per_window: Option<f64>,
}

/// Figures of all windows; zeros and nulls without any
#[derive(Debug, Object)]
pub struct MetricsSummaryBody {
    /// Stored windows
    total_windows: u64,
    /// Seconds from the beginning of the first window to the end of the last
    time_span: f64,
    /// Bits a second
    bandwidth: SummaryBandwidth,
    /// Milliseconds
    latency: SummaryLatency,
    /// Connections
    connections: SummaryConnections,
    /// Packets in all windows
    packets: u64,
    /// Frame bytes in all windows
    bytes: u64,
    /// The capture
    capture: Option<String>,
    /// Whether more windows will come
    partial: bool,
}

/// What to compute; everything is optional
#[derive(Debug, Object)]
pub struct ComputeBody {
    /// `pcap` (default in pcap mode) or `live`: the live run so far
    source: Option<String>,
    /// A path inside the capture directories; without it the server's `--pcap` file
    pcap_file: Option<String>,
    /// Seconds, 0.001 to 31536000; default 10
    window_size: Option<f64>,
    /// Analyse again what was analysed before
    force: Option<bool>,
}

/// Windows were computed
#[derive(Debug, Object)]
pub struct ComputedBody {
    /// Always true
    success: bool,
    /// For people
    message: String,
    /// One window a line, relative to the data folder
    metrics_file: String,
    /// Stored windows
    window_count: u64,
    /// Seconds
    window_size: f64,
    /// Seconds the analysis took
    computation_time: f64,
    /// RFC 3339 in UTC
    timestamp: String,
    /// The capture
    capture: String,
    /// The job
    job: Option<String>,
    /// Whether the answer was there before the request
    computed_before: bool,
    /// Whether more windows will come
    partial: bool,
    /// Anomalies found on the way
    anomaly_count: u64,
    /// Packets analysed
    packet_count: u64,
    /// `offset` and `message` of the file's damage; what comes before it is analysed
    fault: Option<Value>,
}

/// An anomaly
#[derive(Debug, Object)]
#[oai(rename = "Anomaly")]
pub struct AnomalyBody {
    /// `traffic_spike`, `port_scan`, `high_latency`, `packet_loss`, `protocol_anomaly` or `long_lived_conn`
    #[oai(rename = "type")]
    kind: String,
    /// `medium` or `high`
    severity: String,
    /// Seconds since 1970
    window_start: f64,
    /// Seconds since 1970
    window_end: f64,
    /// For people, with the numbers
    message: String,
    /// What was measured
    metric: String,
    /// What was found
    current_value: f64,
    /// What it crossed
    threshold: f64,
    /// Who sends, when it is about a flow or a host
    flow_src: Option<String>,
    /// Who receives
    flow_dst: Option<String>,
    /// What the threshold was taken from: `source` (`stored`, `capture`, `fixed`), `median`, `mad`, `windows`
    baseline: Value,
}

/// A page of anomalies
#[derive(Debug, Object)]
pub struct AnomalyPageBody {
    /// Anomalies in it
    count: u64,
    /// Anomalies that fit the filters
    total: u64,
    /// As asked for
    offset: u64,
    /// As asked for
    limit: u64,
    /// As asked for
    filters: HashMap<String, Value>,
    /// The capture
    capture: Option<String>,
    /// Whether more may come
    partial: bool,
    /// In the order they were found
    anomalies: Vec<AnomalyBody>,
}

/// Anomalies of one kind
#[derive(Debug, Object)]
pub struct KindCountBody {
    /// All
    count: u64,
    /// By severity
    by_severity: HashMap<String, u64>,
}

/// Anomalies by kind
#[derive(Debug, Object)]
pub struct ByTypeBody {
    /// All
    total: u64,
    /// Kinds that occur
    by_type: HashMap<String, KindCountBody>,
    /// The capture
    capture: Option<String>,
}

/// Anomalies of one window
#[derive(Debug, Object)]
pub struct WindowAnomaliesBody {
    /// The window
    window_id: u64,
    /// How many
    count: u64,
    /// The capture
    capture: Option<String>,
    /// In the order they were found
    anomalies: Vec<AnomalyBody>,
}

/// The same kind, severity and metric of the same flow or hosts
#[derive(Debug, Object)]
pub struct FrequentBody {
    /// The kind
    #[oai(rename = "type")]
    kind: String,
    /// `medium` or `high`
    severity: String,
    /// Of the first one
    message: String,
    /// How often
    count: u64,
    /// Seconds since 1970
    first_seen: f64,
    /// Seconds since 1970
    last_seen: f64,
    /// What was measured
    metric: String,
    /// Who sends
    flow_src: Option<String>,
    /// Who receives
    flow_dst: Option<String>,
}

/// The most frequent anomalies
#[derive(Debug, Object)]
pub struct TopBody {
    /// Most frequent first
    top: Vec<FrequentBody>,
    /// The capture
    capture: Option<String>,
}

/// Which anomalies to find
#[derive(Debug, Object)]
pub struct DetectBody {
    /// Find them again
    force: Option<bool>,
    /// Windows that begin before this do not count; seconds since 1970
    window_start: Option<f64>,
    /// Windows that begin at this or later do not count
    window_end: Option<f64>,
}

/// Anomalies by kind and by severity
#[derive(Debug, Object)]
pub struct DetectedSummary {
    /// Kinds that occur
    by_type: HashMap<String, u64>,
    /// Severities that occur
    by_severity: HashMap<String, u64>,
}

/// Anomalies were found
#[derive(Debug, Object)]
pub struct DetectedBody {
    /// Always true
    success: bool,
    /// For people
    message: String,
    /// All anomalies of the capture, one a line, relative to the data folder
    anomalies_file: String,
    /// Those of the windows that were asked for
    anomaly_count: u64,
    /// Seconds the detection took; of a file it is part of the analysis
    detection_time: f64,
    /// The same by kind and severity
    summary: DetectedSummary,
    /// RFC 3339 in UTC
    timestamp: String,
    /// The capture
    capture: String,
    /// The job that found them
    job: Option<String>,
    /// Whether the answer was there before the request
    computed_before: bool,
    /// Whether more may come
    partial: bool,
}
