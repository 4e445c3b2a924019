//! Anomalies: windows in which something is strange, with the numbers that say so.
//!
//! What is usual comes from stored baselines, else from the capture itself: from its other windows when it is a file,
//! from the windows before when it is live. The comparison is robust: median and median absolute deviation, which a few
//! strange windows do not move, and the 95th percentile, above which a value has to lie too. Scans, losses of single
//! flows and long-lived connections need no comparison.

mod draft;
mod latency;
mod listed;
mod loss;
mod protocol;
mod traffic;
mod usual;

use std::collections::BTreeMap;

use trafficlab_shared::model::capture::anomaly::Anomaly;
use trafficlab_shared::model::capture::baseline::Baselines;
use trafficlab_shared::model::capture::settings::Thresholds;
use trafficlab_shared::model::capture::window::Window;

use super::measure::Metric;
use usual::{Series, Trail, Usual};

/// What is usual for each metric, as seen from one window.
type Usuals<'a> = &'a dyn Fn(Metric) -> Option<Usual>;

/// Anomalies of the windows of a file, in the order of windows. Metrics without a stored baseline are compared with the
/// other windows. Costs O(n log n) for n windows.
#[must_use]
pub fn detect(windows: &[Window], baselines: &Baselines, thresholds: &Thresholds) -> Vec<Anomaly> {
    let series: BTreeMap<Metric, Series> = Metric::COMPARED
        .into_iter()
        .filter(|&metric| Usual::stored(baselines, metric).is_none())
        .map(|metric| (metric, Series::new(windows, metric)))
        .collect();
    let judge_one = |(place, window)| {
        let usual = |metric| match series.get(&metric) {
            Some(series) => series.without(place),
            None => Usual::stored(baselines, metric),
        };
        judge(window, &usual, thresholds)
    };
    windows.iter().enumerate().flat_map(judge_one).collect()
}

/// Finds anomalies of a live capture, window by window.
#[derive(Debug)]
pub struct Detector {
    baselines: Baselines,
    thresholds: Thresholds,
    trails: BTreeMap<Metric, Trail>,
}

impl Detector {
    /// Without windows. It remembers the last 360 of them for metrics that have no stored baseline.
    #[must_use]
    pub fn new(baselines: Baselines, thresholds: Thresholds) -> Self {
        let missing = Metric::COMPARED.into_iter().filter(|&metric| Usual::stored(&baselines, metric).is_none());
        let trails = missing.map(|metric| (metric, Trail::default())).collect();
        Self { baselines, thresholds, trails }
    }

    /// Anomalies of the next window.
    pub fn window(&mut self, window: &Window) -> Vec<Anomaly> {
        let usual = |metric| match self.trails.get(&metric) {
            Some(trail) => trail.usual(),
            None => Usual::stored(&self.baselines, metric),
        };
        let found = judge(window, &usual, &self.thresholds);
        self.remember(window);
        found
    }

    /// Takes a window that was judged before, after a takeover, without judging it again.
    pub fn remember(&mut self, window: &Window) {
        for (metric, trail) in &mut self.trails {
            trail.push(metric.of(window));
        }
    }
}

fn judge(window: &Window, usual: Usuals<'_>, thresholds: &Thresholds) -> Vec<Anomaly> {
    let mut found = Vec::new();
    found.extend(traffic::judge(window, usual, thresholds));
    found.extend(listed::scans(window, thresholds));
    found.extend(latency::judge(window, usual, thresholds));
    found.extend(loss::judge(window, usual, thresholds));
    found.extend(protocol::judge(window, usual, thresholds));
    found.extend(listed::long_lived(window));
    found
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::float_cmp,
    clippy::cast_precision_loss,
    reason = "test code; the values are exact"
)]
mod tests;
