//! Figures of times, and numbers cut to a few places as the expected values are.

use super::{Figures, Times};
use crate::packet::window::{nearest_rank, ranked};

/// `value` to so many decimal places, halves to the even neighbour, by its exact binary value.
pub(super) fn places(value: f64, places: usize) -> f64 {
    format!("{value:.places$}").parse().unwrap_or(value)
}

/// Figures of times, which are put in another order on the way.
pub(super) fn figures(times: &mut [i64]) -> Figures {
    let count = u64::try_from(times.len()).unwrap_or(u64::MAX);
    let Some(&max_ns) = times.iter().max() else { return Figures::default() };
    let sum: i128 = times.iter().map(|&time| i128::from(time)).sum();
    let [p50_ns, p95_ns] = ranked(times, [50, 95].map(|percent| nearest_rank(count, percent)));
    Figures { count, times: Some(Times { mean_ns: mean(sum, count), p50_ns, p95_ns, max_ns }) }
}

/// The mean, to one place.
pub(super) fn mean(sum: i128, count: u64) -> f64 {
    let count = i128::from(count.max(1));
    // Whole part and rest apart, since a sum of nanoseconds may have more digits than a float.
    let (whole, rest) = (sum.div_euclid(count), sum.rem_euclid(count));
    places(float(whole) + float(rest) / float(count), 1)
}

#[allow(clippy::cast_precision_loss, reason = "nanoseconds beyond 2^53 are rounded, as is usual for means")]
fn float(value: i128) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp, reason = "test code; the rounded values are exact")]
    use super::*;

    #[test]
    fn figures_are_by_nearest_rank() {
        let mut times: Vec<i64> = (1..=20).rev().collect();
        let figures = figures(&mut times);
        let times = figures.times.unwrap();
        assert_eq!((figures.count, times.mean_ns, times.p50_ns, times.p95_ns, times.max_ns), (20, 10.5, 10, 19, 20));
    }

    #[test]
    fn times_may_be_negative() {
        let times = figures(&mut [-5, -3, 1]).times.unwrap();
        assert_eq!((times.mean_ns, times.p50_ns), (-2.3, -3));
    }

    #[test]
    fn halves_go_by_the_binary_value() {
        assert_eq!(places(0.25, 1), 0.2);
        assert_eq!(places(0.35, 1), 0.3, "0.35 is a little less than that");
        assert_eq!(places(2.675, 2), 2.67);
    }
}
