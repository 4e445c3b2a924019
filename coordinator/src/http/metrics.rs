//! `/metrics`: JSON as the ad-ops document shows it, or Prometheus exposition for clients that prefer it.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use poem::IntoResponse;
use poem::http::HeaderMap;
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiResponse, Object, OpenApi};

use super::app::App;
use super::capture_metrics;
use super::error::{Plain, Refused};
use super::health::environment;
use super::process::{self, ProcessFigures};
use super::tags::Tag;
use crate::systems::time;

/// The program
#[derive(Debug, Object)]
struct AppFigures {
    /// `trafficlab`
    name: String,
    /// Program version
    version: String,
    /// `development` or `production`
    environment: String,
}

/// The process
#[derive(Debug, Object)]
struct SystemFigures {
    /// Mean share of one core since the start
    cpu_percent: f64,
    /// Resident memory
    memory_mb: f64,
    /// Resident share of the machine's memory
    memory_percent: f64,
    /// Threads
    threads: u64,
    /// Open files
    open_files: u64,
}

/// Counts since the start
#[derive(Debug, Object)]
struct Counts {
    /// HTTP requests
    requests: u64,
    /// Of these, answered with 4xx
    requests_refused: u64,
    /// Of these, answered with 5xx
    requests_failed: u64,
    /// Entries stored
    entries_stored: u64,
    /// Messages of the broker set aside
    messages_set_aside: u64,
    /// Records known already or of no run
    records_dropped: u64,
    /// Commits of results
    commits: u64,
    /// Requests that were generated
    requests_generated: u64,
    /// Of these, failures
    requests_unsuccessful: u64,
    /// Of these, more than 10 ms late
    requests_late: u64,
    /// Arrivals dropped at a full queue
    arrivals_dropped: u64,
    /// Arrivals that fell due while no worker held their shard
    arrivals_missed: u64,
    /// Workers that beat
    workers: u64,
}

/// Figures of the server
#[derive(Debug, Object)]
struct Metrics {
    /// The program
    app: AppFigures,
    /// The process
    system: SystemFigures,
    /// Since the process began to serve
    uptime_seconds: u64,
    /// Counts since the start
    counts: Counts,
}

enum Answer {
    Json(Box<Metrics>),
    Text { body: String, openmetrics: bool },
}

impl IntoResponse for Answer {
    fn into_response(self) -> poem::Response {
        match self {
            Self::Json(metrics) => poem_openapi::payload::Json(*metrics).into_response(),
            Self::Text { body, openmetrics } => {
                let kind = if openmetrics {
                    "application/openmetrics-text; version=1.0.0; charset=utf-8"
                } else {
                    "text/plain; version=0.0.4; charset=utf-8"
                };
                poem::Response::builder().content_type(kind).body(body)
            }
        }
    }
}

impl ApiResponse for Answer {
    fn meta() -> MetaResponses {
        let content = vec![
            MetaMediaType { content_type: "application/json", schema: Metrics::schema_ref() },
            MetaMediaType { content_type: "text/plain", schema: String::schema_ref() },
            MetaMediaType { content_type: "application/openmetrics-text", schema: String::schema_ref() },
        ];
        let description = "JSON, or Prometheus exposition when `Accept` prefers it";
        let response =
            MetaResponse { description, status: Some(200), status_range: None, content, headers: Vec::new() };
        MetaResponses { responses: vec![response] }
    }

    fn register(registry: &mut Registry) {
        Metrics::register(registry);
    }
}

/// The metrics endpoint.
pub struct MetricsApi(pub Arc<App>);

#[OpenApi(tag = "Tag::Service")]
impl MetricsApi {
    /// Figures of the server
    #[oai(path = "/metrics", method = "get", operation_id = "metrics")]
    async fn metrics(&self, headers: &HeaderMap) -> Result<Answer, Refused<Plain>> {
        let metrics = gather(&self.0);
        let accept = headers.get("accept").and_then(|accept| accept.to_str().ok()).unwrap_or_default();
        Ok(match preferred(accept) {
            Form::Json => Answer::Json(Box::new(metrics.0)),
            Form::Text { openmetrics } => {
                let of_captures = capture_metrics::exposition(&self.0, openmetrics);
                let body = exposition(&metrics.0, metrics.1, openmetrics, &of_captures);
                Answer::Text { body, openmetrics }
            }
        })
    }
}

