//! Records with something in every field, for the tests of the formats.

use std::collections::BTreeMap;
use std::net::IpAddr;

use trafficlab_shared::model::capture::anomaly::{Anomaly, AnomalyKind, BaselineUsed, Severity};
use trafficlab_shared::model::capture::connection::{Connection, Direction};
use trafficlab_shared::model::capture::counts::{
    Distribution, FlowEnds, NetworkCounts, Talker, TcpFlags, TransportCounts,
};
use trafficlab_shared::model::capture::window::{
    Connections, FlowBytes, FlowLatency, FlowLoss, LongLived, Scan, ScanKind, Segments, Service, Window,
};

pub(super) const START_NS: i64 = 1_700_000_000_123_456_789;

fn ends(src: &str, dst: &str) -> FlowEnds {
    FlowEnds { protocol: "tcp".to_owned(), src: src.to_owned(), dst: dst.to_owned(), vlan: Some(7) }
}

fn talker(addr: &str, bytes: u64) -> Talker {
    Talker { addr: addr.to_owned(), bytes, packets: bytes / 100 }
}

fn times(count: u64) -> Distribution {
    Distribution {
        count,
        mean_ns: 45_200_000.4,
        min_ns: 5_000_000,
        p50_ns: 42_000_000,
        p95_ns: 90_100_000,
        p99_ns: 99_000_000,
        max_ns: 120_500_000,
    }
}

pub(super) fn window() -> Window {
    Window {
        index: -3,
        start_ns: START_NS,
        end_ns: START_NS + 10_000_000_000,
        first_ns: START_NS,
        last_ns: START_NS + 9_900_000_000,
        packets: 362,
        bytes: 11_960,
        captured_bytes: 11_000,
        network: NetworkCounts { ipv4: 350, ipv6: 10, arp: 2, other: 0 },
        transport: TransportCounts { tcp: 340, udp: 20, other: 2, ..TransportCounts::default() },
        transport_bytes: TransportCounts { tcp: 11_000, udp: 900, other: 60, ..TransportCounts::default() },
        services: vec![Service { name: "https".to_owned(), packets: 300, bytes: 10_000 }],
        top_src: vec![talker("203.0.113.66", 9_000), talker("2001:db8::1", 400)],
        top_dst: vec![talker("198.51.100.9", 9_000)],
        top_flows: vec![FlowBytes { flow: ends("203.0.113.66:40000", "198.51.100.9:443"), bytes: 9_000, packets: 90 }],
        conversations: 42,
        connections: Connections {
            total: 42,
            opened: 12,
            closed: 9,
            protocols: BTreeMap::from([("tcp".to_owned(), 40), ("udp".to_owned(), 2)]),
            states: BTreeMap::from([("SF".to_owned(), 30), ("S1".to_owned(), 10)]),
        },
        tcp: TcpFlags { retransmission: 5, duplicate_ack: 3, ..TcpFlags::default() },
        segments: Segments { data: 120, retransmitted: 5 },
        lossy: vec![FlowLoss { flow: ends("10.0.15.35:51148", "192.178.223.188:5228"), sent: 6, retransmitted: 5 }],
        latency: times(80),
        handshake_server: times(12),
        handshake_client: Distribution::default(),
        rtt_wireshark: times(85),
        slow: vec![FlowLatency {
            flow: ends("[2001:db8::1]:443", "[2001:db8::2]:50000"),
            count: 9,
            p95_ns: 90_100_000,
        }],
        scans: vec![Scan {
            kind: ScanKind::Ports,
            src: "203.0.113.66".to_owned(),
            victim: Some("198.51.100.9".to_owned()),
            failed: 15,
            examples: vec!["198.51.100.9:22".to_owned()],
        }],
        long_lived: vec![LongLived {
            flow: ends("10.0.15.35:51148", "192.178.223.188:5228"),
            milestone_ns: 600_000_000_000,
            open_ns: 601_500_000_000,
            bytes: 5_000,
        }],
        late_packets: 1,
        kernel_drops: 2,
        app_drops: 3,
        approximate: Some("round trips: buckets of 1/128".to_owned()),
    }
}

/// The example of the API's document.
pub(super) fn anomaly() -> Anomaly {
    Anomaly {
        kind: AnomalyKind::PacketLoss,
        severity: Severity::High,
        window_index: -3,
        start_ns: START_NS,
        end_ns: START_NS + 10_000_000_000,
        message: "High packet loss detected: 83.33% (5 retrans / 6 sent)".to_owned(),
        metric: "packet_loss_percent".to_owned(),
        current_value: 83.333_333,
        threshold: 70.0,
        baseline: BaselineUsed { source: "capture".to_owned(), median: Some(0.5), mad: Some(0.1), windows: Some(30) },
        flow_src: Some("10.0.15.35:51148".to_owned()),
        flow_dst: Some("192.178.223.188:5228".to_owned()),
        protocol: Some("tcp".to_owned()),
    }
}

/// About no flow, with everything optional left out, and letters that formats must escape.
pub(super) fn plain_anomaly() -> Anomaly {
    Anomaly {
        kind: AnomalyKind::TrafficSpike,
        severity: Severity::Medium,
        message: "=3 times \"more\", or\tso\\\n than usual".to_owned(),
        metric: "avg_bps".to_owned(),
        flow_src: None,
        flow_dst: None,
        protocol: None,
        baseline: BaselineUsed { source: "fixed".to_owned(), median: None, mad: None, windows: None },
        ..anomaly()
    }
}

/// A finished TCP connection, a lone SYN, and a question over UDP by IPv6.
pub(super) fn connections() -> Vec<Connection> {
    let address = |text: &str| text.parse::<IpAddr>().unwrap_or(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED));
    let both =
        Direction { packets: 6, ip_bytes: 700, payload: 400, data_segments: 3, retransmitted: 1, missed_bytes: 0 };
    let whole = Connection {
        id: 0,
        protocol: "tcp".to_owned(),
        src: address("203.0.113.66"),
        src_port: 40_000,
        dst: address("198.51.100.9"),
        dst_port: 443,
        vlan: Some(7),
        first_ns: START_NS,
        last_ns: START_NS + 1_500_000_000,
        service: Some("https".to_owned()),
        state: "SF".to_owned(),
        history: "ShADadFf".to_owned(),
        sent: both,
        received: Direction { missed_bytes: 100, ..both },
        initial_rtt_ns: Some(31_000),
    };
    let lone = Connection {
        id: 1,
        vlan: None,
        last_ns: START_NS,
        service: None,
        state: "S0".to_owned(),
        history: "S".to_owned(),
        sent: Direction { packets: 1, ip_bytes: 40, ..Direction::default() },
        received: Direction::default(),
        initial_rtt_ns: None,
        ..whole.clone()
    };
    let question = Connection {
        id: 2,
        protocol: "udp".to_owned(),
        src: address("2001:db8::1"),
        dst: address("2001:db8::2"),
        dst_port: 53,
        vlan: None,
        service: Some("domain".to_owned()),
        history: "Dd".to_owned(),
        initial_rtt_ns: None,
        ..whole.clone()
    };
    vec![whole, lone, question]
}
