//! Each kind of anomaly from windows made for it.

use trafficlab_shared::model::capture::anomaly::{AnomalyKind, Severity};
use trafficlab_shared::model::capture::baseline::BaselineKind;
use trafficlab_shared::model::capture::counts::{Distribution, FlowEnds, Talker};
use trafficlab_shared::model::capture::window::{FlowLatency, FlowLoss, LongLived, Scan, ScanKind, Segments};

use super::*;
use crate::packet::baseline;

/// Twenty windows of ten seconds that differ a little.
fn usual_windows() -> Vec<Window> {
    let window = |index: i64| {
        let more = u64::try_from(index * 7 % 5).unwrap();
        let rtt = 30_000_000 + more * 500_000;
        let trips =
            Distribution { count: 100, mean_ns: rtt as f64, p50_ns: rtt, p95_ns: 2 * rtt, ..Distribution::default() };
        let mut window = Window {
            index,
            start_ns: index * 10_000_000_000,
            end_ns: (index + 1) * 10_000_000_000,
            last_ns: (index + 1) * 10_000_000_000 - 1,
            packets: 1_000 + 10 * more,
            bytes: 500_000 + 9_000 * more,
            latency: trips,
            handshake_server: trips,
            segments: Segments { data: 500, retransmitted: 1 + more % 2 },
            ..Window::default()
        };
        window.transport.tcp = 850 + more;
        window.transport.udp = window.packets - window.transport.tcp;
        window
    };
    (0..20).map(window).collect()
}

fn found(windows: &[Window]) -> Vec<Anomaly> {
    detect(windows, &Baselines::default(), &Thresholds::default())
}

fn ends() -> FlowEnds {
    FlowEnds { protocol: "tcp".into(), src: "10.0.0.1:40000".into(), dst: "10.0.0.2:443".into(), vlan: None }
}

#[test]
fn usual_windows_are_quiet() {
    assert_eq!(found(&usual_windows()), []);
}

#[test]
fn a_flood_is_a_spike_and_shifts_the_mix() {
    let mut windows = usual_windows();
    windows[7].packets += 4_000;
    windows[7].transport.udp += 4_000;
    let talker = |addr: &str, bytes, packets| Talker { addr: addr.into(), bytes, packets };
    windows[7].top_src = vec![talker("10.0.0.9", 900_000, 700), talker("192.0.2.66", 240_000, 4_000)];
    windows[7].top_dst = vec![talker("10.0.1.1", 300_000, 4_100)];
    let told = found(&windows);
    let kinds: Vec<_> = told.iter().map(|one| (one.kind, one.window_index)).collect();
    assert_eq!(kinds, [(AnomalyKind::TrafficSpike, 7), (AnomalyKind::ProtocolAnomaly, 7)]);
    let spike = &told[0];
    assert_eq!((spike.metric.as_str(), spike.current_value), ("pps", 504.0));
    assert!(spike.message.ends_with("; most from 192.0.2.66 and to 10.0.1.1"), "{}", spike.message);
    assert_eq!((spike.baseline.source.as_str(), spike.baseline.windows), ("capture", Some(19)));
    assert!(spike.threshold >= 3.0 * spike.baseline.median.unwrap());
    assert_eq!(told[1].protocol.as_deref(), Some("udp"), "{:?}", told[1]);
}

#[test]
fn bytes_alone_need_twice_the_ratio() {
    let mut windows = usual_windows();
    windows[3].bytes *= 5;
    assert_eq!(found(&windows), []);
    windows[3].bytes *= 2;
    let told = found(&windows);
    assert_eq!((told.len(), told[0].metric.as_str(), told[0].kind), (1, "bps", AnomalyKind::TrafficSpike));
}

#[test]
fn a_drop_is_told_unless_the_window_is_cut_short() {
    let mut windows = usual_windows();
    windows[4].bytes = 50_000;
    let told = found(&windows);
    assert_eq!((told.len(), told[0].kind), (1, AnomalyKind::TrafficSpike));
    assert!(told[0].message.contains("drop") && told[0].current_value < told[0].threshold);
    windows[4].last_ns = windows[4].start_ns + 1;
    assert_eq!(found(&windows), []);
}

