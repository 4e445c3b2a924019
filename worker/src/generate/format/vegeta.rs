//! The summary as `vegeta report -type=json` writes it: times in nanoseconds.
//!
//! One thing differs, and on purpose: latencies count from the moment a request was due, not from its real send.

use serde_json::{Map, Value, json};

use super::json::rfc3339;
use crate::generate::figures::{float, ratio, whole};
use crate::generate::summary::Summary;

pub(super) fn render(summary: &Summary) -> Value {
    let counts = &summary.counts;
    let response = &summary.times.response;
    let at = |per_million| response.quantile(per_million).saturating_mul(1000);
    let ns = |seconds: f64| whole(seconds * 1e9);
    let mean = |bytes: u64| ratio(float(bytes), float(counts.sent));
    let statuses = counts.statuses.iter().map(|(code, count)| (code.to_string(), count));
    let answered: u64 = counts.statuses.total();
    // Requests without a response are those of status 0.
    let unanswered = [("0".to_owned(), counts.sent.saturating_sub(answered))];
    let statuses = unanswered.into_iter().filter(|(_, count)| *count > 0).chain(statuses);
    let statuses: Map<String, Value> = statuses.map(|(code, count)| (code, Value::from(count))).collect();
    let end = summary.started_ns + ns(summary.duration_s + summary.wait_s);
    json!({
        "latencies": {
            "total": response.sum().saturating_mul(1000),
            "mean": whole(response.mean() * 1000.0),
            "50th": at(500_000),
            "90th": at(900_000),
            "95th": at(950_000),
            "99th": at(990_000),
            "max": response.max().saturating_mul(1000),
            "min": response.min().saturating_mul(1000),
        },
        "bytes_in": {"total": counts.bytes_in, "mean": mean(counts.bytes_in)},
        "bytes_out": {"total": counts.bytes_out, "mean": mean(counts.bytes_out)},
        "earliest": rfc3339(summary.started_ns),
        "latest": rfc3339(summary.started_ns + ns(summary.duration_s)),
        "end": rfc3339(end),
        "duration": ns(summary.duration_s),
        "wait": ns(summary.wait_s),
        "requests": counts.sent,
        "rate": summary.per_second(),
        "throughput": ratio(float(counts.succeeded), summary.duration_s + summary.wait_s),
        "success": summary.success(),
        "status_codes": statuses,
        "errors": summary.errors().map(|(kind, _)| kind).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, reason = "test code")]
    use super::*;
    use crate::generate::format::tests::sample;

    #[test]
    fn the_figures_stand_where_vegeta_puts_them() {
        let shown = render(&sample());
        assert_eq!(shown["latencies"]["total"], json!(5_050_000_000_u64));
        assert_eq!(shown["latencies"]["mean"], json!(50_500_000));
        assert_eq!(shown["latencies"]["max"], json!(100_000_000));
        assert_eq!(shown["latencies"]["min"], json!(1_000_000));
        assert_eq!(shown["bytes_in"], json!({"total": 20_000, "mean": 200.0}));
        assert_eq!(shown["duration"], json!(10_000_000_000_u64));
        assert_eq!(shown["wait"], json!(500_000_000));
        assert_eq!(shown["requests"], json!(100));
        assert_eq!(shown["success"], json!(0.97));
        assert_eq!(shown["status_codes"], json!({"0": 1, "200": 97, "503": 2}));
        assert_eq!(shown["errors"], json!(["timeout"]));
        assert_eq!(shown["end"], json!("2026-01-01T00:00:09.500000Z"));
    }
}
