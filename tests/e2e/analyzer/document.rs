//! The document's three worked examples as written, port aside.

use serde_json::{Value, json};

use super::{Lab, sample};
use crate::harness::Api;

/// `curl -X POST` without a body.
async fn post(api: &Api, path: &str) -> Value {
    api.send(reqwest::Method::POST, path, None).await.unwrap().expect(200)
}

#[tokio::test]
async fn example_1_a_whole_analysis() {
    let lab = Lab::with_pcap().await;
    let api = &lab.cluster.api;
    let computed = post(api, "/api/metrics/compute").await;
    assert_eq!(
        (&computed["success"], &computed["window_count"]),
        (&json!(true), &json!(sample::WINDOWS)),
        "{computed}"
    );
    assert_eq!(computed["window_size"], 10);
    let generated = post(api, "/api/baselines/generate").await;
    assert_eq!(
        generated["generated"],
        json!({"bandwidth": true, "latency": true, "protocol": true, "connection": true})
    );
    let detected = post(api, "/api/anomalies/detect").await;
    assert!(detected["anomaly_count"].as_u64().unwrap() > 0, "{detected}");
    let summary = api.get("/api/metrics/summary").await.expect(200);
    assert_eq!((&summary["total_windows"], &summary["time_span"]), (&json!(sample::WINDOWS), &json!(60.0)));
    let high = api.get("/api/anomalies/?severity=high").await.expect(200);
    assert!(high["anomalies"].as_array().unwrap().iter().all(|one| one["severity"] == "high"), "{high}");
    let top = api.get("/api/anomalies/top?limit=5").await.expect(200);
    assert!((1..=5).contains(&top["top"].as_array().unwrap().len()), "{top}");

    // The files are really there, with what the API says.
    let lines = lab.lines(computed["metrics_file"].as_str().unwrap());
    let listed = api.get("/api/metrics/").await.expect(200);
    assert_eq!(json!(lines), listed["metrics"]);
    let anomalies = lab.lines(detected["anomalies_file"].as_str().unwrap());
    assert_eq!(anomalies.len() as u64, detected["anomaly_count"].as_u64().unwrap());
    for kind in ["bandwidth", "latency", "protocol", "connection"] {
        let name = format!("{}/{kind}.json", generated["baselines_dir"].as_str().unwrap());
        let text = std::fs::read_to_string(lab.cluster.data_dir().join(name)).unwrap();
        let shown = api.get(&format!("/api/baselines/{kind}")).await.expect(200);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), shown["baseline"]);
    }
}

#[tokio::test]
async fn example_2_filtered_anomalies() {
    let lab = Lab::with_pcap().await;
    let api = &lab.cluster.api;
    post(api, "/api/metrics/compute").await;
    let loss = api.get("/api/anomalies/?type=packet_loss").await.expect(200);
    assert_eq!(loss["filters"], json!({"type": "packet_loss", "severity": null}));
    let found = loss["anomalies"].as_array().unwrap();
    assert!(!found.is_empty() && found.iter().all(|one| one["type"] == "packet_loss"), "{loss}");
    assert!(found.iter().any(|one| one["flow_src"] == "192.0.2.9:51148"), "{loss}");
    let both = api.get("/api/anomalies/?type=packet_loss&severity=high&limit=20").await.expect(200);
    assert_eq!(both["filters"], json!({"type": "packet_loss", "severity": "high"}));
    let window = api.get("/api/anomalies/window/4").await.expect(200);
    assert_eq!(window["window_id"], 4);
    let scans = |list: &Value| list.as_array().unwrap().iter().filter(|one| one["type"] == "port_scan").count();
    assert!(scans(&window["anomalies"]) > 0, "{window}");
    let groups = api.get("/api/anomalies/by-type").await.expect(200);
    let all = api.get("/api/anomalies/").await.expect(200);
    assert_eq!(groups["total"], all["total"]);
    let counts = groups["by_type"].as_object().unwrap();
    let sum: u64 = counts.values().map(|kind| kind["count"].as_u64().unwrap()).sum();
    assert_eq!(json!(sum), groups["total"]);
}

#[tokio::test]
async fn example_3_baselines() {
    let lab = Lab::with_pcap().await;
    let api = &lab.cluster.api;
    post(api, "/api/metrics/compute").await;
    assert_eq!(api.get("/api/baselines/").await.expect(200)["available"], 0);
    let missing = api.get("/api/baselines/bandwidth").await.expect(404);
    assert_eq!((&missing["error"], &missing["type"]), (&json!("Baseline not found"), &json!("bandwidth")));
    let first = post(api, "/api/baselines/generate").await;
    let listed = api.get("/api/baselines/").await.expect(200);
    assert_eq!(listed["available"], 4);
    let bandwidth = api.get("/api/baselines/bandwidth").await.expect(200);
    assert_eq!((&bandwidth["type"], &bandwidth["baseline"]), (&json!("bandwidth"), &listed["baselines"]["bandwidth"]));
    let stats = api.get("/api/baselines/stats").await.expect(200);
    assert_eq!(stats["baseline_stats"]["bandwidth"]["mean_bps"], bandwidth["baseline"]["mean"]);
    let summary = api.get("/api/metrics/summary").await.expect(200);
    let (mean, of_windows) =
        (bandwidth["baseline"]["mean"].as_f64().unwrap(), summary["bandwidth"]["mean_bps"].as_f64().unwrap());
    assert!((mean - of_windows).abs() < 1.0, "{mean} {of_windows}");
    let again = post(api, "/api/baselines/generate").await;
    assert_eq!((&again["computed_before"], &again["generated"]), (&json!(true), &first["generated"]));
    let forced = api.post("/api/baselines/generate", &json!({"force": true})).await.expect(200);
    assert_eq!(forced["computed_before"], false);
}
