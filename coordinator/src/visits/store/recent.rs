//! Real visits of the last 168 hours by the second they happened in, with sums by minute and hour, so that a question
//! adds up a few hundred numbers at any number of visits. One thread writes; reading takes no lock.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// The longest question needs 169 hours; one more lets the writer clear the next hour while it is read.
const HOURS: i64 = 170;
const HOUR: i64 = 3600;
const MINUTE: i64 = 60;
/// No hour was begun yet.
const NEVER: i64 = i64::MIN;

/// The counters. Those of an hour are cleared when it begins.
#[derive(Debug)]
pub(crate) struct Recent {
    seconds: Box<[AtomicU64]>,
    minutes: Box<[AtomicU64]>,
    hours: Box<[AtomicU64]>,
    /// The hour that began last.
    head: AtomicI64,
}

impl Default for Recent {
    fn default() -> Self {
        let ring = |seconds: i64| (0..HOURS * HOUR / seconds).map(|_| AtomicU64::new(0)).collect();
        Self { seconds: ring(1), minutes: ring(MINUTE), hours: ring(HOUR), head: AtomicI64::new(NEVER) }
    }
}

impl Recent {
    /// Counts `number` visits of the second `time_s` that were received in `received_s`. Seconds to come count as the
    /// present one; those too long ago do not count. Called by one thread at a time.
    pub(crate) fn add(&self, received_s: i64, time_s: i64, number: u64) {
        self.advance(received_s.div_euclid(HOUR));
        let second = time_s.min(received_s);
        let head = self.head.load(Ordering::Relaxed);
        if second.div_euclid(HOUR) <= head - HOURS || second.div_euclid(HOUR) > head {
            return;
        }
        for (ring, unit) in [(&self.seconds, 1), (&self.minutes, MINUTE), (&self.hours, HOUR)] {
            if let Some(count) = slot(ring, second.div_euclid(unit)) {
                count.fetch_add(number, Ordering::Relaxed);
            }
        }
    }

    /// Visits of the seconds from `from_s` to `until_s`, both counted.
    pub(crate) fn sum(&self, from_s: i64, until_s: i64) -> u64 {
        let head = self.head.load(Ordering::Acquire);
        if head == NEVER {
            return 0;
        }
        let mut at = from_s.max((head - HOURS + 2) * HOUR);
        let end = until_s.saturating_add(1).min((head + 1) * HOUR);
        let mut sum = 0;
        while at < end {
            let (ring, unit) = if at % HOUR == 0 && at + HOUR <= end {
                (&self.hours, HOUR)
            } else if at % MINUTE == 0 && at + MINUTE <= end {
                (&self.minutes, MINUTE)
            } else {
                (&self.seconds, 1)
            };
            sum += slot(ring, at.div_euclid(unit)).map_or(0, |count| count.load(Ordering::Relaxed));
            at += unit;
        }
        sum
    }

    /// The seconds that have visits, ascending, with their number.
    pub(crate) fn seconds(&self) -> impl Iterator<Item = (i64, u64)> {
        let head = self.head.load(Ordering::Relaxed);
        let hours = if head == NEVER { 0..0 } else { head - HOURS + 1..head + 1 };
        let counted = |hour: &i64| slot(&self.hours, *hour).is_some_and(|count| count.load(Ordering::Relaxed) > 0);
        hours.filter(move |hour| counted(hour)).flat_map(|hour| hour * HOUR..(hour + 1) * HOUR).filter_map(|second| {
            let number = slot(&self.seconds, second)?.load(Ordering::Relaxed);
            (number > 0).then_some((second, number))
        })
    }

    /// The last second of the hour that began last; nothing before the first visit.
    pub(crate) fn reaches(&self) -> Option<i64> {
        let head = self.head.load(Ordering::Relaxed);
        (head != NEVER).then(|| (head + 1) * HOUR - 1)
    }

    /// Begins every hour up to this one.
    fn advance(&self, hour: i64) {
        let head = self.head.load(Ordering::Relaxed);
        // A clock that was set back by more than a week would leave nothing to count in.
        let reset = head == NEVER || hour <= head - HOURS;
        if hour <= head && !reset {
            return;
        }
        let first = if reset { hour - HOURS + 1 } else { (head + 1).max(hour - HOURS + 1) };
        for hour in first..=hour {
            for (ring, unit) in [(&self.seconds, 1), (&self.minutes, MINUTE), (&self.hours, HOUR)] {
                let per_hour = HOUR / unit;
                let slots = (hour * per_hour..(hour + 1) * per_hour).filter_map(|at| slot(ring, at));
                slots.for_each(|count| count.store(0, Ordering::Relaxed));
            }
        }
        self.head.store(hour, Ordering::Release);
    }
}

fn slot(ring: &[AtomicU64], at: i64) -> Option<&AtomicU64> {
    let length = i64::try_from(ring.len()).ok()?;
    ring.get(usize::try_from(at.rem_euclid(length)).ok()?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    const START: i64 = 490_000 * HOUR;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]
        #[test]
        fn sums_are_those_of_a_map(
            steps in prop::collection::vec((0..20_000_i64, -700_000..100_i64, 1..5_u64), 1..60),
            questions in prop::collection::vec((0..604_801_i64, 0..4000_i64), 1..20),
        ) {
            let (recent, mut model, mut now) = (Recent::default(), BTreeMap::new(), START);
            for (step, ago, number) in steps {
                now += step;
                recent.add(now, now + ago, number);
                *model.entry((now + ago).min(now)).or_insert(0) += number;
            }
            for (span, later) in questions {
                let (from, until) = (now + later - span, now + later);
                let expected: u64 = model.range(from..=until).map(|(_, number)| number).sum();
                prop_assert_eq!(recent.sum(from, until), expected, "{} s", span);
            }
            let copy = Recent::default();
            recent.seconds().for_each(|(second, number)| copy.add(now, second, number));
            prop_assert_eq!(copy.sum(now - 604_800, now), recent.sum(now - 604_800, now));
            prop_assert!(copy.seconds().eq(recent.seconds()));
        }
    }

    #[test]
    fn a_clock_set_back_far_begins_anew_and_one_set_back_a_little_goes_on() {
        let recent = Recent::default();
        recent.add(START, START, 3);
        recent.add(START - 2 * HOUR, START - 2 * HOUR, 1);
        assert_eq!(recent.sum(START - 3 * HOUR, START), 4);
        recent.add(START - 400 * HOUR, START - 400 * HOUR, 7);
        assert_eq!(recent.sum(START - 401 * HOUR, START - 400 * HOUR), 7);
        assert_eq!(recent.sum(START - HOUR, START), 0);
    }
}
