//! A report with something of everything, for the tests of the forms.

use std::collections::BTreeMap;

use trafficlab_shared::model::capture::anomaly::{Anomaly, AnomalyKind, BaselineUsed, Severity};
use trafficlab_shared::model::capture::counts::{Distribution, FlowEnds, NetworkCounts, Talker, TransportCounts};
use trafficlab_shared::model::capture::summary::{FileDamage, Summary};
use trafficlab_shared::model::capture::window::{Connections, FlowLatency, FlowLoss, Segments, Service, Window};

#[derive(Debug, Clone, Default)]
pub(in crate::analyze) struct Sample {
    pub(in crate::analyze) summary: Summary,
    pub(in crate::analyze) windows: Vec<Window>,
    pub(in crate::analyze) anomalies: Vec<Anomaly>,
}

const START_NS: i64 = 1_700_000_000_000_000_000;

fn window(index: i64) -> Window {
    let flow = |src: &str, dst: &str| FlowEnds {
        protocol: "tcp".to_owned(),
        src: src.to_owned(),
        dst: dst.to_owned(),
        vlan: None,
    };
    let long = "[2001:db8:1111:2222:3333:4444:5555:6666]:50000";
    let start_ns = START_NS + index * 10_000_000_000;
    Window {
        index,
        start_ns,
        end_ns: start_ns + 10_000_000_000,
        packets: 1_024,
        bytes: 102_400,
        conversations: 42,
        segments: Segments { data: 850, retransmitted: 5 },
        latency: Distribution { count: 80, p95_ns: 90_100_000, ..Distribution::default() },
        lossy: vec![FlowLoss { flow: flow("10.0.15.35:51148", "192.178.223.188:5228"), sent: 6, retransmitted: 5 }],
        slow: vec![FlowLatency { flow: flow(long, long), count: 9, p95_ns: 90_100_000 }],
        ..Window::default()
    }
}

pub(in crate::analyze) fn report() -> Sample {
    let talker = |addr: &str| Talker { addr: addr.to_owned(), bytes: 2_000_000, packets: 20_000 };
    let summary = Summary {
        format: "pcapng (gzip)".to_owned(),
        link_types: vec!["Ethernet".to_owned()],
        packets: 40_960,
        wire_bytes: 4_096_000 + 4_096,
        captured_bytes: 4_096_000 + 4_096,
        first_ns: Some(START_NS),
        min_ns: Some(START_NS),
        max_ns: Some(START_NS + 400_000_000_000),
        windows: 40,
        network: NetworkCounts { ipv4: 40_560, arp: 400, ..NetworkCounts::default() },
        transport: TransportCounts { tcp: 40_020, udp: 800, other: 140, ..TransportCounts::default() },
        services: vec![Service { name: "https".to_owned(), packets: 30_000, bytes: 3_000_000 }],
        top_src: vec![talker("2001:db8:1111:2222:3333:4444:5555:6666")],
        top_dst: vec![talker("10.0.15.35")],
        segments: Segments { data: 34_000, retransmitted: 200 },
        latency: Distribution { count: 3_200, p95_ns: 90_100_000, ..Distribution::default() },
        connections: Connections {
            total: 980,
            states: BTreeMap::from([("SF".to_owned(), 900), ("S0".to_owned(), 80)]),
            ..Connections::default()
        },
        fault: Some(FileDamage { offset: 70_001, message: "cut short in the middle of a packet".to_owned() }),
        ..Summary::default()
    };
    let anomaly = Anomaly {
        kind: AnomalyKind::PacketLoss,
        severity: Severity::High,
        window_index: 3,
        start_ns: START_NS + 30_000_000_000,
        end_ns: START_NS + 40_000_000_000,
        message: "High packet loss detected: 83.33% (5 retrans / 6 sent)".to_owned(),
        metric: "packet_loss_percent".to_owned(),
        current_value: 83.33,
        threshold: 70.0,
        baseline: BaselineUsed { source: "fixed".to_owned(), median: None, mad: None, windows: None },
        flow_src: Some("10.0.15.35:51148".to_owned()),
        flow_dst: Some("192.178.223.188:5228".to_owned()),
        protocol: Some("tcp".to_owned()),
    };
    Sample { summary, windows: (0..40).map(window).collect(), anomalies: vec![anomaly; 45] }
}
