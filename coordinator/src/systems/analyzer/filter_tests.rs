//! Conditions of requests, one by one and together.

#![allow(clippy::unwrap_used, reason = "test code")]

use trafficlab_shared::model::capture::anomaly::BaselineUsed;
use trafficlab_shared::model::capture::counts::Talker;
use trafficlab_shared::model::capture::window::Service;

use super::*;

const SECOND: i64 = 1_000_000_000;

fn filter(pairs: &[(&str, &str)]) -> Filter {
    Filter::read(&asked(pairs)).unwrap()
}

fn asked(pairs: &[(&str, &str)]) -> Asked {
    let of = |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, text)| (*text).to_owned());
    Asked {
        from: of("from"),
        to: of("to"),
        host: of("host"),
        protocol: of("protocol"),
        severity: of("severity"),
        kind: of("type"),
    }
}

fn anomaly() -> Anomaly {
    Anomaly {
        kind: AnomalyKind::PacketLoss,
        severity: Severity::High,
        window_index: 3,
        start_ns: 1_700_000_030 * SECOND,
        end_ns: 1_700_000_040 * SECOND,
        message: String::new(),
        metric: "packet_loss_percent".into(),
        current_value: 50.0,
        threshold: 5.0,
        baseline: BaselineUsed { source: "fixed".into(), median: None, mad: None, windows: None },
        flow_src: Some("[2001:db8::7]:443".into()),
        flow_dst: Some("192.0.2.9:5000".into()),
        protocol: Some("tcp".into()),
    }
}

fn window() -> Window {
    let mut window = Window { index: 3, start_ns: 1_700_000_030 * SECOND, ..Window::default() };
    window.network.ipv4 = 5;
    window.transport.udp = 5;
    window.services = vec![Service { name: "dns".into(), packets: 5, bytes: 300 }];
    window.top_src = vec![Talker { addr: "198.51.100.4".into(), bytes: 300, packets: 5 }];
    window
}

#[test]
fn anomalies_pass_when_every_condition_holds() {
    for (pairs, passes) in [
        (&[][..], true),
        (&[("from", "1700000030")], true),
        (&[("from", "1700000030.000001")], false),
        (&[("to", "2023-11-14T22:13:50Z")], false),
        (&[("to", "2023-11-14T22:13:51Z")], true),
        (&[("from", "2023-11-14T23:13:50 01:00"), ("to", "1700000031")], true),
        (&[("host", "2001:db8::/32")], true),
        (&[("host", "10.0.0.0/8, 192.0.2.9")], true),
        (&[("host", "192.0.2.90")], false),
        (&[("protocol", "TCP")], true),
        (&[("protocol", "udp")], false),
        (&[("severity", "medium,high")], true),
        (&[("severity", "medium")], false),
        (&[("type", "packet_loss"), ("severity", "high"), ("host", "192.0.2.9"), ("protocol", "tcp")], true),
        (&[("type", "port_scan")], false),
    ] {
        assert_eq!(filter(pairs).anomaly(&anomaly()), passes, "{pairs:?}");
    }
}

#[test]
fn windows_pass_by_what_they_name_and_by_their_anomalies() {
    let marked = HashSet::from([3]);
    for (pairs, passes) in [
        (&[][..], true),
        (&[("protocol", "ipv4")], true),
        (&[("protocol", "ipv6,dns")], true),
        (&[("protocol", "tcp")], false),
        (&[("host", "198.51.100.0/24")], true),
        (&[("host", "198.51.101.0/24")], false),
        (&[("to", "1700000030")], false),
        (&[("severity", "high")], true),
    ] {
        assert_eq!(filter(pairs).window(&window(), &marked), passes, "{pairs:?}");
    }
    assert!(!filter(&[("type", "port_scan")]).window(&window(), &HashSet::new()));
    assert!(filter(&[("to", "1700000030")]).is_past(&window()));
}

#[test]
fn every_condition_that_cannot_be_read_is_named() {
    let pairs = [("from", "yesterday"), ("to", "-"), ("host", "a.example"), ("severity", "low"), ("type", "flood")];
    let fault = Filter::read(&asked(&pairs)).unwrap_err();
    let fields: Vec<&str> = fault.details.iter().map(|detail| detail.field.as_str()).collect();
    assert_eq!(fields, ["from", "to", "host", "severity", "type"]);
    assert!(Filter::read(&asked(&[("from", "20"), ("to", "20")])).is_err());
    assert!(filter(&[("from", ""), ("type", " , ")]).is_empty());
}
