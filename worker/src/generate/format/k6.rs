//! The summary as `k6 run --summary-export` writes it, so that its tooling reads ours.
//!
//! One thing differs, and on purpose: `http_req_duration` counts from the moment a request was due, not from its real
//! send. What k6 means by it is beside it as `service_time`, and the difference as `send_lag`.

use serde_json::{Map, Value, json};
use trafficlab_engine::traffic::histogram::Histogram;

use crate::generate::figures::{float, millis, ratio};
use crate::generate::summary::Summary;

pub(super) fn render(summary: &Summary) -> Value {
    let counts = &summary.counts;
    let counter = |count: u64| json!({"count": count, "rate": ratio(float(count), summary.duration_s)});
    let connections = summary.connections.unwrap_or(0);
    let gauge = json!({"value": connections, "min": connections, "max": connections});
    let failed = json!({
        "passes": counts.failed(),
        "fails": counts.succeeded,
        "value": ratio(float(counts.failed()), float(counts.sent)),
    });
    let mut metrics = Map::new();
    for (name, value) in [
        ("data_received", counter(counts.bytes_in)),
        ("data_sent", counter(counts.bytes_out)),
        ("dropped_iterations", counter(counts.dropped + counts.missed)),
        ("http_req_duration", trend(&summary.times.response)),
        ("http_req_failed", failed),
        ("http_reqs", counter(counts.sent)),
        ("iteration_duration", trend(&summary.times.response)),
        ("iterations", counter(counts.sent)),
        ("send_lag", trend(&summary.times.lag)),
        ("service_time", trend(summary.service())),
        ("vus", gauge.clone()),
        ("vus_max", gauge),
    ] {
        metrics.insert(name.to_owned(), value);
    }
    for verdict in &summary.verdicts {
        let metric = metrics.get_mut(metric_of(&verdict.text)).and_then(Value::as_object_mut);
        let thresholds = metric.map(|metric| metric.entry("thresholds").or_insert_with(|| json!({})));
        if let Some(thresholds) = thresholds.and_then(Value::as_object_mut) {
            // As k6 has it in this file: true means that it was crossed.
            thresholds.insert(verdict.text.clone(), Value::from(verdict.holds == Some(false)));
        }
    }
    let empty = "d41d8cd98f00b204e9800998ecf8427e";
    json!({
        "metrics": metrics,
        "root_group": {"name": "", "path": "", "id": empty, "groups": {}, "checks": {}},
    })
}

/// The metric that a threshold of ours is about.
fn metric_of(threshold: &str) -> &'static str {
    let starts = |words: &[&str]| words.iter().any(|word| threshold.starts_with(word));
    if starts(&["error", "success", "rate", "http_req_failed"]) {
        "http_req_failed"
    } else if starts(&["dropped", "missed", "achieved"]) {
        "dropped_iterations"
    } else if starts(&["requests_per_second", "rps", "http_reqs"]) {
        "http_reqs"
    } else if starts(&["service"]) {
        "service_time"
    } else if starts(&["lag", "send_lag", "late"]) {
        "send_lag"
    } else {
        "http_req_duration"
    }
}

/// Milliseconds, as all of k6's times.
fn trend(histogram: &Histogram) -> Value {
    let at = |per_million| millis(histogram.quantile(per_million));
    json!({
        "avg": histogram.mean() / 1000.0,
        "min": millis(histogram.min()),
        "med": at(500_000),
        "max": millis(histogram.max()),
        "p(90)": at(900_000),
        "p(95)": at(950_000),
        "p(99)": at(990_000),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, reason = "test code")]
    use super::*;
    use crate::generate::format::tests::sample;

    #[test]
    fn the_metrics_stand_where_k6_puts_them() {
        let shown = render(&sample());
        let metrics = &shown["metrics"];
        assert_eq!(metrics["http_reqs"], json!({"count": 100, "rate": 10.0}));
        assert_eq!(metrics["http_req_failed"]["passes"], json!(3));
        assert_eq!(metrics["http_req_failed"]["value"], json!(0.03));
        assert_eq!(metrics["http_req_failed"]["thresholds"], json!({"error_rate<1%": true, "rate<0.01": false}));
        assert_eq!(metrics["http_req_duration"]["thresholds"], json!({"p(95)<500": false}));
        assert_eq!(metrics["http_req_duration"]["p(95)"], json!(95.039));
        assert_eq!(metrics["http_req_duration"]["min"], json!(1.0));
        assert_eq!(metrics["dropped_iterations"]["count"], json!(7));
        assert_eq!(metrics["data_received"], json!({"count": 20_000, "rate": 2_000.0}));
    }
}
