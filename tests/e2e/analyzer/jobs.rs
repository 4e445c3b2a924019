//! One analysis for equal requests, waiting and not waiting for it, and which capture answers are about.

use serde_json::json;

use super::{Lab, sample};
use crate::harness::soon;

const COMPUTE: &str = "/api/metrics/compute";

#[tokio::test]
async fn equal_requests_share_one_job_and_its_result() {
    let mut lab = Lab::start(0).await;
    let body = json!({"pcap_file": "test.pcap"});
    let wait = format!("{COMPUTE}?wait=0");
    let api = lab.cluster.api.clone();
    let (first, second) = tokio::join!(api.post(&wait, &body), api.post(&wait, &body));
    let location = first.header("location").to_owned();
    let (first, second) = (first.expect(202), second.expect(202));
    assert_eq!((&first["job"], &first["capture"]), (&second["job"], &second["capture"]));
    assert_eq!((&first["status"], first["progress"].is_number()), (&json!("queued"), true));
    let id = first["capture"].as_str().unwrap();
    assert_eq!(location, format!("/api/captures/{id}"));
    let early = api.get(&format!("/api/metrics/?capture={id}")).await.expect(409);
    assert_eq!((&early["capture_id"], &early["status"]), (&json!(id), &json!("queued")));
    assert_eq!(api.get("/api/metrics/").await.expect(200)["total"], 0, "the latest is one that is done");

    lab.cluster.add_worker();
    let done = api.post(COMPUTE, &body).await.expect(200);
    assert_eq!((&done["capture"], &done["window_count"]), (&first["capture"], &json!(sample::WINDOWS)));
    let again = api.post(COMPUTE, &body).await.expect(200);
    assert_eq!((&again["capture"], &again["computed_before"]), (&first["capture"], &json!(true)));

    let other = api.post(COMPUTE, &json!({"pcap_file": "test.pcap", "window_size": 30})).await.expect(200);
    assert_eq!((&other["window_count"], &other["window_size"]), (&json!(2), &json!(30)));
    assert_ne!(other["capture"], first["capture"]);
    let forced = api.post(COMPUTE, &json!({"pcap_file": "test.pcap", "force": true})).await.expect(200);
    assert_ne!(forced["capture"], first["capture"]);
    assert_eq!(api.get("/api/captures/").await.expect(200)["total"], 3);
    let total = async |path: String| lab.cluster.api.get(&path).await.expect(200)["total"].clone();
    assert_eq!(total("/api/metrics/".to_owned()).await, json!(sample::WINDOWS), "the latest is the forced one");
    assert_eq!(total(format!("/api/metrics/?capture={}", other["capture"].as_str().unwrap())).await, 2);
}

/// Another file under the same name is another capture.
#[tokio::test]
async fn a_file_that_changed_is_analysed_again() {
    let lab = Lab::start(1).await;
    let api = &lab.cluster.api;
    let body = json!({"pcap_file": "test.pcap"});
    let first = api.post(COMPUTE, &body).await.expect(200);
    let mut longer = sample::office();
    longer.at(sample::BEGIN_NS + 95_000_000_000, &sample::question());
    std::fs::write(lab.file("test.pcap"), longer.pcap()).unwrap();
    let second = api.post(COMPUTE, &body).await.expect(200);
    assert_eq!(second["window_count"], sample::WINDOWS + 1);
    assert_ne!(second["capture"], first["capture"]);
    // Windows without packets are not stored: the id counts, the index is the place in time.
    let last = api.get(&format!("/api/metrics/{}", sample::WINDOWS)).await.expect(200);
    assert_eq!((&last["window_id"], &last["window_index"]), (&json!(6), &json!(9)));
}

