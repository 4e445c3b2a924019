//! Figures of runs, added up from their counters and histograms; no entry is looked at.

use trafficlab_engine::traffic::counters::Counters;
use trafficlab_engine::traffic::judge;

use crate::measured;
pub use crate::measured::{Times, active_ns, shards};
use crate::store::Store;
use crate::store::runs::{Run, TOTALS};
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

    /// Why the figures tell of the generator too; empty when they do not.
    #[must_use]
    pub fn limits(&self, times: &Times) -> Vec<String> {
        let counts = (&self.counters).into();
        judge::generator_limits(&measured::observed(&counts, times, self.active_ns / 1_000_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::runs::{RunState, Shard, ShardState};
    use trafficlab_shared::protocol::report::{Cursor, Origin};

    #[test]
    fn figures_of_nothing_are_zeros() {
        let figures = Figures::default();
        assert!(!figures.has_data() && figures.limits(&Times::default()).is_empty());
        let all = [figures.success_rate(), figures.mean_ms(), figures.per_minute(), figures.minutes()];
        assert!(all.iter().all(|figure| figure.abs() < f64::EPSILON));
    }

    #[test]
    fn lost_arrivals_point_at_the_generator() {
        let mut figures = Figures::default();
        figures.counters.scheduled = 1000;
        figures.counters.missed = 10;
        figures.counters.sent = 990;
        assert!(figures.limits(&Times::default()).is_empty());
        figures.counters.dropped = 1;
        figures.counters.sent = 989;
        assert_eq!(figures.limits(&Times::default()).len(), 1);
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
        // Stopped while it was held, and started again with the origin of its first activation in the record.
        let later = |state| Shard { stored_ns: 3_600_000_000_000, ..shard(state) };
        assert_eq!(active_ns(&run, &[later(ShardState::Stopped)]), 7_000_000_000);
        let mut resumed = super::super::tests::run("job", 60_000);
        resumed.desired.activation = 2;
        assert_eq!(active_ns(&resumed, &[later(ShardState::Running)]), 7_000_000_000);
        assert_eq!(measured::told_ns(&resumed, &[later(ShardState::Running)]), 7_000_000_000);
    }

    #[test]
    fn a_rate_is_that_of_the_time_which_results_tell_of() {
        let mut run = super::super::tests::run("job", 60_000);
        let origin = Some(Origin { activation: 1, active_ns: 0, wall_ns: 100 });
        let told = |ms: u64| Shard {
            state: ShardState::Running,
            origin,
            next: Cursor { slot: u32::try_from(ms / 1000).unwrap_or(0), k: 0 },
            stored_ns: 100 + ms * 1_000_000,
            ..Shard::default()
        };
        let of = |run: &Run, shards: &[Shard]| measured::told_ns(run, shards) / 1_000_000;
        // Long after the last results, as after a coordinator's restart, and with a shard that nobody has taken yet.
        assert_eq!(of(&run, &[told(5000), told(4000), Shard::default()]), 4500);
        assert_eq!(of(&run, &[told(9000), told(1000)]), 6000, "what a silent shard does not send is missing");
        assert_eq!(of(&run, &[told(90_000)]), 60_000);
        let held = Shard { state: ShardState::Paused, next: Cursor { slot: 7, k: 0 }, ..told(8000) };
        assert_eq!((of(&run, &[held]), of(&run, &[])), (7000, 0));
        run.state = RunState::Completed;
        assert_eq!(of(&run, &[told(1)]), 60_000);
    }
}
