//! Weighted choice in constant time, in whole numbers only.

use super::cast;

/// Weights are scaled so that they add up to 2^32: their error is below one in four thousand million.
const TOTAL: u64 = 1 << 32;

/// Vose's alias table (1991) over whole numbers; a choice takes one random word.
#[derive(Debug, Clone)]
pub(crate) struct Alias {
    columns: Box<[Column]>,
}

#[derive(Debug, Clone, Copy)]
struct Column {
    /// Below this the column's own number is chosen, above it `other`.
    keep: u64,
    other: u32,
}

impl Alias {
    /// None when no weight is above zero. Weights that are not finite count as 0.
    pub(crate) fn new(weights: &[f64]) -> Option<Self> {
        let clean = |weight: &f64| {
            if weight.is_finite() { weight.max(0.0) } else { 0.0 }
        };
        let sum: f64 = weights.iter().map(clean).sum();
        if sum <= 0.0 || !sum.is_finite() {
            return None;
        }
        let scaled: Vec<u64> = weights
            .iter()
            .map(|weight| cast::whole(clean(weight) / sum * cast::float(TOTAL)).max(u64::from(clean(weight) > 0.0)))
            .collect();
        Some(Self::build(&scaled))
    }

    fn build(weights: &[u64]) -> Self {
        let total: u64 = weights.iter().sum();
        let count = u64::from(cast::length(weights.len()));
        // Each column holds `total`; each weight is spread over `count` columns.
        let mut rest: Vec<u64> = weights.iter().map(|weight| weight * count).collect();
        let mut columns: Vec<Column> =
            (0..cast::length(weights.len())).map(|other| Column { keep: total, other }).collect();
        let (mut small, mut large): (Vec<usize>, Vec<usize>) =
            (0..rest.len()).partition(|&column| rest.get(column).is_some_and(|have| *have < total));
        while let (Some(poor), Some(&rich)) = (small.pop(), large.last()) {
            let have = rest.get(poor).copied().unwrap_or(0);
            if let Some(column) = columns.get_mut(poor) {
                *column = Column { keep: have, other: cast::length(rich) };
            }
            if let Some(left) = rest.get_mut(rich) {
                *left -= total - have;
                if *left < total {
                    large.pop();
                    small.push(rich);
                }
            }
        }
        // Thresholds become fractions of 2^32, so that a choice needs no division.
        for column in &mut columns {
            column.keep = cast::whole(cast::float(column.keep) / cast::float(total) * cast::float(TOTAL));
        }
        Self { columns: columns.into() }
    }

    /// The index that `word` chooses.
    pub(crate) fn pick(&self, word: u64) -> u32 {
        let count = u64::from(cast::length(self.columns.len()));
        let column = cast::low32(((word >> 32) * count) >> 32);
        match self.columns.get(cast::index(column)) {
            Some(found) if u64::from(cast::low32(word)) >= found.keep => found.other,
            _ => column,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use super::*;
    use crate::traffic::rng::{Domain, EntryKey, EntryRng};

    #[test]
    fn shares_follow_the_weights() {
        let weights = [5.0, 0.0, 1.0, 94.0];
        let alias = Alias::new(&weights).unwrap();
        let mut stream = EntryRng::new(EntryKey { seed: 1, shard: 0, slot: 0, k: 0 }, Domain::Visitor);
        let mut counts = [0.0f64; 4];
        for _ in 0..200_000 {
            counts[cast::index(alias.pick(stream.word()))] += 1.0;
        }
        assert!(counts[1] < 0.5);
        for (count, weight) in counts.iter().zip(weights) {
            let expected = weight * 2_000.0;
            // Five standard deviations of a binomial count.
            assert!((count - expected).abs() <= 5.0 * libm::sqrt(expected), "{counts:?}");
        }
    }

    #[test]
    fn nothing_to_choose_from() {
        assert!(Alias::new(&[]).is_none());
        assert!(Alias::new(&[0.0, -1.0, f64::NAN]).is_none());
    }

    #[test]
    fn a_single_choice() {
        let alias = Alias::new(&[3.0]).unwrap();
        assert_eq!([alias.pick(0), alias.pick(u64::MAX)], [0, 0]);
    }
}
