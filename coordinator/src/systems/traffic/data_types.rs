//! Bodies with figures of campaigns.

use poem_openapi::Object;
use serde_json::Value;

use super::types::{Arrived, TimesView};
use super::verdicts::ThresholdView;
use super::workers::WorkerView;

/// Where a campaign stands
#[derive(Debug, Clone, Object)]
pub struct StatusData {
    /// The campaign
    pub campaign_id: String,
    /// Its status
    pub status: String,
    /// Why it is in `error`, or why it stopped by itself
    pub reason: Option<String>,
    /// Whether it generates now
    pub is_running: bool,
    /// Whether it ever generated anything that is still there
    pub has_data: bool,
    /// When the last result was stored; before any, when the session last changed
    pub last_updated: String,
    /// Requests of all runs
    pub total_requests: u64,
    /// Of these, successes
    pub successful_requests: u64,
    /// The last entry, `{}` before the first
    pub last_request: Value,
    /// The latest run
    pub run_id: Option<String>,
}

/// One shard of the latest run
#[derive(Debug, Clone, Object)]
pub struct ShardView {
    /// Its number
    pub shard: u32,
    /// `waiting`, `running`, `yielded`, `paused`, `ended`, `stopped`, `failed` or `quarantined`
    pub state: String,
    /// The worker that logged last
    pub worker: Option<String>,
    /// Owners so far
    pub epoch: u32,
    /// Second of active time it has come to
    pub slot: u32,
    /// Revision of the desired state it has applied
    pub revision: u64,
    /// Why it failed or is quarantined
    pub reason: Option<String>,
}

/// What the latest run should do
#[derive(Debug, Clone, Object)]
pub struct DesiredView {
    /// `run`, `pause` or `stop`
    pub state: String,
    /// Counts changes
    pub revision: u64,
    /// Rate; staged arrivals begin with it
    pub requests_per_minute: f64,
    /// Length of active time
    pub duration_minutes: f64,
}

/// What the latest run does
#[derive(Debug, Clone, Object)]
pub struct ObservedView {
    /// `starting`, `running`, `paused`, `completed`, `stopped` or `failed`
    pub state: String,
    /// The oldest revision that a shard has applied
    pub revision: u64,
    /// Active time so far
    pub active_seconds: f64,
    /// Share of the length that is served, in percent
    pub progress: f64,
}

/// A campaign, live to the second
#[derive(Debug, Clone, Object)]
pub struct MonitorData {
    /// The campaign
    pub campaign_id: String,
    /// Its status
    pub status: String,
    /// Why it is in `error`, or why it stopped by itself
    pub reason: Option<String>,
    /// Whether it generates now
    pub is_running: bool,
    /// Whether it ever generated anything that is still there
    pub has_data: bool,
    /// When the last result was stored; before any, when the session last changed
    pub last_updated: String,
    /// Requests of all runs
    pub total_requests: u64,
    /// Of these, successes
    pub successful_requests: u64,
    /// Of these, failures
    pub failed_requests: u64,
    /// The last entry, `{}` before the first
    pub last_request: Value,
    /// Of the last full minute, or since the start when that is less
    pub requests_per_minute: f64,
    /// Successes in percent
    pub success_rate: f64,
    /// Mean in milliseconds
    pub average_response_time: f64,
    /// Distribution of the latest run's times
    pub response_times: TimesView,
    /// Where the arrivals of all runs went
    pub arrivals: Arrived,
    /// Whether the figures of the latest run tell of the generator too: the send lag's 99th percentile is above 10 ms, or
    /// less than 99 % of the scheduled requests were sent, in all or by one of the workers, or a lane has no time left
    pub generator_limited: bool,
    /// Why
    pub generator_limited_reasons: Vec<String>,
    /// The workers of the latest run
    pub workers: Vec<WorkerView>,
    /// The thresholds of the latest run
    pub thresholds: Vec<ThresholdView>,
    /// The auction funnel of all runs, and how the real bidder did
    pub rtb: Value,
    /// Stored entries
    pub stored_entries: u64,
    /// The latest run
    pub run_id: Option<String>,
    /// What it should do
    pub desired: Option<DesiredView>,
    /// What it does
    pub observed: Option<ObservedView>,
    /// Its shards
    pub shards: Vec<ShardView>,
    /// Whether the broker can be reached; without it the figures stand still
    pub broker_connected: bool,
    /// When this was read
    pub as_of: String,
}

