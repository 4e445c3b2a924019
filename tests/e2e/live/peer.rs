//! A scripted coordinator: a real broker with the streams, one worker process, and the log it writes.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy};
use async_nats::jetstream::{Context, kv, object_store};
use bytes::Bytes;
use futures_util::StreamExt;
use tempfile::TempDir;
use trafficlab_engine::packet::pack;
use trafficlab_shared::model::capture::anomaly::Anomaly;
use trafficlab_shared::model::capture::window::Window;
use trafficlab_shared::model::capture::work::Work;
use trafficlab_shared::protocol::capture::{CaptureEvent, CaptureJob, CaptureRecord, KnownCapture, Outcome};
use trafficlab_shared::protocol::control::{Desired, DesiredState};
use trafficlab_shared::protocol::heartbeat::Heartbeat;
use trafficlab_shared::protocol::{codec, subject};

use crate::harness::{Broker, Process, Program, eventually, worker};

const SOON: Duration = Duration::from_secs(30);

/// Everything a test needs.
pub(super) struct Peer {
    pub(super) js: Context,
    pub(super) folder: TempDir,
    pub(super) workers: Vec<Process>,
    broker: Broker,
}

/// The name of this machine as workers say it.
pub(super) fn host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap().trim().to_owned()
}

impl Peer {
    /// A broker with what the coordinator would make on it, and no worker.
    pub(super) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let broker = Broker::start(folder.path()).await;
        let js = broker.jetstream().await;
        make_streams(&js).await;
        Self { js, folder, workers: Vec::new(), broker }
    }

    /// With one worker, `w1`.
    pub(super) async fn with_worker() -> Self {
        let mut peer = Self::start().await;
        peer.add_worker(&[], &[]);
        peer
    }

    /// Starts one more worker; `before` is put before its command line.
    pub(super) fn add_worker(&mut self, before: &[&str], env: &[(&str, &str)]) {
        let name = format!("w{}", self.workers.len() + 1);
        let program = worker().display().to_string();
        let url = self.broker.url();
        let serve = [program.as_str(), "serve", "--nats", &url, "--id", &name, "--lanes", "1"];
        let mut line = before.iter().copied().chain(serve).map(str::to_owned);
        let kept = self.kept().display().to_string();
        let own = [
            ("TRAFFICLAB_ENVIRONMENT", "development"),
            ("TRAFFICLAB_NATS__USER", "worker"),
            ("TRAFFICLAB_NATS__PASSWORD", "pw-worker"),
            ("TRAFFICLAB_LOG__LEVEL", "info,trafficlab_worker=debug"),
            ("TRAFFICLAB_WORKER__CAPTURE_DIR", &kept),
        ];
        let all = own.iter().chain(env);
        let program = Program {
            name: name.clone(),
            path: line.next().unwrap().into(),
            args: line.collect(),
            env: all.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            log: self.folder.path().join(format!("{name}.log")),
        };
        self.workers.push(Process::start(&program));
    }

    /// Where its workers keep packets.
    pub(super) fn kept(&self) -> std::path::PathBuf {
        self.folder.path().join("kept")
    }

    /// Wants a job, and asks workers for it: those of this host, or any.
    pub(super) async fn ask(&self, job: &str, place: Option<&str>, work: Work) {
        self.want(job, DesiredState::Run, 1).await;
        let message = CaptureJob {
            v: 1,
            job: job.into(),
            capture: format!("capture-{job}"),
            work: work.into(),
            attempt: 1,
            revision: 1,
            known: KnownCapture::default(),
        };
        let payload = Bytes::from(codec::encode(&message).unwrap());
        self.js.publish(subject::capture_job(place, job), payload).await.unwrap().await.unwrap();
    }

    /// Changes the desired state.
    pub(super) async fn want(&self, job: &str, state: DesiredState, revision: u64) {
        let desired =
            Desired { v: 1, revision, activation: 1, state, rate: 0, duration_ms: 0, at_slot: 0, origin_ns: None };
        let bucket = self.js.get_key_value(subject::CONTROL_BUCKET).await.unwrap();
        bucket.put(subject::job_key(job), codec::encode(&desired).unwrap().into()).await.unwrap();
    }

    /// Puts the job's object into the store.
    pub(super) async fn put(&self, job: &str, bytes: &[u8]) {
        let bucket = self.js.get_object_store(subject::FILES_BUCKET).await.unwrap();
        let mut bytes = bytes;
        bucket.put(job, &mut bytes).await.unwrap();
    }

    /// All records of a job's log so far. Each must follow the one before.
    pub(super) async fn log(&self, job: &str) -> Vec<CaptureRecord> {
        let stream = self.js.get_stream(subject::RESULTS_STREAM).await.unwrap();
        let consumer = stream
            .create_consumer(pull::OrderedConfig {
                filter_subject: subject::capture_results(job),
                ..pull::OrderedConfig::default()
            })
            .await
            .unwrap();
        let expected = consumer.cached_info().num_pending;
        let mut messages = consumer.messages().await.unwrap();
        let mut records: Vec<CaptureRecord> = Vec::new();
        for _ in 0..expected {
            let message = messages.next().await.unwrap().unwrap();
            let record: CaptureRecord = codec::decode(&message.payload).unwrap();
            let before = records.last().map_or(0, |last| last.next);
            assert_eq!(record.from, before, "{record:?}");
            assert_eq!(record.next - record.from, windows_of(&record).len() as u64, "{record:?}");
            records.push(record);
        }
        records
    }

    /// The log once it says something.
    pub(super) async fn log_with(
        &self,
        job: &str,
        what: &str,
        said: impl Fn(&CaptureRecord) -> bool,
    ) -> Vec<CaptureRecord> {
        let look = async || {
            let log = self.log(job).await;
            log.iter().any(&said).then_some(log)
        };
        eventually(SOON, what, look).await
    }

    /// The log once the job is over.
    pub(super) async fn ended(&self, job: &str) -> Vec<CaptureRecord> {
        let over =
            |record: &CaptureRecord| matches!(record.event, CaptureEvent::End { .. } | CaptureEvent::Failed { .. });
        self.log_with(job, &format!("the end of job `{job}`"), over).await
    }

    /// How many job messages there are.
    pub(super) async fn queued(&self) -> u64 {
        let mut stream = self.js.get_stream(subject::JOBS_STREAM).await.unwrap();
        stream.info().await.unwrap().state.messages
    }

    /// A heartbeat of a worker that is as it should be.
    pub(super) async fn beat(&self, worker: &str, wanted: impl Fn(&Heartbeat) -> bool) -> Heartbeat {
        let mut beats = self.js.client().subscribe(subject::heartbeat(worker)).await.unwrap();
        let listening = async {
            loop {
                let message = beats.next().await.unwrap();
                let beat: Heartbeat = codec::decode(&message.payload).unwrap();
                if wanted(&beat) {
                    return beat;
                }
            }
        };
        tokio::time::timeout(SOON, listening).await.unwrap_or_else(|_| panic!("no such heartbeat of `{worker}`"))
    }
}

