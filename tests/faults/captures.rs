//! Capture jobs when something dies in the middle: every window once, whoever finishes.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use trafficlab_engine::packet::craft::{Capture, Conversation, Side};
use trafficlab_shared::protocol::capture::CaptureRecord;
use trafficlab_shared::protocol::{codec, subject};

use crate::harness::{Cluster, Logs, eventually, soon};

const BEGIN_NS: i64 = 1_700_000_000_000_000_000;
const WITHIN: Duration = Duration::from_secs(90);

/// A cluster with a folder of captures.
struct Lab {
    cluster: Cluster,
    folder: TempDir,
}

/// One second of traffic as the records of a pcap file: their number, and bytes whose times can be moved.
fn second() -> (u64, Vec<u8>) {
    let mut capture = Capture::new();
    let server = SocketAddr::from(([198, 51, 100, 1], 443));
    for port in 0..40_u16 {
        let client = SocketAddr::from(([192, 0, 2, 7], 40_000 + port));
        let mut page = Conversation::new(client, server, BEGIN_NS + i64::from(port) * 10_000_000);
        page.handshake();
        for _ in 0..10 {
            page.exchange(Side::Client, 200).exchange(Side::Server, 900);
        }
        page.close();
        capture.conversation(&page);
    }
    capture.sort();
    let count = capture.raw().count();
    (count as u64, capture.pcap().split_off(24))
}

/// Writes a capture of so many seconds with the same packets in each; comes back with the packets of one second.
fn long(path: &std::path::Path, seconds: u32) -> u64 {
    let (count, records) = second();
    let mut out = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    out.write_all(&Capture::new().pcap()[..24]).unwrap();
    for later in 0..seconds {
        let mut records = records.clone();
        let mut at = 0;
        while at < records.len() {
            let field = |offset: usize| u32::from_le_bytes(records[at + offset..at + offset + 4].try_into().unwrap());
            let (moved, length) = (field(0) + later, field(8));
            records[at..at + 4].copy_from_slice(&moved.to_le_bytes());
            at += 16 + length as usize;
        }
        out.write_all(&records).unwrap();
    }
    out.flush().unwrap();
    count
}

impl Lab {
    async fn start(workers: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dirs = format!("[{:?}]", folder.path().display().to_string());
        Self { cluster: Cluster::builder().workers(workers).set("CAPTURES__DIRS", &dirs).start().await, folder }
    }

    /// Begins the analysis of a file with windows of 1 s.
    async fn begin(&self, file: &str) -> (String, String) {
        let body = json!({"pcap_file": file, "window_size": 1});
        let asked = self.cluster.api.post("/api/metrics/compute?wait=0", &body).await.expect(202);
        let text = |key: &str| asked[key].as_str().unwrap().to_owned();
        (text("capture"), text("job"))
    }

    async fn capture(&self, id: &str) -> Option<Value> {
        let answer = self.cluster.api.try_get(&format!("/api/captures/{id}")).await.ok()?;
        (answer.status == 200).then_some(answer.body)
    }

    async fn wait_for(&self, id: &str, status: &str) {
        let reached = async || {
            let capture = self.capture(id).await?;
            assert!(capture["status"] != "failed" || status == "failed", "{capture}");
            (capture["status"] == status).then_some(())
        };
        eventually(WITHIN, &format!("capture `{id}` being {status}"), reached).await;
    }

    /// Every window once, each with the packets of one second.
    async fn must_be_whole(&self, id: &str, seconds: u32, packets: u64) {
        let list = self.cluster.api.get(&format!("/api/metrics/?capture={id}&limit=1000")).await.expect(200);
        let windows = list["metrics"].as_array().unwrap();
        let found: Vec<(u64, u64)> = windows
            .iter()
            .map(|window| (window["window_id"].as_u64().unwrap(), window["record_count"].as_u64().unwrap()))
            .collect();
        let planned: Vec<(u64, u64)> = (0..u64::from(seconds)).map(|number| (number, packets)).collect();
        assert_eq!(found, planned);
    }

    async fn last_record(&self, job: &str) -> Option<CaptureRecord> {
        let logs = Logs(self.cluster.broker.jetstream().await);
        let message = logs.last(subject::RESULTS_STREAM, &subject::capture_results(job)).await?;
        Some(codec::decode(&message.payload).unwrap())
    }
}