/// Figures of a campaign, exact
#[derive(Debug, Clone, Object)]
pub struct StatsData {
    /// The campaign
    pub campaign_id: String,
    /// The run, when one was asked for
    pub run_id: Option<String>,
    /// Requests
    pub total_requests: u64,
    /// Of these, successes
    pub successful_requests: u64,
    /// Of these, failures
    pub failed_requests: u64,
    /// In percent
    pub success_rate: f64,
    /// Countries seen
    pub unique_geo_locations: usize,
    /// Device models seen
    pub unique_device_models: usize,
    /// Ad formats seen
    pub unique_ad_formats: usize,
    /// When the first run began
    pub start_time: Option<String>,
    /// When the last run ended, or the last result while one is on
    pub end_time: Option<String>,
    /// Active time of all runs
    pub duration_minutes: f64,
    /// Requests over that time
    pub requests_per_minute: f64,
    /// Mean in milliseconds
    pub average_response_time: f64,
    /// Distribution of times
    pub response_times: TimesView,
    /// Where the arrivals went
    pub arrivals: Arrived,
    /// Whether the figures tell of the generator too: the send lag's 99th percentile is above 10 ms, or less than 99 % of
    /// the scheduled requests were sent, in all or by one of the workers, or a lane has no time left
    pub generator_limited: bool,
    /// Why
    pub generator_limited_reasons: Vec<String>,
    /// The workers, with what each did of it
    pub workers: Vec<WorkerView>,
    /// The thresholds of the run, or of the latest one
    pub thresholds: Vec<ThresholdView>,
    /// Stored entries
    pub stored_entries: u64,
    /// Bytes received
    pub bytes_in: u64,
    /// Bytes sent
    pub bytes_out: u64,
    /// Responses by status code; `0` is no response
    pub status_codes: Value,
    /// Failures by kind
    pub errors: Value,
    /// Entries by country
    pub geo_locations: Value,
    /// Entries by device model
    pub device_models: Value,
    /// Entries by ad format
    pub ad_formats: Value,
    /// The auction funnel
    pub rtb: Value,
    /// Runs added up
    pub runs: usize,
}

/// Everything about a campaign
#[derive(Debug, Clone, Object)]
pub struct InfoData {
    /// The campaign
    pub campaign_id: String,
    /// Id, name, status, reason, times
    pub basic_info: Value,
    /// Whether it generates, desired and observed state, runs
    pub traffic_generation: Value,
    /// Figures
    pub traffic_stats: Value,
    /// The session's fields
    pub configuration: Value,
}

/// The traffic service
#[derive(Debug, Clone, Object)]
pub struct TrafficHealthData {
    /// Where results are stored
    pub traffic_data_dir: String,
    /// When this was read
    pub timestamp: String,
    /// Campaigns that generate now
    pub active_campaigns: Vec<String>,
    /// Their figures
    pub campaign_stats: Value,
    /// How many generate
    pub total_active_campaigns: usize,
    /// Workers, broker, disk, process
    pub system_info: Value,
}

/// The traffic service is well or not
#[derive(Debug, Clone, Object)]
pub struct TrafficHealth {
    /// Whether it can serve
    pub success: bool,
    /// `healthy`, `degraded` or `unhealthy`
    pub status: String,
    /// For people
    pub message: String,
    /// Details
    pub data: TrafficHealthData,
}
