//! Two runs side by side: what changed, and whether that is within bounds.

use poem_openapi::Object;
use trafficlab_shared::error::FieldFault;

use super::figures::{Figures, Times};
use super::types::{Percentiles, TimesView};
use super::verdicts::{self, ThresholdView};
use super::workers;
use crate::dispatch::registry::Registry;
use crate::store::Store;
use crate::store::runs::{RUNS, Run};
use crate::systems::time::{float, ratio, round3};
use crate::systems::{Fault, Outcome};

/// Bounds of a comparison.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// Growth of the 95th percentile, in percent.
    pub p95_percent: f64,
    /// Growth of the error rate, in percentage points.
    pub error_points: f64,
    /// Change of the achieved rate, in percent.
    pub rate_percent: f64,
}

/// One run of a comparison
#[derive(Debug, Clone, Object)]
pub struct RunFigures {
    /// The run
    pub run_id: String,
    /// Its campaign
    pub campaign_id: String,
    /// Where it stands
    pub state: String,
    /// Requests
    pub total_requests: u64,
    /// In percent
    pub success_rate: f64,
    /// In percent
    pub error_rate: f64,
    /// Over its active time
    pub requests_per_minute: f64,
    /// Mean in milliseconds
    pub average_response_time: f64,
    /// Distribution of times
    pub response_times: TimesView,
    /// Whether its figures tell of the generator too, as in its stats
    pub generator_limited: bool,
    /// Its thresholds
    pub thresholds: Vec<ThresholdView>,
}

/// One figure of both runs
#[derive(Debug, Clone, Object)]
pub struct Difference {
    /// Its name
    pub metric: String,
    /// Of run `a`
    pub a: f64,
    /// Of run `b`
    pub b: f64,
    /// b - a
    pub change: f64,
    /// In percent of a; null when a is 0
    pub change_percent: Option<f64>,
    /// The bound, for figures that have one
    pub threshold: Option<f64>,
    /// Whether the bound is kept
    pub within: bool,
}

/// Two runs side by side
#[derive(Debug, Clone, Object)]
pub struct Comparison {
    /// The run that is compared with
    pub a: RunFigures,
    /// The run that is judged
    pub b: RunFigures,
    /// All figures
    pub differences: Vec<Difference>,
    /// Whether all bounds are kept
    pub within_thresholds: bool,
}

/// Compares run `b` with run `a`.
///
/// # Errors
/// 404.
pub fn compare(store: &Store, registry: &Registry, a: &str, b: &str, thresholds: Thresholds) -> Outcome<Comparison> {
    let (a, b) = (figures(store, registry, "a", a)?, figures(store, registry, "b", b)?);
    let at = |run: &RunFigures, pick: fn(&Percentiles) -> f64| pick(&run.response_times.response);
    let plain = |metric: &str, a: f64, b: f64| difference(metric, a, b, None, true);
    let p95 = (at(&a, |times| times.p95), at(&b, |times| times.p95));
    let grown = round3(100.0 * ratio(p95.1 - p95.0, p95.0));
    let rate = (a.requests_per_minute, b.requests_per_minute);
    let moved = round3(100.0 * ratio((rate.1 - rate.0).abs(), rate.0));
    let errors = (a.error_rate, b.error_rate);
    let differences = vec![
        plain("total_requests", float(a.total_requests), float(b.total_requests)),
        difference(
            "requests_per_minute",
            rate.0,
            rate.1,
            Some(thresholds.rate_percent),
            moved <= thresholds.rate_percent,
        ),
        difference(
            "error_rate",
            errors.0,
            errors.1,
            Some(thresholds.error_points),
            errors.1 - errors.0 <= thresholds.error_points,
        ),
        plain("average_response_time", a.average_response_time, b.average_response_time),
        plain("p50", at(&a, |times| times.p50), at(&b, |times| times.p50)),
        plain("p90", at(&a, |times| times.p90), at(&b, |times| times.p90)),
        difference("p95", p95.0, p95.1, Some(thresholds.p95_percent), grown <= thresholds.p95_percent),
        plain("p99", at(&a, |times| times.p99), at(&b, |times| times.p99)),
        plain("max", at(&a, |times| times.max), at(&b, |times| times.max)),
    ];
    let within_thresholds = differences.iter().all(|difference| difference.within);
    Ok(Comparison { a, b, differences, within_thresholds })
}

fn figures(store: &Store, registry: &Registry, name: &str, job: &str) -> Outcome<RunFigures> {
    let run = if job.len() <= 64 { RUNS.get(store, &job.to_owned())? } else { None };
    let Some(run) = run else {
        let shown: String = job.chars().take(64).collect();
        let fault = Fault::not_found(format!("Run `{}` not found", shown.escape_default()));
        return Err(Fault { details: vec![FieldFault::new(name, "names no run")], ..fault });
    };
    let runs: [Run; 1] = [run];
    let (figures, times) = (Figures::of(store, &runs)?, Times::of(store, &runs)?);
    let thresholds = verdicts::of_latest(store, &runs)?;
    let limits = workers::all_limits(figures.limits(&times), &workers::of(store, registry, &runs)?);
    let [run] = runs;
    let error_rate = round3(100.0 * ratio(float(figures.counters.failed), float(figures.counters.sent)));
    Ok(RunFigures {
        campaign_id: run.campaign,
        state: run.state.as_str().to_owned(),
        run_id: run.job,
        total_requests: figures.counters.sent,
        success_rate: figures.success_rate(),
        error_rate,
        requests_per_minute: figures.per_minute(),
        average_response_time: figures.mean_ms(),
        response_times: (&times).into(),
        generator_limited: !limits.is_empty(),
        thresholds,
    })
}

fn difference(metric: &str, a: f64, b: f64, threshold: Option<f64>, within: bool) -> Difference {
    Difference {
        metric: metric.to_owned(),
        a,
        b,
        change: round3(b - a),
        change_percent: (a.abs() > 0.0).then(|| round3(100.0 * (b - a) / a)),
        threshold,
        within,
    }
}
