//! Live capture from the request to the file: a real coordinator and real workers on the loopback interface.

use std::net::UdpSocket;
use std::time::Duration;

use async_nats::jetstream::{self, consumer};
use futures_util::StreamExt as _;
use serde_json::{Value, json};

use super::Lab;
use crate::e2e::live::can_capture;
use crate::harness::{Cluster, soon};

const LIVE: [(&str, &str); 2] = [("MODE", "live"), ("CAPTURES__INTERFACE", "lo")];
const START: &str = "/api/control/capture/start";
const STOP: &str = "/api/control/capture/stop";
const STATUS: &str = "/api/control/capture/status";

/// A socket whose datagrams to itself are what is captured.
struct Traffic {
    socket: UdpSocket,
}

impl Traffic {
    fn new() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(socket.local_addr().unwrap()).unwrap();
        Self { socket }
    }

    fn filter(&self) -> String {
        format!("udp port {}", self.socket.local_addr().unwrap().port())
    }

    fn send(&self) {
        for _ in 0..10 {
            self.socket.send(&[7; 100]).unwrap();
            self.socket.recv(&mut [0; 128]).unwrap();
        }
    }

    /// Sends until the capture has so many windows.
    async fn until_windows(&self, cluster: &Cluster, id: &str, wanted: u64) {
        let look = async || {
            self.send();
            let capture = cluster.api.try_get(&format!("/api/captures/{id}")).await.ok()?;
            (capture.body["window_count"].as_u64()? >= wanted).then_some(())
        };
        soon("closed windows", look).await;
    }

    async fn start(&self, cluster: &Cluster, output: &str) -> String {
        let interfaces = async || {
            let body = json!({"interface": "lo", "output_file": output, "filter": self.filter(), "window_size": 0.5});
            let started = cluster.api.post(START, &body).await;
            // A worker's first heartbeat may not have come yet.
            (started.status == 200).then_some(started)
        };
        let started = soon("a started capture", interfaces).await.expect(200);
        assert_eq!((&started["interface"], &started["output_file"]), (&json!("lo"), &json!(output)));
        assert_eq!((&started["duration"], &started["status"]), (&Value::Null, &json!("running")), "{started}");
        started["capture"].as_str().unwrap().to_owned()
    }
}

/// Everything that was published of a capture until its end, with no message missing.
async fn published(cluster: &Cluster, id: &str) -> Vec<Value> {
    let stream = jetstream::new(cluster.broker.client("results").await).get_stream("TL_LIVE").await.unwrap();
    let filter_subject = format!("tl.v1.live.capture.{id}");
    let ordered = consumer::pull::OrderedConfig { filter_subject, ..Default::default() };
    let mut messages = stream.create_consumer(ordered).await.unwrap().messages().await.unwrap();
    let mut windows: Vec<Value> = Vec::new();
    for seq in 1_u64.. {
        let message = tokio::time::timeout(Duration::from_secs(20), messages.next()).await.expect("a message");
        let told: Value = serde_json::from_slice(&message.unwrap().unwrap().payload).unwrap();
        assert_eq!((&told["seq"], told["capture_id"].as_str()), (&json!(seq), Some(id)), "{told}");
        if told["type"] == "windows" {
            assert_eq!(told["first_window"], windows.len(), "{told}");
            windows.extend(told["windows"].as_array().unwrap().iter().cloned());
        }
        if told["type"] == "state" && told["status"] == "done" && told["windows"] == windows.len() {
            break;
        }
    }
    windows
}

