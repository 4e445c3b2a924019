//! Records of capture jobs against a real segment folder: exactly once, whatever comes twice, late or broken.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test code")]

use bytes::Bytes;
use serde_json::json;
use tempfile::TempDir;
use trafficlab_engine::packet::pack;
use trafficlab_shared::model::capture::anomaly::{Anomaly, AnomalyKind, BaselineUsed, Severity};
use trafficlab_shared::model::capture::baseline::{Baseline, BaselineKind, Baselines, Figures};
use trafficlab_shared::model::capture::settings::AnalysisSettings;
use trafficlab_shared::model::capture::summary::Summary;
use trafficlab_shared::model::capture::window::Window;
use trafficlab_shared::model::capture::work::{LiveSpec, Work};
use trafficlab_shared::protocol::capture::{CaptureEvent, CaptureRecord, Outcome, Progress};
use trafficlab_shared::protocol::codec;
use trafficlab_shared::protocol::report::{Delivery, EndReason};
use trafficlab_shared::protocol::subject;

use crate::dispatch::captures::CaptureNews;
use crate::dispatch::captures::change::{Between, plan, plan_on, plan_stop};
use crate::dispatch::exports::ExportFiles;
use crate::dispatch::ingest::{Incoming, Ingester, Taken};
use crate::store::captures::{
    ANOMALIES, BASELINES, CAPTURE_JOBS, CAPTURES, Capture, CaptureJobRow, CaptureState, GONE_JOBS, Source, WIRES,
};
use crate::store::entries::QUARANTINE;
use crate::store::segment::SegmentDir;
use crate::store::{Batch, Store};
use crate::windows;

type Damage = fn(&mut CaptureRecord);

struct Bench {
    folder: TempDir,
    store: Store,
    ingester: Ingester,
    job: String,
    sequence: u64,
}

fn live() -> Source {
    Source::Live { spec: LiveSpec::default(), host: None, worker: None }
}

fn file() -> Work {
    let settings = AnalysisSettings::default();
    Work::File { path: "a.pcap".into(), bytes: 9, max_decompressed: 99, settings, baselines: Baselines::default() }
}

impl Bench {
    fn new(source: Source) -> Self {
        let folder = TempDir::new().unwrap();
        let store = Store::in_memory().unwrap();
        let mut batch = Batch::new();
        let capture = Capture { id: "c".into(), source, ..Capture::default() };
        let (_, job) = plan(&mut batch, capture, file()).unwrap();
        store.apply(batch).unwrap();
        let exports = ExportFiles::new(folder.path().join("exports"));
        let mut ingester = Ingester::open(store.clone(), folder.path(), exports).unwrap();
        ingester.position_in(1);
        Self { folder, store, ingester, job, sequence: 0 }
    }

    fn start_on(&mut self, work: Work) {
        let mut batch = Batch::new();
        self.job = plan_on(&mut batch, self.capture(), work, Between::default()).unwrap();
        self.store.apply(batch).unwrap();
    }

    fn incoming(&mut self, payload: Vec<u8>) -> Incoming {
        self.sequence += 1;
        let subject = subject::capture_results(&self.job);
        Incoming { subject, sequence: self.sequence, stored_ns: 7_000 + self.sequence, payload: Bytes::from(payload) }
    }

    fn take(&mut self, records: &[CaptureRecord]) -> Taken {
        let messages: Vec<Incoming> =
            records.iter().map(|record| self.incoming(codec::encode(record).unwrap())).collect();
        self.ingester.commit(&messages).unwrap()
    }

    /// A record without anything told.
    fn record(&self, event: CaptureEvent, at: u64) -> CaptureRecord {
        CaptureRecord {
            v: 1,
            job: self.job.clone(),
            capture: "c".into(),
            epoch: 1,
            worker: "w".into(),
            delivery: Delivery { sequence: 1, count: 1 },
            revision: 1,
            event,
            from: at,
            next: at,
            origin_ns: None,
            progress: Progress { packets: at * 10, ..Progress::default() },
            windows: Bytes::new(),
            anomalies: Bytes::new(),
            connections: Bytes::new(),
            connection_count: 0,
            anomalies_told: 0,
            connections_told: 0,
            told_until_ns: None,
            starts: 0,
            began_ns: None,
        }
    }

    fn start(&self) -> CaptureRecord {
        self.record(CaptureEvent::Start { idle_starts: 1 }, 0)
    }

