//! The stored records of captures: one value of each, the same in every run.

use coordinator::store::captures::{
    Capture, CaptureJobRow, CaptureState, CaptureWork, Gap, Input, JobKind, PackExtent, Source, StoredBaseline,
};
use coordinator::store::segment::Location;
use trafficlab_shared::model::capture::anomaly::{Anomaly, AnomalyKind, BaselineUsed, Severity};
use trafficlab_shared::model::capture::baseline::{Baseline, BaselineKind, Figures};
use trafficlab_shared::model::capture::settings::{AnalysisSettings, Thresholds};
use trafficlab_shared::model::capture::work::{LiveSpec, Work};
use trafficlab_shared::protocol::capture::Progress;

use super::samples;

const JOB: &str = "01976a2e-7c1b-7a55-9d43-5b0d6a4f0c22";
const CAPTURE: &str = "01976a2e-7c1b-7a55-9d43-5b0d6a4f0c23";
const START: i64 = 1_767_225_600_000_000_000;
const PROGRESS: Progress = Progress { bytes: 1000, of_bytes: 1234, packets: 77, kernel_drops: 3, app_drops: 1 };

fn settings() -> AnalysisSettings {
    AnalysisSettings {
        window_ns: 5_000_000_000,
        lateness_ns: 200_000_000,
        flows: 1000,
        exact: 5000,
        connections: 300,
        thresholds: Thresholds::default(),
    }
}

/// A capture of each source.
pub(super) fn captures() -> Vec<(&'static str, Capture)> {
    let spec = LiveSpec { interface: "eth0".into(), filter: "tcp".into(), snap_length: 96, ..LiveSpec::default() };
    let path = || "captures/a.pcap".to_owned();
    let sources = [
        ("upload", Source::Upload { file_name: "a.pcap".into(), path: path(), bytes: 1234 }),
        ("path", Source::Path { path: path(), bytes: 1234, modified_ns: 99 }),
        ("live", Source::Live { spec, host: Some("lab".into()), worker: Some("w1".into()) }),
    ];
    let capture = |source| Capture {
        id: CAPTURE.into(),
        name: "a.pcap".into(),
        source,
        state: CaptureState::Failed,
        reason: Some("no luck".into()),
        settings: settings(),
        analysis_job: Some(JOB.into()),
        detect_job: Some("d".into()),
        anomaly_job: Some("d".into()),
        created_ns: 1,
        started_ns: Some(2),
        ended_ns: Some(3),
        origin_ns: Some(START),
        progress: PROGRESS,
        windows: 17,
        anomalies: 5,
        connections: 9,
        gaps: vec![Gap { from_ns: START, to_ns: START + 5, reason: "worker `w1` was lost".into() }],
        summary: None,
        output_file: Some("live.jsonl".into()),
        bytes_on_disk: 4096,
    };
    sources.map(|(name, source)| (name, capture(source))).into()
}

pub(super) fn job() -> CaptureJobRow {
    CaptureJobRow {
        job: JOB.into(),
        capture: CAPTURE.into(),
        kind: JobKind::Analysis,
        desired: samples::desired(),
        state: CaptureState::Running,
        reason: Some("no luck".into()),
        host: Some("lab".into()),
        worker: "w1".into(),
        epoch: 4,
        windows: 17,
        anomalies: 5,
        connections: 9,
        sequence: 1234,
        stored_ns: 5,
        revision: 3,
        progress: PROGRESS,
        file_wanted: true,
        broken: true,
        created_ns: 1,
        started_ns: Some(2),
        ended_ns: Some(3),
        cleared: true,
    }
}

pub(super) fn work() -> CaptureWork {
    let input = Input { capture: CAPTURE.into(), from_ns: Some(START), to_ns: Some(START + 7), windows: 17 };
    CaptureWork { work: Work::Baseline { kinds: BaselineKind::ALL.to_vec() }, input: Some(input) }
}

pub(super) fn extent() -> PackExtent {
    PackExtent { location: Location { file: 1, offset: 4096, len: 512 }, count: 10 }
}

pub(super) fn anomaly() -> Anomaly {
    Anomaly {
        kind: AnomalyKind::PacketLoss,
        severity: Severity::High,
        window_index: 3,
        start_ns: START,
        end_ns: START + 5,
        message: "High packet loss detected: 83.33% (5 retrans / 6 sent)".into(),
        metric: "packet_loss_percent".into(),
        current_value: 83.25,
        threshold: 5.0,
        baseline: BaselineUsed { source: "capture".into(), median: Some(0.5), mad: Some(0.25), windows: Some(60) },
        flow_src: Some("192.0.2.1:443".into()),
        flow_dst: Some("[2001:db8::1]:5".into()),
        protocol: Some("tcp".into()),
    }
}

pub(super) fn baseline() -> StoredBaseline {
    let main = Figures { windows: 12, mean: 8.5, median: 8.0, min: 1.0, max: 20.0, p95: 19.0, p99: 20.0, mad: 1.5 };
    let baseline = Baseline { kind: BaselineKind::Latency, main, further: [("p95_rtt".to_owned(), main)].into() };
    StoredBaseline { baseline, capture: CAPTURE.into(), created_ns: 6 }
}
