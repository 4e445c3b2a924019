//! A histogram that adds up exactly: sparse log-linear buckets.
//!
//! The layout is that of HdrHistogram (Gil Tene) at three significant digits with unit 1 µs:
//! 2 048 linear buckets, then 1 024 a power of two, so a value is off by less than 1 part in 1 024.

use serde::{Deserialize, Serialize};

/// Counts of values in microseconds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Histogram {
    /// (bucket, count), ascending by bucket, no zero counts.
    #[serde(rename = "b", with = "steps")]
    buckets: Vec<(u32, u64)>,
    /// Number of values.
    #[serde(rename = "n")]
    count: u64,
    /// Sum of the exact values, for the mean.
    #[serde(rename = "s")]
    sum: u64,
    /// Largest exact value.
    #[serde(rename = "m")]
    max: u64,
    /// Smallest exact value.
    #[serde(rename = "l")]
    min: u64,
}

/// Buckets as `[step from the last bucket, count, …]`: two or three bytes each.
mod steps {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(buckets: &[(u32, u64)], to: S) -> Result<S::Ok, S::Error> {
        let mut last = 0;
        to.collect_seq(buckets.iter().flat_map(|&(bucket, count)| {
            let step = u64::from(bucket - last);
            last = bucket;
            [step, count]
        }))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<(u32, u64)>, D::Error> {
        let flat = Vec::<u64>::deserialize(from)?;
        let mut last = 0_u32;
        let mut buckets = Vec::with_capacity(flat.len() / 2);
        for pair in flat.chunks_exact(2) {
            let [step, count] = pair else { continue };
            last = last.saturating_add(u32::try_from(*step).unwrap_or(u32::MAX));
            buckets.push((last, *count));
        }
        Ok(buckets)
    }
}

const LINEAR_BITS: u32 = 11;

/// The bucket of a value in microseconds.
pub(super) fn bucket_of(value: u64) -> u32 {
    let bits = 64 - value.leading_zeros();
    let shift = bits.saturating_sub(LINEAR_BITS);
    let mantissa = u32::try_from(value >> shift).unwrap_or(u32::MAX);
    shift * 1024 + mantissa
}

/// The largest value that falls into the bucket.
fn top_of(bucket: u32) -> u64 {
    if bucket < 2048 {
        return u64::from(bucket);
    }
    let shift = bucket / 1024 - 1;
    let mantissa = u64::from(bucket - shift * 1024);
    (((mantissa + 1) << (shift.min(52))) - 1).max(mantissa)
}

impl Histogram {
    /// The histogram of these values in microseconds. Sorts `values` in place.
    #[must_use]
    pub fn of(values: &mut [u64]) -> Self {
        values.sort_unstable();
        let mut made = Self {
            count: u64::try_from(values.len()).unwrap_or(u64::MAX),
            sum: values.iter().fold(0, |sum, value| sum.saturating_add(*value)),
            max: values.last().copied().unwrap_or(0),
            min: values.first().copied().unwrap_or(0),
            buckets: Vec::new(),
        };
        for value in values.iter() {
            let bucket = bucket_of(*value);
            match made.buckets.last_mut() {
                Some((last, count)) if *last == bucket => *count += 1,
                _ => made.buckets.push((bucket, 1)),
            }
        }
        made
    }

    /// Like `of`, with values first cut to their seven leading bits: at most 64 buckets a power of
    /// two, each value off by less than 1 part in 64. Small enough to keep one for every second.
    #[must_use]
    pub fn coarse(values: &mut [u64]) -> Self {
        let exact = Self { buckets: Vec::new(), ..Self::of(values) };
        for value in values.iter_mut() {
            let shift = (64 - value.leading_zeros()).saturating_sub(7);
            *value = (*value >> shift) << shift;
        }
        Self { buckets: Self::of(values).buckets, ..exact }
    }

    /// Puts together what a recorder counted: `buckets` ascending without zero counts, the rest exact.
    pub(super) const fn of_buckets(buckets: Vec<(u32, u64)>, count: u64, sum: u64, min: u64, max: u64) -> Self {
        Self { buckets, count, sum, max, min }
    }

    /// A copy with values cut to their seven leading bits, as `coarse` makes it.
    #[must_use]
    pub fn coarsened(&self) -> Self {
        let mut buckets: Vec<(u32, u64)> = Vec::with_capacity(self.buckets.len() / 4);
        for &(bucket, count) in &self.buckets {
            let low = if bucket < 2048 { u64::from(bucket) } else { top_of(bucket - 1) + 1 };
            let shift = (64 - low.leading_zeros()).saturating_sub(7);
            let coarser = bucket_of((low >> shift) << shift);
            match buckets.last_mut() {
                Some((last, sum)) if *last == coarser => *sum += count,
                _ => buckets.push((coarser, count)),
            }
        }
        Self { buckets, ..*self }
    }

