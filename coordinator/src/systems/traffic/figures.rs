//! Figures of runs, added up from their counters and histograms; no entry is looked at.

use trafficlab_engine::traffic::counters::Counters;
use trafficlab_engine::traffic::histogram::Histogram;
use trafficlab_shared::clock;

use crate::store::Store;
use crate::store::runs::{HISTOGRAMS, Run, RunState, SHARDS, Shard, ShardState, TOTALS, Timing};
use crate::systems::Outcome;
use crate::systems::time::{float, ms, ratio, round3};

/// Figures of one or several runs.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    /// Exact counters.
    pub counters: Counters,
    /// Stored entries.
    pub entries: u64,
    /// When the last result was stored.
    pub updated_ns: u64,
    /// When the first run began.
    pub started_ns: Option<u64>,
    /// When the last run ended, once all have.
    pub ended_ns: Option<u64>,
    /// Active time of all runs.
    pub active_ns: u64,
}

/// The three times of requests.
#[derive(Debug, Clone, Default)]
pub struct Times {
    /// From the intended moment to the end.
    pub response: Histogram,
    /// From the real send to the end.
    pub service: Histogram,
    /// From the intended moment to the real send.
    pub lag: Histogram,
}

impl Figures {
    /// The sum over `runs`.
    ///
    /// # Errors
    /// When the store fails.
    pub fn of(store: &Store, runs: &[Run]) -> Outcome<Self> {
        let mut sum = Self::default();
        for run in runs {
            if let Some(totals) = TOTALS.get(store, &run.job)? {
                sum.counters.merge(&totals.counters);
                sum.entries += totals.entries;
                sum.updated_ns = sum.updated_ns.max(totals.updated_ns);
            }
            sum.started_ns = [sum.started_ns, run.started_ns].into_iter().flatten().min();
            sum.ended_ns = sum.ended_ns.max(run.ended_ns);
            sum.active_ns += active_ns(run, &shards(store, run)?);
        }
        if runs.iter().any(|run| !run.state.is_over()) {
            sum.ended_ns = None;
        }
        Ok(sum)
    }

    /// Whether anything was generated.
    #[must_use]
    pub const fn has_data(&self) -> bool {
        self.counters.sent > 0
    }

    /// Successes in percent.
    #[must_use]
    pub fn success_rate(&self) -> f64 {
        round3(100.0 * ratio(float(self.counters.succeeded), float(self.counters.sent)))
    }

    /// Mean response time in milliseconds.
    #[must_use]
    pub fn mean_ms(&self) -> f64 {
        round3(ratio(ms(self.counters.response_us), float(self.counters.sent)))
    }

    /// Minutes of active time.
    #[must_use]
    pub fn minutes(&self) -> f64 {
        float(self.active_ns) / 60e9
    }

    /// Requests per minute of active time.
    #[must_use]
    pub fn per_minute(&self) -> f64 {
        round3(ratio(float(self.counters.sent), self.minutes()))
    }

    /// More than one arrival in a hundred was late, dropped or missed: the figures tell of the generator too.
    #[must_use]
    pub const fn generator_limited(&self) -> bool {
        let counters = &self.counters;
        (counters.late + counters.dropped + counters.missed) * 100 > counters.scheduled
    }
}

impl Times {
    /// The histograms of `runs` together.
    ///
    /// # Errors
    /// When the store fails.
    pub fn of(store: &Store, runs: &[Run]) -> Outcome<Self> {
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

/// All shards of a run by their numbers; those nobody started are waiting.
///
/// # Errors
/// When the store fails.
pub fn shards(store: &Store, run: &Run) -> Outcome<Vec<Shard>> {
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
    let of_shard = |shard: &Shard| {
        let slots = u64::from(shard.next.slot) * 1_000_000_000;
        let until = match shard.state {
            ShardState::Running if !run.state.is_over() => now,
            ShardState::Running | ShardState::Stopped | ShardState::Failed => shard.stored_ns,
            _ => return slots,
        };
        let begun = shard.origin.map(|origin| origin.active_ns + until.saturating_sub(origin.wall_ns));
        begun.unwrap_or(slots)
    };
    shards.iter().map(of_shard).max().unwrap_or(0).min(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use trafficlab_shared::protocol::report::{Cursor, Origin};

    #[test]
    fn figures_of_nothing_are_zeros() {
        let figures = Figures::default();
        assert!(!figures.has_data() && !figures.generator_limited());
        let all = [figures.success_rate(), figures.mean_ms(), figures.per_minute(), figures.minutes()];
        assert!(all.iter().all(|figure| figure.abs() < f64::EPSILON));
    }

    #[test]
    fn lost_arrivals_point_at_the_generator() {
        let mut figures = Figures::default();
        figures.counters.scheduled = 1000;
        figures.counters.missed = 10;
        assert!(!figures.generator_limited());
        figures.counters.dropped = 1;
        assert!(figures.generator_limited());
    }

    #[test]
    fn pauses_do_not_count_as_active_time() {
        let run = super::super::tests::run("job", 60_000);
        let shard = |state| Shard {
            state,
            next: Cursor { slot: 7, k: 0 },
            origin: Some(Origin { activation: 1, active_ns: 5_000_000_000, wall_ns: 100 }),
            stored_ns: 3_000_000_100,
            ..Shard::default()
        };
        assert_eq!(active_ns(&run, &[shard(ShardState::Paused)]), 7_000_000_000);
        assert_eq!(active_ns(&run, &[shard(ShardState::Stopped)]), 8_000_000_000);
        assert_eq!(active_ns(&run, &[Shard::default()]), 0);
        assert_eq!(active_ns(&run, &[shard(ShardState::Running)]), 60_000_000_000);
    }
}
