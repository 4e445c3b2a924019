//! What the window itself lists as strange: scans and long-lived connections.

use trafficlab_shared::model::capture::anomaly::{Anomaly, AnomalyKind};
use trafficlab_shared::model::capture::settings::Thresholds;
use trafficlab_shared::model::capture::window::{LongLived, Scan, ScanKind, Window};

use super::draft::Draft;
use crate::packet::measure::float;
use crate::packet::scan::{HOSTS, UNANSWERED};

/// Scans and long-lived connections told of one window each.
const MOST: usize = 20;
/// Failed targets, as a multiple of the threshold, that make a scan a high one.
const HIGH_SCAN: f64 = 4.0;
/// Seconds from which on a long-lived connection is a high one.
const HIGH_LONG: f64 = 3_600.0;

/// One anomaly for each scan.
pub(super) fn scans(window: &Window, thresholds: &Thresholds) -> Vec<Anomaly> {
    window.scans.iter().take(MOST).map(|scan| of_scan(window, scan, thresholds)).collect()
}

/// One anomaly for each connection that crossed a length.
pub(super) fn long_lived(window: &Window) -> Vec<Anomaly> {
    window.long_lived.iter().take(MOST).map(|long| of_long(window, long)).collect()
}

fn of_scan(window: &Window, scan: &Scan, thresholds: &Thresholds) -> Anomaly {
    let (threshold, metric, what) = match scan.kind {
        ScanKind::Ports => (thresholds.port_scan_ports, "failed_ports", "ports of one host"),
        ScanKind::Hosts => (HOSTS, "failed_hosts", "hosts on one port"),
        ScanKind::Pairs => (HOSTS, "failed_targets", "pairs of host and port"),
    };
    // A source that nobody ever answered is told earlier.
    let threshold = if scan.failed < u64::from(threshold) { UNANSWERED.min(threshold) } else { threshold };
    let (value, threshold) = (float(scan.failed), f64::from(threshold));
    let victim = match (&scan.victim, scan.kind) {
        (Some(host), ScanKind::Ports) => format!(" ({host})"),
        (Some(port), _) => format!(" (port {port})"),
        (None, _) => String::new(),
    };
    let draft = Draft {
        kind: AnomalyKind::PortScan,
        high: value >= HIGH_SCAN * threshold,
        metric,
        value,
        threshold,
        usual: None,
        message: format!("Port scan detected: {} tried {} {what}{victim} in vain", scan.src, scan.failed),
    };
    let host = scan.victim.clone().filter(|_| scan.kind == ScanKind::Ports);
    Anomaly { flow_src: Some(scan.src.clone()), flow_dst: host, protocol: Some("tcp".to_owned()), ..draft.of(window) }
}

fn of_long(window: &Window, long: &LongLived) -> Anomaly {
    let (value, threshold) = (float(long.open_ns) / 1e9, float(long.milestone_ns) / 1e9);
    let draft = Draft {
        kind: AnomalyKind::LongLivedConn,
        high: threshold >= HIGH_LONG,
        metric: "connection_seconds",
        value,
        threshold,
        usual: None,
        message: format!(
            "Long-lived connection detected: {} to {} has been open for {value:.0} s",
            long.flow.src, long.flow.dst
        ),
    };
    Anomaly {
        flow_src: Some(long.flow.src.clone()),
        flow_dst: Some(long.flow.dst.clone()),
        protocol: Some(long.flow.protocol.clone()),
        ..draft.of(window)
    }
}
