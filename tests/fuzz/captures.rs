//! The messages of capture jobs: one value of each kind, the same in every run.

use std::sync::Arc;

use bytes::Bytes;
use trafficlab_shared::model::capture::baseline::{Baseline, BaselineKind, Baselines, Figures};
use trafficlab_shared::model::capture::settings::{AnalysisSettings, Thresholds};
use trafficlab_shared::model::capture::work::{KeepSpec, LiveSpec, Work};
use trafficlab_shared::protocol::capture::{CaptureEvent, CaptureJob, CaptureRecord, KnownCapture, Progress};
use trafficlab_shared::protocol::report::{Delivery, EndReason};

const JOB: &str = "01976a2e-7c1b-7a55-9d43-5b0d6a4f0c22";
const START: i64 = 1_767_225_600_000_000_000;

/// Settings with values of their own, so that new defaults do not change the files.
fn settings() -> AnalysisSettings {
    AnalysisSettings {
        window_ns: 5_000_000_000,
        lateness_ns: 200_000_000,
        flows: 1000,
        exact: 2000,
        connections: 300,
        thresholds: thresholds(),
    }
}

fn thresholds() -> Thresholds {
    Thresholds {
        traffic_spike_ratio: 2.5,
        traffic_drop_ratio: 0.25,
        packet_loss_percent: 5.0,
        flow_loss_percent: 20.0,
        flow_loss_high_percent: 70.0,
        high_latency_ms: 200.0,
        latency_ratio: 2.0,
        port_scan_ports: 15,
        protocol_shift_percent: 20.0,
        robust_deviations: 6.0,
    }
}

fn baselines() -> Baselines {
    let main = Figures { windows: 12, mean: 8.5, median: 8.0, min: 1.0, max: 20.0, p95: 19.0, p99: 20.0, mad: 1.5 };
    let further = [("pps".to_owned(), main)].into();
    Baselines { all: vec![Baseline { kind: BaselineKind::Bandwidth, main, further }] }
}

/// A job of every kind of work.
pub(super) fn jobs() -> Vec<(&'static str, CaptureJob)> {
    let live = LiveSpec {
        interface: "eth0".into(),
        filter: "tcp port 443".into(),
        snap_length: 96,
        payload: true,
        promiscuous: true,
        immediate: true,
        duration_ms: Some(60_000),
        keep: Some(KeepSpec { file_bytes: 1_000_000, files: 5 }),
    };
    let file = Work::File {
        path: "captures/a.pcap".into(),
        bytes: 1234,
        max_decompressed: 1 << 33,
        settings: settings(),
        baselines: baselines(),
    };
    let works = [
        ("file", file),
        ("live", Work::Live { live, settings: settings(), baselines: Baselines::default() }),
        ("baseline", Work::Baseline { kinds: BaselineKind::ALL.to_vec() }),
        ("detect", Work::Detect { settings: settings(), baselines: baselines() }),
    ];
    let job = |work: Work| CaptureJob {
        v: 1,
        job: JOB.into(),
        capture: "01976a2e-7c1b-7a55-9d43-5b0d6a4f0c23".into(),
        work: Arc::new(work),
        attempt: 2,
        revision: 3,
        known: KnownCapture { started: true, epoch: 4, windows: 17 },
    };
    works.map(|(name, work)| (name, job(work))).into()
}

/// A record of every kind of event.
pub(super) fn records() -> Vec<(&'static str, CaptureRecord)> {
    let end = CaptureEvent::End { reason: EndReason::Completed, outcome: Bytes::from_static(b"{}") };
    let gap = CaptureEvent::Gap { from_ns: START, to_ns: START + 5, reason: "worker `w1` was lost".into() };
    let events = [
        ("start", CaptureEvent::Start { idle_starts: 2 }),
        ("wanted", CaptureEvent::FileWanted),
        ("batch", CaptureEvent::Batch),
        ("gap", gap),
        ("yield", CaptureEvent::Yield),
        ("end", end),
        ("failed", CaptureEvent::Failed { reason: "not a capture".into(), attempts: 1 }),
    ];
    events.map(|(name, event)| (name, record(event))).into()
}

fn record(event: CaptureEvent) -> CaptureRecord {
    let batch = event == CaptureEvent::Batch;
    let pack = |bytes: &'static [u8]| if batch { Bytes::from_static(bytes) } else { Bytes::new() };
    CaptureRecord {
        v: 1,
        job: JOB.into(),
        capture: "01976a2e-7c1b-7a55-9d43-5b0d6a4f0c23".into(),
        epoch: 4,
        worker: "w1".into(),
        delivery: Delivery { sequence: 90, count: 2 },
        revision: 3,
        event,
        from: 17,
        next: if batch { 19 } else { 17 },
        origin_ns: Some(START),
        progress: Progress { bytes: 1000, of_bytes: 1234, packets: 77, kernel_drops: 3, app_drops: 1 },
        windows: pack(&[1, 2]),
        anomalies: pack(&[3]),
        connections: pack(&[4, 5, 6]),
        connection_count: u32::from(batch) * 2,
        anomalies_told: 5,
        connections_told: 9,
        starts: 1,
        began_ns: Some(START - 1_000),
        told_until_ns: Some(START + 95_000_000_000),
    }
}
