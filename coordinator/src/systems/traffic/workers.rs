//! What each worker did of a run, and whether it was at its limit.

use std::collections::BTreeMap;

use poem_openapi::Object;
use trafficlab_engine::traffic::judge;

use super::figures::Times;
use crate::dispatch::registry::Registry;
use crate::measured;
use crate::store::Store;
use crate::store::runs::{Run, SHARDS, ShardState};
use crate::store::workers::{WORKERS, WorkerFigures};
use crate::systems::Outcome;
use crate::systems::time::{float, ms, ratio, round3};

/// A lane whose thread is on a processor for more than this share of a second has no room left.
const BUSY: f32 = 0.95;

/// One worker's part of a run
#[derive(Debug, Clone, Object)]
pub struct WorkerView {
    /// The worker; `other` stands for all beyond the first 64
    pub worker: String,
    /// Shards it holds now
    pub shards: u64,
    /// Arrivals it accounted for: sent + dropped + missed
    pub scheduled: u64,
    /// Were sent, or drawn
    pub sent: u64,
    /// Of these, more than 10 ms late
    pub late: u64,
    /// Fell due while the queue was full
    pub dropped: u64,
    /// Fell due before it took their shard from a worker that was gone, or while it stood still
    pub missed: u64,
    /// sent / scheduled
    pub achieved: f64,
    /// 99th percentile of the send lag in milliseconds; 0 in simulations
    pub send_lag_p99: f64,
    /// Share of the last second that each of its lanes computed; empty when the worker is away
    pub lane_busy: Vec<f64>,
    /// Whether its part of the figures tells of the generator too
    pub generator_limited: bool,
    /// Why
    pub generator_limited_reasons: Vec<String>,
}

/// The workers of `runs`, by name.
///
/// # Errors
/// When the store fails.
pub fn of(store: &Store, registry: &Registry, runs: &[Run]) -> Outcome<Vec<WorkerView>> {
    let mut parts: BTreeMap<String, (WorkerFigures, u64)> = BTreeMap::new();
    for run in runs {
        for row in WORKERS.scan_prefix(store, &run.job, false) {
            let ((_, worker), figures) = row?;
            parts.entry(worker).or_default().0.merge(&figures);
        }
        if run.state.is_over() {
            continue;
        }
        for row in SHARDS.scan_prefix(store, &run.job, false) {
            let (_, shard) = row?;
            if shard.state == ShardState::Running {
                parts.entry(shard.worker).or_default().1 += 1;
            }
        }
    }
    let live = registry.live();
    let busy = |worker: &str| live.iter().find(|known| known.beat.worker == worker).map(|known| &known.beat.lane_busy);
    let mut views = Vec::with_capacity(parts.len());
    for (worker, (figures, shards)) in parts {
        // What a lane does now says something only of a run that is on it now.
        let lanes = busy(&worker).filter(|_| shards > 0).cloned().unwrap_or_default();
        views.push(view(worker, figures, shards, &lanes));
    }
    Ok(views)
}

/// The reasons of a whole run, and those of its workers behind them.
#[must_use]
pub fn all_limits(mut limits: Vec<String>, workers: &[WorkerView]) -> Vec<String> {
    for worker in workers {
        limits.extend(worker.generator_limited_reasons.iter().map(|why| format!("worker `{}`: {why}", worker.worker)));
    }
    limits
}

fn view(worker: String, figures: WorkerFigures, shards: u64, lanes: &[f32]) -> WorkerView {
    let WorkerFigures { mut counts, lag } = figures;
    // What a worker left open at a takeover fell due with it and ends with another.
    counts.scheduled = counts.sent + counts.dropped + counts.missed;
    let times = Times { lag, ..Times::default() };
    let mut reasons = judge::generator_limits(&measured::observed(&counts, &times, 0));
    for (lane, share) in lanes.iter().enumerate().filter(|(_, share)| **share > BUSY) {
        reasons.push(format!("lane {lane} computes {:.0} % of the time", share * 100.0));
    }
    WorkerView {
        worker,
        shards,
        scheduled: counts.scheduled,
        sent: counts.sent,
        late: counts.late,
        dropped: counts.dropped,
        missed: counts.missed,
        achieved: round3(ratio(float(counts.sent), float(counts.scheduled))),
        send_lag_p99: ms(times.lag.quantile(990_000)),
        lane_busy: lanes.iter().map(|share| round3(f64::from(*share))).collect(),
        generator_limited: !reasons.is_empty(),
        generator_limited_reasons: reasons,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, reason = "test code")]
    use trafficlab_engine::traffic::histogram::Histogram;

    use super::*;

    fn figures(sent: u64, missed: u64, lag_us: u64) -> WorkerFigures {
        let mut figures = WorkerFigures { lag: Histogram::of(&mut [lag_us]), ..WorkerFigures::default() };
        figures.counts.scheduled = sent + missed;
        figures.counts.sent = sent;
        figures.counts.missed = missed;
        figures
    }

    #[test]
    fn one_limited_worker_limits_the_run() {
        let workers = [view("w1".into(), figures(1, 0, 1), 1, &[]), view("w2".into(), figures(989, 11, 1), 1, &[])];
        let limits = all_limits(vec!["a".to_owned()], &workers);
        assert_eq!(limits.len(), 2, "{limits:?}");
        assert!(limits[1].starts_with("worker `w2`: 98.9 %"), "{limits:?}");
    }

    #[test]
    fn what_was_taken_over_counts_where_it_ended() {
        // The first one died with 50 of its 1000 requests open, and the second one sent them.
        let mut gone = figures(950, 0, 1);
        gone.counts.scheduled = 1000;
        let mut heir = figures(550, 0, 1);
        heir.counts.scheduled = 500;
        for (figures, expected) in [(gone, 950), (heir, 550)] {
            let view = view("w".into(), figures, 1, &[]);
            assert_eq!((view.scheduled, view.sent, view.generator_limited), (expected, expected, false));
            assert!((view.achieved - 1.0).abs() < f64::EPSILON);
        }
    }

    #[test]
    fn each_limit_has_its_reason() {
        let reasons = |figures, lanes: &[f32]| view("w".into(), figures, 1, lanes).generator_limited_reasons;
        assert!(reasons(figures(990, 10, 10_000), &[0.95]).is_empty());
        assert!(reasons(figures(100, 0, 10_500), &[])[0].contains("send lag is 10.5 ms"));
        assert!(reasons(figures(989, 11, 1), &[])[0].contains("98.9 %"));
        assert_eq!(reasons(figures(1, 0, 1), &[0.1, 0.98]), ["lane 1 computes 98 % of the time"]);
    }
}
