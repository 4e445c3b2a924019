//! Anomalies of stored windows: those found before, or found anew by a job.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};
use trafficlab_shared::model::capture::anomaly::{AnomalyKind, Severity};
use trafficlab_shared::model::capture::work::Work;

use super::jobs::{self, Pending, Waited};
use super::{anomalies, files, select};
use crate::dispatch::captures::Between;
use crate::http::App;
use crate::store::captures::Capture;
use crate::systems::fields::Fields;
use crate::systems::time::now;
use crate::systems::{Fault, Outcome, blocking};

/// What a detection is asked to do.
#[derive(Debug, Clone)]
pub struct Asked {
    force: bool,
    /// Beginnings of the windows that are meant, nanoseconds since 1970.
    range: Range<i64>,
}

/// What a detection found.
#[derive(Debug, Serialize)]
pub struct Detected {
    /// Always true.
    pub success: bool,
    /// For people.
    pub message: String,
    /// All anomalies, one a line, relative to the data folder.
    pub anomalies_file: String,
    /// Anomalies of the windows that are meant.
    pub anomaly_count: u64,
    /// Seconds the detection took.
    pub detection_time: f64,
    /// The same by kind and by severity.
    pub summary: Summary,
    /// Now.
    pub timestamp: String,
    /// The capture.
    pub capture: String,
    /// The job that found them.
    pub job: Option<String>,
    /// Whether the answer was there before the request.
    pub computed_before: bool,
    /// Whether more may come.
    pub partial: bool,
}

/// Counts of anomalies.
#[derive(Debug, Default, Serialize)]
pub struct Summary {
    /// By kind.
    pub by_type: BTreeMap<&'static str, u64>,
    /// By severity.
    pub by_severity: BTreeMap<&'static str, u64>,
}

impl Asked {
    /// Reads the body.
    ///
    /// # Errors
    /// All its mistakes.
    pub fn read(body: &Map<String, Value>) -> Outcome<Self> {
        let mut faults = Vec::new();
        let mut fields = Fields::new(body, "", &mut faults);
        let force = fields.flag("force").unwrap_or(false);
        // Within nanoseconds of 64 bits, with room for the length of a window.
        let mut moment = |key| fields.number(key, -9.0e9, 9.0e9).map(epoch_ns);
        let range = moment("window_start").unwrap_or(i64::MIN)..moment("window_end").unwrap_or(i64::MAX);
        if range.is_empty() && faults.is_empty() {
            return Err(Fault::field("window_end", "must be later than `window_start`"));
        }
        if faults.is_empty() { Ok(Self { force, range }) } else { Err(Fault::validation(faults)) }
    }
}

/// Seconds since 1970 as nanoseconds; exact to the microsecond, as windows are shown.
fn epoch_ns(seconds: f64) -> i64 {
    #[allow(clippy::cast_possible_truncation, reason = "within the range by the check before")]
    let micros = (seconds * 1e6).round() as i64;
    micros.saturating_mul(1000)
}

/// The anomalies of a capture's windows. They are found anew when that is forced, or when baselines were made since.
///
/// # Errors
/// 400 with the document's sentence when there are no windows; 503 without a broker.
pub async fn detect(
    app: &Arc<App>,
    asked: &Asked,
    capture: Option<&str>,
    patience: Duration,
) -> Outcome<Waited<Detected>> {
    let capture = jobs::with_windows(app.store(), capture)?;
    let job = begin(app, &capture, asked.force).await?;
    if let Some(job) = &job
        && let Some(pending) = jobs::wait(app, job, patience).await?
    {
        return Ok(Waited::Pending(Pending { progress: 0.0, ..pending }));
    }
    let capture = select::capture(app.store(), &capture.id)?;
    files::settle(app, &capture.id).await?;
    let (own, range) = (Arc::clone(app), asked.range.clone());
    blocking(move || told(&own, &capture, &range, job.is_none())).await.map(Waited::Done)
}

/// The job that finds them: the one under way, a new one, or none when they are known.
async fn begin(app: &Arc<App>, capture: &Capture, force: bool) -> Outcome<Option<String>> {
    let _one_at_a_time = app.analyzer.starting.lock().await;
    let under_way = capture.detect_job.as_deref().map(|job| jobs::row(app.store(), job)).transpose()?.flatten();
    if let Some(row) = under_way.filter(|row| !row.state.is_over()) {
        return Ok(Some(row.job));
    }
    // A live capture judges each window as it closes, against what was usual when it began.
    if capture.windows == 0 || select::is_partial(capture) {
        return Ok(None);
    }
    let (baselines, newest) = jobs::baselines(app.store())?;
    let found = capture.anomaly_job.as_deref().map(|job| jobs::row(app.store(), job)).transpose()?.flatten();
    let found_at = found.map_or(capture.created_ns, |row| row.created_ns);
    if !force && capture.anomaly_job.is_some() && newest <= found_at {
        return Ok(None);
    }
    jobs::may_begin(app).await?;
    let work = Work::Detect { settings: jobs::settings(app, capture.settings.window_ns), baselines };
    let job = app.dispatch.begin_on(&capture.id, work, Between::default()).await?;
    tracing::info!(target: "analysis", capture = %capture.id, %job, "detection is asked for");
    Ok(Some(job))
}

fn told(app: &App, capture: &Capture, range: &Range<i64>, computed_before: bool) -> Outcome<Detected> {
    let (mut anomaly_count, mut summary) = (0, Summary::default());
    for anomaly in anomalies::of(app.store(), capture) {
        let anomaly = anomaly?;
        if range.contains(&anomaly.start_ns) {
            anomaly_count += 1;
            *summary.by_type.entry(AnomalyKind::as_str(anomaly.kind)).or_default() += 1;
            *summary.by_severity.entry(Severity::as_str(anomaly.severity)).or_default() += 1;
        }
    }
    let job = capture.anomaly_job.clone();
    let row = job.as_deref().map(|job| jobs::row(app.store(), job)).transpose()?.flatten();
    Ok(Detected {
        success: true,
        message: "Anomaly detection completed".to_owned(),
        anomalies_file: files::anomalies_name(&capture.id),
        anomaly_count,
        detection_time: jobs::seconds(row.as_ref()),
        summary,
        timestamp: now(),
        capture: capture.id.clone(),
        job,
        computed_before,
        partial: select::is_partial(capture),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use serde_json::json;

    #[test]
    fn bounds_are_epoch_seconds_and_half_open() {
        let read = |body: Value| Asked::read(body.as_object().unwrap());
        let asked = read(json!({"window_start": 1_234_567_890.5, "window_end": 1_234_567_900.5})).unwrap();
        assert_eq!(asked.range, 1_234_567_890_500_000_000..1_234_567_900_500_000_000);
        let open = read(json!({"force": false, "window_start": null, "window_end": null})).unwrap();
        assert_eq!(open.range, i64::MIN..i64::MAX);
        assert!(read(json!({"window_start": 5, "window_end": 5})).is_err());
        assert!(read(json!({"window_start": "now"})).is_err());
        assert!(read(json!({"window_start": 1e300})).is_err());
    }
}