#[test]
fn slow_handshakes_are_high_latency() {
    let mut windows = usual_windows();
    windows[9].handshake_server.p50_ns = 100_000_000;
    windows[11].handshake_server.p50_ns = 900_000_000;
    windows[11].slow = vec![FlowLatency { flow: ends(), count: 9, p95_ns: 950_000_000 }];
    let told = found(&windows);
    assert!(told[1].message.ends_with("; slowest is 10.0.0.1:40000 to 10.0.0.2:443"), "{}", told[1].message);
    let short: Vec<_> = told.iter().map(|one| (one.kind, one.severity, one.window_index)).collect();
    let kind = AnomalyKind::HighLatency;
    assert_eq!(short, [(kind, Severity::Medium, 9), (kind, Severity::High, 11)]);
    windows[9].handshake_server.count = 9;
    windows[11].handshake_server.count = 9;
    assert_eq!(found(&windows), [], "too few to say");
}

#[test]
fn without_anything_to_compare_the_configured_time_decides() {
    let mut window = usual_windows().remove(0);
    window.latency.p95_ns = 250_000_000;
    let told = found(std::slice::from_ref(&window));
    assert_eq!((told.len(), told[0].kind, told[0].baseline.source.as_str()), (1, AnomalyKind::HighLatency, "fixed"));
    window.latency.p95_ns = 150_000_000;
    assert_eq!(found(&[window]), []);
}

#[test]
fn loss_of_the_window_and_of_its_three_worst_flows() {
    let mut windows = usual_windows();
    windows[5].segments.retransmitted = 50;
    windows[5].lossy =
        (0..6).map(|i| FlowLoss { flow: ends(), sent: 6 + i, retransmitted: if i < 5 { 5 } else { 4 } }).collect();
    let told = found(&windows);
    assert_eq!(told.len(), 4, "{told:#?}");
    assert_eq!(told[0].message, "High packet loss detected: 10.00% (50 retrans / 500 sent)");
    assert_eq!((told[0].severity, told[0].flow_src.as_deref()), (Severity::Medium, None));
    assert_eq!(told[1].message, "High packet loss detected: 83.33% (5 retrans / 6 sent)");
    assert_eq!((told[1].severity, told[1].threshold), (Severity::High, 70.0));
    assert_eq!((told[1].flow_src.as_deref(), told[1].metric.as_str()), (Some("10.0.0.1:40000"), "packet_loss_percent"));
}

#[test]
fn scans_and_long_connections_are_told_as_the_window_lists_them() {
    let mut windows = usual_windows();
    let scan = |failed| Scan {
        kind: ScanKind::Ports,
        src: "10.0.0.9".into(),
        victim: Some("10.0.0.1".into()),
        failed,
        examples: Vec::new(),
    };
    windows[0].scans = vec![scan(10), scan(1_500)];
    let (milestone_ns, open_ns) = (600_000_000_000, 605_000_000_000);
    windows[1].long_lived = vec![LongLived { flow: ends(), milestone_ns, open_ns, bytes: 1 }; 30];
    let told = found(&windows);
    let scans: Vec<_> = told.iter().filter(|one| one.kind == AnomalyKind::PortScan).collect();
    assert_eq!((scans.len(), scans[0].threshold, scans[0].severity), (2, 9.0, Severity::Medium));
    assert_eq!((scans[1].threshold, scans[1].severity), (15.0, Severity::High));
    let long: Vec<_> = told.iter().filter(|one| one.kind == AnomalyKind::LongLivedConn).collect();
    assert_eq!((long.len(), long[0].threshold, long[0].current_value), (20, 600.0, 605.0));
}

#[test]
fn a_stored_baseline_goes_before_the_capture() {
    let stored = baseline::of(usual_windows().iter(), &[BaselineKind::Bandwidth]);
    let mut windows = usual_windows();
    windows.truncate(3);
    for window in &mut windows {
        window.packets *= 10;
        window.transport.tcp *= 10;
        window.transport.udp *= 10;
    }
    let told = detect(&windows, &stored, &Thresholds::default());
    assert_eq!(told.len(), 3, "all three are strange beside what is stored: {told:#?}");
    assert!(told.iter().all(|one| one.baseline.source == "stored" && one.severity == Severity::High));
}

#[test]
fn the_detector_looks_back() {
    let mut detector = Detector::new(Baselines::default(), Thresholds::default());
    let mut windows = usual_windows();
    windows[2].packets *= 10;
    windows[15].packets *= 10;
    let told: Vec<_> = windows.iter().flat_map(|window| detector.window(window)).collect();
    let spikes: Vec<_> =
        told.iter().filter(|one| one.kind == AnomalyKind::TrafficSpike).map(|one| one.window_index).collect();
    assert_eq!(spikes, [15], "at the second window nothing was usual yet");
}