/// What the coordinator makes on the broker, as far as workers notice.
async fn make_streams(js: &Context) {
    let jobs = Config {
        name: subject::JOBS_STREAM.into(),
        subjects: vec![subject::ALL_JOBS.into()],
        retention: RetentionPolicy::WorkQueue,
        discard: DiscardPolicy::New,
        ..Config::default()
    };
    js.create_stream(jobs).await.unwrap();
    let results = Config {
        name: subject::RESULTS_STREAM.into(),
        subjects: vec![subject::ALL_RESULTS.into()],
        ..Config::default()
    };
    js.create_stream(results).await.unwrap();
    let control = kv::Config { bucket: subject::CONTROL_BUCKET.into(), history: 1, ..kv::Config::default() };
    js.create_key_value(control).await.unwrap();
    let files = object_store::Config { bucket: subject::FILES_BUCKET.into(), ..object_store::Config::default() };
    js.create_object_store(files).await.unwrap();
    let host = host();
    for (name, filter) in [
        (subject::TRAFFIC_CONSUMER.to_owned(), subject::TRAFFIC_JOBS.to_owned()),
        (subject::CAPTURE_CONSUMER.to_owned(), subject::CAPTURE_JOBS.to_owned()),
        (subject::capture_consumer_of(&host), subject::capture_jobs_of(&host)),
    ] {
        let consumer = pull::Config {
            durable_name: Some(name),
            filter_subject: filter,
            ack_policy: AckPolicy::Explicit,
            ack_wait: Duration::from_secs(3),
            max_deliver: -1,
            ..pull::Config::default()
        };
        js.create_consumer_on_stream(consumer, subject::JOBS_STREAM).await.unwrap();
    }
}

/// The windows in a record.
pub(super) fn windows_of(record: &CaptureRecord) -> Vec<Window> {
    if record.windows.is_empty() { Vec::new() } else { pack::read_windows(&record.windows).unwrap() }
}

/// All windows of a log.
pub(super) fn windows(log: &[CaptureRecord]) -> Vec<Window> {
    log.iter().flat_map(windows_of).collect()
}

/// All anomalies of a log.
pub(super) fn anomalies(log: &[CaptureRecord]) -> Vec<Anomaly> {
    let packs = log.iter().filter(|record| !record.anomalies.is_empty());
    packs.flat_map(|record| pack::read_anomalies(&record.anomalies).unwrap()).collect()
}

/// What the end says was found.
pub(super) fn outcome(log: &[CaptureRecord]) -> Outcome {
    let CaptureEvent::End { outcome, .. } = &log.last().unwrap().event else {
        panic!("the job has no end: {:?}", log.last());
    };
    serde_json::from_slice(outcome).unwrap()
}

/// Why the job failed.
pub(super) fn failure(log: &[CaptureRecord]) -> String {
    match &log.last().unwrap().event {
        CaptureEvent::Failed { reason, .. } => reason.clone(),
        other => panic!("the job has not failed: {other:?}"),
    }
}
