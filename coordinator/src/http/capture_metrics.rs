//! Prometheus figures of the running live capture, else of the newest one: its latest window, drops and anomalies; and
//! of the clients of streams and the alert hooks. Base units; labels are bounded by the configuration and our own words.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use trafficlab_shared::model::capture::anomaly::{AnomalyKind, Severity};
use trafficlab_shared::model::capture::window::Window;

use super::app::App;
use super::visit_metrics;
use crate::alerts::HookCounts;
use crate::store::Store;
use crate::store::captures::{ANOMALIES, Capture};
use crate::systems::Outcome;
use crate::systems::analyzer::select;
use crate::systems::time::{SECOND_NS, float, ratio};
use crate::windows;

/// Anomalies of one job, counted once each, however often somebody asks.
#[derive(Debug, Default)]
pub struct AnomalyTally {
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    job: String,
    next: u64,
    counts: BTreeMap<(AnomalyKind, Severity), u64>,
}

impl AnomalyTally {
    /// How many of each type and severity a job has found. Reads what is new since the last call.
    fn of(&self, store: &Store, job: &str) -> Outcome<BTreeMap<(AnomalyKind, Severity), u64>> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.job != job {
            *seen = Seen { job: job.to_owned(), ..Seen::default() };
        }
        let rows = ANOMALIES.range(store, &(job.to_owned(), seen.next), &(job.to_owned(), u64::MAX), false);
        for row in rows {
            let ((_, number), anomaly) = row?;
            *seen.counts.entry((anomaly.kind, anomaly.severity)).or_default() += 1;
            seen.next = number + 1;
        }
        Ok(seen.counts.clone())
    }
}

/// Families in the text format, without its end.
pub(super) fn exposition(app: &App, openmetrics: bool) -> String {
    let mut families = Families { text: String::new(), openmetrics };
    if let Err(fault) = captures(app, &mut families) {
        tracing::warn!(%fault, "figures of captures cannot be shown");
    }
    streams(app, &mut families);
    visit_metrics::visits(app, &mut families);
    families.text
}

/// The capture whose figures are shown.
fn shown(store: &Store) -> Outcome<Option<Capture>> {
    match select::active_live(store)? {
        Some(live) => Ok(Some(live)),
        None => select::latest(store),
    }
}

