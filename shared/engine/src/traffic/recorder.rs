//! Counting times as they happen: one addition a value, in the buckets of the histogram.

use super::cast;
use super::histogram::{Histogram, bucket_of};

/// Values from here on are counted as this one: 2^40 µs are 12 days.
const LONGEST_US: u64 = (1 << 40) - 1;

/// Gathers values in microseconds for one [`Histogram`] after another; its memory is used again.
#[derive(Debug, Clone)]
pub struct Recorder {
    /// Counts by bucket; grows to the longest value seen and stays.
    counts: Vec<u32>,
    /// What did not fit into 32 bits, by bucket; empty in practice.
    carried: Vec<(u32, u64)>,
    count: u64,
    sum: u64,
    min: u64,
    max: u64,
}

impl Default for Recorder {
    fn default() -> Self {
        Self { counts: Vec::new(), carried: Vec::new(), count: 0, sum: 0, min: u64::MAX, max: 0 }
    }
}

impl Recorder {
    /// Counts one value in microseconds.
    pub fn record(&mut self, value: u64) {
        let value = value.min(LONGEST_US);
        let bucket = bucket_of(value);
        let at = cast::index(bucket);
        if at >= self.counts.len() {
            self.counts.resize((at + 1).next_multiple_of(1024), 0);
        }
        if let Some(count) = self.counts.get_mut(at) {
            *count = count.wrapping_add(1);
            if *count == 0 {
                self.carried.push((bucket, 1 << 32));
            }
        }
        self.count += 1;
        self.sum = self.sum.saturating_add(value);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// Number of values since the last `take`.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The histogram of everything since the last call; the recorder is empty afterwards.
    pub fn take(&mut self) -> Histogram {
        if self.count == 0 {
            return Histogram::default();
        }
        let first = cast::index(bucket_of(self.min));
        let last = cast::index(bucket_of(self.max));
        let mut buckets = Vec::new();
        for (bucket, count) in (0_u32..).zip(self.counts.iter_mut()).skip(first).take(last - first + 1) {
            let carried = self.carried.iter().filter(|carry| carry.0 == bucket).map(|carry| carry.1);
            let total = u64::from(std::mem::take(count)) + carried.sum::<u64>();
            if total > 0 {
                buckets.push((bucket, total));
            }
        }
        let taken = Histogram::of_buckets(buckets, self.count, self.sum, self.min, self.max);
        self.carried.clear();
        (self.count, self.sum, self.min, self.max) = (0, 0, u64::MAX, 0);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn recording_equals_sorting(
            mut first in prop::collection::vec(0_u64..1 << 33, 0..300),
            mut second in prop::collection::vec(0_u64..5_000, 0..300),
        ) {
            let mut recorder = Recorder::default();
            for values in [&mut first, &mut second] {
                values.iter().for_each(|value| recorder.record(*value));
                prop_assert_eq!(recorder.count(), values.len() as u64);
                prop_assert_eq!(recorder.take(), Histogram::of(values));
            }
            prop_assert_eq!(recorder.take(), Histogram::default());
        }
    }

    #[test]
    fn absurd_values_do_not_take_absurd_memory() {
        let mut recorder = Recorder::default();
        recorder.record(u64::MAX);
        assert_eq!(recorder.take().max(), LONGEST_US);
        assert!(recorder.counts.len() < 40_000);
    }
}
