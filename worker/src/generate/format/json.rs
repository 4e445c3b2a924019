//! One JSON object with every figure of a run. Fields are added, never renamed: `schema_version` says so.

use serde_json::{Map, Value, json};
use trafficlab_engine::traffic::histogram::Histogram;
use trafficlab_engine::traffic::render::push_rfc3339;

use crate::generate::figures::{float, millis, rounded};
use crate::generate::series::Series;
use crate::generate::summary::Summary;

/// Version of the object; it grows when a field is renamed or means something else.
const SCHEMA_VERSION: u32 = 1;

/// The percentiles of each time, with their place in millionths.
const PERCENTILES: [(&str, u32); 5] =
    [("p50", 500_000), ("p90", 900_000), ("p95", 950_000), ("p99", 990_000), ("p99.9", 999_000)];

pub(super) fn render(summary: &Summary, series: bool) -> Value {
    let counts = &summary.counts;
    let count_map = |pairs: &mut dyn Iterator<Item = (String, u64)>| -> Map<String, Value> {
        pairs.map(|(name, count)| (name, Value::from(count))).collect()
    };
    let mut object = json!({
        "schema_version": SCHEMA_VERSION,
        "run_id": summary.run_id,
        "version": env!("CARGO_PKG_VERSION"),
        "mode": summary.mode,
        "target": summary.target,
        "method": summary.method,
        "http_version": summary.http_version,
        "insecure": summary.insecure,
        "arrivals": summary.arrivals,
        "seed": summary.seed,
        "threads": summary.threads,
        "connections": summary.connections,
        "started_at": rfc3339(summary.started_ns),
        "asked_rate": summary.asked_rate.map(|rate| rounded(rate, 6)),
        "warm_up_s": summary.warm_up_s,
        "duration_s": rounded(summary.duration_s, 6),
        "wait_s": rounded(summary.wait_s, 6),
        "requests": counts.sent,
        "requests_per_second": rounded(summary.per_second(), 3),
        "scheduled": counts.scheduled,
        "sent": counts.sent,
        "succeeded": counts.succeeded,
        "failed": counts.failed(),
        "late": counts.late,
        "dropped": counts.dropped,
        "missed": counts.missed,
        "errors": count_map(&mut summary.errors().map(|(kind, count)| (kind.to_owned(), count))),
        "status_codes": count_map(&mut counts.statuses.iter().map(|(code, count)| (code.to_string(), count))),
        "bytes_in": counts.bytes_in,
        "bytes_out": counts.bytes_out,
        "response_time_ms": times(&summary.times.response),
        "service_time_ms": times(summary.service()),
        "send_lag_ms": times(&summary.times.lag),
        "generator_limited": !summary.limits.is_empty(),
        "generator_limited_reasons": summary.limits,
        "lane_busy": summary.lane_busy.iter().map(|busy| rounded(*busy, 4)).collect::<Vec<_>>(),
        "thresholds": summary.verdicts.iter().map(|verdict| json!({
            "threshold": verdict.text,
            "value": verdict.value.map(|value| rounded(value, 6)),
            "passed": verdict.holds,
        })).collect::<Vec<_>>(),
        "stopped": summary.stopped.as_ref().map(|stopped| stopped.reason()),
    });
    if let Some(object) = object.as_object_mut().filter(|_| series) {
        object.insert("seconds".to_owned(), seconds(&summary.series));
    }
    object
}

/// `mean`, percentiles and `max` in milliseconds; null before anything was measured.
fn times(histogram: &Histogram) -> Value {
    let measured = histogram.count() > 0;
    let shown = |us: u64| if measured { json!(rounded(millis(us), 3)) } else { Value::Null };
    let mut object = Map::new();
    object.insert("mean".to_owned(), if measured { json!(rounded(histogram.mean() / 1000.0, 3)) } else { Value::Null });
    for (name, per_million) in PERCENTILES {
        object.insert(name.to_owned(), shown(histogram.quantile(per_million)));
    }
    object.insert("max".to_owned(), shown(histogram.max()));
    Value::Object(object)
}

/// The figures of every second, or of more seconds together in a long run.
fn seconds(series: &Series) -> Value {
    let point = |(second, point): (u64, &crate::generate::series::Point)| {
        let at = |per_million| rounded(millis(point.response.quantile(per_million)), 3);
        json!({
            "second": second,
            "scheduled": point.scheduled,
            "sent": point.sent,
            "failed": point.failed,
            "lost": point.lost,
            "requests_per_second": rounded(float(point.sent) / float(series.step()), 3),
            "p50": at(500_000),
            "p95": at(950_000),
            "p99": at(990_000),
            "max": rounded(millis(point.response.max()), 3),
        })
    };
    let starts = (0..).map(|index: u64| index * series.step());
    json!({"step_s": series.step(), "points": starts.zip(series.points()).map(point).collect::<Vec<_>>()})
}

pub(super) fn rfc3339(epoch_ns: u64) -> String {
    let mut text = Vec::with_capacity(27);
    push_rfc3339(&mut text, epoch_ns);
    String::from_utf8(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "test code")]
    use super::*;
    use crate::generate::format::tests::sample;

    #[test]
    fn the_object_keeps_its_form() {
        let shown = render(&sample(), true);
        let times = |of: &Value| of.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        for name in ["response_time_ms", "service_time_ms", "send_lag_ms"] {
            let mut keys = times(&shown[name]);
            keys.sort();
            assert_eq!(keys, ["max", "mean", "p50", "p90", "p95", "p99", "p99.9"]);
        }
        let expected = json!({
            "schema_version": 1, "asked_rate": 10.0, "duration_s": 10.0, "requests": 100, "requests_per_second": 10.0,
            "scheduled": 107, "sent": 100, "late": 4, "dropped": 5, "missed": 2, "errors": {"timeout": 1},
            "status_codes": {"200": 97, "503": 2}, "bytes_in": 20_000, "bytes_out": 15_000, "generator_limited": true,
            "run_id": "0190a1b2-0000-7000-8000-000000000001", "started_at": "2025-12-31T23:59:59.000000Z",
        });
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(&shown[name], value, "{name}");
        }
        assert_eq!(shown["thresholds"][1], json!({"threshold": "error_rate<1%", "value": 3.0, "passed": false}));
        assert_eq!(shown["thresholds"][2]["passed"], Value::Null);
        assert_eq!(shown["seconds"]["points"].as_array().unwrap().len(), 10);
        assert_eq!(shown["seconds"]["points"][3]["max"], json!(50.0));
        assert!(render(&sample(), false).get("seconds").is_none());
    }

    #[test]
    fn what_was_not_measured_is_null() {
        assert_eq!(times(&Histogram::default())["p99"], Value::Null);
    }
}
