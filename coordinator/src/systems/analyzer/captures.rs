//! Captures as a resource: listed, shown with all that is known, removed.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};
use trafficlab_shared::model::capture::summary::Summary;

use super::compute::window_size;
use super::page::Page;
use super::{files, jobs, select};
use crate::http::App;
use crate::store::captures::{Capture, Gap, Source, WIRES};
use crate::systems::time::{maybe_rfc3339, rfc3339};
use crate::systems::{Fault, Outcome};

/// A capture.
#[derive(Debug, Serialize)]
pub struct CaptureView {
    /// Its id.
    pub id: String,
    /// A name for people.
    pub name: String,
    /// `upload`, `path` or `live`.
    pub source: &'static str,
    /// `queued`, `running`, `done` or `failed`.
    pub status: &'static str,
    /// Why it failed, or what it waits for.
    pub reason: Option<String>,
    /// In percent; null for live captures.
    pub progress: Option<f64>,
    /// Whether more windows will come.
    pub partial: bool,
    /// Seconds.
    pub window_size: Value,
    /// RFC 3339 in UTC.
    pub created_at: String,
    /// When a worker took it.
    pub started_at: Option<String>,
    /// When it was over.
    pub ended_at: Option<String>,
    /// Bytes read, packets analysed, packets dropped.
    pub counts: Value,
    /// Stored windows.
    pub window_count: u64,
    /// Anomalies.
    pub anomaly_count: u64,
    /// Connections told one by one.
    pub connection_count: u64,
    /// The job that analyses it.
    pub job: Option<String>,
    /// The interface, the filter, the host and the worker of a live capture.
    pub live: Option<Value>,
    /// Relative to the data folder.
    pub metrics_file: String,
    /// Relative to the data folder.
    pub anomalies_file: String,
    /// What it takes on this disk.
    pub bytes_on_disk: u64,
}

/// A page of captures, newest first.
#[derive(Debug, Serialize)]
pub struct CapturePage {
    /// Captures in it.
    pub count: usize,
    /// Captures that fit the filters.
    pub total: u64,
    /// As asked for.
    pub offset: u64,
    /// As asked for.
    pub limit: u64,
    /// Newest first.
    pub captures: Vec<CaptureView>,
}

/// A capture with everything that is known of it.
#[derive(Debug, Serialize)]
pub struct WholeCapture {
    /// As in lists.
    #[serde(flatten)]
    pub view: CaptureView,
    /// Times in which a live capture took nothing.
    pub gaps: Vec<GapView>,
    /// Figures of the whole, once it is over.
    pub summary: Option<Summary>,
    /// The figures to compare with tshark, once it is over.
    pub wire: Option<Value>,
}

/// A time in which nothing was captured.
#[derive(Debug, Serialize)]
pub struct GapView {
    /// Its beginning, nanoseconds since 1970.
    pub from_ns: i64,
    /// When capturing went on.
    pub to_ns: i64,
    /// Why.
    pub reason: String,
}

impl From<Gap> for GapView {
    fn from(gap: Gap) -> Self {
        let Gap { from_ns, to_ns, reason } = gap;
        Self { from_ns, to_ns, reason }
    }
}

fn source(capture: &Capture) -> &'static str {
    match capture.source {
        Source::Upload { .. } => "upload",
        Source::Path { .. } => "path",
        Source::Live { .. } => "live",
    }
}

