//! What became of a run's thresholds, as callers see it.

use poem_openapi::Object;
use serde::Serialize;

use crate::measured;
use crate::store::Store;
use crate::store::runs::Run;
use crate::store::thresholds::Crossing;
use crate::systems::Outcome;
use crate::systems::time::{ms, round3};

/// One threshold of a run
#[derive(Debug, Clone, PartialEq, Serialize, Object)]
pub struct ThresholdView {
    /// What must hold, such as `p99<50ms`
    pub threshold: String,
    /// The figure in milliseconds, percent, requests a second or as a count: that of the whole run, or that at which it
    /// was crossed; null before anything was measured
    pub value: Option<f64>,
    /// Whether it holds; null before anything was measured
    pub passed: Option<bool>,
    /// Active seconds after which it was found crossed; only those with `abort_on` or a `window` are judged on the way
    pub crossed_after_seconds: Option<f64>,
}

/// The thresholds of the last of `runs`; empty when it has none.
///
/// # Errors
/// When the store fails.
pub fn of_latest(store: &Store, runs: &[Run]) -> Outcome<Vec<ThresholdView>> {
    let Some(run) = runs.last() else {
        return Ok(Vec::new());
    };
    let verdicts = measured::verdicts(store, run)?.into_iter();
    let view = |(verdict, crossing): (trafficlab_engine::traffic::judge::Verdict, Option<Crossing>)| ThresholdView {
        threshold: verdict.text,
        value: verdict.value.map(round3),
        passed: verdict.holds,
        crossed_after_seconds: crossing.map(|crossing| ms(crossing.active_ms)),
    };
    Ok(verdicts.map(view).collect())
}
