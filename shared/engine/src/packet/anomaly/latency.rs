//! Round trips that take longer than usual.

use trafficlab_shared::model::capture::anomaly::{Anomaly, AnomalyKind};
use trafficlab_shared::model::capture::settings::Thresholds;
use trafficlab_shared::model::capture::window::Window;

use super::Usuals;
use super::draft::{Draft, highest};
use super::usual::Usual;
use crate::packet::measure::Metric;

/// Round trips by which a window is judged.
const ENOUGH: u64 = 10;
/// Changes below a millisecond are nobody's trouble.
const LEAST_MS: f64 = 1.0;

/// Judges by handshakes first, which delayed ACKs do not blur, then by the mean.
pub(super) fn judge(window: &Window, usual: Usuals<'_>, thresholds: &Thresholds) -> Option<Anomaly> {
    let samples = [(Metric::HandshakeRtt, window.handshake_server.count), (Metric::MeanRtt, window.latency.count)];
    let mut compared = false;
    for (metric, count) in samples {
        let (Some(value), Some(usual)) = (metric.of(window), usual(metric)) else { continue };
        compared = true;
        if count >= ENOUGH
            && let Some(draft) = above(metric, value, usual, thresholds)
        {
            return Some(named(draft, window));
        }
    }
    if compared { None } else { fixed(window, thresholds) }
}

fn above(metric: Metric, value: f64, usual: Usual, thresholds: &Thresholds) -> Option<Draft> {
    let by_ratio = usual.median * thresholds.latency_ratio;
    let threshold = highest([by_ratio, usual.away(thresholds.robust_deviations), usual.upper, LEAST_MS]);
    (value > threshold).then(|| Draft {
        kind: AnomalyKind::HighLatency,
        high: value > thresholds.high_latency_ms || value > 2.0 * threshold,
        metric: name(metric),
        value,
        threshold,
        usual: Some(usual),
        message: format!("High latency detected: {} {value:.1} ms, usual are {:.1} ms", words(metric), usual.median),
    })
}

/// With nothing to compare, the configured time decides.
fn fixed(window: &Window, thresholds: &Thresholds) -> Option<Anomaly> {
    let value = Metric::P95Rtt.of(window)?;
    let threshold = thresholds.high_latency_ms;
    let draft = (window.latency.count >= ENOUGH && value > threshold).then(|| Draft {
        kind: AnomalyKind::HighLatency,
        high: value > 2.0 * threshold,
        metric: name(Metric::P95Rtt),
        value,
        threshold,
        usual: None,
        message: format!("High latency detected: 95 % of round trips take up to {value:.1} ms"),
    });
    draft.map(|draft| named(draft, window))
}

/// The anomaly, which names the slowest flow.
fn named(mut draft: Draft, window: &Window) -> Anomaly {
    if let Some(slowest) = window.slow.first() {
        draft.message.push_str(&format!("; slowest is {} to {}", slowest.flow.src, slowest.flow.dst));
    }
    draft.of(window)
}

const fn name(metric: Metric) -> &'static str {
    match metric {
        Metric::HandshakeRtt => "handshake_rtt_ms",
        Metric::P95Rtt => "p95_rtt_ms",
        _ => "mean_rtt_ms",
    }
}

const fn words(metric: Metric) -> &'static str {
    match metric {
        Metric::HandshakeRtt => "handshakes take",
        _ => "round trips take",
    }
}