    fn windows(&self, from: u64, next: u64) -> CaptureRecord {
        let windows: Vec<Window> =
            (from..next).map(|id| Window { packets: id, start_ns: 100, ..Window::default() }).collect();
        CaptureRecord { next, windows: pack::windows(&windows), ..self.record(CaptureEvent::Batch, from) }
    }

    fn anomalies(&self, at: u64, from: u64, next: u64) -> CaptureRecord {
        let anomalies: Vec<Anomaly> = (from..next).map(anomaly).collect();
        let anomalies = pack::anomalies(&anomalies);
        CaptureRecord { anomalies, anomalies_told: next, ..self.record(CaptureEvent::Batch, at) }
    }

    fn end(&self, at: u64, reason: EndReason, outcome: Option<&Outcome>) -> CaptureRecord {
        let outcome = outcome.map(|outcome| serde_json::to_vec(outcome).unwrap()).unwrap_or_default();
        self.record(CaptureEvent::End { reason, outcome: Bytes::from(outcome) }, at)
    }

    fn capture(&self) -> Capture {
        CAPTURES.get(&self.store, &"c".to_owned()).unwrap().unwrap()
    }

    fn row(&self) -> CaptureJobRow {
        CAPTURE_JOBS.get(&self.store, &self.job).unwrap().unwrap()
    }

    /// The packets of all stored windows, which the tests number by them.
    fn stored(&self) -> Vec<u64> {
        let segments = SegmentDir::new(self.folder.path());
        windows::scan(&self.store, &segments, "c", 0)
            .map(|row| {
                let (id, window) = row.unwrap();
                assert_eq!(id, window.packets);
                id
            })
            .collect()
    }
}

fn anomaly(number: u64) -> Anomaly {
    Anomaly {
        kind: AnomalyKind::PortScan,
        severity: Severity::High,
        window_index: 0,
        start_ns: 0,
        end_ns: 1,
        message: format!("scan {number}"),
        metric: "failed".into(),
        current_value: 20.0,
        threshold: 15.0,
        baseline: BaselineUsed { source: "fixed".into(), median: None, mad: None, windows: None },
        flow_src: None,
        flow_dst: None,
        protocol: None,
    }
}

fn analysis() -> Outcome {
    let summary = Box::new(Summary { packets: 50, ..Summary::default() });
    Outcome::Analysis { summary, wire: json!({"packets": 50}) }
}

