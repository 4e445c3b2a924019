//! What the ingest takes and answers, as the API's documentation shows it.

use poem_openapi::Object;
use poem_openapi::types::Any;
use serde_json::{Map, Value};

/// A sum of money
#[derive(Debug, Object)]
pub struct Revenue {
    /// Decimal number, or a text of one
    pub amount: f64,
    /// ISO 4217 code
    pub currency: String,
}

/// A visit
#[derive(Debug, Object)]
pub struct Visit {
    /// The sender's id of the visitor; stored as a keyed hash unless `tracker.keep_user_id`
    pub user_id: String,
    /// Absolute http or https URL; its host names the site
    pub page_url: String,
    /// In place of the header `User-Agent`
    pub user_agent: Option<String>,
    /// Checked, and used only from a trusted proxy or with an ingest key; never stored
    pub ip_address: Option<String>,
    /// The referring page
    pub referrer: Option<String>,
    /// For idempotency: a visit of a known id counts once within 24 hours. The header `Idempotency-Key` does the same
    pub event_id: Option<String>,
    /// `pageview` when it is not given
    pub event: Option<String>,
    /// Flat object of texts, numbers and truth values, at most 30
    pub props: Option<Any<Map<String, Value>>>,
    /// What the visit brought in
    pub revenue: Option<Revenue>,
    /// RFC 3339, or seconds or milliseconds since 1970; only from a trusted proxy or with an ingest key
    pub timestamp: Option<String>,
}

/// A visit was taken
#[derive(Debug, Object)]
pub struct Visited {
    /// Always true
    pub success: bool,
    /// Visits so far, of people and bots; those of our own campaigns are not counted
    pub visit_count: u64,
    /// The same as a sentence
    pub message: String,
}

/// How the server does
#[derive(Debug, Object)]
pub struct Stats {
    /// Since the server began to serve
    pub uptime_seconds: f64,
    /// As `1h 0m 0s`
    pub uptime_formatted: String,
    /// Visits so far, of people and bots
    pub total_visits: u64,
    /// RFC 3339 in UTC
    pub current_time: String,
    /// `running`
    pub server_status: String,
    /// Visits within the timeframe
    pub recent_visits: u64,
    /// The timeframe
    pub timeframe_hours: f64,
    /// Visits by bots so far, which `total_visits` includes
    pub bot_visits: u64,
    /// Visits by our own campaigns so far, which `total_visits` leaves out
    pub synthetic_visits: u64,
}

/// What became of a visit of a batch
#[derive(Debug, Object)]
pub struct BatchResult {
    /// Its place in the batch, from 0
    pub index: u64,
    /// `accepted`, `duplicate`, `dropped` or `rejected`
    pub status: String,
    /// Why it was dropped
    pub reason: Option<String>,
    /// Why it was rejected, for programs
    pub code: Option<String>,
    /// Why it was rejected, for people
    pub error: Option<String>,
    /// The fields to blame
    pub details: Option<Vec<Any<Value>>>,
}

/// What became of a batch
#[derive(Debug, Object)]
pub struct BatchAnswer {
    /// Whether none was rejected
    pub success: bool,
    /// Visits that are stored
    pub accepted: u64,
    /// Visits that are wrong, or of a client that sends too much
    pub rejected: u64,
    /// Visits whose event id is known
    pub duplicate: u64,
    /// Visits that are left out
    pub dropped: u64,
    /// Visits so far
    pub visit_count: u64,
    /// The visits that were not accepted, or all with `?results=all`
    pub results: Vec<BatchResult>,
}

/// An event of Plausible's scripts and libraries; each name has a short form
#[derive(Debug, Object)]
pub struct Event {
    /// `pageview` or a custom event; short `n`
    pub name: String,
    /// The page's URL; short `u`
    pub url: String,
    /// The site, or several with commas; short `d`
    pub domain: String,
    /// The referring page; short `r`
    pub referrer: Option<String>,
    /// Read and not used; short `w`
    pub screen_width: Option<u32>,
    /// Whether the fragment belongs to the page's address; short `h`
    #[oai(rename = "hashMode")]
    pub hash_mode: Option<bool>,
    /// Properties; short `p`, older `m`
    pub props: Option<Any<Map<String, Value>>>,
    /// What it brought in; short `$`
    pub revenue: Option<Revenue>,
    /// Ours: for idempotency
    pub event_id: Option<String>,
    /// Ours: the sender's id of the visitor
    pub user_id: Option<String>,
}
