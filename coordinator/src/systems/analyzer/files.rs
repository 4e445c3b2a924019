//! The files of the documents: windows and anomalies as JSON lines, baselines as JSON, all below the data folder.
//!
//! They are written from what is stored, so they can always be made again. A file analysis gets its files when it is
//! done, at once and whole; a live capture's windows and anomalies are appended as they come.

mod ledger;
mod write;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;

use super::{select, upload};
use crate::dispatch::captures::CaptureNews;
use crate::http::App;
use crate::store::Batch;
use crate::store::captures::{CAPTURES, Capture};
use crate::systems::{Code, Fault, Outcome};

pub use ledger::Ledger;

/// Folder of one folder for each capture.
pub const CAPTURES_FOLDER: &str = "captures";
/// Folder of the baselines.
pub const BASELINES_FOLDER: &str = "baselines";
/// How often baselines are looked at, and what failed, for instance on a full disk, is tried again.
const AGAIN: Duration = Duration::from_secs(10);

/// Where a capture's windows are written, relative to the data folder.
#[must_use]
pub fn metrics_name(capture: &Capture) -> String {
    capture.output_file.clone().unwrap_or_else(|| format!("{CAPTURES_FOLDER}/{}/metrics.jsonl", capture.id))
}

/// Where a capture's anomalies are written, relative to the data folder.
#[must_use]
pub fn anomalies_name(capture: &str) -> String {
    format!("{CAPTURES_FOLDER}/{capture}/anomalies.jsonl")
}

/// Brings a capture's files up to what is stored.
///
/// # Errors
/// 507 when the disk is full.
pub async fn settle(app: &Arc<App>, capture: &str) -> Outcome<()> {
    let (own, id) = (Arc::clone(app), capture.to_owned());
    with_ledger(app, move |ledger| match select::capture(own.store(), &id) {
        Ok(capture) => write::capture(&own, ledger, &capture).map_err(failed),
        // It was removed meanwhile, and its files with it.
        Err(fault) if fault.code == Code::NotFound => Ok(()),
        Err(fault) => Err(fault),
    })
    .await
}

/// Brings the files of the baselines up to what is stored.
///
/// # Errors
/// As `settle`.
pub async fn settle_baselines(app: &Arc<App>) -> Outcome<()> {
    let own = Arc::clone(app);
    with_ledger(app, move |ledger| write::baselines(&own, ledger).map_err(failed)).await
}

/// Takes the output file from a live capture that has captured nothing, so that its name can be used again: whatever
/// becomes of this capture later does not touch the file of another.
///
/// # Errors
/// When the store fails.
pub async fn give_up_output(app: &Arc<App>, id: &str) -> Outcome<()> {
    // Whoever writes holds the ledger too, so that nobody makes the file again after this.
    let _writing = app.analyzer.ledger.lock().await;
    let name = {
        let _guard = app.store().lock();
        let mut capture = select::capture(app.store(), id)?;
        if capture.windows > 0 {
            return Ok(());
        }
        let name = capture.output_file.take();
        let mut batch = Batch::new();
        CAPTURES.put(&mut batch, &capture.id, &capture)?;
        app.store().apply(batch)?;
        name
    };
    app.store().durable().await?;
    remove_output(app, name.as_deref()).await;
    Ok(())
}

/// Removes an output file that nothing was written to.
pub async fn remove_output(app: &App, name: Option<&str>) {
    let Some(name) = name else {
        return;
    };
    if let Err(error) = tokio::fs::remove_file(app.config.data_dir.join(name)).await {
        tracing::debug!(%error, "the output file of a failed capture stays");
    }
}

/// One writer at a time, beside the async threads.
async fn with_ledger(app: &App, work: impl FnOnce(&mut Ledger) -> Outcome<()> + Send + 'static) -> Outcome<()> {
    let mut ledger = Arc::clone(&app.analyzer.ledger).lock_owned().await;
    crate::systems::blocking(move || work(&mut ledger)).await
}

fn failed(error: write::WriteError) -> Fault {
    match error {
        write::WriteError::Full => {
            Fault::new(Code::InsufficientStorage, "No space is left for the files of the analysis")
        }
        other => Fault::internal("files of the analysis", &other),
    }
}

/// Writes what nobody waits for: runs for ever, begins with what a crash left undone.
pub async fn run(app: &Arc<App>) {
    let own = Arc::clone(app);
    if let Err(fault) = crate::systems::blocking(move || upload::sweep(&own)).await {
        tracing::warn!(%fault, "what interrupted uploads left stays");
    }
    let mut news = app.dispatch.news();
    let mut ticks = tokio::time::interval(AGAIN);
    let mut all = true;
    loop {
        tokio::select! {
            _ = ticks.tick() => all = again(app, all).await,
            heard = news.recv() => match heard {
                Ok(news) => all |= !follow(app, &news).await,
                Err(RecvError::Lagged(_)) => all = true,
                Err(RecvError::Closed) => std::future::pending().await,
            },
        }
    }
}

/// Baselines, whose jobs are no news, and everything when something may be missing; comes back with whether it still is.
async fn again(app: &Arc<App>, all: bool) -> bool {
    let outcome = if all { everything(app).await } else { settle_baselines(app).await };
    if let Err(fault) = &outcome {
        tracing::warn!(%fault, "the files of the analysis are tried again later");
    }
    outcome.is_err()
}

/// Writes what the news are about; false when it has to be tried again.
async fn follow(app: &Arc<App>, news: &CaptureNews) -> bool {
    if let CaptureNews::Removed { capture } = news {
        app.analyzer.ledger.lock().await.forget(capture);
        return true;
    }
    if !is_due(app, news) {
        return true;
    }
    let outcome = settle(app, news.capture()).await;
    if let Err(fault) = &outcome {
        tracing::warn!(capture = news.capture(), %fault, "the files of a capture are tried again later");
    }
    outcome.is_ok()
}

/// A live capture's files follow its windows; a file's are written once, when it is over, and with each detection.
fn is_due(app: &App, news: &CaptureNews) -> bool {
    let capture = CAPTURES.get(app.store(), &news.capture().to_owned()).ok().flatten();
    capture.is_some_and(|capture| capture.source.is_live() || capture.state.is_over())
}

async fn everything(app: &Arc<App>) -> Outcome<()> {
    settle_baselines(app).await?;
    let ids: Vec<String> = {
        let due = |capture: &Capture| capture.source.is_live() || capture.state.is_over();
        let captures: Vec<Capture> = select::newest_first(app.store()).collect::<Outcome<_>>()?;
        captures.into_iter().filter(due).map(|capture| capture.id).collect()
    };
    let mut worst = Ok(());
    for id in ids {
        // One capture that cannot be read must not keep the others waiting.
        worst = settle(app, &id).await.and(worst);
    }
    worst
}
