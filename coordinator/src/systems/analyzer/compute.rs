//! Windows of a file: the file is found, looked at, analysed by a worker once, and waited for.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};
use trafficlab_shared::clock;
use trafficlab_shared::config::AnalyzerMode;
use trafficlab_shared::model::capture::summary::FileDamage;
use trafficlab_shared::model::capture::work::Work;
use uuid::Uuid;

use super::jobs::{self, Waited};
use super::source::{self, CaptureFile};
use super::{files, peek, select};
use crate::http::App;
use crate::store::captures::{Capture, CaptureState, Source};
use crate::systems::fields::Fields;
use crate::systems::time::{SECOND_NS, float, now, round3, whole};
use crate::systems::{Fault, Outcome, blocking};

/// Shortest and longest window in seconds.
const WINDOW_SECONDS: (f64, f64) = (0.001, 31_536_000.0);

/// What a computation is asked to do.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// `live` instead of a file.
    live: Option<bool>,
    file: Option<String>,
    window_ns: Option<u64>,
    force: bool,
}

/// What a computation found.
#[derive(Debug, Serialize)]
pub struct Computed {
    /// Always true.
    pub success: bool,
    /// For people.
    pub message: String,
    /// Its windows, one a line, relative to the data folder.
    pub metrics_file: String,
    /// Stored windows.
    pub window_count: u64,
    /// Seconds.
    pub window_size: Value,
    /// Seconds the analysis took.
    pub computation_time: f64,
    /// Now.
    pub timestamp: String,
    /// The capture.
    pub capture: String,
    /// Its job.
    pub job: Option<String>,
    /// Whether the answer was there before the request.
    pub computed_before: bool,
    /// Whether more windows will come.
    pub partial: bool,
    /// Anomalies found on the way.
    pub anomaly_count: u64,
    /// Packets analysed.
    pub packet_count: u64,
    /// Where the file is damaged; what comes before is analysed.
    pub fault: Option<FileDamage>,
}

impl Asked {
    /// Reads the body.
    ///
    /// # Errors
    /// All its mistakes.
    pub fn read(body: &Map<String, Value>) -> Outcome<Self> {
        let mut faults = Vec::new();
        let mut fields = Fields::new(body, "", &mut faults);
        let live = match fields.text("source", 16) {
            None => None,
            Some("pcap") => Some(false),
            Some("live") => Some(true),
            Some(_) => {
                fields.fault("source", "must be `pcap` or `live`");
                None
            }
        };
        let asked = Self {
            live,
            file: fields.text("pcap_file", 4096).map(str::to_owned),
            window_ns: window_ns(&mut fields),
            force: fields.flag("force").unwrap_or(false),
        };
        if faults.is_empty() { Ok(asked) } else { Err(Fault::validation(faults)) }
    }
}

/// Reads the length of a window.
pub(super) fn window_ns(fields: &mut Fields<'_, '_>) -> Option<u64> {
    let (least, most) = WINDOW_SECONDS;
    fields.number("window_size", least, most).map(|seconds| whole(seconds * 1e9))
}

/// The length of a window that a query asks for, else the configured one.
///
/// # Errors
/// 400 when it is out of range.
pub fn window_or_default(app: &App, seconds: Option<f64>) -> Outcome<u64> {
    let (least, most) = WINDOW_SECONDS;
    match seconds {
        None => Ok(u64::from(app.config.captures.window_seconds) * SECOND_NS),
        Some(seconds) if (least..=most).contains(&seconds) => Ok(whole(seconds * 1e9)),
        Some(_) => Err(Fault::field("window_size", format!("must be a number from {least} to {most}"))),
    }
}

/// Seconds as the document shows them: a whole number where it is one.
#[must_use]
pub fn window_size(window_ns: u64) -> Value {
    if window_ns.is_multiple_of(SECOND_NS) {
        Value::from(window_ns / SECOND_NS)
    } else {
        Value::from(float(window_ns) / float(SECOND_NS))
    }
}

