//! Status, configuration, logs, and who may call what.

use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Lab;
use crate::harness::soon;

#[tokio::test]
async fn status_and_configuration_follow_what_there_is() {
    let lab = Lab::start(1).await;
    let api = &lab.cluster.api;
    let status = api.get("/api/status").await.expect(200);
    assert_eq!(status["data"]["metrics"], false);
    assert_eq!((&status["system"]["mode"], &status["system"]["window_size"]), (&json!("pcap"), &json!(10)));
    let done = api.post("/api/metrics/compute", &json!({"pcap_file": "test.pcap"})).await.expect(200);
    let control = api.get("/api/control/status").await.expect(200);
    assert_eq!((&control["data"]["metrics"], &control["data"]["metric_count"]), (&json!(true), &done["window_count"]));
    assert_eq!(control["data"]["anomaly_count"], done["anomaly_count"]);
    assert_eq!((&control["data"]["baselines"], &control["system"]["python_version"]), (&json!(false), &Value::Null));
    assert_eq!(control["capture"], json!({"running": false, "start_time": null, "interface": null}));
    let config = api.get("/api/control/config").await;
    let folder = lab.captures.path().display().to_string();
    assert!(!config.text.contains(&folder), "no path outside the data folder: {}", config.text);
    let config = config.expect(200);
    assert_eq!(
        json!(format!("{}/metrics.jsonl", config["directories"]["metrics"].as_str().unwrap())),
        done["metrics_file"]
    );
    assert_eq!(api.get("/api/control/ping").await.expect(200)["pong"], true);
}

#[tokio::test]
async fn logs_are_the_real_files() {
    let lab = Lab::start(1).await;
    let api = &lab.cluster.api;
    let done = api.post("/api/metrics/compute", &json!({"pcap_file": "test.pcap"})).await.expect(200);
    let capture = done["capture"].as_str().unwrap();
    let named =
        |logs: &Value| logs["logs"].as_array().unwrap().iter().any(|line| line.as_str().unwrap().contains(capture));
    for kind in ["analysis", "app"] {
        let logs = soon("the analysis is in the log", async || {
            let logs = api.get(&format!("/api/control/logs?type={kind}&limit=10000")).await.expect(200);
            named(&logs).then_some(logs)
        })
        .await;
        let file = logs["log_file"].as_str().unwrap();
        assert!(file.starts_with(&format!("logs/{kind}.")), "{file}");
        let text = std::fs::read_to_string(lab.cluster.data_dir().join(file)).unwrap();
        let lines = logs["logs"].as_array().unwrap();
        assert!(text.lines().count() >= lines.len());
        let moment = text.split_whitespace().next().unwrap();
        assert!(lines[0].as_str().unwrap().starts_with(moment), "{} {moment}", lines[0]);
        assert_eq!((&logs["limit"], &logs["returned_lines"]), (&json!(10_000), &json!(lines.len())));
        let one = api.get(&format!("/api/control/logs?type={kind}&limit=1")).await.expect(200);
        assert_eq!(one["returned_lines"], 1);
        assert!(one["total_lines"].as_u64() >= logs["total_lines"].as_u64());
    }
    let analysis = api.get("/api/control/logs?type=analysis").await.expect(200);
    let own = |line: &Value| !line.as_str().unwrap().contains("listening");
    assert!(analysis["logs"].as_array().unwrap().iter().all(own), "{analysis}");
}

#[tokio::test]
async fn roles_are_those_of_the_contract() {
    let token = |name: &str, role: &str| {
        let sha256: String = Sha256::digest(name.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{{ name = \"{name}\", role = \"{role}\", sha256 = \"{sha256}\" }}")
    };
    let tokens =
        format!("[{}]", [token("reader", "read"), token("operator", "operate"), token("boss", "admin")].join(", "));
    let lab = Lab::with(0, &[("AUTH__API_TOKENS", &tokens), ("PUBLIC_URL", "http://lab.example.com")]).await;
    let api = &lab.cluster.api;
    let status = async |name: &str, method: &Method, path: &str| {
        let request = api.client.request(method.clone(), format!("{}{path}", api.base)).bearer_auth(name);
        request.send().await.unwrap().status().as_u16()
    };
    let (get, post) = (Method::GET, Method::POST);
    for (method, path, lowest) in [
        (&get, "/api/metrics/", "reader"),
        (&get, "/api/control/capture/status", "reader"),
        (&post, "/api/metrics/compute", "operator"),
        (&post, "/api/captures/", "operator"),
        (&get, "/api/control/logs", "boss"),
        (&get, "/api/control/config", "boss"),
        (&post, "/api/control/capture/start", "boss"),
        (&post, "/api/control/capture/stop", "boss"),
        (&Method::DELETE, "/api/captures/x", "boss"),
    ] {
        let order = ["reader", "operator", "boss"];
        let needed = order.iter().position(|name| *name == lowest).unwrap();
        for (rank, name) in order.iter().enumerate() {
            let refused = matches!(status(name, method, path).await, 401 | 403);
            assert_eq!(refused, rank < needed, "{name}: {method} {path}");
        }
        assert_eq!(status("guess", method, path).await, 401);
    }
}
