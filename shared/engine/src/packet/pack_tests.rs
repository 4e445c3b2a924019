//! Batches are read as they were written, by later versions too; foreign bytes are refused.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::path::PathBuf;

use trafficlab_shared::model::capture::anomaly::{AnomalyKind, BaselineUsed, Severity};
use trafficlab_shared::model::capture::connection::Direction;
use trafficlab_shared::model::capture::counts::{Distribution, FlowEnds, NetworkCounts, Talker, TcpFlags};
use trafficlab_shared::model::capture::window::{Connections, FlowLoss, Scan, ScanKind, Segments};

use super::*;

fn window(index: i64) -> Window {
    let start_ns = 1_700_000_000_000_000_000 + index * 10_000_000_000;
    let flow =
        FlowEnds { protocol: "tcp".into(), src: "10.0.0.1:40000".into(), dst: "[::1]:443".into(), vlan: Some(7) };
    Window {
        index,
        start_ns,
        end_ns: start_ns + 10_000_000_000,
        first_ns: start_ns,
        last_ns: start_ns + 9,
        packets: 12,
        bytes: 3_456,
        network: NetworkCounts { ipv4: 11, arp: 1, ..NetworkCounts::default() },
        top_src: vec![Talker { addr: "10.0.0.1".into(), bytes: 3_000, packets: 6 }],
        connections: Connections { total: 1, states: [("SF".to_owned(), 1)].into(), ..Connections::default() },
        tcp: TcpFlags { retransmission: 2, ..TcpFlags::default() },
        segments: Segments { data: 6, retransmitted: 2 },
        lossy: vec![FlowLoss { flow, sent: 6, retransmitted: 2 }],
        latency: Distribution { count: 3, mean_ns: 1_000.1, min_ns: 1, p50_ns: 2, p95_ns: 3, p99_ns: 3, max_ns: 3 },
        scans: vec![Scan {
            kind: ScanKind::Ports,
            src: "10.0.0.9".into(),
            victim: Some("10.0.0.1".into()),
            failed: 15,
            examples: vec!["10.0.0.1:22".into()],
        }],
        ..Window::default()
    }
}

fn anomaly() -> Anomaly {
    Anomaly {
        kind: AnomalyKind::PacketLoss,
        severity: Severity::High,
        window_index: 0,
        start_ns: 1,
        end_ns: 2,
        message: "High packet loss detected: 83.33% (5 retrans / 6 sent)".into(),
        metric: "packet_loss_percent".into(),
        current_value: 83.33,
        threshold: 70.0,
        baseline: BaselineUsed { source: "fixed".into(), median: None, mad: None, windows: None },
        flow_src: Some("10.0.0.1:40000".into()),
        flow_dst: Some("10.0.0.2:443".into()),
        protocol: Some("tcp".into()),
    }
}

fn connection() -> Connection {
    Connection {
        id: 4,
        protocol: "tcp".into(),
        src: [10, 0, 0, 1].into(),
        src_port: 40_000,
        dst: "2001:db8::1".parse().unwrap(),
        dst_port: 443,
        vlan: None,
        first_ns: 1,
        last_ns: 2,
        service: Some("https".into()),
        state: "SF".into(),
        history: "ShADadFf".into(),
        sent: Direction { packets: 3, ..Direction::default() },
        received: Direction::default(),
        initial_rtt_ns: Some(5),
    }
}

#[test]
fn what_is_packed_is_read_again() {
    let all: Vec<Window> = (0..3).map(window).collect();
    assert_eq!(read_windows(&windows(&all)).unwrap(), all);
    assert_eq!(read_anomalies(&anomalies(&[anomaly()])).unwrap(), [anomaly()]);
    assert_eq!(read_connections(&connections(&[connection()])).unwrap(), [connection()]);
    assert_eq!(read_windows(&windows(&[])).unwrap(), []);
}

#[test]
fn batches_keep_order_and_size() {
    let all: Vec<Window> = (0..500).map(window).collect();
    let limit = 2_000;
    let batches = batches(&all, limit);
    assert!(batches.len() > 1);
    assert!(batches.iter().all(|batch| batch.bytes.len() <= limit || batch.count == 1));
    let joined: Vec<Window> = batches.iter().flat_map(|batch| read_windows(&batch.bytes).unwrap()).collect();
    assert_eq!(joined, all);
    assert_eq!(batches.iter().map(|batch| batch.count).sum::<usize>(), 500);
}

#[test]
fn an_item_larger_than_the_limit_stands_alone() {
    let all: Vec<Window> = (0..3).map(window).collect();
    assert_eq!(batches(&all, 1).iter().map(|batch| batch.count).collect::<Vec<_>>(), [1, 1, 1]);
}

#[test]
fn foreign_bytes_are_refused() {
    let good = windows(&[window(0)]);
    assert_eq!(read_windows(&[]), Err(PackFault::Compression));
    assert_eq!(read_windows(&[9, 1, 2]), Err(PackFault::Version(9)));
    for cut in 0..good.len() {
        assert!(read_windows(&good[..cut]).is_err(), "cut at {cut}");
    }
    let bomb = [&[VERSION][..], &zstd::bulk::compress(&vec![0; 65 << 20], 1).unwrap()].concat();
    assert_eq!(read_windows(&bomb), Err(PackFault::Compression));
    let nested = [&[VERSION][..], &zstd::bulk::compress(&vec![0x91; 1 << 20], 1).unwrap()].concat();
    assert!(matches!(read_windows(&nested), Err(PackFault::Content(_))));
    assert!(matches!(read_connections(&good), Err(PackFault::Content(_))));
}

/// What is stored today must be read tomorrow: one line of hexadecimal digits for each kind.
#[test]
fn the_golden_batches_stay_readable() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/packed_v1.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let all = [windows(&[window(0), window(5)]), anomalies(&[anomaly()]), connections(&[connection()])];
        let lines = all.map(|bytes| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        std::fs::write(&path, lines.join("\n") + "\n").unwrap();
    }
    let text = std::fs::read_to_string(path).unwrap();
    let lines: Vec<Vec<u8>> = text.lines().map(unhex).collect();
    assert_eq!(read_windows(&lines[0]).unwrap(), [window(0), window(5)]);
    assert_eq!(read_anomalies(&lines[1]).unwrap(), [anomaly()]);
    assert_eq!(read_connections(&lines[2]).unwrap(), [connection()]);
}

fn unhex(line: &str) -> Vec<u8> {
    let digits: Vec<u8> = line.chars().map(|digit| u8::try_from(digit.to_digit(16).unwrap()).unwrap()).collect();
    digits.chunks(2).map(|pair| pair[0] * 16 + pair[1]).collect()
}
