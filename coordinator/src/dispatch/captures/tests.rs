//! What begins, stops and removes captures changes the store alone; the broker's side is tested end to end.
#![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]

use trafficlab_shared::model::capture::baseline::Baselines;
use trafficlab_shared::model::capture::settings::AnalysisSettings;
use trafficlab_shared::protocol::control::DesiredState;

use super::change::{plan, plan_on, plan_stop};
use super::*;
use crate::store::Batch;
use crate::store::captures::{JOBS_OF, JobKind, Source};

fn file() -> Work {
    let settings = AnalysisSettings::default();
    Work::File { path: "a".into(), bytes: 1, max_decompressed: 1, settings, baselines: Baselines::default() }
}

fn begun() -> (Store, Capture, String) {
    let store = Store::in_memory().unwrap();
    let mut batch = Batch::new();
    let odd = Capture { id: "c".into(), windows: 9, state: CaptureState::Done, ..Capture::default() };
    let (capture, job) = plan(&mut batch, odd, file()).unwrap();
    store.apply(batch).unwrap();
    (store, capture, job)
}

#[test]
fn a_new_capture_is_queued_with_a_job_of_its_own() {
    let (store, capture, job) = begun();
    assert_eq!((capture.state, capture.windows), (CaptureState::Queued, 0));
    assert_eq!((capture.analysis_job.as_ref(), capture.anomaly_job.as_ref()), (Some(&job), Some(&job)));
    assert!(JOBS_OF.contains(&store, &("c".into(), job.clone())).unwrap());
    let row = CAPTURE_JOBS.get(&store, &job).unwrap().unwrap();
    assert_eq!((row.kind, row.desired.state, row.state), (JobKind::Analysis, DesiredState::Run, CaptureState::Queued));
    assert_eq!(view(&store, &job).unwrap().state, CaptureState::Queued);
    assert!(matches!(view(&store, "other"), Err(CaptureFault::Unknown(_))));
}

#[test]
fn work_on_windows_is_given_those_that_are_stored_now() {
    let (store, capture, _) = begun();
    let capture = Capture { windows: 5, ..capture };
    let work = Work::Detect { settings: AnalysisSettings::default(), baselines: Baselines::default() };
    let mut batch = Batch::new();
    let between = Between { from_ns: Some(7), to_ns: None };
    let job = plan_on(&mut batch, capture, work, between).unwrap();
    store.apply(batch).unwrap();
    let input = WORKS.get(&store, &job).unwrap().unwrap().input.unwrap();
    assert_eq!((input.windows, input.from_ns, input.to_ns), (5, Some(7), None));
    let capture = CAPTURES.get(&store, &"c".into()).unwrap().unwrap();
    assert_eq!(capture.detect_job, Some(job.clone()));
    assert_ne!(capture.anomaly_job, Some(job), "nothing is found yet");
}

#[test]
fn a_stop_ends_what_nobody_holds_and_asks_the_others_once() {
    let (store, _, job) = begun();
    let stop = || {
        let mut batch = Batch::new();
        let stopped = plan_stop(&store, &mut batch, "c").unwrap();
        store.apply(batch).unwrap();
        stopped
    };
    let held = |state| {
        let mut batch = Batch::new();
        let mut row = CAPTURE_JOBS.get(&store, &job).unwrap().unwrap();
        (row.state, row.desired.state, row.ended_ns) = (state, DesiredState::Run, None);
        CAPTURE_JOBS.put(&mut batch, &job, &row).unwrap();
        store.apply(batch).unwrap();
        row.desired.revision
    };
    let before = held(CaptureState::Running);
    assert_eq!(stop().1.len(), 1);
    assert!(stop().1.is_empty(), "it was asked already");
    let row = CAPTURE_JOBS.get(&store, &job).unwrap().unwrap();
    assert_eq!((row.state, row.desired.state), (CaptureState::Running, DesiredState::Stop));
    assert!(row.desired.revision > before);
    held(CaptureState::Queued);
    assert_eq!(stop().0.state, CaptureState::Stopped);
    let row = CAPTURE_JOBS.get(&store, &job).unwrap().unwrap();
    assert!(row.ended_ns.is_some() && row.state == CaptureState::Stopped);
}

#[test]
fn only_a_live_capture_with_windows_is_done_when_it_is_stopped() {
    let (store, capture, job) = begun();
    let row = CAPTURE_JOBS.get(&store, &job).unwrap().unwrap();
    let live = Source::Live { spec: Default::default(), host: None, worker: None };
    let live = Capture { source: live, ..capture.clone() };
    let with_windows = CaptureJobRow { windows: 1, ..row.clone() };
    assert_eq!(change::stopped_as(&live, &with_windows), CaptureState::Done);
    assert_eq!(change::stopped_as(&live, &row), CaptureState::Stopped);
    assert_eq!(change::stopped_as(&capture, &with_windows), CaptureState::Stopped);
}