fn captures(app: &App, families: &mut Families) -> Outcome<()> {
    let store = app.store();
    let Some(capture) = shown(store)? else { return Ok(()) };
    let live = if capture.source.is_live() { "true" } else { "false" };
    let labels = [("capture", capture.id.as_str()), ("live", live), ("status", select::status(&capture))];
    families.gauge("capture_info", "The capture that the other figures are of", &[(&labels, 1.0)]);
    for (name, help, value) in [
        ("capture_windows", "Windows stored", capture.windows),
        ("capture_packets", "Packets analysed", capture.progress.packets),
        ("capture_kernel_dropped_packets", "Packets the kernel dropped", capture.progress.kernel_drops),
        ("capture_app_dropped_packets", "Packets this program refused", capture.progress.app_drops),
    ] {
        families.gauge(name, help, &[(&[], float(value))]);
    }
    if let Some(id) = capture.windows.checked_sub(1)
        && let Some(window) = windows::window(store, &app.dispatch.segments, &capture.id, id)?
    {
        latest(&window, families);
    }
    let counts = app.anomaly_tally.of(store, capture.anomaly_job.as_deref().unwrap_or_default())?;
    let mut rows = Vec::new();
    for kind in AnomalyKind::ALL {
        for severity in [Severity::Medium, Severity::High] {
            let labels = [("type", kind.as_str()), ("severity", severity.as_str())];
            rows.push((labels, float(counts.get(&(kind, severity)).copied().unwrap_or(0))));
        }
    }
    let rows: Vec<(Labels<'_>, f64)> = rows.iter().map(|(labels, value)| (&labels[..], *value)).collect();
    families.gauge("capture_anomalies", "Anomalies of the capture", &rows);
    Ok(())
}

/// Figures of the latest window; those that it does not have are left out.
fn latest(window: &Window, families: &mut Families) {
    let length_ns = u64::try_from(window.end_ns.saturating_sub(window.start_ns)).unwrap_or(0);
    let seconds = float(length_ns) / float(SECOND_NS);
    let end = float(u64::try_from(window.end_ns).unwrap_or(0)) / float(SECOND_NS);
    let rtt = (window.latency.count > 0).then(|| float(window.latency.p95_ns) / float(SECOND_NS));
    let segments = window.segments;
    let loss = (segments.data > 0).then(|| ratio(float(segments.retransmitted), float(segments.data)));
    for (name, help, value) in [
        ("capture_bits_per_second", "Traffic of the latest window", Some(ratio(float(window.bytes) * 8.0, seconds))),
        ("capture_packets_per_second", "Packets of the latest window", Some(ratio(float(window.packets), seconds))),
        ("capture_rtt_p95_seconds", "95th percentile of its round trips", rtt),
        ("capture_loss_ratio", "Share of its data segments that were sent again", loss),
        ("capture_conversations", "Conversations with a packet in it", Some(float(window.conversations))),
        ("capture_window_end_timestamp_seconds", "Its end, seconds since 1970", Some(end)),
    ] {
        if let Some(value) = value {
            families.gauge(name, help, &[(&[], value)]);
        }
    }
}

/// A counter of a hook.
type OfHook = fn(&HookCounts) -> &AtomicU64;

fn streams(app: &App, families: &mut Families) {
    families.gauge("stream_clients", "Clients of live streams", &[(&[], float(app.streams.present()))]);
    let statuses: [(&str, OfHook); 4] = [
        ("delivered", |counts| &counts.delivered),
        ("failed", |counts| &counts.failed),
        ("dropped", |counts| &counts.dropped),
        ("suppressed", |counts| &counts.suppressed),
    ];
    let mut rows = Vec::new();
    for (hook, counts) in app.alerts.hooks() {
        for (status, count) in statuses {
            let value = float(count(counts).load(Ordering::Relaxed));
            rows.push(([("hook", hook.name.as_str()), ("status", status)], value));
        }
    }
    let rows: Vec<(Labels<'_>, f64)> = rows.iter().map(|(labels, value)| (&labels[..], *value)).collect();
    families.counter("alerts", "Alerts by what became of them", &rows);
}

/// Names and values of a row's labels.
pub(super) type Labels<'a> = &'a [(&'a str, &'a str)];

/// Text under way.
pub(super) struct Families {
    text: String,
    openmetrics: bool,
}

impl Families {
    pub(super) fn gauge(&mut self, name: &str, help: &str, rows: &[(Labels<'_>, f64)]) {
        self.family(name, name, "gauge", help, rows);
    }

    pub(super) fn counter(&mut self, name: &str, help: &str, rows: &[(Labels<'_>, f64)]) {
        let total = format!("{name}_total");
        let family = if self.openmetrics { name } else { &total };
        self.family(family, &total, "counter", help, rows);
    }

    fn family(&mut self, family: &str, name: &str, kind: &str, help: &str, rows: &[(Labels<'_>, f64)]) {
        if rows.is_empty() {
            return;
        }
        let mut text = format!("# HELP trafficlab_{family} {help}\n# TYPE trafficlab_{family} {kind}\n");
        for (labels, value) in rows {
            let labels: Vec<String> = labels.iter().map(|(key, text)| format!("{key}=\"{}\"", escaped(text))).collect();
            let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            // Writing into a string cannot fail.
            writeln!(text, "trafficlab_{name}{labels} {value}").unwrap_or_default();
        }
        self.text.push_str(&text);
    }
}

/// A label's value.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_follow_the_text_format() {
        let mut families = Families { text: String::new(), openmetrics: false };
        let labels = [("hook", "a\"b\\c\nd")];
        families.counter("alerts", "Alerts", &[(&labels, 2.0)]);
        families.gauge("rate", "Rate", &[(&[], 0.25)]);
        families.gauge("none", "None", &[]);
        let expected = "# HELP trafficlab_alerts_total Alerts\n# TYPE trafficlab_alerts_total counter\n\
            trafficlab_alerts_total{hook=\"a\\\"b\\\\c\\nd\"} 2\n\
            # HELP trafficlab_rate Rate\n# TYPE trafficlab_rate gauge\ntrafficlab_rate 0.25\n";
        assert_eq!(families.text, expected);
        let mut families = Families { text: String::new(), openmetrics: true };
        families.counter("alerts", "Alerts", &[(&[], 1.0)]);
        assert!(families.text.contains("# TYPE trafficlab_alerts counter\ntrafficlab_alerts_total 1\n"));
    }

    #[test]
    fn a_window_tells_what_it_has() {
        let mut families = Families { text: String::new(), openmetrics: false };
        let mut window =
            Window { start_ns: 0, end_ns: 10_000_000_000, bytes: 125_000, packets: 100, ..Window::default() };
        latest(&window, &mut families);
        assert!(families.text.contains("\ntrafficlab_capture_bits_per_second 100000\n"), "{}", families.text);
        assert!(families.text.contains("\ntrafficlab_capture_packets_per_second 10\n"));
        assert!(!families.text.contains("rtt_p95") && !families.text.contains("loss_ratio"));
        window.latency.count = 3;
        window.latency.p95_ns = 40_000_000;
        window.segments = trafficlab_shared::model::capture::window::Segments { data: 50, retransmitted: 1 };
        latest(&window, &mut families);
        assert!(families.text.contains("\ntrafficlab_capture_rtt_p95_seconds 0.04\n"));
        assert!(families.text.contains("\ntrafficlab_capture_loss_ratio 0.02\n"));
    }
}
