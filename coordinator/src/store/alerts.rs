//! Alerts as stored: how far the anomalies of each capture are told, what waits to be sent, and what became of it.

use serde::{Deserialize, Serialize};
use trafficlab_shared::model::capture::anomaly::Anomaly;

use super::{FirstVersion, Table};

/// Anomalies of each capture's analysis that were looked at, by capture.
pub const ALERT_CURSORS: Table<String, u64> = Table::new("alert_cursor");
/// Alerts that wait, by hook and sequence. A row goes in the batch that says what became of it.
pub const ALERT_OUTBOX: Table<(String, u64), Alert> = Table::new("alert_outbox");
/// What became of the latest alerts, by sequence.
pub const ALERT_LOG: Table<u64, Delivery> = Table::new("alert_log");
/// When each hook was last told of a kind and flow or host.
pub const ALERT_QUIET: Table<(String, String), Quiet> = Table::new("alert_quiet");
/// Since when there are hooks, under the key 0. Anomalies that were there before nobody is told of.
pub const ALERT_SINCE: Table<u8, u64> = Table::new("alert_since");

/// One alert on its way to one hook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// The capture.
    pub capture: String,
    /// Its name.
    pub capture_name: String,
    /// Whether it is a live one.
    pub live: bool,
    /// Where it was found, for people: an interface, or a file's name.
    pub place: String,
    /// The same for the same finding, by which receivers recognise a repetition.
    pub key: String,
    /// The same for all findings of one kind at one place about one flow or host.
    pub subject: String,
    /// What was found.
    pub anomaly: Anomaly,
    /// Findings of the same kind and flow or host that were kept back since the last alert.
    #[serde(default)]
    pub suppressed: u64,
    /// When it was made, nanoseconds since 1970.
    pub created_ns: u64,
    /// Attempts so far.
    #[serde(default)]
    pub attempts: u32,
    /// Not to be tried before this.
    #[serde(default)]
    pub not_before_ns: u64,
    /// Why the last attempt failed.
    #[serde(default)]
    pub error: Option<String>,
}

/// What became of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// The receiver took it.
    Delivered,
    /// It was refused, or tried too often.
    Failed,
    /// Too many waited, and it was the oldest.
    Dropped,
}

impl DeliveryStatus {
    /// The word of the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        }
    }
}

/// An alert that is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// The hook.
    pub hook: String,
    /// What became of it.
    pub status: DeliveryStatus,
    /// When, nanoseconds since 1970.
    pub at_ns: u64,
    /// The alert as it was last.
    pub alert: Alert,
}

/// When a hook was last told of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Quiet {
    /// The last alert, nanoseconds since 1970.
    pub told_ns: u64,
    /// Findings kept back since.
    #[serde(default)]
    pub suppressed: u64,
}

impl FirstVersion for Alert {}
impl FirstVersion for Delivery {}
impl FirstVersion for Quiet {}
