//! Hooks and deliveries as callers see them; addresses and keys are never shown.

use poem_openapi::Object;
use serde::Deserialize;

/// A hook, without its secrets
#[derive(Debug, Clone, Object)]
pub struct HookView {
    /// Its name
    pub name: String,
    /// `slack`, `pagerduty` or `webhook`
    pub kind: String,
    /// The host that is called; the rest of the address often is a secret
    pub host: Option<String>,
    /// Severities it is told of; empty means all
    pub severities: Vec<String>,
    /// Types it is told of; empty means all
    pub types: Vec<String>,
    /// Nothing more of the same type and flow or host within so many seconds
    pub quiet_period_s: u64,
    /// Whether its quiet hours hold alerts back right now
    pub quiet_now: bool,
    /// Whether it is told of anomalies of files too
    pub files: bool,
    /// Alerts that wait
    pub waiting: u64,
    /// Taken by the receiver since the server started
    pub delivered: u64,
    /// Given up since the server started: refused, or tried too often
    pub failed: u64,
    /// Dropped since the server started, because too many waited
    pub dropped: u64,
    /// Kept back by the quiet period since the server started
    pub suppressed: u64,
    /// Attempts since the server started that did not succeed and were repeated
    pub retried: u64,
}

/// An alert, on its way or over
#[derive(Debug, Clone, Object)]
pub struct DeliveryView {
    /// The hook
    pub hook: String,
    /// `waiting`, `delivered`, `failed` or `dropped`
    pub status: String,
    /// When it was made
    pub created_at: String,
    /// When it was over; null while it waits
    pub ended_at: Option<String>,
    /// Not to be tried before this; null once it is over
    pub next_attempt_at: Option<String>,
    /// Attempts so far
    pub attempts: u32,
    /// Why the last attempt failed
    pub error: Option<String>,
    /// Name of the finding, which receivers know it by
    pub key: String,
    /// The capture
    pub capture: String,
    /// Where it was found
    pub place: String,
    /// The anomaly's type
    #[oai(rename = "type")]
    pub kind: String,
    /// Its severity
    pub severity: String,
    /// Its sentence
    pub message: String,
    /// Findings like it that were kept back before it
    pub suppressed: u64,
}

/// Hooks and deliveries
#[derive(Debug, Clone, Object)]
pub struct AlertsView {
    /// Always true
    pub success: bool,
    /// The hooks of the configuration
    pub hooks: Vec<HookView>,
    /// Alerts that wait, at most 100, the next one of each hook first; then the latest 100 that are over, newest first
    pub deliveries: Vec<DeliveryView>,
}

/// Which hooks are tried
#[derive(Debug, Default, Deserialize, Object)]
pub struct TestBody {
    /// Only this one; all when not given
    #[serde(default)]
    pub hook: Option<String>,
}

/// How a test went
#[derive(Debug, Clone, Object)]
pub struct TestResult {
    /// The hook
    pub hook: String,
    /// Whether the receiver took it
    pub delivered: bool,
    /// Why not
    pub error: Option<String>,
    /// Whether an alert would be tried again after this
    pub retryable: bool,
}

/// How the tests went
#[derive(Debug, Clone, Object)]
pub struct TestView {
    /// Whether all receivers took it
    pub success: bool,
    /// For people
    pub message: String,
    /// One of each hook
    pub results: Vec<TestResult>,
}