#[test]
fn an_analysis_is_stored_once_and_told() {
    let mut bench = Bench::new(Source::default());
    let mut first = bench.windows(0, 3);
    first.origin_ns = Some(-5);
    let told = CaptureRecord { anomalies_told: 2, ..bench.end(5, EndReason::Completed, Some(&analysis())) };
    let records = [bench.start(), first, bench.windows(3, 5), bench.anomalies(5, 0, 2), told];
    let taken = bench.take(&records);
    assert_eq!((taken.aside, taken.dropped, taken.captures.windows, taken.captures.anomalies), (0, 0, 5, 2));
    let id = || "c".to_owned();
    let windows = CaptureNews::Windows { capture: id(), from: 0, next: 5 };
    assert!(taken.captures.news.contains(&windows), "{:?}", taken.captures.news);
    let capture = bench.capture();
    assert_eq!((capture.state, capture.windows, capture.anomalies), (CaptureState::Done, 5, 2));
    assert_eq!((capture.origin_ns, capture.started_ns, capture.ended_ns), (Some(-5), Some(7_001), Some(7_005)));
    assert_eq!(capture.summary.as_ref().unwrap().packets, 50);
    assert!(capture.bytes_on_disk > 0);
    assert_eq!(WIRES.get(&bench.store, &id()).unwrap().unwrap(), r#"{"packets":50}"#);
    assert_eq!(bench.stored(), [0, 1, 2, 3, 4]);
    let anomalies = windows::anomalies(&bench.store, &capture, 1, 9).unwrap();
    assert_eq!(anomalies.iter().map(|(n, found)| (*n, found.message.as_str())).collect::<Vec<_>>(), [(1, "scan 1")]);
}

#[test]
fn what_is_known_is_dropped_and_a_hole_ends_the_job() {
    let mut bench = Bench::new(Source::default());
    bench.take(&[bench.start(), bench.windows(0, 3), bench.anomalies(3, 0, 2)]);
    // Another stream begins at 1 again; the job's marks recognise what is known.
    bench.ingester.position_in(2);
    bench.sequence = 0;
    let more = CaptureRecord { anomalies_told: 2, ..bench.windows(3, 4) };
    let taken = bench.take(&[bench.windows(0, 3), bench.anomalies(3, 0, 2), bench.anomalies(3, 1, 2), more]);
    assert_eq!((taken.dropped, taken.captures.windows, taken.captures.anomalies), (3, 1, 0));
    assert_eq!(bench.stored(), [0, 1, 2, 3]);
    let behind = CaptureRecord { anomalies_told: 2, ..bench.windows(9, 10) };
    let taken = bench.take(&[behind, CaptureRecord { anomalies_told: 2, ..bench.windows(4, 5) }]);
    assert_eq!((taken.aside, taken.captures.windows), (2, 0));
    let capture = bench.capture();
    assert_eq!((capture.state, capture.windows), (CaptureState::Failed, 4));
    assert_eq!(capture.reason.as_deref(), Some("windows from 4 to 9 are missing"));
    assert_eq!(QUARANTINE.scan(&bench.store, false).count(), 2);
}

#[test]
fn foreign_bytes_are_set_aside_and_break_nothing_else() {
    let mut bench = Bench::new(Source::default());
    let other = CaptureRecord { job: "another".into(), ..bench.start() };
    let messages = [bench.incoming(b"nonsense".to_vec()), bench.incoming(codec::encode(&other).unwrap())];
    let taken = bench.ingester.commit(&messages).unwrap();
    assert_eq!(taken.aside, 2);
    assert_eq!(bench.take(&[bench.start(), bench.windows(0, 2)]).captures.windows, 2);
    let cases: [(&str, Damage); 6] = [
        ("the record names another capture than its job", |record| record.capture = "d".into()),
        ("it ends before it begins", |record| record.next = 1),
        ("1 windows are told and 0 are there", |record| record.windows = Bytes::new()),
        ("batch cannot be decompressed", |record| record.anomalies = Bytes::from_static(b"\x01zz")),
        ("3 connections are told and 0 are there", |record| record.connection_count = 3),
        ("it has more anomalies than it told", |record| record.anomalies = pack::anomalies(&[anomaly(0)])),
    ];
    for (reason, damage) in cases {
        let mut bench = Bench::new(Source::default());
        bench.take(&[bench.start(), bench.windows(0, 2)]);
        let mut record = bench.windows(2, 3);
        damage(&mut record);
        assert_eq!(bench.take(&[record]).aside, 1, "{reason}");
        assert_eq!(bench.capture().reason.as_deref(), Some(reason));
        assert_eq!(bench.stored(), [0, 1]);
    }
}

#[test]
fn an_outcome_of_another_job_or_without_bounds_ends_the_job() {
    let huge = Summary { format: "x".repeat(super::ROW_BYTES), ..Summary::default() };
    let huge = Outcome::Analysis { summary: Box::new(huge), wire: json!({}) };
    let foreign = Outcome::Detection { anomalies: 0 };
    for (outcome, reason) in [(huge, "its outcome is too large"), (foreign, "its outcome is of another kind of job")] {
        let mut bench = Bench::new(Source::default());
        bench.take(&[bench.start(), bench.end(0, EndReason::Completed, Some(&outcome))]);
        assert_eq!(bench.capture().reason.as_deref(), Some(reason));
        assert_eq!(bench.row().state, CaptureState::Failed);
    }
}

#[test]
fn a_queued_capture_is_stopped_without_a_worker_and_what_comes_later_is_dropped() {
    let mut bench = Bench::new(Source::default());
    let mut batch = Batch::new();
    let (capture, jobs) = plan_stop(&bench.store, &mut batch, "c").unwrap();
    bench.store.apply(batch).unwrap();
    assert_eq!((capture.state, jobs.len()), (CaptureState::Stopped, 1));
    let taken = bench.take(&[bench.start(), bench.windows(0, 2)]);
    assert_eq!((taken.dropped, taken.captures.windows), (2, 0));
    assert_eq!(bench.capture().state, CaptureState::Stopped);
}

#[test]
fn a_live_capture_that_is_stopped_is_done_and_its_gaps_are_told_once() {
    let mut bench = Bench::new(live());
    let gap = bench.record(CaptureEvent::Gap { from_ns: 1, to_ns: 2, reason: "worker lost".into() }, 2);
    let records = [bench.start(), bench.windows(0, 2), gap.clone(), gap, bench.windows(2, 3)];
    let taken = bench.take(&records);
    assert_eq!((taken.aside, taken.dropped), (0, 0));
    let mut batch = Batch::new();
    let (capture, _) = plan_stop(&bench.store, &mut batch, "c").unwrap();
    bench.store.apply(batch).unwrap();
    assert_eq!(capture.state, CaptureState::Running, "its worker ends it");
    bench.take(&[bench.end(3, EndReason::Stopped, Some(&analysis()))]);
    let capture = bench.capture();
    assert_eq!((capture.state, capture.gaps.len(), capture.windows), (CaptureState::Done, 1, 3));
    assert!(matches!(capture.source, Source::Live { worker: Some(worker), .. } if worker == "w"));
    // Half a file is nothing.
    let mut bench = Bench::new(Source::default());
    bench.take(&[bench.start(), bench.windows(0, 2), bench.end(2, EndReason::Stopped, None)]);
    assert_eq!(bench.capture().state, CaptureState::Stopped);
}

#[test]
fn records_of_a_removed_capture_leave_nothing() {
    let mut bench = Bench::new(Source::default());
    let mut batch = Batch::new();
    GONE_JOBS.put(&mut batch, &bench.job, &1).unwrap();
    CAPTURE_JOBS.delete(&mut batch, &bench.job);
    CAPTURES.delete(&mut batch, &"c".to_owned());
    bench.store.apply(batch).unwrap();
    let taken = bench.take(&[bench.start(), bench.windows(0, 2)]);
    assert_eq!((taken.dropped, taken.captures.windows), (2, 0));
    assert_eq!(bench.stored(), [0_u64; 0]);
}

#[test]
fn a_detection_replaces_the_anomalies_when_it_has_ended_well() {
    let mut bench = Bench::new(Source::default());
    let told = CaptureRecord { anomalies_told: 3, ..bench.end(2, EndReason::Completed, Some(&analysis())) };
    let records = [bench.start(), bench.windows(0, 2), bench.anomalies(2, 0, 3), told];
    bench.take(&records);
    let first = bench.job.clone();
    let detect = Work::Detect { settings: AnalysisSettings::default(), baselines: Baselines::default() };
    bench.start_on(detect.clone());
    bench.take(&[bench.start(), bench.anomalies(0, 0, 1)]);
    assert_eq!(bench.capture().anomalies, 3, "half a detection does not count");
    let outcome = Outcome::Detection { anomalies: 1 };
    let end = CaptureRecord { anomalies_told: 1, ..bench.end(0, EndReason::Completed, Some(&outcome)) };
    let taken = bench.take(&[end]);
    let capture = bench.capture();
    assert_eq!((capture.anomalies, capture.anomaly_job.as_ref()), (1, Some(&bench.job)));
    assert!(taken.captures.jobs.contains(&first), "the job before is looked at, so that its rows go");
    assert_eq!(ANOMALIES.scan(&bench.store, false).count(), 4);
    // Its windows do not belong to the capture's.
    bench.start_on(detect);
    bench.take(&[bench.start(), bench.windows(0, 1)]);
    assert_eq!(bench.row().reason.as_deref(), Some("only an analysis has windows and connections"));
    assert_eq!(bench.capture().state, CaptureState::Done);
}

#[test]
fn baselines_are_kept_by_kind() {
    let mut bench = Bench::new(Source::default());
    bench.take(&[bench.start(), bench.windows(0, 2), bench.end(2, EndReason::Completed, Some(&analysis()))]);
    bench.start_on(Work::Baseline { kinds: vec![BaselineKind::Latency] });
    let main = Figures { windows: 2, mean: 3.5, ..Figures::default() };
    let latency = Baseline { kind: BaselineKind::Latency, main, further: Default::default() };
    let outcome = Outcome::Baselines { baselines: Baselines { all: vec![latency.clone()] } };
    bench.take(&[bench.start(), bench.end(0, EndReason::Completed, Some(&outcome))]);
    let stored = BASELINES.get(&bench.store, &"latency".to_owned()).unwrap().unwrap();
    assert_eq!((stored.baseline, stored.capture.as_str()), (latency, "c"));
}