/// The windows of a file, or of the live run so far. `again` names a capture whose file is meant.
///
/// # Errors
/// 400 in the document's form for every file that cannot be analysed; 503 without a broker.
pub async fn compute(
    app: &Arc<App>,
    asked: &Asked,
    again: Option<&str>,
    patience: Duration,
) -> Outcome<Waited<Computed>> {
    if let Some(live) = live_run(app, asked, again)? {
        return of_live(app, asked, live).await;
    }
    let (config, given) = (Arc::clone(&app.config), asked.file.clone());
    let file = match again.filter(|_| given.is_none()) {
        Some(id) => of_capture(&select::capture(app.store(), id)?)?,
        None => blocking(move || source::find(&config, given.as_deref())).await?,
    };
    let window_ns = asked.window_ns.map_or_else(|| window_or_default(app, None), Ok)?;
    let (capture, begun) = begin(app, file, window_ns, asked.force).await?;
    let before = !begun && capture.state == CaptureState::Done;
    if let (false, Some(job)) = (before, &capture.analysis_job)
        && let Some(pending) = jobs::wait(app, job, patience).await?
    {
        return Ok(Waited::Pending(pending));
    }
    let capture = select::capture(app.store(), &capture.id)?;
    files::settle(app, &capture.id).await?;
    if !before {
        tracing::info!(target: "analysis", capture = %capture.id, windows = capture.windows, anomalies = capture.anomalies, "metrics computed");
    }
    Ok(Waited::Done(told(&capture, before)))
}

/// The live run that is meant, if one is: asked for by `source`, by its output file, or by the server's mode.
fn live_run(app: &App, asked: &Asked, again: Option<&str>) -> Outcome<Option<Capture>> {
    if let Some(id) = again.filter(|_| asked.file.is_none()) {
        return Ok(Some(select::capture(app.store(), id)?).filter(|capture| capture.source.is_live()));
    }
    let newest = select::latest_live(app.store())?;
    if asked.live == Some(true) {
        let none = "No live capture found. Start one with /api/control/capture/start";
        return newest.map(Some).ok_or_else(|| source::refused(none));
    }
    let by_file = |capture: &Capture| asked.file.is_some() && asked.file == capture.output_file;
    let by_mode = app.config.mode == AnalyzerMode::Live && asked.file.is_none() && asked.live.is_none();
    Ok(newest.filter(|capture| by_file(capture) || by_mode))
}

async fn of_live(app: &Arc<App>, asked: &Asked, capture: Capture) -> Outcome<Waited<Computed>> {
    if asked.window_ns.is_some_and(|window_ns| window_ns != capture.settings.window_ns) {
        let size = window_size(capture.settings.window_ns);
        return Err(Fault::field("window_size", format!("the live run has windows of {size} s")));
    }
    files::settle(app, &capture.id).await?;
    Ok(Waited::Done(told(&capture, true)))
}

/// The file of an earlier capture.
fn of_capture(capture: &Capture) -> Outcome<CaptureFile> {
    let (path, modified_ns) = match &capture.source {
        Source::Upload { path, .. } => (path, capture.created_ns),
        Source::Path { path, modified_ns, .. } => (path, *modified_ns),
        Source::Live { .. } => return Err(Fault::conflict("A live capture has no file")),
    };
    let metadata = std::fs::metadata(path);
    let metadata = metadata.map_err(|_missing| source::refused(format!("PCAP file not found: {}", capture.name)))?;
    Ok(CaptureFile { path: path.into(), name: capture.name.clone(), bytes: metadata.len(), modified_ns })
}

/// The capture of this file and window length: the one there is, unless another is forced, else a new one.
async fn begin(app: &Arc<App>, file: CaptureFile, window_ns: u64, force: bool) -> Outcome<(Capture, bool)> {
    let _one_at_a_time = app.analyzer.starting.lock().await;
    let same = |capture: &Capture| capture.settings.window_ns == window_ns && is_of(capture, &file);
    for known in select::newest_first(app.store()) {
        let known = known?;
        let usable = !known.state.is_over() || known.state == CaptureState::Done && !force;
        if usable && same(&known) {
            return Ok((known, false));
        }
    }
    jobs::may_begin(app).await?;
    let (path, name) = (file.path.clone(), file.name.clone());
    blocking(move || peek::check(&path, &name)).await?;
    let path = file.path.display().to_string();
    let source = Source::Path { path, bytes: file.bytes, modified_ns: file.modified_ns };
    Ok((analyse(app, Uuid::now_v7().to_string(), file.name, source, window_ns).await?, true))
}