#[tokio::test]
async fn detection_is_repeated_when_asked_or_when_baselines_are_newer() {
    let lab = Lab::start(1).await;
    let api = &lab.cluster.api;
    api.post(COMPUTE, &json!({"pcap_file": "test.pcap"})).await.expect(200);
    let known = api.post("/api/anomalies/detect", &json!({})).await.expect(200);
    assert_eq!(known["computed_before"], true);
    let forced = api.post("/api/anomalies/detect", &json!({"force": true})).await.expect(200);
    assert_eq!((&forced["computed_before"], &forced["anomaly_count"]), (&json!(false), &known["anomaly_count"]));
    assert_ne!(forced["job"], known["job"]);
    api.post("/api/baselines/generate", &json!({})).await.expect(200);
    let newer = api.post("/api/anomalies/detect", &json!({})).await.expect(200);
    assert_eq!(newer["computed_before"], false);
    assert_ne!(newer["job"], forced["job"]);
    // Half open: only windows that begin within count.
    let window = api.get("/api/metrics/4").await.expect(200);
    let (start, end) = (&window["window_start"], &window["window_end"]);
    let part = api.post("/api/anomalies/detect", &json!({"window_start": start, "window_end": end})).await.expect(200);
    let inside = api.get("/api/anomalies/window/4").await.expect(200);
    assert_eq!(part["anomaly_count"], inside["count"], "{part}");
    assert!(part["anomaly_count"].as_u64() < newer["anomaly_count"].as_u64(), "{part}");
}

#[tokio::test]
async fn lists_come_in_pages_and_a_removed_capture_is_gone() {
    let lab = Lab::start(1).await;
    let api = &lab.cluster.api;
    let done = api.post(COMPUTE, &json!({"pcap_file": "test.pcap"})).await.expect(200);
    let all = api.get("/api/metrics/").await.expect(200);
    assert_eq!((&all["limit"], &all["count"]), (&json!(50), &json!(sample::WINDOWS)));
    let page = api.get("/api/metrics/?limit=2&offset=3").await.expect(200);
    assert_eq!((&page["count"], &page["total"]), (&json!(2), &json!(sample::WINDOWS)));
    assert_eq!(page["metrics"][0], all["metrics"][3]);
    assert_eq!(page["metrics"][0], api.get("/api/metrics/3").await.expect(200));
    let beyond = api.get("/api/metrics/?offset=70").await.expect(200);
    assert_eq!((&beyond["count"], &beyond["metrics"]), (&json!(0), &json!([])));
    let missing = api.get("/api/metrics/999").await.expect(404);
    assert_eq!((&missing["window_id"], &missing["total_windows"]), (&json!(999), &json!(sample::WINDOWS)));
    assert_eq!(api.get("/api/anomalies/window/999").await.expect(404)["error"], "Window not found");

    let id = done["capture"].as_str().unwrap();
    let whole = api.get(&format!("/api/captures/{id}")).await.expect(200);
    assert_eq!(
        (&whole["status"], &whole["progress"], &whole["source"]),
        (&json!("done"), &json!(100.0), &json!("path"))
    );
    assert_eq!((&whole["summary"]["windows"], &whole["gaps"]), (&json!(sample::WINDOWS), &json!([])));
    assert_eq!(whole["wire"]["packets"], whole["summary"]["packets"], "{whole}");
    let metrics_file = lab.cluster.data_dir().join(done["metrics_file"].as_str().unwrap());
    assert!(metrics_file.exists());
    assert_eq!(api.delete(&format!("/api/captures/{id}")).await.expect(200)["success"], true);
    api.get(&format!("/api/captures/{id}")).await.expect(404);
    assert_eq!(api.get("/api/metrics/").await.expect(200)["total"], 0);
    assert!(lab.file("test.pcap").exists(), "the operator's file stays");
    soon("the capture's files are removed", async || (!metrics_file.exists()).then_some(())).await;
}

/// Whoever waits for a capture that somebody removes is told so at once.
#[tokio::test]
async fn a_capture_removed_while_a_request_waits_for_it_ends_the_wait() {
    let lab = Lab::start(0).await;
    let api = lab.cluster.api.clone();
    let (body, other) = (json!({"pcap_file": "test.pcap"}), api.clone());
    let remove = async {
        let asked = soon("a queued capture", async || {
            let list = other.get("/api/captures/").await.expect(200);
            list["captures"][0]["id"].as_str().map(str::to_owned)
        });
        other.delete(&format!("/api/captures/{}", asked.await)).await.expect(200);
    };
    let (waited, ()) = tokio::join!(api.post(COMPUTE, &body), remove);
    assert_eq!(waited.expect(409)["error"], "The capture was removed meanwhile");
}
