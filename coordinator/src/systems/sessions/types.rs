//! Sessions as callers see them.

use poem_openapi::Object;
use serde::Serialize;
use serde_json::Value;

use super::secrets;
use crate::store::campaigns::Campaign;
use crate::systems::time::{maybe_rfc3339, rfc3339};

/// What a session may be given; everything is optional
#[derive(Debug, Object)]
#[allow(dead_code, reason = "describes the body, which is read member by member to report all mistakes at once")]
pub struct SessionBody {
    /// An id of one's own: 1 to 64 letters, digits, `_` or `-`; only when creating
    campaign_id: Option<String>,
    /// A name for people
    name: Option<String>,
    /// Where real requests go; must be on the operator's allow-list
    target_url: Option<String>,
    /// Arrival rate, above 0; 10 when not given
    requests_per_minute: Option<f64>,
    /// Length of a run, above 0; 60 when not given
    duration_minutes: Option<f64>,
    /// Country names, ISO codes or `{"country", "weight"}`
    geo_locations: Option<Vec<Value>>,
    /// The auction: `bidders`, `floor_price`, `floors` (by ad format), `ad_formats`, `bid_rate`, `bid_price`,
    /// `auction_type`, `deals` (`id`, `bid_floor`, `at`, `rate`, `wseat`, `wadomain`, `priority`, `guaranteed`),
    /// `private_auction`, `currency`, `tmax`, `inventory`, `imps` (1 to this many impressions a request), `badv`, `bcat`,
    /// `wseat`, `profile` (`full` or `basic` bid requests); `endpoint` names a real bidder, whose notices are requested
    /// unless `notify` is false (each bid request then counts with four notices towards `generator.max_rate_per_target`)
    rtb_config: Option<Value>,
    /// `mode` (`simulate` or `http`), `arrivals` (`constant`, `poisson`, or an object with a `type`: `stages`; `sine` with
    /// `amplitude`, `period`, `phase`; `burst` with `on`, `off` or `cycle`, `min`, `alpha`, and `rest`; `replay` with
    /// `timestamps` or `log`, `speed`, `repeat`; all but the last with `process`, `even` or `poisson`), `stages`, `seed`,
    /// `method`, `headers`, `body`, `connections`, `timeout_ms`, `max_redirects`, `http_version` (`1.1` or `2`,
    /// without a fallback), `streams` (requests at once on an HTTP/2 connection, 32), `keep_alive` (false closes each
    /// connection after one request), `checks`, `warm_up`, `catch_up`, `thresholds` (texts such as `p99<50ms`, `error_rate<1%`, or `{"threshold", "abort_on", "after", "window"}`), `abort_on` (true ends the run
    /// when one of them does not hold), `live_entries`, `entries_per_second_kept`,
    /// `network_latency`, `server_time`, `error_rate`, `status_codes`, `response_bytes`, `sessions` (true, or
    /// `think_time` in seconds, `pages` in the mean, `paths`: texts or `{"path", "weight", "entry"}`), `daily` (true, or
    /// `hours`: 24 levels of local activity, `start_hour` in UTC)
    config: Option<Value>,
    /// Kinds of visitors: `{"name", "weight", "device_types", "click_probability", …}`
    user_profiles: Option<Vec<Value>>,
}

/// A session, which is a traffic campaign
#[derive(Debug, Clone, Serialize, Object)]
pub struct Session {
    /// Its id, which is the `campaign_id`
    pub id: String,
    /// The same id
    pub campaign_id: String,
    /// A name for people
    pub name: String,
    /// `draft`, `running`, `paused`, `completed`, `stopped` or `error`
    pub status: String,
    /// Why it is in `error`, or why it stopped by itself
    pub reason: Option<String>,
    /// RFC 3339 in UTC, as all times
    pub created_at: String,
    /// Last change
    pub updated_at: String,
    /// Last time it began to run
    pub started_at: Option<String>,
    /// Last time it ended
    pub ended_at: Option<String>,
    /// The latest run
    pub run_id: Option<String>,
    /// Where real requests go
    pub target_url: Option<String>,
    /// Arrival rate
    pub requests_per_minute: f64,
    /// Length of a run
    pub duration_minutes: f64,
    /// Countries
    pub geo_locations: Value,
    /// The auction
    pub rtb_config: Value,
    /// Everything else; secret header values are masked
    pub config: Value,
    /// Kinds of visitors
    pub user_profiles: Value,
    /// Members that are kept and have no effect
    pub warnings: Vec<String>,
}

impl From<Campaign> for Session {
    fn from(campaign: Campaign) -> Self {
        let fields = campaign.fields;
        Self {
            id: campaign.id.clone(),
            campaign_id: campaign.id,
            name: campaign.name,
            status: campaign.status.as_str().to_owned(),
            reason: campaign.reason,
            created_at: rfc3339(campaign.created_ns),
            updated_at: rfc3339(campaign.updated_ns),
            started_at: maybe_rfc3339(campaign.started_ns),
            ended_at: maybe_rfc3339(campaign.ended_ns),
            run_id: campaign.run,
            target_url: fields.target_url,
            requests_per_minute: fields.requests_per_minute,
            duration_minutes: fields.duration_minutes,
            geo_locations: fields.geo_locations,
            rtb_config: fields.rtb_config,
            config: secrets::masked(&fields.config),
            user_profiles: fields.user_profiles,
            warnings: Vec::new(),
        }
    }
}

/// The answer to a removal
#[derive(Debug, Serialize, Object)]
pub struct Deleted {
    /// Always true
    pub success: bool,
    /// `Session deleted successfully`
    pub message: String,
}