#[tokio::test]
async fn a_file_whose_worker_is_killed_is_finished_by_another() {
    let mut lab = Lab::start(1).await;
    let packets = long(&lab.folder.path().join("long.pcap"), 120);
    let (id, job) = lab.begin("long.pcap").await;
    soon("the first worker having the job", async || lab.last_record(&job).await.map(drop)).await;
    // Frozen first, so that it cannot end between the look and the kill.
    lab.cluster.workers[0].freeze();
    let held = lab.last_record(&job).await.unwrap();
    lab.cluster.add_worker();
    lab.cluster.workers[0].kill();
    lab.wait_for(&id, "done").await;
    lab.must_be_whole(&id, 120, packets).await;
    let last = lab.last_record(&job).await.unwrap();
    if !matches!(held.event, trafficlab_shared::protocol::capture::CaptureEvent::End { .. }) {
        assert_eq!((last.worker.as_str(), last.epoch), ("w2", held.epoch + 1));
    }
}

#[tokio::test]
async fn nothing_is_lost_or_doubled_when_coordinator_and_broker_are_killed() {
    let mut lab = Lab::start(1).await;
    let packets = long(&lab.folder.path().join("long.pcap"), 60);
    let (id, job) = lab.begin("long.pcap").await;
    soon("the worker having the job", async || lab.last_record(&job).await.map(drop)).await;
    lab.cluster.coordinator.kill();
    lab.cluster.broker.kill();
    lab.cluster.broker.up().await;
    lab.cluster.coordinator.up();
    lab.cluster.ready().await;
    lab.wait_for(&id, "done").await;
    lab.must_be_whole(&id, 60, packets).await;
    // Work on its windows goes through the object store, and leaves nothing there.
    lab.cluster.api.post("/api/baselines/generate", &json!({})).await.expect(200);
    let logs = Logs(lab.cluster.broker.jetstream().await);
    let emptied = async || {
        let chunks = logs.subjects("OBJ_TL_FILES", "$O.TL_FILES.C.>").await;
        chunks.is_empty().then_some(())
    };
    soon("the object store being empty", emptied).await;
}

/// The worker's view of the folder is an empty one, in a mount namespace of its own.
#[tokio::test]
async fn a_worker_that_does_not_see_the_folder_gets_the_file_through_the_broker() {
    let mut lab = Lab::start(0).await;
    if !Command::new("unshare").args(["--mount", "--map-root-user", "true"]).status().is_ok_and(|ran| ran.success()) {
        crate::harness::skipped("mount namespaces cannot be made here");
        return;
    }
    let hidden = lab.folder.path().to_owned();
    lab.cluster.add_worker_without(&hidden);
    lab.cluster.ready().await;
    let packets = long(&lab.folder.path().join("long.pcap"), 20);
    let (id, job) = lab.begin("long.pcap").await;
    lab.wait_for(&id, "done").await;
    lab.must_be_whole(&id, 20, packets).await;
    let log = lab.cluster.coordinator.process().output();
    assert!(log.contains("goes to a worker through the broker") && log.contains(&job), "it saw the folder");
}

#[tokio::test]
async fn a_queued_capture_shows_that_and_is_stopped_without_a_worker() {
    let mut lab = Lab::start(0).await;
    let packets = long(&lab.folder.path().join("long.pcap"), 3);
    let (id, _) = lab.begin("long.pcap").await;
    assert_eq!(lab.capture(&id).await.unwrap()["status"], "queued");
    lab.cluster.restart_coordinator().await;
    assert_eq!(lab.capture(&id).await.unwrap()["status"], "queued");
    lab.cluster.api.delete(&format!("/api/captures/{id}")).await.expect(200);
    let (second, _) = lab.begin("long.pcap").await;
    lab.cluster.add_worker();
    lab.wait_for(&second, "done").await;
    lab.must_be_whole(&second, 3, packets).await;
    assert!(lab.capture(&id).await.is_none(), "what was removed does not come back");
}

#[tokio::test]
async fn nonsense_in_the_log_of_a_capture_is_set_aside() {
    let lab = Lab::start(0).await;
    long(&lab.folder.path().join("long.pcap"), 1);
    let (id, job) = lab.begin("long.pcap").await;
    let logs = Logs(lab.cluster.broker.jetstream().await);
    for to in [subject::capture_results(&job), subject::capture_results("0190-none")] {
        logs.0.publish(to, "nonsense".into()).await.unwrap().await.unwrap();
    }
    let aside = async || {
        let list = lab.cluster.api.try_get("/api/cluster/quarantine").await.ok()?;
        (list.text.matches("\"reason\"").count() >= 2).then_some(())
    };
    soon("both messages being set aside", aside).await;
    assert_eq!(lab.capture(&id).await.unwrap()["status"], "queued", "a message nobody can read counts for nothing");
}
