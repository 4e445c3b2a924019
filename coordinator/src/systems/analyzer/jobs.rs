//! Waiting for jobs of the analyzer, and what is said of those that are not over in time.

use std::time::Duration;

use serde::Serialize;
use trafficlab_shared::model::capture::baseline::Baselines;
use trafficlab_shared::model::capture::settings::AnalysisSettings;

use super::select;
use crate::dispatch::captures::CaptureFault;
use crate::http::App;
use crate::store::Store;
use crate::store::captures::{BASELINES, CAPTURE_JOBS, CaptureJobRow, CaptureState};
use crate::systems::time::{SECOND_NS, float, ratio, round3, whole};
use crate::systems::{Code, Fault, Outcome};

/// A request waits this long for its job unless it says otherwise, and never longer.
const MOST_SECONDS: f64 = 60.0;

/// What a request that waits for a job answers.
#[derive(Debug)]
pub enum Waited<T> {
    /// The job is over and this is what was asked for.
    Done(T),
    /// It goes on.
    Pending(Pending),
}

/// A job that goes on.
#[derive(Debug, Clone, Serialize)]
pub struct Pending {
    /// Always true.
    pub success: bool,
    /// For people.
    pub message: String,
    /// The capture.
    pub capture: String,
    /// The job.
    pub job: String,
    /// `queued` or `running`.
    pub status: &'static str,
    /// In percent.
    pub progress: f64,
}

/// How long `?wait=` asks to wait.
///
/// # Errors
/// 400 when it is no number from 0 to 60.
pub fn patience(seconds: Option<f64>) -> Outcome<Duration> {
    let seconds = seconds.unwrap_or(MOST_SECONDS);
    if !(0.0..=MOST_SECONDS).contains(&seconds) {
        return Err(Fault::field("wait", format!("must be a number of seconds from 0 to {MOST_SECONDS}")));
    }
    Ok(Duration::from_nanos(whole(seconds * 1e9)))
}

/// Waits until a job is over, or for so long.
///
/// # Errors
/// 409 when its capture is removed meanwhile.
pub async fn over(app: &App, job: &str, patience: Duration) -> Outcome<()> {
    match app.dispatch.wait(job, patience).await {
        Ok(_) => Ok(()),
        Err(CaptureFault::Unknown(_)) => Err(removed()),
        Err(fault) => Err(fault.into()),
    }
}

fn removed() -> Fault {
    Fault::conflict("The capture was removed meanwhile")
}

/// Waits for a job; comes back with none when it ended well, and with what to say when it goes on.
///
/// # Errors
/// 400 with its reason when it failed, 409 when it was stopped or its capture removed.
pub async fn wait(app: &App, job: &str, patience: Duration) -> Outcome<Option<Pending>> {
    over(app, job, patience).await?;
    let row = row(app.store(), job)?.ok_or_else(removed)?;
    match row.state {
        CaptureState::Done => Ok(None),
        CaptureState::Queued | CaptureState::Running => Ok(Some(pending(row))),
        CaptureState::Stopped => Err(Fault::conflict("The analysis was stopped").with("capture", row.capture)),
        CaptureState::Failed => {
            let reason = row.reason.as_deref().unwrap_or("no reason is known");
            let message = format!("Analysis failed: {reason}");
            Err(Fault::new(Code::Validation, message).with("capture", row.capture).with("job", row.job))
        }
    }
}

fn pending(row: CaptureJobRow) -> Pending {
    let (status, message) = match row.state {
        CaptureState::Queued => ("queued", "The job waits for a worker"),
        _ => ("running", "The job goes on"),
    };
    let share = ratio(float(row.progress.bytes), float(row.progress.of_bytes)).min(1.0);
    let message = format!("{message}; the same request again waits for it");
    Pending { success: true, message, capture: row.capture, job: row.job, status, progress: round3(share * 100.0) }
}

/// A job's row.
///
/// # Errors
/// When the store fails.
pub fn row(store: &Store, job: &str) -> Outcome<Option<CaptureJobRow>> {
    Ok(CAPTURE_JOBS.get(store, &job.to_owned())?)
}

/// Seconds from a job's start to its end; 0 when it has not begun.
#[must_use]
pub fn seconds(row: Option<&CaptureJobRow>) -> f64 {
    let took = row.and_then(|row| Some(row.ended_ns?.saturating_sub(row.started_ns?)));
    round3(float(took.unwrap_or(0)) / float(SECOND_NS))
}

/// Everything an analysis depends on besides the packets.
#[must_use]
pub fn settings(app: &App, window_ns: u64) -> AnalysisSettings {
    AnalysisSettings { window_ns, thresholds: (&app.config.anomalies).into(), ..AnalysisSettings::default() }
}

/// The stored baselines, and when the newest was made.
///
/// # Errors
/// When the store fails.
pub fn baselines(store: &Store) -> Outcome<(Baselines, u64)> {
    let (mut all, mut newest) = (Vec::new(), 0);
    for row in BASELINES.scan(store, false) {
        let (_, stored) = row?;
        newest = newest.max(stored.created_ns);
        all.push(stored.baseline);
    }
    Ok((Baselines { all }, newest))
}

/// What is needed to begin anything.
///
/// # Errors
/// 503 while the broker is away, 507 when no room is left.
pub async fn may_begin(app: &App) -> Outcome<()> {
    if !app.dispatch.broker.is_connected() {
        return Err(Fault::broker_away());
    }
    Ok(app.dispatch.make_room(0).await?)
}

/// The capture that a request to work on windows is about.
///
/// # Errors
/// 400 with the document's sentence when there are no windows.
pub fn with_windows(store: &Store, capture: Option<&str>) -> Outcome<crate::store::captures::Capture> {
    let found = select::readable(store, capture)?;
    let computed = found.filter(|capture| capture.windows > 0 || capture.state == CaptureState::Done);
    computed.ok_or_else(|| Fault::new(Code::Validation, "Metrics not found. Run /api/metrics/compute first."))
}
