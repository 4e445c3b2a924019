//! Baselines: what is usual, from many windows.

use std::collections::BTreeMap;

use trafficlab_shared::model::capture::baseline::{Baseline, BaselineKind, Baselines, Figures};
use trafficlab_shared::model::capture::window::Window;

use super::measure::{Metric, Share, float};
use super::window::nearest_rank;

/// Baselines of some kinds. A metric counts the windows that have it; a kind whose main metric no window has is absent.
#[must_use]
pub fn of<'a>(windows: impl Iterator<Item = &'a Window>, kinds: &[BaselineKind]) -> Baselines {
    let mut wanted: Vec<BaselineKind> = kinds.to_vec();
    wanted.sort_unstable();
    wanted.dedup();
    let mut values: BTreeMap<Metric, Vec<f64>> = BTreeMap::new();
    let metrics: Vec<Metric> = wanted.iter().flat_map(|&kind| metrics(kind)).collect();
    for window in windows {
        for &metric in &metrics {
            if let Some(value) = metric.of(window) {
                values.entry(metric).or_default().push(value);
            }
        }
    }
    let all = wanted.into_iter().filter_map(|kind| baseline(kind, &values)).collect();
    Baselines { all }
}

/// The main metric of a kind and its further ones.
fn metrics(kind: BaselineKind) -> Vec<Metric> {
    match kind {
        BaselineKind::Bandwidth => vec![Metric::Bps, Metric::Pps],
        BaselineKind::Latency => vec![Metric::MeanRtt, Metric::P95Rtt, Metric::HandshakeRtt],
        BaselineKind::Protocol => {
            std::iter::once(Metric::Greatest).chain(Share::ALL.into_iter().map(Metric::Share)).collect()
        }
        BaselineKind::Connection => vec![Metric::Connections, Metric::Opened, Metric::Loss],
    }
}

/// Where the figures of a metric are stored.
pub(crate) fn stored(baselines: &Baselines, metric: Metric) -> Option<&Figures> {
    let kind = BaselineKind::ALL.into_iter().find(|&kind| metrics(kind).contains(&metric))?;
    let baseline = baselines.of(kind)?;
    let figures =
        if metrics(kind).first() == Some(&metric) { &baseline.main } else { baseline.further.get(metric.name())? };
    (figures.windows > 0).then_some(figures)
}

fn baseline(kind: BaselineKind, values: &BTreeMap<Metric, Vec<f64>>) -> Option<Baseline> {
    let mut metrics = metrics(kind).into_iter();
    let main = figures(values.get(&metrics.next()?)?)?;
    let further = metrics.filter_map(|metric| Some((metric.name().to_owned(), figures(values.get(&metric)?)?)));
    Some(Baseline { kind, main, further: further.collect() })
}

/// Figures of some values; nothing of no values.
pub(crate) fn figures(values: &[f64]) -> Option<Figures> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let (&min, &max) = (sorted.first()?, sorted.last()?);
    let count = u64::try_from(sorted.len()).ok()?;
    let median = middle(&sorted);
    let mut distances: Vec<f64> = sorted.iter().map(|value| (value - median).abs()).collect();
    distances.sort_unstable_by(f64::total_cmp);
    Some(Figures {
        windows: count,
        mean: sorted.iter().sum::<f64>() / float(count),
        median,
        min,
        max,
        p95: rank(&sorted, 95),
        p99: rank(&sorted, 99),
        mad: middle(&distances),
    })
}

/// The median of sorted values: the middle one, or the mean of the two in the middle.
pub(crate) fn middle(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    let upper = sorted.get(half).copied().unwrap_or(0.0);
    if sorted.len() % 2 == 1 {
        return upper;
    }
    let lower = half.checked_sub(1).and_then(|place| sorted.get(place)).copied().unwrap_or(0.0);
    f64::midpoint(lower, upper)
}

/// A percentile of sorted values by nearest rank.
pub(crate) fn rank(sorted: &[f64], percent: u64) -> f64 {
    let count = u64::try_from(sorted.len()).unwrap_or(u64::MAX);
    let place = usize::try_from(nearest_rank(count, percent).saturating_sub(1)).unwrap_or(usize::MAX);
    sorted.get(place).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp, reason = "test code; the values are exact")]

    use super::*;

    #[test]
    fn figures_by_their_definitions() {
        let values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        let told = figures(&values).unwrap();
        assert_eq!((told.windows, told.mean, told.median, told.min, told.max), (100, 50.5, 50.5, 1.0, 100.0));
        assert_eq!((told.p95, told.p99, told.mad), (95.0, 99.0, 25.0));
        assert_eq!(figures(&[]), None);
        assert_eq!(figures(&[3.0]).unwrap().mad, 0.0);
    }

    #[test]
    fn only_the_kinds_that_were_asked_for_and_can_be_told() {
        let window = Window { end_ns: 1_000_000_000, packets: 10, bytes: 1_000, ..Window::default() };
        let kinds = [BaselineKind::Latency, BaselineKind::Bandwidth, BaselineKind::Bandwidth];
        let told = of([&window, &window].into_iter(), &kinds);
        assert_eq!(told.all.iter().map(|one| one.kind).collect::<Vec<_>>(), [BaselineKind::Bandwidth]);
        assert_eq!(stored(&told, Metric::Bps).unwrap().median, 8_000.0);
        assert_eq!(stored(&told, Metric::Pps).unwrap().max, 10.0);
        assert_eq!(stored(&told, Metric::MeanRtt), None);
    }
}
