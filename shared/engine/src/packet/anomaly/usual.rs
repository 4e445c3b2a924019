//! What is usual for a metric, seen from one window.

use std::collections::VecDeque;

use trafficlab_shared::model::capture::anomaly::BaselineUsed;
use trafficlab_shared::model::capture::baseline::{Baselines, Figures};
use trafficlab_shared::model::capture::window::Window;

use crate::packet::baseline::{figures, rank, stored};
use crate::packet::measure::Metric;

/// Other windows by which a capture can judge one of its own; fewer say nothing about what is usual.
pub(super) const ENOUGH: usize = 8;
/// A median absolute deviation times this estimates the standard deviation of normal values (F. R. Hampel, 1974).
const NORMAL: f64 = 1.4826;
/// Percentile of a capture's own windows that a value has to exceed; what every tenth window does is not strange.
const UPPER: u64 = 90;

/// Figures of a metric and where they come from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Usual {
    pub(super) median: f64,
    mad: f64,
    /// What values have to exceed besides: of a stored baseline the 95th percentile, which the API shows; of the
    /// capture itself, which may hold several strange windows, the 90th.
    pub(super) upper: f64,
    windows: u64,
    source: &'static str,
}

impl Usual {
    /// A stored baseline's.
    pub(super) fn stored(baselines: &Baselines, metric: Metric) -> Option<Self> {
        stored(baselines, metric).map(|figures| Self::of(figures, figures.p95, "stored"))
    }

    fn of(figures: &Figures, upper: f64, source: &'static str) -> Self {
        let Figures { median, mad, windows, .. } = *figures;
        Self { median, mad, upper, windows, source }
    }

    /// So many robust deviations above, or below, the median.
    pub(super) fn away(&self, deviations: f64) -> f64 {
        self.median + deviations * NORMAL * self.mad
    }

    /// As it is told.
    pub(super) fn told(&self) -> BaselineUsed {
        BaselineUsed {
            source: self.source.to_owned(),
            median: Some(rounded(self.median)),
            mad: Some(rounded(self.mad)),
            windows: Some(self.windows),
        }
    }
}

/// To six places, which keeps the text of equal values equal.
pub(super) fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// The values of one metric in all windows of a capture, prepared to leave any one of them out.
///
/// The median without one value is one of at most three numbers, and the deviations from each need sorting once only,
/// so that all windows together cost O(n log n).
#[derive(Debug)]
pub(super) struct Series {
    values: Vec<Option<f64>>,
    sorted: Vec<f64>,
    /// Sorted distances from each of the medians that leaving one out can give.
    distances: Vec<(f64, Vec<f64>)>,
}

impl Series {
    pub(super) fn new(windows: &[Window], metric: Metric) -> Self {
        let values: Vec<Option<f64>> = windows.iter().map(|window| metric.of(window)).collect();
        let mut sorted: Vec<f64> = values.iter().copied().flatten().collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let half = sorted.len() / 2;
        let places = [Some(0), half.checked_sub(1), Some(half), sorted.len().checked_sub(1)];
        let mut distances: Vec<(f64, Vec<f64>)> = Vec::new();
        for place in places.into_iter().flatten().filter(|&place| place < sorted.len()) {
            let median = middle_without(&sorted, place);
            if distances.iter().all(|(known, _)| known.total_cmp(&median).is_ne()) {
                distances.push((median, sorted_distances(&sorted, median)));
            }
        }
        Self { values, sorted, distances }
    }

    /// What the other windows say.
    pub(super) fn without(&self, place: usize) -> Option<Usual> {
        let own = self.values.get(place).copied().flatten();
        let others = self.sorted.len() - usize::from(own.is_some());
        if others < ENOUGH {
            return None;
        }
        let Some(own) = own else {
            return figures(&self.sorted).map(|all| Usual::of(&all, rank(&self.sorted, UPPER), "capture"));
        };
        let rank = self.sorted.partition_point(|value| value.total_cmp(&own).is_lt());
        let median = middle_without(&self.sorted, rank);
        let mad = match self.distances.iter().find(|(known, _)| known.total_cmp(&median).is_eq()) {
            Some((_, distances)) => {
                let distance = (own - median).abs();
                middle_without(distances, distances.partition_point(|value| value.total_cmp(&distance).is_lt()))
            }
            // Values between the two in the middle of an even number: every median is among the known ones.
            None => 0.0,
        };
        let place = (others * 90).div_ceil(100).saturating_sub(1);
        let upper = self.sorted.get(place + usize::from(place >= rank)).copied().unwrap_or(median);
        let windows = u64::try_from(others).unwrap_or(u64::MAX);
        Some(Usual { median, mad, upper, windows, source: "capture" })
    }
}

fn sorted_distances(sorted: &[f64], from: f64) -> Vec<f64> {
    let mut distances: Vec<f64> = sorted.iter().map(|value| (value - from).abs()).collect();
    distances.sort_unstable_by(f64::total_cmp);
    distances
}

/// The median of sorted values without the one at a place.
fn middle_without(sorted: &[f64], place: usize) -> f64 {
    let others = sorted.len().saturating_sub(1);
    let at = |rank: usize| sorted.get(rank + usize::from(rank >= place)).copied().unwrap_or(0.0);
    let half = others / 2;
    if others % 2 == 1 { at(half) } else { f64::midpoint(at(half.saturating_sub(1)), at(half)) }
}

/// The latest values of one metric of a live capture.
#[derive(Debug, Default)]
pub(super) struct Trail {
    values: VecDeque<f64>,
}

impl Trail {
    /// Windows that are looked back at: an hour of windows of ten seconds.
    const MOST: usize = 360;

    /// What the windows before say.
    pub(super) fn usual(&self) -> Option<Usual> {
        if self.values.len() < ENOUGH {
            return None;
        }
        let mut values: Vec<f64> = self.values.iter().copied().collect();
        values.sort_unstable_by(f64::total_cmp);
        figures(&values).map(|all| Usual::of(&all, rank(&values, UPPER), "capture"))
    }

    /// Adds a window's value.
    pub(super) fn push(&mut self, value: Option<f64>) {
        if self.values.len() == Self::MOST {
            self.values.pop_front();
        }
        self.values.extend(value);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp, clippy::indexing_slicing, reason = "test code")]

    use super::*;

    fn windows(values: &[u64]) -> Vec<Window> {
        let window = |&packets: &u64| Window { packets, end_ns: 1_000_000_000, ..Window::default() };
        values.iter().map(window).collect()
    }

    #[test]
    fn leaving_one_out_is_the_same_as_computing_without_it() {
        for length in 9..40_u64 {
            let values: Vec<u64> = (0..length).map(|i| i * i * 7919 % 23).collect();
            let series = Series::new(&windows(&values), Metric::Pps);
            for place in 0..values.len() {
                let mut others: Vec<f64> = series.values.iter().copied().flatten().collect();
                others.remove(place);
                let usual = series.without(place).unwrap();
                let plain = figures(&others).unwrap();
                others.sort_unstable_by(f64::total_cmp);
                let upper = rank(&others, UPPER);
                assert_eq!(
                    (usual.median, usual.mad, usual.upper),
                    (plain.median, plain.mad, upper),
                    "{length} {place}"
                );
            }
        }
    }

    #[test]
    fn too_few_windows_say_nothing() {
        assert_eq!(Series::new(&windows(&[1; 8]), Metric::Pps).without(0), None);
        assert!(Series::new(&windows(&[1; 9]), Metric::Pps).without(0).is_some());
    }
}
