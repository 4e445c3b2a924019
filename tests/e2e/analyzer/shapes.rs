//! Every field of the document's examples, with its type, in every response.

use serde_json::{Value, json};

use super::Lab;

/// Where `value` lacks a member of `example` or has another type. Null in the example fits null and text; a list's
/// first item stands for all of them; an empty object stands for any.
fn differences(path: &str, example: &Value, value: &Value, found: &mut Vec<String>) {
    match (example, value) {
        (Value::Object(members), Value::Object(of)) => {
            for (name, example) in members {
                let inner = format!("{path}.{name}");
                match of.get(name) {
                    None => found.push(format!("{inner} is missing")),
                    Some(value) => differences(&inner, example, value, found),
                }
            }
        }
        (Value::Array(items), Value::Array(of)) => {
            if let Some(example) = items.first() {
                of.iter().for_each(|value| differences(&format!("{path}[]"), example, value, found));
            }
        }
        (Value::Null, Value::Null | Value::String(_) | Value::Number(_)) => {}
        (Value::Bool(_), Value::Bool(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::String(_), Value::String(_)) => {}
        _ => found.push(format!("{path} is {value}, the document has {example}")),
    }
}

fn window() -> Value {
    json!({
        "window_start": 1.5, "window_end": 1.5, "record_count": 1, "protocol": {},
        "bandwidth": {"avg_bps": 1.5, "avg_pps": 1.5, "duration_s": 1.5, "top_src_bytes": [], "top_dst_bytes": []},
        "latency": {"mean_rtt": 1.5, "max_rtt": 1.5, "p95_rtt": 1.5},
        "connections": {"total": 1, "protocols": {}},
    })
}

fn anomaly() -> Value {
    json!({"type": "", "severity": "", "window_start": 1.5, "window_end": 1.5, "message": "", "metric": "",
        "current_value": 1.5, "threshold": 1.5, "flow_src": null, "flow_dst": null})
}

fn figures() -> Value {
    json!({"mean": 1.5, "median": 1.5, "min": 1.5, "max": 1.5, "p95": 1.5, "p99": 1.5})
}

/// What the server says of itself.
fn of_server() -> Vec<(&'static str, Value)> {
    vec![
        ("/health", json!({"status": "", "timestamp": "", "mode": "", "version": ""})),
        (
            "/api/status",
            json!({
                "api": {"status": "", "version": "", "timestamp": ""},
                "system": {"mode": "", "pcap_file": null, "interface": null, "window_size": 1, "metrics_dir": "", "baselines_dir": ""},
                "data": {"metrics": true, "baselines": true, "anomalies": true},
            }),
        ),
        (
            "/api/control/status",
            json!({
                "api": {"status": "", "mode": "", "version": ""},
                "system": {"python_version": null, "platform": "", "tshark_available": true, "project_structure": {}},
                "data": {"metrics": true, "anomalies": true, "baselines": true, "metric_count": 1, "anomaly_count": 1},
                "capture": {"running": false, "start_time": null, "interface": null},
            }),
        ),
        (
            "/api/control/config",
            json!({"mode": "", "pcap_file": null, "interface": null, "window_size": 1,
            "directories": {"metrics": "", "baselines": "", "anomalies": ""}}),
        ),
        ("/api/control/ping", json!({"pong": true, "timestamp": ""})),
        ("/api/control/capture/status", json!({"running": false, "message": ""})),
        ("/api/control/logs", json!({"log_file": "", "limit": 1, "total_lines": 1, "returned_lines": 1, "logs": [""]})),
    ]
}

/// Results.
fn of_results() -> Vec<(&'static str, Value)> {
    let top = json!({"type": "", "severity": "", "message": "", "count": 1, "first_seen": 1.5, "last_seen": 1.5});
    vec![
        ("/api/metrics/", json!({"count": 1, "total": 1, "offset": 0, "limit": 1, "metrics": [window()]})),
        ("/api/metrics/0", {
            let mut one = window();
            one["window_id"] = json!(0);
            one
        }),
        (
            "/api/metrics/summary",
            json!({
                "total_windows": 1, "time_span": 1.5,
                "bandwidth": {"mean_bps": 1.5, "max_bps": 1.5, "min_bps": 1.5},
                "latency": {"mean_rtt": 1.5, "max_rtt": 1.5},
                "connections": {"total_across_windows": 1, "mean_per_window": 1.5},
            }),
        ),
        (
            "/api/anomalies/",
            json!({"count": 1, "total": 1, "offset": 0, "limit": 1,
            "filters": {"type": null, "severity": null}, "anomalies": [anomaly()]}),
        ),
        ("/api/anomalies/by-type", json!({"total": 1, "by_type": {"packet_loss": {"count": 1, "by_severity": {}}}})),
        ("/api/anomalies/window/3", json!({"window_id": 0, "count": 1, "anomalies": [anomaly()]})),
        ("/api/anomalies/top", json!({"top": [top]})),
        (
            "/api/baselines/",
            json!({"available": 4, "timestamp": "", "baselines": {"bandwidth": figures(),
            "latency": figures(), "protocol": {}, "connection": {}}}),
        ),
        ("/api/baselines/latency", json!({"type": "", "baseline": figures(), "timestamp": ""})),
        (
            "/api/baselines/stats",
            json!({"timestamp": "", "baseline_stats": {
                "bandwidth": {"mean_bps": 1.5, "median_bps": 1.5, "max_bps": 1.5, "min_bps": 1.5, "p95_bps": 1.5},
                "latency": {"mean_rtt": 1.5, "median_rtt": 1.5, "p95_rtt": 1.5, "p99_rtt": 1.5},
                "protocol": {"distribution": {}},
                "connection": {"mean_connections": 1.5, "median_connections": 1.5},
            }}),
        ),
        (
            "/api/captures/",
            json!({"count": 1, "total": 1, "offset": 0, "limit": 1, "captures": [{"id": "", "status": ""}]}),
        ),
    ]
}

#[tokio::test]
async fn every_response_has_the_documents_fields_with_their_types() {
    let lab = Lab::start(1).await;
    let api = &lab.cluster.api;
    let mut found = Vec::new();
    for (path, body, example) in [
        (
            "/api/metrics/compute",
            json!({"source": "pcap", "pcap_file": "test.pcap", "window_size": 10, "force": false}),
            json!({"success": true, "message": "", "metrics_file": "", "window_count": 1, "window_size": 1,
                "computation_time": 1.5, "timestamp": ""}),
        ),
        (
            "/api/baselines/generate",
            json!({"force": false, "types": ["bandwidth", "latency", "protocol", "connection"]}),
            json!({"success": true, "message": "", "baselines_dir": "", "generation_time": 1.5, "timestamp": "",
                "generated": {"bandwidth": true, "latency": true, "protocol": true, "connection": true}}),
        ),
        (
            "/api/anomalies/detect",
            json!({"force": false, "window_start": null, "window_end": null}),
            json!({"success": true, "message": "", "anomalies_file": "", "anomaly_count": 1, "detection_time": 1.5,
                "summary": {"by_type": {}, "by_severity": {}}, "timestamp": ""}),
        ),
    ] {
        differences(path, &example, &api.post(path, &body).await.expect(200), &mut found);
    }
    for (path, example) in of_server().into_iter().chain(of_results()) {
        differences(path, &example, &api.get(path).await.expect(200), &mut found);
    }
    assert!(found.is_empty(), "{} differences:\n  {}", found.len(), found.join("\n  "));
}

#[tokio::test]
async fn before_anything_is_computed_lists_are_empty_and_figures_null() {
    let lab = Lab::start(0).await;
    let api = &lab.cluster.api;
    for (path, list) in [("/api/metrics/", "metrics"), ("/api/anomalies/", "anomalies"), ("/api/captures/", "captures")]
    {
        let body = api.get(path).await.expect(200);
        assert_eq!((&body["count"], &body["total"], &body[list]), (&json!(0), &json!(0), &json!([])), "{path}");
        let bare = path.trim_end_matches('/');
        let moved = api.get(&format!("{bare}?limit=3")).await;
        assert_eq!((moved.status, moved.header("location")), (308, format!("{path}?limit=3").as_str()));
    }
    assert_eq!(api.get("/api/baselines").await.header("location"), "/api/baselines/");
    let summary = api.get("/api/metrics/summary").await.expect(200);
    assert_eq!((&summary["total_windows"], &summary["bandwidth"]["mean_bps"]), (&json!(0), &Value::Null));
    assert_eq!(api.get("/api/anomalies/by-type").await.expect(200)["by_type"], json!({}));
    assert_eq!(api.get("/api/anomalies/top").await.expect(200)["top"], json!([]));
    assert_eq!(api.get("/api/baselines/").await.expect(200)["available"], 0);
    let window = api.get("/api/metrics/999").await.expect(404);
    assert_eq!(
        (&window["error"], &window["window_id"], &window["total_windows"]),
        (&json!("Window not found"), &json!(999), &json!(0))
    );
    for path in ["/api/anomalies/detect", "/api/baselines/generate"] {
        let refused = api.post(path, &json!({})).await.expect(400);
        assert_eq!(refused["error"], "Metrics not found. Run /api/metrics/compute first.");
        assert_eq!(refused["success"], false);
    }
}
