//! How the analyzer is set up and what it has: the documents' status and configuration.

use serde_json::{Value, json};
use trafficlab_shared::config::{AnalyzerMode, Config};

use super::files::{BASELINES_FOLDER, CAPTURES_FOLDER};
use super::{live, select, source};
use crate::http::App;
use crate::store::captures::{BASELINES, Capture};
use crate::systems::Outcome;
use crate::systems::time::now;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The word of the API for the mode.
#[must_use]
pub const fn mode(config: &Config) -> &'static str {
    match config.mode {
        AnalyzerMode::Pcap => "pcap",
        AnalyzerMode::Live => "live",
    }
}

fn pcap_file(config: &Config) -> Option<String> {
    config.captures.pcap_file.as_deref().map(|file| source::shown(config, file))
}

/// Where the files of the latest capture lie, relative to the data folder.
fn results_folder(latest: Option<&Capture>) -> String {
    latest.map_or_else(|| CAPTURES_FOLDER.to_owned(), |capture| format!("{CAPTURES_FOLDER}/{}", capture.id))
}

/// `GET /api/status`. Blocks.
///
/// # Errors
/// When the store fails.
pub fn status(app: &App) -> Outcome<Value> {
    let config = &app.config;
    let latest = select::latest(app.store())?;
    Ok(json!({
        "api": {"status": "running", "version": VERSION, "timestamp": now()},
        "system": {
            "mode": mode(config),
            "pcap_file": pcap_file(config),
            "interface": config.captures.interface,
            "window_size": config.captures.window_seconds,
            "metrics_dir": results_folder(latest.as_ref()),
            "baselines_dir": BASELINES_FOLDER,
        },
        "data": {
            "metrics": latest.is_some(),
            "baselines": BASELINES.first(app.store())?.is_some(),
            "anomalies": latest.as_ref().is_some_and(|capture| capture.anomaly_job.is_some()),
            "capture": latest.map(|capture| capture.id),
        },
    }))
}

/// `GET /api/control/status`. Blocks.
///
/// # Errors
/// When the store fails.
pub fn control(app: &App) -> Outcome<Value> {
    let latest = select::latest(app.store())?;
    let live = live::status(app)?;
    let exists = |name: &str| app.config.data_dir.join(name).exists();
    let folders =
        ["store", CAPTURES_FOLDER, BASELINES_FOLDER, "logs"].map(|name| (name.to_owned(), exists(name).into()));
    Ok(json!({
        "api": {"status": "running", "mode": mode(&app.config), "version": VERSION},
        "system": {
            // The documents' first program was in Python and called tshark; this one needs neither.
            "python_version": null,
            "platform": std::env::consts::OS,
            "tshark_available": on_path("tshark"),
            "project_structure": Value::Object(folders.into_iter().collect()),
        },
        "data": {
            "metrics": latest.is_some(),
            "anomalies": latest.as_ref().is_some_and(|capture| capture.anomaly_job.is_some()),
            "baselines": BASELINES.first(app.store())?.is_some(),
            "metric_count": latest.as_ref().map_or(0, |capture| capture.windows),
            "anomaly_count": latest.as_ref().map_or(0, |capture| capture.anomalies),
        },
        "capture": {
            "running": live.running,
            "start_time": live.start_time,
            "interface": live.interface,
        },
    }))
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// `GET /api/control/config`. Blocks.
///
/// # Errors
/// When the store fails.
pub fn config(app: &App) -> Outcome<Value> {
    let config = &app.config;
    let results = results_folder(select::latest(app.store())?.as_ref());
    let captures = &config.captures;
    Ok(json!({
        "mode": mode(config),
        "pcap_file": pcap_file(config),
        "interface": captures.interface,
        "window_size": captures.window_seconds,
        "directories": {"metrics": results, "baselines": BASELINES_FOLDER, "anomalies": results, "logs": "logs"},
        "capture_dirs": captures.dirs.iter().map(|dir| source::shown(config, dir)).collect::<Vec<_>>(),
        "limits": {
            "max_upload_bytes": captures.max_upload_bytes.0,
            "max_decompressed_bytes": captures.max_decompressed_bytes.0,
            "quota_bytes": captures.quota_bytes.0,
            "keep_days": captures.keep_days,
        },
    }))
}

/// `GET /api/control/ping`.
#[must_use]
pub fn ping() -> Value {
    json!({"pong": true, "timestamp": now()})
}
