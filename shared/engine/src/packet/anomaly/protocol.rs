//! A mix of protocols that is not the usual one.

use trafficlab_shared::model::capture::anomaly::{Anomaly, AnomalyKind};
use trafficlab_shared::model::capture::settings::Thresholds;
use trafficlab_shared::model::capture::window::Window;

use super::Usuals;
use super::draft::{Draft, ENOUGH_PACKETS};
use super::usual::Usual;
use crate::packet::measure::{Metric, Share};

/// A shift this many times its threshold is high.
const HIGH: f64 = 2.0;

/// The protocol whose share rose furthest, or else fell. When one rises others fall, so one anomaly tells of the shift.
pub(super) fn judge(window: &Window, usual: Usuals<'_>, thresholds: &Thresholds) -> Option<Anomaly> {
    if window.packets < ENOUGH_PACKETS {
        return None;
    }
    let shifted = Share::ALL.into_iter().filter_map(|share| shift(share, window, usual, thresholds));
    // A protocol that rose says more than those that had to fall; of equal ones the first keeps the answer the same.
    let further = |most, one| if rank(&one) > rank(&most) { one } else { most };
    let (share, value, usual) = shifted.reduce(further)?;
    let up = value > usual.median;
    let least = least(share, thresholds);
    let deviations = thresholds.robust_deviations;
    let threshold = if up {
        (usual.median + least).max(usual.away(deviations))
    } else {
        (usual.median - least).min(usual.away(-deviations))
    };
    let draft = Draft {
        kind: AnomalyKind::ProtocolAnomaly,
        high: (value - usual.median).abs() > HIGH * (threshold - usual.median).abs(),
        metric: "protocol_share_percent",
        value,
        threshold,
        usual: Some(usual),
        message: format!(
            "Protocol mix shifted: {} {} {value:.1}% of packets, usual are {:.1}%",
            share.as_str(),
            if up { "rose to" } else { "fell to" },
            usual.median
        ),
    };
    Some(Anomaly { protocol: Some(share.as_str().to_owned()), ..draft.of(window) })
}

fn shift(share: Share, window: &Window, usual: Usuals<'_>, thresholds: &Thresholds) -> Option<(Share, f64, Usual)> {
    let metric = Metric::Share(share);
    let (value, usual) = (metric.of(window)?, usual(metric)?);
    let far = (value - usual.median).abs();
    let robust = (usual.away(thresholds.robust_deviations) - usual.median).abs();
    (far > least(share, thresholds) && far > robust).then_some((share, value, usual))
}

/// Single transfers move the shares of TCP and UDP; those of other protocols are strange at a third of the shift.
fn least(share: Share, thresholds: &Thresholds) -> f64 {
    let whole = thresholds.protocol_shift_percent;
    if matches!(share, Share::Tcp | Share::Udp) { whole } else { whole / 3.0 }
}

fn rank((_, value, usual): &(Share, f64, Usual)) -> (bool, f64) {
    (*value > usual.median, (value - usual.median).abs())
}
