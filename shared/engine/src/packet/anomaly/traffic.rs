//! More, or far less, traffic than usual.

use trafficlab_shared::model::capture::anomaly::{Anomaly, AnomalyKind};
use trafficlab_shared::model::capture::counts::Talker;
use trafficlab_shared::model::capture::settings::Thresholds;
use trafficlab_shared::model::capture::window::Window;

use super::Usuals;
use super::draft::{Draft, ENOUGH_PACKETS, highest};
use crate::packet::measure::{Metric, float};

/// A spike this many times its threshold is high.
const HIGH: f64 = 2.0;

/// Bytes alone rise further than packets when somebody fetches a large file, which is no event of the network; a spike
/// of bytes alone needs this many times the ratio.
const BYTES_ALONE: f64 = 2.0;

/// A spike of packets or of bytes, whichever lies further above what is usual, or a drop of bytes.
pub(super) fn judge(window: &Window, usual: Usuals<'_>, thresholds: &Thresholds) -> Option<Anomaly> {
    let ratio = thresholds.traffic_spike_ratio;
    let ratios = [(Metric::Pps, ratio), (Metric::Bps, ratio * BYTES_ALONE)];
    let spikes = ratios.into_iter().filter_map(|(metric, ratio)| spike(metric, ratio, window, usual, thresholds));
    let greatest = spikes.max_by(|a, b| (a.value / a.threshold).total_cmp(&(b.value / b.threshold)));
    greatest.or_else(|| drop(window, usual, thresholds)).map(|draft| draft.of(window))
}

fn spike(metric: Metric, ratio: f64, window: &Window, usual: Usuals<'_>, thresholds: &Thresholds) -> Option<Draft> {
    let (value, usual) = (metric.of(window)?, usual(metric)?);
    let threshold = highest([usual.median * ratio, usual.away(thresholds.robust_deviations), usual.upper]);
    if window.packets < ENOUGH_PACKETS || value <= threshold {
        return None;
    }
    let times = value / usual.median.max(f64::MIN_POSITIVE);
    Some(Draft {
        kind: AnomalyKind::TrafficSpike,
        high: value > HIGH * threshold,
        metric: metric.name(),
        value,
        threshold,
        usual: Some(usual),
        message: format!(
            "Traffic spike detected: {}, {times:.1} times the usual {}{}",
            rate(metric, value),
            rate(metric, usual.median),
            busiest(metric, window)
        ),
    })
}

/// The hosts that sent and received most of what there is more of.
fn busiest(metric: Metric, window: &Window) -> String {
    let amount = |talker: &&Talker| if metric == Metric::Pps { talker.packets } else { talker.bytes };
    match (window.top_src.iter().max_by_key(amount), window.top_dst.iter().max_by_key(amount)) {
        (Some(src), Some(dst)) => format!("; most from {} and to {}", src.addr, dst.addr),
        _ => String::new(),
    }
}

fn drop(window: &Window, usual: Usuals<'_>, thresholds: &Thresholds) -> Option<Draft> {
    let metric = Metric::Bps;
    // Where a usual window has hardly any packets, one with fewer says nothing.
    let busy = usual(Metric::Pps)?.median * seconds(window) >= float(ENOUGH_PACKETS);
    let (value, usual) = (metric.of(window)?, usual(metric)?);
    let threshold = (usual.median * thresholds.traffic_drop_ratio).min(usual.away(-thresholds.robust_deviations));
    if value >= threshold || !busy || !whole(window) {
        return None;
    }
    Some(Draft {
        kind: AnomalyKind::TrafficSpike,
        high: false,
        metric: metric.name(),
        value,
        threshold,
        usual: Some(usual),
        message: format!("Traffic drop detected: {}, usual are {}", rate(metric, value), rate(metric, usual.median)),
    })
}

/// Whether the window has packets to its end; the last window of a capture is cut short and has less for that reason.
fn whole(window: &Window) -> bool {
    let length = window.end_ns.saturating_sub(window.start_ns);
    window.end_ns.saturating_sub(window.last_ns) <= length / 10
}

fn seconds(window: &Window) -> f64 {
    float(u64::try_from(window.end_ns.saturating_sub(window.start_ns)).unwrap_or(0)) / 1e9
}

fn rate(metric: Metric, value: f64) -> String {
    let (value, unit) = match value {
        value if value >= 1e9 => (value / 1e9, "G"),
        value if value >= 1e6 => (value / 1e6, "M"),
        value if value >= 1e3 => (value / 1e3, "k"),
        value => (value, ""),
    };
    if metric == Metric::Bps { format!("{value:.2} {unit}bit/s") } else { format!("{value:.2} {unit}packets/s") }
}
