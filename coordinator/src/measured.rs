//! What was measured of runs, as readers, subscribers and the judge of thresholds see it.

use std::time::Duration;

use trafficlab_engine::traffic::histogram::Histogram;
use trafficlab_engine::traffic::judge::{self, Observed, Verdict};
use trafficlab_engine::traffic::schedule::SLOT_NS;
use trafficlab_shared::clock;
use trafficlab_shared::model::threshold::ThresholdRule;
use trafficlab_shared::protocol::report::Origin;

use crate::store::runs::{HISTOGRAMS, Run, RunState, SHARDS, Shard, ShardState, TOTALS, Timing};
use crate::store::thresholds::{Crossing, RULES, Rules};
use crate::store::workers::Counts;
use crate::store::{Store, StoreError};

/// The three times of requests.
#[derive(Debug, Clone, Default)]
pub struct Times {
    /// From the intended moment to the end.
    pub response: Histogram,
    /// From the real send to the end; empty in simulations.
    pub service: Histogram,
    /// From the intended moment to the real send; empty in simulations.
    pub lag: Histogram,
}

impl Times {
    /// The histograms of `runs` together.
    ///
    /// # Errors
    /// When the store fails.
    pub fn of(store: &Store, runs: &[Run]) -> Result<Self, StoreError> {
        let mut sum = Self::default();
        for run in runs {
            let kinds = [
                (Timing::Response, &mut sum.response),
                (Timing::Service, &mut sum.service),
                (Timing::Lag, &mut sum.lag),
            ];
            for (kind, into) in kinds {
                if let Some(histogram) = HISTOGRAMS.get(store, &(run.job.clone(), kind as u8))? {
                    into.merge(&histogram);
                }
            }
        }
        Ok(sum)
    }
}

/// Counts and times of the same arrivals.
#[derive(Debug, Clone, Default)]
pub struct Measured {
    /// Where they went.
    pub counts: Counts,
    /// How long they took.
    pub times: Times,
    /// Active time in milliseconds.
    pub active_ms: u64,
    /// Active time in milliseconds that the counts tell of: results arrive a little later than they come to be.
    pub told_ms: u64,
}

impl Measured {
    /// Everything that is committed of a run.
    ///
    /// # Errors
    /// When the store fails.
    pub fn of(store: &Store, run: &Run) -> Result<Self, StoreError> {
        let totals = TOTALS.get(store, &run.job)?.unwrap_or_default();
        let shards = shards(store, run)?;
        Ok(Self {
            counts: (&totals.counters).into(),
            times: Times::of(store, std::slice::from_ref(run))?,
            active_ms: active_ns(run, &shards) / 1_000_000,
            told_ms: told_ns(run, &shards) / 1_000_000,
        })
    }

    /// As the engine's judge takes it.
    #[must_use]
    pub fn observed(&self) -> Observed<'_> {
        observed(&self.counts, &self.times, self.told_ms)
    }
}

/// Counts and times as the engine's judge takes them; `told_ms` is the active time that they tell of.
#[must_use]
pub fn observed<'a>(counts: &Counts, times: &'a Times, told_ms: u64) -> Observed<'a> {
    Observed {
        response: &times.response,
        service: &times.service,
        lag: &times.lag,
        scheduled: counts.scheduled,
        sent: counts.sent,
        succeeded: counts.succeeded,
        failed: counts.failed,
        dropped: counts.dropped,
        missed: counts.missed,
        late: counts.late,
        seconds: Duration::from_millis(told_ms).as_secs_f64(),
    }
}

/// What became of each threshold of a run. One that was crossed while it was judged stays crossed, with the figure of
/// that moment; of the others the figures of the whole run decide.
///
/// # Errors
/// When the store fails.
pub fn verdicts(store: &Store, run: &Run) -> Result<Vec<(Verdict, Option<Crossing>)>, StoreError> {
    let Some(rules) = RULES.get(store, &run.job)? else {
        return Ok(Vec::new());
    };
    Ok(judged(&rules, &Measured::of(store, run)?.observed()))
}

/// `verdicts` for who has the figures of the run at hand.
///
/// # Errors
/// When the store fails.
pub fn verdicts_on(
    store: &Store,
    run: &Run,
    measured: &Measured,
) -> Result<Vec<(Verdict, Option<Crossing>)>, StoreError> {
    let rules = RULES.get(store, &run.job)?;
    Ok(rules.map_or_else(Vec::new, |rules| judged(&rules, &measured.observed())))
}

