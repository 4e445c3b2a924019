//! Bodies of baselines, captures and control as the documentation shows them; the services make the values.

#![allow(dead_code, reason = "these types describe bodies whose values are made elsewhere")]

use std::collections::HashMap;

use poem_openapi::Object;
use serde_json::Value;

/// Figures of one metric over the windows that have it
#[derive(Debug, Object)]
#[oai(rename = "Baseline")]
pub struct BaselineBody {
    /// Mean. Of `bandwidth` bits a second, of `latency` milliseconds, of `connection` connections, of `protocol` the
    /// share of the greatest protocol in percent
    mean: Option<f64>,
    /// Median
    median: Option<f64>,
    /// Least
    min: Option<f64>,
    /// Greatest
    max: Option<f64>,
    /// 95th percentile, nearest rank
    p95: Option<f64>,
    /// 99th percentile
    p99: Option<f64>,
    /// Median absolute deviation
    mad: Option<f64>,
    /// Windows counted
    windows: u64,
    /// The same figures of further metrics by name
    further: HashMap<String, Value>,
    /// The capture whose windows they are of
    capture: String,
    /// RFC 3339 in UTC
    created_at: String,
}

/// All baselines
#[derive(Debug, Object)]
pub struct BaselineListBody {
    /// How many
    available: u64,
    /// By kind
    baselines: HashMap<String, BaselineBody>,
    /// RFC 3339 in UTC
    timestamp: String,
}

/// One baseline
#[derive(Debug, Object)]
pub struct OneBaselineBody {
    /// `bandwidth`, `latency`, `protocol` or `connection`
    #[oai(rename = "type")]
    kind: String,
    /// Its figures
    baseline: BaselineBody,
    /// RFC 3339 in UTC
    timestamp: String,
}

/// The main figures of all baselines, null where there is none
#[derive(Debug, Object)]
pub struct BaselineStatsBody {
    /// `bandwidth` (`mean_bps` …), `latency` (`mean_rtt` …), `protocol` (`distribution` in percent), `connection`
    /// (`mean_connections` …)
    baseline_stats: HashMap<String, Value>,
    /// RFC 3339 in UTC
    timestamp: String,
}

/// Which baselines to make
#[derive(Debug, Object)]
pub struct GenerateBaselinesBody {
    /// Make again what is there
    force: Option<bool>,
    /// `bandwidth`, `latency`, `protocol`, `connection`; all without it
    types: Option<Vec<String>>,
}

/// Baselines were made
#[derive(Debug, Object)]
pub struct GeneratedBody {
    /// Always true
    success: bool,
    /// For people
    message: String,
    /// One JSON file for each kind lies here, relative to the data folder
    baselines_dir: String,
    /// Whether there is one now; a kind without data has none
    generated: HashMap<String, bool>,
    /// Seconds it took
    generation_time: f64,
    /// RFC 3339 in UTC
    timestamp: String,
    /// The capture whose windows they are of
    capture: String,
    /// The job
    job: Option<String>,
    /// Whether they were there before the request
    computed_before: bool,
}

/// One analysed input
#[derive(Debug, Object)]
#[oai(rename = "Capture")]
pub struct CaptureBody {
    /// Its id
    id: String,
    /// For people
    name: String,
    /// `upload`, `path` or `live`
    source: String,
    /// `queued`, `running`, `done` or `failed`
    status: String,
    /// Why it failed, or what it waits for
    reason: Option<String>,
    /// In percent, null for live captures
    progress: Option<f64>,
    /// Whether more windows will come
    partial: bool,
    /// Seconds
    window_size: f64,
    /// RFC 3339 in UTC, as all times
    created_at: String,
    /// When a worker took it
    started_at: Option<String>,
    /// When it was over
    ended_at: Option<String>,
    /// `bytes_read`, `bytes_total`, `packets`, `kernel_drops`, `app_drops`
    counts: Value,
    /// Stored windows
    window_count: u64,
    /// Anomalies
    anomaly_count: u64,
    /// Connections told one by one
    connection_count: u64,
    /// The job that analyses it
    job: Option<String>,
    /// Interface, filter, host and worker of a live capture
    live: Option<Value>,
    /// Relative to the data folder
    metrics_file: String,
    /// Relative to the data folder
    anomalies_file: String,
    /// Bytes
    bytes_on_disk: u64,
}

/// A page of captures, newest first
#[derive(Debug, Object)]
pub struct CapturePageBody {
    /// Captures in it
    count: u64,
    /// Captures that fit the filters
    total: u64,
    /// As asked for
    offset: u64,
    /// As asked for
    limit: u64,
    /// Newest first
    captures: Vec<CaptureBody>,
}

