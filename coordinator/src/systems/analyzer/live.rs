//! Live capture as the document has it: one at a time, started, stopped, looked at.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use trafficlab_shared::clock;
use trafficlab_shared::config::AnalyzerMode;
use trafficlab_shared::model::capture::work::{LiveSpec, Work};
use uuid::Uuid;

use super::live_body::Asked;
use super::{files, jobs, output, select};
use crate::dispatch::captures::CaptureNews;
use crate::http::App;
use crate::store::captures::{Capture, CaptureState, Source};
use crate::systems::time::{SECOND_NS, float, rfc3339, round3};
use crate::systems::{Code, Fault, Outcome, blocking};

/// How long a start waits for a worker, and a stop for its end.
const PATIENCE: Duration = Duration::from_secs(10);

/// A capture that began.
#[derive(Debug, Serialize)]
pub struct Started {
    /// Always true.
    pub success: bool,
    /// For people.
    pub message: String,
    /// The interface.
    pub interface: String,
    /// Its windows, one a line, relative to the data folder.
    pub output_file: String,
    /// RFC 3339 in UTC.
    pub start_time: String,
    /// Seconds; null runs until it is stopped.
    pub duration: Option<f64>,
    /// The capture.
    pub capture: String,
    /// Its job.
    pub job: String,
    /// `queued` until a worker has it, then `running`.
    pub status: &'static str,
}

/// A capture that ended.
#[derive(Debug, Serialize)]
pub struct Stopped {
    /// Always true.
    pub success: bool,
    /// For people.
    pub message: String,
    /// Seconds it ran.
    pub duration: f64,
    /// Its windows, one a line, relative to the data folder.
    pub output_file: String,
    /// The capture.
    pub capture: String,
    /// Stored windows.
    pub window_count: u64,
}

/// Whether something is captured, and what.
#[derive(Debug, Default, Serialize)]
pub struct LiveStatus {
    /// Whether something is captured.
    pub running: bool,
    /// For people, when nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<&'static str>,
    /// RFC 3339 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<String>,
    /// Seconds so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<f64>,
    /// The interface.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// Relative to the data folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_file: Option<String>,
    /// The capture with its counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capture: Option<super::captures::CaptureView>,
}

fn refused(message: impl Into<String>) -> Fault {
    Fault::new(Code::Validation, message)
}

/// Starts the live capture.
///
/// # Errors
/// 400 with the document's sentence: the mode, the interface, a right that is missing, one that runs already.
pub async fn start(app: &Arc<App>, asked: &Asked) -> Outcome<Started> {
    let (id, job) = {
        let _one_at_a_time = app.analyzer.starting.lock().await;
        let interface = interface(app, asked.interface.as_deref())?;
        if let Some(running) = select::active_live(app.store())? {
            let on = interface_of(&running);
            return Err(refused(format!("Live capture is already running on {on}")).with("capture", running.id));
        }
        may_capture(app, &interface, asked.host.as_deref())?;
        jobs::may_begin(app).await?;
        begin(app, asked, interface).await?
    };
    let capture = begun(app, &id).await?;
    if capture.state == CaptureState::Failed {
        files::give_up_output(app, &capture.id).await?;
        let reason = capture.reason.as_deref().unwrap_or("no reason is known");
        return Err(refused(format!("Live capture failed: {reason}")).with("capture", id));
    }
    let interface = interface_of(&capture);
    let message = match capture.state {
        CaptureState::Queued => format!("Live capture on {interface} waits for a worker"),
        _ => format!("Live capture started on {interface}"),
    };
    Ok(Started {
        success: true,
        message,
        interface,
        output_file: files::metrics_name(&capture),
        start_time: rfc3339(capture.started_ns.unwrap_or(capture.created_ns)),
        duration: asked.duration,
        status: select::status(&capture),
        capture: id,
        job,
    })
}

async fn begin(app: &Arc<App>, asked: &Asked, interface: String) -> Outcome<(String, String)> {
    let id = Uuid::now_v7().to_string();
    if let Some(name) = asked.output_file.clone() {
        let data_dir = app.config.data_dir.clone();
        blocking(move || output::make(&data_dir, &name)).await?;
    }
    let default_ns = u64::from(app.config.captures.window_seconds) * SECOND_NS;
    let settings = jobs::settings(app, asked.window_ns.unwrap_or(default_ns));
    let spec = LiveSpec { interface: interface.clone(), ..asked.spec.clone() };
    let (baselines, _) = jobs::baselines(app.store())?;
    let work = Work::Live { live: spec.clone(), settings: settings.clone(), baselines };
    let source = Source::Live { spec, host: asked.host.clone(), worker: None };
    let capture =
        Capture { output_file: asked.output_file.clone(), ..Capture::new(id.clone(), interface, source, settings) };
    let job = match app.dispatch.begin_capture(capture, work).await {
        Ok(job) => job,
        Err(fault) => {
            files::remove_output(app, asked.output_file.as_deref()).await;
            return Err(fault.into());
        }
    };
    tracing::info!(target: "analysis", capture = %id, %job, "live capture is asked for");
    Ok((id, job))
}

