//! A run: one execution of a campaign, which is one job. Fixed when it starts.

use serde::{Deserialize, Serialize};

use super::arrivals::Arrivals;
use super::content::ContentSpec;

/// Whether requests are drawn or really sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// No packet leaves: exchange, latency and auction are drawn.
    #[default]
    Simulate,
    /// Real requests to an allow-listed target.
    Http,
}

impl Mode {
    /// The word of the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Simulate => "simulate",
            Self::Http => "http",
        }
    }
}

/// Everything a worker needs to generate a run's traffic; the same for all its shards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunSpec {
    /// The job's id, a `UUIDv7`; also the run's.
    pub job: String,
    /// The campaign it belongs to.
    pub campaign: String,
    /// What all randomness of the run comes from.
    pub seed: u64,
    /// Simulated or real.
    pub mode: Mode,
    /// How many shards share the arrivals; fixed for the run.
    pub shards: u32,
    /// Shape of the arrivals.
    pub arrivals: Arrivals,
    /// Rate at the start, in millionths of a request per minute.
    pub rate: u64,
    /// Length in milliseconds of active time.
    pub duration_ms: u64,
    /// Leading part of the active time that percentiles leave out, in milliseconds.
    #[serde(default)]
    pub warm_up_ms: u64,
    /// Longest backlog a real run catches up with, in milliseconds; the rest is missed.
    #[serde(default = "one_second")]
    pub catch_up_ms: u64,
    /// Keeps one entry in this many, chosen by a hash of its id; counters see them all.
    #[serde(default = "one")]
    pub keep_one_in: u32,
    /// Whether entries are published for outside subscribers, not only summaries.
    #[serde(default)]
    pub live_entries: bool,
    /// The target that simulated entries name, if the campaign has one.
    #[serde(default)]
    pub shown_url: Option<String>,
    /// What the traffic looks like.
    pub content: ContentSpec,
    /// The real request; present exactly in mode `http`.
    #[serde(default)]
    pub http: Option<HttpSpec>,
}

const fn one() -> u32 {
    1
}

const fn one_second() -> u64 {
    1000
}

/// The version of HTTP that real requests speak; never another one when the target does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum HttpVersion {
    /// HTTP/1.1, one request at a time on a connection.
    #[default]
    #[serde(rename = "1.1")]
    Http1,
    /// HTTP/2: by prior knowledge over `http`, by ALPN over `https`.
    #[serde(rename = "2")]
    Http2,
}

impl HttpVersion {
    /// Whether it is what a spec that says nothing means.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A real request and its limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpSpec {
    /// Method, such as `GET`.
    pub method: String,
    /// Absolute URL; path and query may hold templates.
    pub url: String,
    /// Header fields in the order given.
    #[serde(default)]
    pub headers: Vec<HeaderField>,
    /// Body, may hold templates.
    #[serde(default)]
    pub body: Option<String>,
    /// Most connections over all shards.
    pub connections: u32,
    /// Time-out from the real send, in milliseconds.
    pub timeout_ms: u64,
    /// How many redirects are followed; each hop is checked again.
    #[serde(default)]
    pub max_redirects: u8,
    /// What makes a response a success, besides its status.
    #[serde(default)]
    pub checks: ResponseChecks,
    /// The operator's allow-list as of the start.
    pub allow_targets: Vec<String>,
    /// Whether the target's owner has agreed (`CONTRACT` proof) for public addresses.
    #[serde(default)]
    pub ownership_proven: bool,
    /// The version of HTTP.
    #[serde(default, skip_serializing_if = "HttpVersion::is_default")]
    pub version: HttpVersion,
    /// Whether every request gets a connection of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub close_connections: bool,
    /// Requests at once on an HTTP/2 connection; absent for the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub streams: Option<u32>,
}

/// One request header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeaderField {
    /// Field name.
    pub name: String,
    /// The value, or its sealed form when `sealed`.
    pub value: String,
    /// Whether `value` must be opened with the installation's key before it is sent.
    #[serde(default)]
    pub sealed: bool,
}

/// Conditions on a response; the empty set asks for a status of 2xx or 3xx.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ResponseChecks {
    /// Accepted status codes; empty means 200 to 399.
    pub statuses: Vec<u16>,
    /// Text the body must hold.
    pub body_contains: Option<String>,
    /// Longest service time in milliseconds.
    pub max_latency_ms: Option<u64>,
}

/// How many shards a run of this peak rate gets: one below 200/s, else enough for 2 000/s each.
///
/// `peak` is in millionths of a request per minute.
#[must_use]
pub fn shard_count(peak: u64, max_shards: u32) -> u32 {
    let per_second = peak / 60 / super::arrivals::MICROS_PER_REQUEST;
    if per_second < 200 {
        return 1;
    }
    let wanted = u32::try_from(per_second.div_ceil(2000)).unwrap_or(u32::MAX);
    wanted.max(8).min(max_shards.max(1))
}

#[cfg(test)]
mod tests {
    use super::shard_count;

    #[test]
    fn shards_follow_the_peak_rate() {
        let per_second = |rate: u64| rate * 60 * 1_000_000;
        assert_eq!(shard_count(per_second(199), 64), 1);
        assert_eq!(shard_count(per_second(200), 64), 8);
        assert_eq!(shard_count(per_second(16_000), 64), 8);
        assert_eq!(shard_count(per_second(16_001), 64), 9);
        assert_eq!(shard_count(per_second(1_000_000), 64), 64);
        assert_eq!(shard_count(per_second(5_000), 4), 4);
    }
}
