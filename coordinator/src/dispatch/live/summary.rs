//! The summary that subscribers get: exact figures of a campaign's latest run over all its workers.

use std::time::Duration;

use serde_json::{Value, json};
use trafficlab_engine::traffic::histogram::Histogram;
use trafficlab_engine::traffic::judge;

use crate::measured::{self, Measured};
use crate::store::campaigns::Campaign;
use crate::store::runs::{RUNS, TOTALS};
use crate::store::{Store, StoreError};

/// The message with this `seq`; entries up to `through` have been published.
pub(super) fn of(store: &Store, campaign: &Campaign, seq: u64, through: u64) -> Result<Value, StoreError> {
    let job = campaign.run.clone().unwrap_or_default();
    let run = RUNS.get(store, &job)?;
    let (mut figures, mut thresholds) = (Measured::default(), Vec::new());
    if let Some(run) = &run {
        figures = Measured::of(store, run)?;
        thresholds = measured::verdicts_on(store, run, &figures)?;
    }
    let entries = TOTALS.get(store, &job)?.map_or(0, |totals| totals.entries);
    let (counts, times) = (&figures.counts, &figures.times);
    let limits = judge::generator_limits(&figures.observed());
    // In simulations the service time is the response time, and nothing is sent late.
    let service = if times.service.count() == 0 { &times.response } else { &times.service };
    let verdict = |(verdict, crossing): (judge::Verdict, Option<_>)| {
        json!({
            "threshold": verdict.text,
            "value": verdict.value,
            "passed": verdict.holds,
            "crossed": crossing.is_some(),
        })
    };
    Ok(json!({
        "v": 1,
        "type": "summary",
        "seq": seq,
        "campaign_id": campaign.id,
        "run_id": job,
        "status": campaign.status.as_str(),
        "reason": campaign.reason,
        "state": run.as_ref().map(|run| run.state.as_str()),
        "active_seconds": Duration::from_millis(figures.active_ms).as_secs_f64(),
        "scheduled": counts.scheduled,
        "sent": counts.sent,
        "late": counts.late,
        "dropped": counts.dropped,
        "missed": counts.missed,
        "successful": counts.succeeded,
        "failed": counts.failed,
        "stored_entries": entries,
        "through_sequence": through,
        "response_time_ms": distribution(&times.response),
        "service_time_ms": distribution(service),
        "send_lag_ms": distribution(&times.lag),
        "generator_limited": !limits.is_empty(),
        "generator_limited_reasons": limits,
        "thresholds": thresholds.into_iter().map(verdict).collect::<Vec<_>>(),
    }))
}

fn distribution(histogram: &Histogram) -> Value {
    #[allow(clippy::cast_precision_loss, reason = "milliseconds to be shown")]
    let ms = |us: u64| us as f64 / 1000.0;
    let at = |per_million| ms(histogram.quantile(per_million));
    json!({
        "count": histogram.count(),
        "mean": histogram.mean() / 1000.0,
        "p50": at(500_000),
        "p90": at(900_000),
        "p95": at(950_000),
        "p99": at(990_000),
        "p99.9": at(999_000),
        "max": ms(histogram.max()),
    })
}