fn gather(app: &App) -> (Metrics, ProcessFigures) {
    let uptime = app.started.elapsed();
    let process = process::figures(uptime);
    let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let ingest = &app.dispatch.metrics;
    let metrics = Metrics {
        app: AppFigures {
            name: "trafficlab".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            environment: environment(app.config.environment).to_owned(),
        },
        system: SystemFigures {
            cpu_percent: process.cpu_percent,
            memory_mb: time::round3(time::float(process.rss_bytes) / 1e6),
            memory_percent: process.memory_percent,
            threads: process.threads,
            open_files: process.open_files,
        },
        uptime_seconds: uptime.as_secs(),
        counts: Counts {
            requests: get(&app.requests.total),
            requests_refused: get(&app.requests.refused),
            requests_failed: get(&app.requests.failed),
            entries_stored: get(&ingest.entries),
            messages_set_aside: get(&ingest.aside),
            records_dropped: get(&ingest.dropped),
            commits: get(&ingest.commits),
            requests_generated: get(&ingest.sent),
            requests_unsuccessful: get(&ingest.failed),
            requests_late: get(&ingest.late),
            arrivals_dropped: get(&ingest.arrivals_dropped),
            arrivals_missed: get(&ingest.arrivals_missed),
            workers: u64::try_from(app.dispatch.registry.live().len()).unwrap_or(0),
        },
    };
    (metrics, process)
}

fn exposition(metrics: &Metrics, process: ProcessFigures, openmetrics: bool, more: &str) -> String {
    let counts = &metrics.counts;
    let counters = [
        ("http_requests", "HTTP requests", counts.requests),
        ("http_requests_refused", "HTTP requests answered with 4xx", counts.requests_refused),
        ("http_requests_failed", "HTTP requests answered with 5xx", counts.requests_failed),
        ("ingest_entries", "Entries stored", counts.entries_stored),
        ("ingest_set_aside", "Messages set aside", counts.messages_set_aside),
        ("ingest_dropped", "Records known already or of no run", counts.records_dropped),
        ("ingest_commits", "Commits of results", counts.commits),
        ("generator_requests", "Requests generated", counts.requests_generated),
        ("generator_requests_failed", "Requests generated that were no success", counts.requests_unsuccessful),
        ("generator_requests_late", "Requests generated more than 10 ms late", counts.requests_late),
        ("generator_dropped", "Arrivals dropped at a full queue", counts.arrivals_dropped),
        ("generator_missed", "Arrivals that fell due while no worker held their shard", counts.arrivals_missed),
    ];
    let gauges = [
        ("workers", "Workers that beat", time::float(counts.workers)),
        ("uptime_seconds", "Seconds since the process began to serve", time::float(metrics.uptime_seconds)),
        ("process_resident_memory_bytes", "Resident memory", time::float(process.rss_bytes)),
        ("process_cpu_seconds", "Processor time used", process.cpu_seconds),
        ("process_threads", "Threads", time::float(process.threads)),
        ("process_open_files", "Open files", time::float(process.open_files)),
    ];
    let mut text = String::new();
    let mut line = |name: &str, kind: &str, help: &str, value: String, suffix: &str| {
        let family = if openmetrics { name.to_owned() } else { format!("{name}{suffix}") };
        let head = format!("# HELP trafficlab_{family} {help}\n# TYPE trafficlab_{family} {kind}\n");
        // Writing into a string cannot fail.
        writeln!(text, "{head}trafficlab_{name}{suffix} {value}").unwrap_or_default();
    };
    for (name, help, value) in counters {
        line(name, "counter", help, value.to_string(), "_total");
    }
    for (name, help, value) in gauges {
        line(name, "gauge", help, value.to_string(), "");
    }
    text.push_str(more);
    if openmetrics {
        text.push_str("# EOF\n");
    }
    text
}

#[derive(Debug, PartialEq, Eq)]
enum Form {
    Json,
    Text { openmetrics: bool },
}

/// The form that `Accept` ranks highest; JSON when it does not say, and of equals the first named.
fn preferred(accept: &str) -> Form {
    let mut best = (0, Form::Json);
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let form = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "application/json" | "application/*" | "*/*" => Form::Json,
            "application/openmetrics-text" => Form::Text { openmetrics: true },
            "text/plain" | "text/*" => Form::Text { openmetrics: false },
            _ => continue,
        };
        let weight = parts.find_map(|part| part.strip_prefix("q=")?.trim().parse::<f64>().ok()).unwrap_or(1.0);
        let weight = time::whole(weight.clamp(0.0, 1.0) * 1000.0);
        if weight > best.0 {
            best = (weight, form);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_decides() {
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.1";
        assert_eq!(preferred(prometheus), Form::Text { openmetrics: true });
        assert_eq!(preferred("text/plain"), Form::Text { openmetrics: false });
        for json in
            ["", "*/*", "application/json", "application/json, text/plain", "text/html", "text/plain;q=0.2, */*"]
        {
            assert_eq!(preferred(json), Form::Json, "{json}");
        }
    }
}