/// Begins the analysis of a file under a new id.
///
/// # Errors
/// When the store fails.
pub(super) async fn analyse(app: &App, id: String, name: String, source: Source, window_ns: u64) -> Outcome<Capture> {
    let (baselines, _) = jobs::baselines(app.store())?;
    let settings = jobs::settings(app, window_ns);
    let (path, bytes) = match &source {
        Source::Upload { path, bytes, .. } | Source::Path { path, bytes, .. } => (path.clone(), *bytes),
        Source::Live { .. } => return Err(Fault::conflict("A live capture has no file")),
    };
    let max_decompressed = app.config.captures.max_decompressed_bytes.0;
    let work = Work::File { path, bytes, max_decompressed, settings: settings.clone(), baselines };
    // An upload's file is the capture's own and counts to its quota; the operator's files do not.
    let bytes_on_disk = if matches!(source, Source::Upload { .. }) { bytes } else { 0 };
    let capture = Capture { bytes_on_disk, ..Capture::new(id, name, source, settings) };
    let capture_id = capture.id.clone();
    let job = app.dispatch.begin_capture(capture, work).await?;
    tracing::info!(target: "analysis", capture = %capture_id, %job, "analysis is asked for");
    select::capture(app.store(), &capture_id)
}

fn is_of(capture: &Capture, file: &CaptureFile) -> bool {
    let real = file.path.to_str();
    match &capture.source {
        Source::Path { path, bytes, modified_ns } => {
            real == Some(path.as_str()) && *bytes == file.bytes && *modified_ns == file.modified_ns
        }
        Source::Upload { path, bytes, .. } => real == Some(path.as_str()) && *bytes == file.bytes,
        Source::Live { .. } => false,
    }
}

fn told(capture: &Capture, computed_before: bool) -> Computed {
    let until = capture.ended_ns.unwrap_or_else(clock::wall_ns);
    let took = until.saturating_sub(capture.started_ns.unwrap_or(until));
    Computed {
        success: true,
        message: "Metrics computed successfully".to_owned(),
        metrics_file: files::metrics_name(capture),
        window_count: capture.windows,
        window_size: window_size(capture.settings.window_ns),
        computation_time: round3(float(took) / float(SECOND_NS)),
        timestamp: now(),
        capture: capture.id.clone(),
        job: capture.analysis_job.clone(),
        computed_before,
        partial: select::is_partial(capture),
        anomaly_count: capture.anomalies,
        packet_count: capture.summary.as_ref().map_or(capture.progress.packets, |summary| summary.packets),
        fault: capture.summary.as_ref().and_then(|summary| summary.fault.clone()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use serde_json::json;

    #[test]
    fn bodies_are_read_whole_and_mistakes_named() {
        let read = |body: Value| Asked::read(body.as_object().unwrap());
        let asked = read(json!({"source": "pcap", "pcap_file": null, "window_size": 2.5, "force": true})).unwrap();
        assert_eq!((asked.window_ns, asked.force, asked.live), (Some(2_500_000_000), true, Some(false)));
        let wrong = json!({"source": "x", "pcap_file": 7, "window_size": 0, "force": "yes"});
        assert_eq!(read(wrong).unwrap_err().details.len(), 4);
        for size in [json!(-1), json!(1e300), json!("10"), json!(31_536_001), json!(0.0001)] {
            assert!(read(json!({"window_size": size})).is_err(), "{size}");
        }
        assert_eq!((window_size(10_000_000_000), window_size(500_000_000)), (json!(10), json!(0.5)));
    }
}