/// A capture as lists show it.
///
/// # Errors
/// When the store fails.
pub fn view(app: &App, capture: Capture) -> Outcome<CaptureView> {
    let job = capture.analysis_job.as_deref().map(|job| jobs::row(app.store(), job)).transpose()?.flatten();
    let progress = &capture.progress;
    let counts = json!({
        "bytes_read": progress.bytes,
        "bytes_total": progress.of_bytes,
        "packets": capture.summary.as_ref().map_or(progress.packets, |summary| summary.packets),
        "kernel_drops": progress.kernel_drops,
        "app_drops": progress.app_drops,
    });
    let live = match &capture.source {
        Source::Live { spec, host, worker } => {
            let parts = json!({"interface": spec.interface, "filter": spec.filter, "snap_length": spec.snap_length,
                "payload": spec.payload, "promiscuous": spec.promiscuous, "keep": spec.keep, "host": host, "worker": worker});
            Some(parts)
        }
        Source::Upload { .. } | Source::Path { .. } => None,
    };
    Ok(CaptureView {
        source: source(&capture),
        status: select::status(&capture),
        reason: capture.reason.clone().or_else(|| job.and_then(|job| job.reason)),
        progress: select::percent(&capture),
        partial: select::is_partial(&capture),
        window_size: window_size(capture.settings.window_ns),
        created_at: rfc3339(capture.created_ns),
        started_at: maybe_rfc3339(capture.started_ns),
        ended_at: maybe_rfc3339(capture.ended_ns),
        counts,
        window_count: capture.windows,
        anomaly_count: capture.anomalies,
        connection_count: capture.connections,
        live,
        metrics_file: files::metrics_name(&capture),
        anomalies_file: files::anomalies_name(&capture.id),
        bytes_on_disk: capture.bytes_on_disk,
        job: capture.analysis_job,
        id: capture.id,
        name: capture.name,
    })
}

/// Captures of these alone.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The word of `status`.
    pub status: Option<String>,
    /// The word of `source`.
    pub source: Option<String>,
}

impl Filter {
    /// Reads the words of a request.
    ///
    /// # Errors
    /// 400 for a word that is none.
    pub fn read(status: Option<String>, source: Option<String>) -> Outcome<Self> {
        let known = |name: &str, word: Option<&String>, words: &[&str]| match word {
            Some(word) if !words.contains(&word.as_str()) => {
                Err(Fault::field(name, format!("must be one of `{}`", words.join("`, `"))))
            }
            _ => Ok(()),
        };
        known("state", status.as_ref(), &["queued", "running", "done", "failed"])?;
        known("source", source.as_ref(), &["upload", "path", "live"])?;
        Ok(Self { status, source })
    }

    fn takes(&self, capture: &Capture) -> bool {
        self.status.as_deref().is_none_or(|status| status == select::status(capture))
            && self.source.as_deref().is_none_or(|word| word == source(capture))
    }
}

/// A page of captures. Blocks.
///
/// # Errors
/// When the store fails.
pub fn list(app: &App, filter: &Filter, page: Page) -> Outcome<CapturePage> {
    let (mut total, mut captures) = (0_u64, Vec::new());
    for capture in select::newest_first(app.store()) {
        let capture = capture?;
        if filter.takes(&capture) {
            if total >= page.offset && captures.len() < page.size() {
                captures.push(view(app, capture)?);
            }
            total += 1;
        }
    }
    Ok(CapturePage { count: captures.len(), total, offset: page.offset, limit: page.limit, captures })
}

/// One capture. Blocks.
///
/// # Errors
/// 404.
pub fn get(app: &App, id: &str) -> Outcome<WholeCapture> {
    let mut capture = select::capture(app.store(), id)?;
    let gaps = std::mem::take(&mut capture.gaps).into_iter().map(GapView::from).collect();
    let summary = capture.summary.clone();
    let wire = WIRES.get(app.store(), &capture.id)?;
    let wire = wire.map(|text| serde_json::from_str(&text)).transpose();
    let wire = wire.map_err(|error| Fault::internal("figures of a capture", &error))?;
    Ok(WholeCapture { view: view(app, capture)?, gaps, summary, wire })
}

/// Stops a capture and removes it with its windows and files.
///
/// # Errors
/// 404.
pub async fn remove(app: &Arc<App>, id: &str) -> Outcome<()> {
    let capture = select::capture(app.store(), id)?;
    app.dispatch.remove_capture(&capture.id).await?;
    app.analyzer.ledger.lock().await.forget(&capture.id);
    tracing::info!(target: "analysis", capture = %capture.id, "capture removed");
    Ok(())
}
