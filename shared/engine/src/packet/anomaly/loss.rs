//! Segments that are sent again: of a whole window, and of single flows.

use std::cmp::Ordering;

use trafficlab_shared::model::capture::anomaly::{Anomaly, AnomalyKind};
use trafficlab_shared::model::capture::settings::Thresholds;
use trafficlab_shared::model::capture::window::{FlowLoss, Window};

use super::Usuals;
use super::draft::{Draft, highest};
use crate::packet::measure::{Metric, percent};
use crate::packet::window::ENOUGH_RETRANSMITTED;

/// Flows told of one window: one cause makes many flows lose, and the window's own figure tells of all.
const FLOWS: usize = 3;
/// A window's loss this many times its threshold is high.
const HIGH: f64 = 3.0;

/// The window, then its worst flows.
pub(super) fn judge(window: &Window, usual: Usuals<'_>, thresholds: &Thresholds) -> Vec<Anomaly> {
    let mut found: Vec<Anomaly> = all(window, usual, thresholds).into_iter().collect();
    let mut flows: Vec<(f64, &FlowLoss)> = window
        .lossy
        .iter()
        .filter(|flow| flow.retransmitted >= ENOUGH_RETRANSMITTED)
        .filter_map(|flow| Some((percent(flow.retransmitted, flow.sent)?, flow)))
        .filter(|(loss, _)| *loss >= thresholds.flow_loss_percent)
        .collect();
    flows.sort_by(|(a, one), (b, other)| match b.total_cmp(a) {
        Ordering::Equal => other.retransmitted.cmp(&one.retransmitted),
        different => different,
    });
    found.extend(flows.into_iter().take(FLOWS).map(|(loss, flow)| of_flow(window, loss, flow, thresholds)));
    found
}

fn all(window: &Window, usual: Usuals<'_>, thresholds: &Thresholds) -> Option<Anomaly> {
    let value = Metric::Loss.of(window)?;
    let usual = usual(Metric::Loss);
    let away = usual.map_or(0.0, |usual| usual.away(thresholds.robust_deviations));
    let threshold = highest([thresholds.packet_loss_percent, away]);
    let segments = window.segments;
    if segments.retransmitted < ENOUGH_RETRANSMITTED || value < threshold {
        return None;
    }
    let draft = Draft {
        kind: AnomalyKind::PacketLoss,
        high: value >= HIGH * threshold,
        metric: "packet_loss_percent",
        value,
        threshold,
        usual,
        message: message(value, segments.retransmitted, segments.data),
    };
    Some(draft.of(window))
}

fn of_flow(window: &Window, loss: f64, flow: &FlowLoss, thresholds: &Thresholds) -> Anomaly {
    let high = loss >= thresholds.flow_loss_high_percent;
    let draft = Draft {
        kind: AnomalyKind::PacketLoss,
        high,
        metric: "packet_loss_percent",
        value: loss,
        threshold: if high { thresholds.flow_loss_high_percent } else { thresholds.flow_loss_percent },
        usual: None,
        message: message(loss, flow.retransmitted, flow.sent),
    };
    Anomaly {
        flow_src: Some(flow.flow.src.clone()),
        flow_dst: Some(flow.flow.dst.clone()),
        protocol: Some(flow.flow.protocol.clone()),
        ..draft.of(window)
    }
}

fn message(loss: f64, retransmitted: u64, sent: u64) -> String {
    format!("High packet loss detected: {loss:.2}% ({retransmitted} retrans / {sent} sent)")
}