/// The interface to capture on: it must be named on the server's command line too.
fn interface(app: &App, asked: Option<&str>) -> Outcome<String> {
    if app.config.mode != AnalyzerMode::Live {
        return Err(refused("Cannot start live capture in pcap mode. Start API with --mode live"));
    }
    let Some(named) = app.config.captures.interface.as_deref() else {
        return Err(refused("Live mode names no interface. Start API with --mode live --interface NAME"));
    };
    match asked {
        Some(asked) if asked != named => {
            let message = format!(
                "Interface `{asked}` is not enabled: this server captures on `{named}` only. Start API with --mode live --interface {asked}"
            );
            Err(Fault { details: Vec::new(), ..refused(message) }.detail("interface", "is not enabled"))
        }
        _ => Ok(named.to_owned()),
    }
}

/// Whether a worker has the interface and the right to capture on it.
fn may_capture(app: &App, interface: &str, host: Option<&str>) -> Outcome<()> {
    let capturers = app.dispatch.capturers();
    let mut known: Vec<&str> = Vec::new();
    for capturer in capturers.iter().filter(|capturer| host.is_none_or(|host| host == capturer.host)) {
        if capturer.interfaces.iter().any(|name| name == interface) {
            return Ok(());
        }
        known.extend(capturer.interfaces.iter().map(String::as_str));
    }
    known.sort_unstable();
    known.dedup();
    let message = if known.is_empty() {
        let on = host.map_or_else(String::new, |host| format!(" of host `{host}`"));
        format!(
            "No worker{on} may capture packets. Give the worker the right: sudo setcap cap_net_raw+ep $(command -v \
             trafficlab-worker), and start it again"
        )
    } else {
        format!("Interface `{interface}` not found; the workers know `{}`", known.join("`, `"))
    };
    Err(refused(message).detail("interface", "no worker can capture on it"))
}

/// The capture once a worker has it or it has failed, or as it stands when that takes too long.
async fn begun(app: &App, id: &str) -> Outcome<Capture> {
    let mut news = app.dispatch.news();
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let capture = select::capture(app.store(), id)?;
        if capture.state != CaptureState::Queued {
            return Ok(capture);
        }
        let about = |news: &CaptureNews| news.capture() == id;
        let heard = async {
            // News that were missed are as good as news: the row is looked at again.
            while news.recv().await.is_ok_and(|news| !about(&news)) {}
        };
        if tokio::time::timeout_at(deadline, heard).await.is_err() {
            return Ok(capture);
        }
    }
}

/// Stops the live capture and waits until its last windows are stored.
///
/// # Errors
/// 400 with the document's sentence when there is none.
pub async fn stop(app: &Arc<App>) -> Outcome<Stopped> {
    let Some(running) = select::active_live(app.store())? else {
        return Err(refused("No capture currently running"));
    };
    app.dispatch.stop_capture(&running.id).await?;
    if let Some(job) = &running.analysis_job {
        jobs::over(app, job, PATIENCE).await?;
    }
    files::settle(app, &running.id).await?;
    let capture = select::capture(app.store(), &running.id)?;
    let message = if capture.state.is_over() { "Live capture stopped" } else { "Live capture is stopping" };
    tracing::info!(target: "analysis", capture = %capture.id, windows = capture.windows, "live capture stopped");
    Ok(Stopped {
        success: true,
        message: message.to_owned(),
        duration: duration(&capture),
        output_file: files::metrics_name(&capture),
        window_count: capture.windows,
        capture: capture.id,
    })
}

/// What is captured now.
///
/// # Errors
/// When the store fails.
pub fn status(app: &App) -> Outcome<LiveStatus> {
    let Some(capture) = select::active_live(app.store())? else {
        return Ok(LiveStatus { message: Some("No active capture"), ..LiveStatus::default() });
    };
    Ok(LiveStatus {
        running: true,
        message: None,
        start_time: Some(rfc3339(capture.started_ns.unwrap_or(capture.created_ns))),
        duration: Some(duration(&capture)),
        interface: Some(interface_of(&capture)),
        output_file: Some(files::metrics_name(&capture)),
        capture: Some(super::captures::view(app, capture)?),
    })
}

fn duration(capture: &Capture) -> f64 {
    let until = capture.ended_ns.unwrap_or_else(clock::wall_ns);
    let since = capture.started_ns.unwrap_or(until);
    round3(float(until.saturating_sub(since)) / float(SECOND_NS))
}

fn interface_of(capture: &Capture) -> String {
    match &capture.source {
        Source::Live { spec, .. } => spec.interface.clone(),
        Source::Upload { .. } | Source::Path { .. } => capture.name.clone(),
    }
}
