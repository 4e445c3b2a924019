//! Bad input: each the document's error body with a clear sentence, and nothing stored.

use std::os::unix::fs::{PermissionsExt as _, symlink};

use serde_json::{Value, json};

use super::Lab;

/// Files in and around the capture folder that cannot be analysed.
fn bad_files(lab: &Lab) {
    std::fs::create_dir(lab.file("folder")).unwrap();
    std::fs::write(lab.file("empty.pcap"), b"").unwrap();
    std::fs::write(lab.file("text.pcap"), b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n").unwrap();
    let secret = lab.cluster.data_dir().join("secret.pcap");
    std::fs::copy(lab.file("test.pcap"), &secret).unwrap();
    symlink(secret, lab.file("link.pcap")).unwrap();
    // A classic header with a link type that nobody has assigned, and one packet.
    let mut unknown = std::fs::read(lab.file("test.pcap")).unwrap();
    unknown[20..24].copy_from_slice(&60_000_u32.to_le_bytes());
    std::fs::write(lab.file("unknown.pcap"), unknown).unwrap();
}

#[tokio::test]
async fn files_that_cannot_be_analysed_are_refused_at_once() {
    let lab = Lab::start(0).await;
    bad_files(&lab);
    let api = &lab.cluster.api;
    for (file, sentence) in [
        ("invalid/path.pcapng", "PCAP file not found: invalid/path.pcapng"),
        ("link.pcap", "PCAP file is outside the capture directories: link.pcap"),
        ("/etc/hostname", "PCAP file is outside the capture directories: /etc/hostname"),
        ("../x.pcap", "PCAP file is outside the capture directories: ../x.pcap"),
        ("folder", "PCAP file is a directory: folder"),
        ("empty.pcap", "PCAP file is empty: empty.pcap"),
        ("text.pcap", "PCAP file is not a pcap or pcapng capture: text.pcap"),
        ("unknown.pcap", "PCAP file has an unsupported link type: unknown.pcap"),
    ] {
        let body = api.post("/api/metrics/compute", &json!({"pcap_file": file})).await.expect(400);
        assert_eq!(body["success"], false);
        let error = body["error"].as_str().unwrap();
        assert!(error.starts_with(sentence), "{file}: {error}");
        assert!(body["timestamp"].is_string() && body["message"] == body["error"], "{body}");
    }
    let none = api.post("/api/metrics/compute", &json!({})).await.expect(400);
    assert!(none["error"].as_str().unwrap().contains("--pcap"), "{none}");
    assert_eq!(api.get("/api/captures/").await.expect(200)["total"], 0);
}

/// Only where the test does not run as root, who may read everything.
#[tokio::test]
async fn a_file_without_permission_is_named() {
    let lab = Lab::start(0).await;
    let path = lab.file("hidden.pcap");
    std::fs::copy(lab.file("test.pcap"), &path).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::File::open(&path).is_ok() {
        crate::harness::skipped("this user may read everything");
        return;
    }
    let body = lab.cluster.api.post("/api/metrics/compute", &json!({"pcap_file": "hidden.pcap"})).await.expect(400);
    assert_eq!(body["error"], "PCAP file cannot be read, permission denied: hidden.pcap");
}

#[tokio::test]
async fn every_wrong_field_and_parameter_is_named() {
    let lab = Lab::start(0).await;
    let api = &lab.cluster.api;
    let compute = "/api/metrics/compute";
    for (path, body, field) in [
        (compute, json!({"window_size": 0}), "window_size"),
        (compute, json!({"window_size": -10}), "window_size"),
        (compute, json!({"window_size": 1e300}), "window_size"),
        (compute, json!({"window_size": "10"}), "window_size"),
        (compute, json!({"source": "tape"}), "source"),
        (compute, json!({"pcap_file": 7}), "pcap_file"),
        (compute, json!({"force": "yes"}), "force"),
        ("/api/metrics/compute?wait=61", json!({}), "wait"),
        ("/api/metrics/compute?wait=-1", json!({}), "wait"),
        ("/api/metrics/compute?wait=NaN", json!({}), "wait"),
        ("/api/anomalies/detect", json!({"window_start": "x"}), "window_start"),
        ("/api/anomalies/detect", json!({"window_start": 9, "window_end": 9}), "window_end"),
        ("/api/baselines/generate", json!({"types": ["weather"]}), "types"),
        ("/api/baselines/generate", json!({"types": 4}), "types"),
        ("/api/captures/?window_size=0", Value::Null, "window_size"),
    ] {
        let answer = if path.starts_with("/api/captures/") {
            api.send(reqwest::Method::POST, path, None).await.unwrap()
        } else {
            api.post(path, &body).await
        };
        let refused = answer.expect(400);
        let named = refused["details"].as_array().unwrap().iter().any(|detail| detail["field"] == field);
        assert!(named, "{path} {body}: {refused}");
    }
    for (path, field) in [
        ("/api/metrics/?limit=-1", "limit"),
        ("/api/metrics/?limit=10001", "limit"),
        ("/api/metrics/?offset=x", "offset"),
        ("/api/anomalies/?type=weather", "type"),
        ("/api/anomalies/?severity=low", "severity"),
        ("/api/anomalies/top?limit=x", "limit"),
        ("/api/control/logs?type=secrets", "type"),
        ("/api/control/logs?limit=-1", "limit"),
        ("/api/captures/?state=lost", "state"),
    ] {
        let refused = api.get(path).await.expect(400);
        assert_eq!(refused["details"][0]["field"], field, "{path}: {refused}");
    }
    let nan = api.client.post(format!("{}{compute}", api.base)).body("{\"window_size\": NaN}").send().await.unwrap();
    assert_eq!(nan.status(), 400);
    for path in ["/api/metrics/?capture=no", "/api/captures/no", "/api/anomalies/?capture=no", "/api/baselines/weather"]
    {
        assert_eq!(api.get(path).await.expect(404)["success"], false, "{path}");
    }
    assert_eq!(api.delete("/api/captures/no").await.expect(404)["capture_id"], "no");
}

#[tokio::test]
async fn live_capture_is_refused_with_the_documents_sentences() {
    let lab = Lab::start(0).await;
    let api = &lab.cluster.api;
    let start = "/api/control/capture/start";
    let pcap = api.post(start, &json!({"interface": "eth0"})).await.expect(400);
    assert_eq!(pcap["error"], "Cannot start live capture in pcap mode. Start API with --mode live");
    assert_eq!(
        api.post("/api/control/capture/stop", &json!({})).await.expect(400)["error"],
        "No capture currently running"
    );
    let live = api.post("/api/metrics/compute", &json!({"source": "live"})).await.expect(400);
    assert_eq!(live["error"], "No live capture found. Start one with /api/control/capture/start");
    for name in ["../x", "/tmp/x", "store/x", "a/../../b", ""] {
        let refused = api.post(start, &json!({"output_file": name})).await.expect(400);
        assert_eq!(refused["details"][0]["field"], "output_file", "{refused}");
    }

    let lab = Lab::with(0, &[("MODE", "live"), ("CAPTURES__INTERFACE", "lo")]).await;
    let api = &lab.cluster.api;
    let other = api.post(start, &json!({"interface": "eth7"})).await.expect(400);
    assert!(other["error"].as_str().unwrap().contains("--interface eth7"), "{other}");
    // No worker is there, so none has the right.
    let nobody = api.post(start, &json!({})).await.expect(400);
    assert!(nobody["error"].as_str().unwrap().contains("setcap cap_net_raw+ep"), "{nobody}");
    assert_eq!(api.get("/api/captures/").await.expect(200)["total"], 0);
}

#[tokio::test]
async fn requests_of_the_wrong_form_get_the_same_body() {
    let lab = Lab::start(0).await;
    let api = &lab.cluster.api;
    let send = async |method: reqwest::Method, path: &str, kind: &str, body: &'static str| {
        let request = api.client.request(method, format!("{}{path}", api.base)).header("content-type", kind).body(body);
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json::<Value>().await.unwrap())
    };
    let post = reqwest::Method::POST;
    for path in
        ["/api/metrics/compute", "/api/anomalies/detect", "/api/baselines/generate", "/api/control/capture/start"]
    {
        let (status, body) = send(post.clone(), path, "application/json", "{\"force\":\n tru}").await;
        assert_eq!((status, &body["line"], &body["success"]), (400, &json!(2), &json!(false)), "{path}: {body}");
        let (status, body) = send(post.clone(), path, "application/json", "[]").await;
        assert_eq!((status, &body["success"]), (400, &json!(false)), "{path}: {body}");
        let (status, body) = send(post.clone(), path, "text/plain", "{}").await;
        assert_eq!((status, &body["code"]), (415, &json!("unsupported_media_type")), "{path}");
        let (status, body) = send(reqwest::Method::GET, path, "application/json", "").await;
        assert_eq!((status, &body["allowed_methods"]), (405, &json!(["POST"])), "{path}: {body}");
    }
    for path in ["/api/metrics/0/x", "/api/control/nothing", "/api/captures/a/b"] {
        assert_eq!(api.get(path).await.expect(404)["code"], "not_found", "{path}");
    }
}
