//! The analyzer document: captures, their windows, anomalies and baselines, live capture, logs.
//!
//! `select` says which capture a request is about; `compute`, `detect` and `baselines` start jobs and wait for them;
//! `files` writes the documents' JSONL files from what is stored; `*_routes` and `*types` alone know HTTP.

pub mod anomalies;
pub mod anomaly_routes;
mod answer;
pub mod baseline_routes;
pub mod baselines;
pub mod capture_routes;
pub mod captures;
pub mod compute;
pub mod control_routes;
pub mod detect;
pub mod export;
pub mod files;
pub mod filter;
pub mod jobs;
pub mod live;
pub mod live_body;
pub mod logs;
pub mod metrics;
pub mod metrics_routes;
pub mod more_types;
pub mod output;
pub mod page;
pub mod peek;
pub mod select;
pub mod source;
pub mod status;
pub mod streams;
pub mod types;
pub mod upload;

use std::sync::Arc;

/// What the analyzer keeps while the server runs.
#[derive(Debug, Default)]
pub struct Analyzer {
    /// Held while a job is looked for and begun, so that two equal requests share one.
    pub starting: tokio::sync::Mutex<()>,
    /// Counted lines of log files.
    pub counted: logs::Counted,
    /// What is in the files; whoever holds it writes.
    pub ledger: Arc<tokio::sync::Mutex<files::Ledger>>,
    /// Uploads that are being received.
    pub incoming: upload::Incoming,
}
