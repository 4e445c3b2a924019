//! What clients of streams are told, the same by server-sent events and by WebSocket.

use serde_json::{Value, json};
use trafficlab_engine::packet::export::document;
use trafficlab_shared::model::capture::anomaly::Anomaly;
use trafficlab_shared::model::capture::window::Window;

use crate::store::captures::{Capture, Gap};
use crate::systems::analyzer::select;
use crate::systems::time::rfc3339;

/// How much of a capture a client has been told, by which it can go on later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Told {
    /// Windows, which is the id of the next one.
    pub(super) windows: u64,
    /// Anomalies, which is the number of the next one.
    pub(super) anomalies: u64,
}

impl Told {
    /// The id of an event behind which this much is told.
    pub(super) fn id(self) -> String {
        format!("{}-{}", self.windows, self.anomalies)
    }
}

/// Where a client wants to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resume {
    /// Behind the event with this id.
    Behind(Told),
    /// Behind the window with this id, and the anomalies up to it.
    Window(u64),
}

impl Resume {
    /// Reads an event's id, or the id of a window.
    pub(super) fn read(text: &str) -> Option<Self> {
        match text.trim().split_once('-') {
            Some((windows, anomalies)) => {
                Some(Self::Behind(Told { windows: windows.parse().ok()?, anomalies: anomalies.parse().ok()? }))
            }
            None => Some(Self::Window(text.trim().parse().ok()?)),
        }
    }
}

/// One message.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Event {
    /// What it is: `window`, `anomaly`, `gap`, `state`, `lagged`, `end`.
    pub(super) name: &'static str,
    /// What is told with it.
    pub(super) told: Told,
    /// JSON with `type`, `capture` and the rest.
    pub(super) data: String,
}

impl Event {
    fn new(name: &'static str, capture: &str, told: Told, mut rest: Value) -> Self {
        if let Some(members) = rest.as_object_mut() {
            members.insert("type".to_owned(), name.into());
            members.insert("capture".to_owned(), capture.into());
            members.insert("event_id".to_owned(), told.id().into());
        }
        Self { name, told, data: rest.to_string() }
    }

    /// A window that closed.
    pub(super) fn window(capture: &str, told: Told, id: u64, window: &Window) -> Self {
        Self::new("window", capture, told, json!({"window": document::window(window, id)}))
    }

    /// An anomaly that was found.
    pub(super) fn anomaly(capture: &str, told: Told, number: u64, anomaly: &Anomaly) -> Self {
        Self::new("anomaly", capture, told, json!({"number": number, "anomaly": document::anomaly(anomaly)}))
    }

    /// A time in which nothing was captured.
    pub(super) fn gap(capture: &str, told: Told, gap: &Gap) -> Self {
        let moment = |ns: i64| rfc3339(u64::try_from(ns).unwrap_or(0));
        let gap = json!({"from": moment(gap.from_ns), "to": moment(gap.to_ns), "reason": gap.reason});
        Self::new("gap", capture, told, json!({"gap": gap}))
    }

    /// Where the capture stands.
    pub(super) fn state(capture: &Capture, told: Told) -> Self {
        Self::new("state", &capture.id, told, state(capture))
    }

    /// The client was too slow: so much is left out.
    pub(super) fn lagged(capture: &str, told: Told, windows: u64, anomalies: u64) -> Self {
        let rest = json!({"missed_windows": windows, "missed_anomalies": anomalies, "next_window": told.windows});
        Self::new("lagged", capture, told, rest)
    }

    /// Nothing more will come.
    pub(super) fn end(capture: &str, told: Told, status: &str) -> Self {
        Self::new("end", capture, told, json!({"status": status}))
    }
}

fn state(capture: &Capture) -> Value {
    json!({
        "status": select::status(capture),
        "reason": capture.reason,
        "live": capture.source.is_live(),
        "partial": select::is_partial(capture),
        "windows": capture.windows,
        "anomalies": capture.anomalies,
        "packets": capture.progress.packets,
        "progress": select::percent(capture),
        "kernel_drops": capture.progress.kernel_drops,
        "app_drops": capture.progress.app_drops,
    })
}