#[tokio::test]
async fn a_live_capture_is_seen_as_it_runs_outlives_its_worker_and_ends_in_its_file() {
    if !can_capture() {
        return;
    }
    let mut lab = Lab::with(1, &LIVE).await;
    let traffic = Traffic::new();
    let id = traffic.start(&lab.cluster, "logs/live.jsonl").await;
    traffic.until_windows(&lab.cluster, &id, 3).await;
    let api = lab.cluster.api.clone();
    let status = api.get(STATUS).await.expect(200);
    assert_eq!((&status["running"], &status["interface"]), (&json!(true), &json!("lo")));
    let again = api.post(START, &json!({})).await.expect(400);
    assert_eq!(again["error"], "Live capture is already running on lo");
    let latest = api.get("/api/metrics/").await.expect(200);
    assert_eq!((&latest["capture"], &latest["partial"]), (&json!(id), &json!(true)));

    lab.cluster.workers[0].kill();
    lab.cluster.add_worker();
    let resumed = async || {
        traffic.send();
        let capture = api.get(&format!("/api/captures/{id}")).await.expect(200);
        let windows = capture["window_count"].as_u64()?;
        (capture["gaps"].as_array()?.len() == 1).then_some((capture, windows))
    };
    let (capture, windows) = soon("a gap", resumed).await;
    let reason = capture["gaps"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("`w1`") && reason.contains("`w2`"), "{reason}");
    traffic.until_windows(&lab.cluster, &id, windows + 2).await;

    let stopped = api.post(STOP, &json!({})).await.expect(200);
    assert_eq!(
        (&stopped["message"], &stopped["output_file"]),
        (&json!("Live capture stopped"), &json!("logs/live.jsonl"))
    );
    assert_eq!(api.post(STOP, &json!({})).await.expect(400)["error"], "No capture currently running");
    assert_eq!(api.get(STATUS).await.expect(200), json!({"running": false, "message": "No active capture"}));
    let whole = api.get("/api/metrics/?limit=10000").await.expect(200);
    assert_eq!((&whole["total"], &whole["partial"]), (&stopped["window_count"], &json!(false)));
    assert_eq!(whole["metrics"], Value::Array(lab.lines("logs/live.jsonl")), "the file has every window once");
    let published = published(&lab.cluster, &id).await;
    let packets = |window: &Value| window["packets"].as_u64().unwrap();
    let counted = whole["metrics"].as_array().unwrap().iter().map(|window| window["record_count"].as_u64().unwrap());
    assert!(published.iter().map(packets).eq(counted), "{published:?}");

    let computed = api.post("/api/metrics/compute", &json!({"pcap_file": "logs/live.jsonl"})).await.expect(200);
    assert_eq!((&computed["capture"], &computed["window_count"]), (&json!(id), &stopped["window_count"]));
    api.post(START, &json!({"output_file": "logs/live.jsonl"})).await.expect(409);
}

/// Its name is free again at once, and what becomes of the failed capture does not touch the next one's file.
#[tokio::test]
async fn a_capture_that_fails_at_its_start_gives_up_its_output_file() {
    if !can_capture() {
        return;
    }
    let lab = Lab::with(1, &LIVE).await;
    let (api, traffic) = (&lab.cluster.api, Traffic::new());
    let body = json!({"output_file": "live.jsonl", "filter": "port port"});
    let failed = async || Some(api.post(START, &body).await.expect(400)).filter(|body| body["capture"].is_string());
    let failed = soon("a worker that refuses the filter", failed).await;
    assert!(failed["error"].as_str().unwrap().contains("`port port` is wrong"), "{failed}");
    let id = traffic.start(&lab.cluster, "live.jsonl").await;
    traffic.until_windows(&lab.cluster, &id, 1).await;
    api.delete(&format!("/api/captures/{}", failed["capture"].as_str().unwrap())).await.expect(200);
    let stopped = api.post(STOP, &json!({})).await.expect(200);
    assert_eq!(json!(lab.lines("live.jsonl").len()), stopped["window_count"]);
    api.delete(&format!("/api/captures/{id}")).await.expect(200);
    assert!(!lab.cluster.data_dir().join("live.jsonl").exists(), "it goes with its capture");
}

#[tokio::test]
async fn a_live_capture_that_fills_the_quota_is_stopped_and_says_why() {
    if !can_capture() {
        return;
    }
    let lab = Lab::with(1, &[LIVE[0], LIVE[1], ("CAPTURES__QUOTA_BYTES", "4096")]).await;
    let (api, traffic) = (&lab.cluster.api, Traffic::new());
    let id = traffic.start(&lab.cluster, "live.jsonl").await;
    let over = async || {
        traffic.send();
        let capture = api.get(&format!("/api/captures/{id}")).await.expect(200);
        (capture["status"] == "done").then_some(capture)
    };
    let capture = soon("the end of the capture", over).await;
    assert!(capture["reason"].as_str().unwrap().contains("`captures.quota_bytes`"), "{capture}");
    assert_eq!(json!(lab.lines("live.jsonl").len()), capture["window_count"]);
    assert_eq!(api.get(STATUS).await.expect(200)["running"], false);
}