fn judged(rules: &Rules, seen: &Observed<'_>) -> Vec<(Verdict, Option<Crossing>)> {
    let judged = |(index, rule): (usize, &ThresholdRule)| {
        let crossing = rules.crossing(index).copied();
        let mut verdict = judge::verdict(&rule.threshold, seen);
        if let Some(crossing) = crossing {
            verdict.value = Some(crossing.value);
            verdict.holds = Some(false);
        }
        (verdict, crossing)
    };
    rules.rules.iter().enumerate().map(judged).collect()
}

/// All shards of a run by their numbers; those nobody started are waiting.
///
/// # Errors
/// When the store fails.
pub fn shards(store: &Store, run: &Run) -> Result<Vec<Shard>, StoreError> {
    let mut found = vec![Shard::default(); usize::try_from(run.shards).unwrap_or(0)];
    for row in SHARDS.scan_prefix(store, &run.job, false) {
        let ((_, number), shard) = row?;
        if let Some(place) = usize::try_from(number).ok().and_then(|number| found.get_mut(number)) {
            *place = shard;
        }
    }
    Ok(found)
}

/// Active time of a run so far: its slot clock, without pauses.
#[must_use]
pub fn active_ns(run: &Run, shards: &[Shard]) -> u64 {
    let length = run.desired.duration_ms.saturating_mul(1_000_000);
    if run.state == RunState::Completed {
        return length;
    }
    let now = clock::wall_ns();
    let of_shard = |shard: &Shard| match origin(run, shard) {
        Some(origin) if shard.state == ShardState::Running && !run.state.is_over() => active_at(origin, now),
        _ => reported_ns(run, shard),
    };
    shards.iter().map(of_shard).max().unwrap_or(0).min(length)
}

/// A shard that tells nothing for longer than this is behind the others, and does not only tell later than they do.
const TOLD_WITHIN_NS: u64 = 3_000_000_000;

/// Active time of which the committed results of a run tell: the mean of its shards that have begun.
#[must_use]
pub fn told_ns(run: &Run, shards: &[Shard]) -> u64 {
    let length = run.desired.duration_ms.saturating_mul(1_000_000);
    if run.state == RunState::Completed {
        return length;
    }
    let begun = shards.iter().filter(|shard| shard.state != ShardState::Waiting);
    let told: Vec<u64> = begun.map(|shard| reported_ns(run, shard).min(length)).collect();
    let most = told.iter().copied().max().unwrap_or(0);
    let count = u128::try_from(told.len()).unwrap_or(u128::MAX).max(1);
    let mean = told.iter().copied().map(u128::from).sum::<u128>() / count;
    u64::try_from(mean).unwrap_or(most).max(most.saturating_sub(TOLD_WITHIN_NS))
}

/// Active time of a shard as of its last record. Its cursor tells the second; the moment of the record tells more unless
/// the shard was held then, for active time stands still meanwhile.
fn reported_ns(run: &Run, shard: &Shard) -> u64 {
    let slots = u64::from(shard.next.slot) * SLOT_NS;
    let moving = matches!(shard.state, ShardState::Running | ShardState::Stopped | ShardState::Failed);
    let exact = origin(run, shard).filter(|_| moving).map(|origin| active_at(origin, shard.stored_ns));
    exact.filter(|exact| (slots..=slots + SLOT_NS).contains(exact)).unwrap_or(slots)
}

/// The origin of a shard in the activation in force; a shard that has just been started again still shows its last one.
fn origin(run: &Run, shard: &Shard) -> Option<Origin> {
    shard.origin.filter(|origin| origin.activation == run.desired.activation)
}

const fn active_at(origin: Origin, wall_ns: u64) -> u64 {
    origin.active_ns + wall_ns.saturating_sub(origin.wall_ns)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use super::*;
    use trafficlab_shared::model::threshold::Threshold;

    #[test]
    fn what_was_crossed_stays_crossed() {
        let rule = |text| ThresholdRule::of(Threshold::parse(text).unwrap());
        let mut rules = Rules::new(vec![rule("p99<50ms"), rule("p50<5ms"), rule("errors==0")]);
        rules.crossings.push(Crossing { rule: 0, value: 73.2, active_ms: 12_000 });
        let mut measured = Measured::default();
        measured.times.response = Histogram::of(&mut [10_000, 10_000]);
        let judged = judged(&rules, &measured.observed());
        let told: Vec<_> = judged.iter().map(|(verdict, _)| (verdict.value, verdict.holds)).collect();
        assert_eq!(told, [(Some(73.2), Some(false)), (Some(10.0), Some(false)), (None, None)]);
        assert!(judged[0].1.is_some() && judged[1].1.is_none());
    }
}
