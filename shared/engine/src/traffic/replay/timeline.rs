//! Moments on the axis of a run's active time, found by binary search.

use std::sync::Arc;

use super::ONCE;

const SECOND_NS: u64 = 1_000_000_000;

/// Moments in nanoseconds of active time at the wanted speed. Clones share them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timeline {
    due: Arc<[u64]>,
    /// When they begin again; they do not without one.
    period: Option<u64>,
}

impl Timeline {
    /// Lays ascending offsets in microseconds out at `speed_ppm` millionths of the recorded speed.
    /// When they repeat, the next first moment follows the last one at their mean distance; moments
    /// that are all the same come once a second.
    #[must_use]
    pub fn new(offsets_us: &[u64], speed_ppm: u64, repeat: bool) -> Self {
        let speed = u128::from(speed_ppm.max(1));
        let at = |us: &u64| u64::try_from(u128::from(*us) * 1000 * u128::from(ONCE) / speed).unwrap_or(u64::MAX);
        let due: Arc<[u64]> = offsets_us.iter().map(at).collect();
        let gaps = u64::try_from(due.len()).unwrap_or(u64::MAX).saturating_sub(1).max(1);
        let period = match due.last() {
            None | Some(0) => SECOND_NS,
            Some(span) => span.saturating_add((span / gaps).max(1)),
        };
        Self { due, period: repeat.then_some(period) }
    }

    /// How many moments there are, each counted once.
    #[must_use]
    pub fn len(&self) -> usize {
        self.due.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.due.is_empty()
    }

    /// The active time in nanoseconds just after the last moment; `None` when they repeat.
    #[must_use]
    pub fn length_ns(&self) -> Option<u64> {
        let last = self.due.last().map_or(0, |last| last.saturating_add(1));
        self.period.is_none().then_some(last)
    }

    /// The most moments within any one second.
    #[must_use]
    pub fn peak_per_second(&self) -> u64 {
        let count = count64(self.due.len());
        if let Some(period) = self.period.filter(|period| *period < SECOND_NS) {
            return count.saturating_mul(SECOND_NS / period + 1);
        }
        // Windows that reach over the end see the first second once more.
        let again = self.due.iter().take_while(|at| self.period.is_some() && **at < SECOND_NS);
        let again = again.map(|at| at.saturating_add(self.period.unwrap_or(0)));
        let mut begin = self.due.iter();
        let (mut within, mut peak) = (0_u64, 0);
        let mut oldest = begin.next();
        for at in self.due.iter().copied().chain(again) {
            within += 1;
            while oldest.is_some_and(|first| at - first >= SECOND_NS) {
                within -= 1;
                oldest = begin.next();
            }
            peak = peak.max(within);
        }
        peak
    }

    /// How many moments lie before `at`.
    pub(crate) fn before(&self, at: u64) -> u128 {
        let (cycle, rest) = self.period.map_or((0, at), |period| (at / period, at % period));
        let count = count64(self.due.len());
        let within = count64(self.due.partition_point(|due| *due < rest));
        u128::from(cycle) * u128::from(count) + u128::from(within)
    }

    /// Appends the moments from `from` to before `to` whose number belongs to `shard` of `shards`.
    pub(crate) fn moments(&self, from: u64, to: u64, shard: u32, shards: u32, out: &mut Vec<u64>) {
        let (first, last) = self.period.map_or((0, 0), |period| (from / period, to / period));
        let shards = u128::from(shards.max(1));
        for cycle in first..=last {
            let base = cycle * self.period.unwrap_or(0);
            let begin = self.due.partition_point(|due| base.saturating_add(*due) < from);
            let end = self.due.partition_point(|due| base.saturating_add(*due) < to);
            let number = u128::from(cycle) * u128::from(count64(self.due.len())) + u128::from(count64(begin));
            let skip = (u128::from(shard) + shards - number % shards) % shards;
            let (skip, step) = (usize::try_from(skip), usize::try_from(shards));
            let (Ok(skip), Ok(step), Some(due)) = (skip, step, self.due.get(begin..end)) else {
                continue;
            };
            out.extend(due.iter().skip(skip).step_by(step).map(|due| base + due));
        }
    }
}

fn count64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