    /// Adds all values of `other`.
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        self.min = if self.count == 0 { other.min } else { self.min.min(other.min) };
        self.max = self.max.max(other.max);
        self.count += other.count;
        self.sum = self.sum.saturating_add(other.sum);
        for &(bucket, count) in &other.buckets {
            match self.buckets.binary_search_by_key(&bucket, |entry| entry.0) {
                Ok(at) => {
                    if let Some(entry) = self.buckets.get_mut(at) {
                        entry.1 += count;
                    }
                }
                Err(at) => self.buckets.insert(at, (bucket, count)),
            }
        }
    }

    /// Halves the resolution above 1 024 µs until at most `most` buckets are left; each halving
    /// doubles the error bound. Does nothing to a histogram that is small enough.
    pub fn thin(&mut self, most: usize) {
        let mut dropped = 1;
        while self.buckets.len() > most && dropped < LINEAR_BITS {
            let mut thinned: Vec<(u32, u64)> = Vec::with_capacity(self.buckets.len());
            for &(bucket, count) in &self.buckets {
                let coarser = if bucket < 1024 { bucket } else { bucket >> dropped << dropped };
                match thinned.last_mut() {
                    Some((last, sum)) if *last == coarser => *sum += count,
                    _ => thinned.push((coarser, count)),
                }
            }
            self.buckets = thinned;
            dropped += 1;
        }
    }

    /// Number of values.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Largest value in microseconds, exact.
    #[must_use]
    pub const fn max(&self) -> u64 {
        self.max
    }

    /// Smallest value in microseconds, exact; 0 without values.
    #[must_use]
    pub const fn min(&self) -> u64 {
        self.min
    }

    /// Sum of all values in microseconds, exact below 2^64.
    #[must_use]
    pub const fn sum(&self) -> u64 {
        self.sum
    }

    /// Largest value of each bucket that holds any, with their count, ascending.
    pub fn steps(&self) -> impl Iterator<Item = (u64, u64)> {
        self.buckets.iter().map(|&(bucket, count)| (top_of(bucket), count))
    }

    /// Mean in microseconds; 0 without values.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "a mean to be shown")]
    pub fn mean(&self) -> f64 {
        if self.count == 0 {
            return 0.0;
        }
        self.sum as f64 / self.count as f64
    }

    /// The value in microseconds at `per_million` (999 000 is p99.9) by nearest rank: the top of
    /// the bucket that holds it, at most the exact maximum. 0 without values.
    #[must_use]
    pub fn quantile(&self, per_million: u32) -> u64 {
        let rank = (u128::from(self.count) * u128::from(per_million)).div_ceil(1_000_000).max(1);
        let mut seen = 0_u128;
        for &(bucket, count) in &self.buckets {
            seen += u128::from(count);
            if seen >= rank {
                return top_of(bucket).clamp(self.min, self.max);
            }
        }
        self.max
    }
}

#[cfg(test)]
mod tests {
    use super::{Histogram, bucket_of, top_of};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn buckets_are_within_a_thousandth(value in 0_u64..1 << 45) {
            let top = top_of(bucket_of(value));
            prop_assert!(top >= value);
            prop_assert!(top - value <= value / 1024);
            prop_assert_eq!(bucket_of(top), bucket_of(value));
        }

        #[test]
        fn merging_equals_recording_together(
            mut left in prop::collection::vec(0_u64..10_000_000, 0..200),
            mut right in prop::collection::vec(0_u64..10_000_000, 0..200),
        ) {
            let mut all: Vec<u64> = left.iter().chain(&right).copied().collect();
            let mut merged = Histogram::of(&mut left);
            merged.merge(&Histogram::of(&mut right));
            prop_assert_eq!(merged, Histogram::of(&mut all));
        }

        #[test]
        fn coarsening_equals_recording_coarsely(mut values in prop::collection::vec(0_u64..1 << 40, 0..300)) {
            let whole = Histogram::of(&mut values);
            prop_assert_eq!(whole.coarsened(), Histogram::coarse(&mut values));
        }

        #[test]
        fn thinning_keeps_counts_and_bounds_the_size(
            mut values in prop::collection::vec(0_u64..30_000_000, 1..2000),
        ) {
            let whole = Histogram::of(&mut values);
            let mut thin = whole.clone();
            thin.thin(300);
            prop_assert_eq!(thin.count(), whole.count());
            prop_assert!(thin.buckets.len() <= 300 || thin.buckets.iter().all(|(bucket, _)| *bucket < 1024));
            let counted: u64 = thin.buckets.iter().map(|(_, count)| count).sum();
            prop_assert_eq!(counted, whole.count());
        }

        #[test]
        fn quantiles_are_by_nearest_rank(
            mut values in prop::collection::vec(0_u64..10_000_000, 1..300),
            per_million in 0_u32..=1_000_000,
        ) {
            let histogram = Histogram::of(&mut values);
            let rank = (values.len() as u64 * u64::from(per_million)).div_ceil(1_000_000).max(1);
            let exact = values[usize::try_from(rank).unwrap() - 1];
            let told = histogram.quantile(per_million);
            prop_assert!(told >= exact && told - exact <= exact / 1024);
        }
    }
}