/// A capture with everything that is known of it
#[derive(Debug, Object)]
pub struct WholeCaptureBody {
    /// As in lists
    #[oai(flatten)]
    view: CaptureBody,
    /// Times in which a live capture took nothing: `from_ns`, `to_ns`, `reason`
    gaps: Vec<Value>,
    /// Figures of the whole, once it is over
    summary: Option<Value>,
    /// The figures to compare with tshark, once it is over
    wire: Option<Value>,
}

/// A capture was removed
#[derive(Debug, Object)]
pub struct CaptureRemoved {
    /// Always true
    pub success: bool,
    /// For people
    pub message: String,
    /// Its id
    pub id: String,
}

/// What to capture
#[derive(Debug, Object)]
pub struct CaptureStartBody {
    /// The interface that `--interface` names, which is the default
    interface: Option<String>,
    /// A new file for the windows, one a line; a relative name below the data folder
    output_file: Option<String>,
    /// Seconds; without it the capture runs until it is stopped
    duration: Option<f64>,
    /// In libpcap's language, such as `tcp port 443`
    filter: Option<String>,
    /// Bytes taken of each packet, 64 to 262144
    snap_length: Option<u64>,
    /// Take payload too, not only headers
    payload: Option<bool>,
    /// Take packets for others too
    promiscuous: Option<bool>,
    /// Hand over each packet at once, for five times the wake-ups
    immediate: Option<bool>,
    /// Keep the packets on the worker's disk: true, or `files` and `file_bytes` of the ring
    keep: Option<Value>,
    /// Seconds of a window
    window_size: Option<f64>,
    /// The host that shall capture; else one that has the interface
    host: Option<String>,
}

/// A capture began
#[derive(Debug, Object)]
pub struct CaptureStarted {
    /// Always true
    success: bool,
    /// For people
    message: String,
    /// The interface
    interface: String,
    /// Relative to the data folder
    output_file: String,
    /// RFC 3339 in UTC
    start_time: String,
    /// Seconds
    duration: Option<f64>,
    /// The capture
    capture: String,
    /// The job
    job: String,
    /// `queued` until a worker has it, then `running`
    status: String,
}

/// A capture ended
#[derive(Debug, Object)]
pub struct CaptureStopped {
    /// Always true
    success: bool,
    /// For people
    message: String,
    /// Seconds it ran
    duration: f64,
    /// Relative to the data folder
    output_file: String,
    /// The capture
    capture: String,
    /// Stored windows
    window_count: u64,
}

/// Whether something is captured
#[derive(Debug, Object)]
pub struct CaptureStatusBody {
    /// Whether something is captured
    running: bool,
    /// When nothing is
    message: Option<String>,
    /// RFC 3339 in UTC
    start_time: Option<String>,
    /// Seconds so far
    duration: Option<f64>,
    /// The interface
    interface: Option<String>,
    /// Relative to the data folder
    output_file: Option<String>,
    /// The capture with its counts
    capture: Option<CaptureBody>,
}

/// The end of a log
#[derive(Debug, Object)]
pub struct LogsBody {
    /// The newest file, relative to the data folder
    log_file: String,
    /// As asked for, at most 10000
    limit: u64,
    /// Lines of all kept files of this log
    total_lines: u64,
    /// Lines in this answer
    returned_lines: u64,
    /// Oldest first; secrets are masked
    logs: Vec<String>,
}

/// Status of the analyzer
#[derive(Debug, Object)]
pub struct AnalyzerStatus {
    /// `status`, `version`, `timestamp`
    api: Value,
    /// `mode`, `pcap_file`, `interface`, `window_size`, `metrics_dir`, `baselines_dir`
    system: Value,
    /// Whether there are `metrics`, `baselines`, `anomalies`
    data: Value,
}

/// Status of the analyzer in detail
#[derive(Debug, Object)]
pub struct ControlStatus {
    /// `status`, `mode`, `version`
    api: Value,
    /// `python_version` (null: there is none), `platform`, `tshark_available` (on the server's PATH; it is not used),
    /// `project_structure` (which folders exist)
    system: Value,
    /// `metrics`, `anomalies`, `baselines`, `metric_count`, `anomaly_count`
    data: Value,
    /// `running`, `start_time`, `interface`
    capture: Value,
}

/// Configuration of the analyzer
#[derive(Debug, Object)]
pub struct ControlConfig {
    /// `pcap` or `live`
    mode: String,
    /// The file that `compute` takes by default
    pcap_file: Option<String>,
    /// The interface of live mode
    interface: Option<String>,
    /// Seconds
    window_size: u64,
    /// Relative to the data folder
    directories: HashMap<String, String>,
    /// Folders that `pcap_file` may name files in
    capture_dirs: Vec<String>,
    /// Limits of uploads and captures
    limits: HashMap<String, u64>,
}

/// A ping's answer
#[derive(Debug, Object)]
pub struct Pong {
    /// Always true
    pong: bool,
    /// RFC 3339 in UTC
    timestamp: String,
}
