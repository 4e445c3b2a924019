//! Bodies of the traffic document, except lists of entries.

use poem_openapi::Object;
use serde::Deserialize;
use serde_json::Value;

use super::figures::Times;
use crate::systems::time::{ms, round3};

/// What a generation is started with: all fields of a session besides its id
#[derive(Debug, Object)]
#[allow(dead_code, reason = "describes the body, which is read member by member to report all mistakes at once")]
pub struct GenerateBody {
    /// The campaign; unknown ones are made when `target_url` and `requests_per_minute` are given
    campaign_id: String,
    /// Overrides the session's for this run, as all fields here
    target_url: Option<String>,
    /// Arrival rate, above 0
    requests_per_minute: Option<f64>,
    /// Length, above 0
    duration_minutes: Option<f64>,
    /// Countries
    geo_locations: Option<Vec<Value>>,
    /// The auction
    rtb_config: Option<Value>,
    /// Keys given here lie over the session's
    config: Option<Value>,
    /// Kinds of visitors
    user_profiles: Option<Vec<Value>>,
}

/// The campaign of a started run
#[derive(Debug, Object)]
#[allow(dead_code, reason = "describes an answer that is made as JSON, since it is stored for repeated requests")]
pub struct StartedData {
    /// The campaign
    campaign_id: String,
}

/// A started run
#[derive(Debug, Object)]
#[allow(dead_code, reason = "describes an answer that is made as JSON, since it is stored for repeated requests")]
pub struct Started {
    /// Always true
    success: bool,
    /// For people
    message: String,
    /// The campaign
    campaign_id: String,
    /// `running`
    status: String,
    /// The job, which is the run
    thread_id: String,
    /// The same
    run_id: String,
    /// The effective configuration
    config: Value,
    /// For callers of the sessions document
    data: StartedData,
}

/// Something was done
#[derive(Debug, Object)]
pub struct Done {
    /// Always true
    pub success: bool,
    /// For people
    pub message: String,
    /// The campaign
    pub campaign_id: String,
    /// Its status now
    pub status: String,
}

/// Everything was stopped
#[derive(Debug, Object)]
pub struct StoppedAll {
    /// Always true
    pub success: bool,
    /// For people
    pub message: String,
    /// The campaigns that were stopped
    pub campaigns: Vec<String>,
    /// How many
    pub stopped: usize,
}

/// The status that a campaign shall have
#[derive(Debug, Deserialize, Object)]
pub struct StatusBody {
    /// `draft`, `running`, `paused`, `completed`, `stopped` or `error`
    pub status: Option<String>,
}

/// A status was set
#[derive(Debug, Object)]
pub struct StatusSet {
    /// Always true
    pub success: bool,
    /// For people
    pub message: String,
    /// The campaign
    pub campaign_id: String,
    /// The status before
    pub previous_status: String,
    /// The status now
    pub new_status: String,
    /// RFC 3339 in UTC
    pub updated_at: String,
}

/// A body with `data`
#[derive(Debug, Object)]
pub struct WithData<T: poem_openapi::types::Type + poem_openapi::types::ParseFromJSON + poem_openapi::types::ToJSON> {
    /// Always true
    pub success: bool,
    /// The answer
    pub data: T,
}

impl<T: poem_openapi::types::Type + poem_openapi::types::ParseFromJSON + poem_openapi::types::ToJSON> WithData<T> {
    /// Wraps `data`.
    pub const fn of(data: T) -> Self {
        Self { success: true, data }
    }
}

/// A distribution of times in milliseconds
#[derive(Debug, Clone, Default, Object)]
pub struct Percentiles {
    /// Values
    pub count: u64,
    /// Mean
    pub mean: f64,
    /// Median
    pub p50: f64,
    /// 75 in 100 are at most this
    pub p75: f64,
    /// 90 in 100
    pub p90: f64,
    /// 95 in 100
    pub p95: f64,
    /// 99 in 100
    pub p99: f64,
    /// 999 in 1000
    #[oai(rename = "p99.9")]
    pub p999: f64,
    /// Largest
    pub max: f64,
}

impl From<&trafficlab_engine::traffic::histogram::Histogram> for Percentiles {
    fn from(histogram: &trafficlab_engine::traffic::histogram::Histogram) -> Self {
        let at = |per_million| ms(histogram.quantile(per_million));
        Self {
            count: histogram.count(),
            mean: round3(histogram.mean() / 1000.0),
            p50: at(500_000),
            p75: at(750_000),
            p90: at(900_000),
            p95: at(950_000),
            p99: at(990_000),
            p999: at(999_000),
            max: ms(histogram.max()),
        }
    }
}

/// Times of requests in milliseconds, without the warm-up
#[derive(Debug, Clone, Default, Object)]
pub struct TimesView {
    /// From the moment the request was due to the end of the response
    pub response: Percentiles,
    /// From the real send to the end; in simulations the same
    pub service: Percentiles,
    /// From the moment the request was due to the real send
    pub send_lag: Percentiles,
}

impl From<&Times> for TimesView {
    fn from(times: &Times) -> Self {
        let simulated = times.service.count() == 0;
        let service = if simulated { &times.response } else { &times.service };
        Self { response: (&times.response).into(), service: service.into(), send_lag: (&times.lag).into() }
    }
}

/// Where arrivals went: scheduled = sent + dropped + missed
#[derive(Debug, Clone, Default, Object)]
pub struct Arrived {
    /// Fell due
    pub scheduled: u64,
    /// Were sent, or drawn
    pub sent: u64,
    /// Of these, more than 10 ms late
    pub late: u64,
    /// Fell due while the queue was full
    pub dropped: u64,
    /// Fell due while no worker held their shard
    pub missed: u64,
}

impl From<&trafficlab_engine::traffic::counters::Counters> for Arrived {
    fn from(counters: &trafficlab_engine::traffic::counters::Counters) -> Self {
        Self {
            scheduled: counters.scheduled,
            sent: counters.sent,
            late: counters.late,
            dropped: counters.dropped,
            missed: counters.missed,
        }
    }
}
