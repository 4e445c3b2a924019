//! Targets that must not be reached, and limits over all campaigns.

use serde_json::json;

use super::{must_be_error, must_be_unharmed};
use crate::harness::{Cluster, Target};

/// Neither loopback nor allowed otherwise.
const FORBIDDEN: [&str; 12] = [
    "http://example.com/",
    "http://8.8.8.8/",
    "http://10.0.0.1/",
    "http://192.168.1.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/",
    "http://[::ffff:169.254.169.254]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://0.0.0.0/",
    "http://224.0.0.1/",
    "http://[fe80::1]/",
    "http://2130706433.example.com/",
];

#[tokio::test]
async fn targets_off_the_list_are_refused_before_anything_is_stored() {
    let cluster = Cluster::with_workers(0).await;
    let api = &cluster.api;
    for target in FORBIDDEN {
        let body = json!({"campaign_id": "x", "target_url": target, "requests_per_minute": 60});
        for path in ["/api/sessions/", "/api/traffic/generate"] {
            let answer = api.post(path, &body).await;
            must_be_error(&format!("{path} {target}"), answer.status, &answer.body, 403);
            assert_eq!(answer.body["code"], "target_not_allowed", "{target}: {}", answer.text);
        }
    }
    let answer = api.post("/api/sessions/", &json!({"target_url": "http://shop.example.com/"})).await;
    assert!(answer.text.contains("allow_targets") && answer.text.contains("shop.example.com"), "{}", answer.text);
    // Our own broker is no target, though it listens on loopback.
    let answer = api.post("/api/sessions/", &json!({"target_url": cluster.broker.url().replace("nats", "http")})).await;
    must_be_error("our own broker", answer.status, &answer.body, 403);
    must_be_unharmed(api, "0").await;

    // Simulated, any URL may be named; switching to real requests is refused again.
    let id = api.create(&json!({"target_url": "http://example.com/", "config": {"mode": "simulate"}})).await;
    let answer = api.put(&format!("/api/sessions/{id}"), &json!({"config": {"mode": "http"}})).await;
    must_be_error("a change to http", answer.status, &answer.body, 403);
    assert_eq!(api.get(&format!("/api/sessions/{id}")).await.body["config"]["mode"], "simulate");
    api.set_status(&id, "running").await.expect(200);
    let body = json!({"campaign_id": id, "config": {"mode": "http"}});
    let answer = api.post("/api/traffic/generate", &body).await;
    must_be_error("an override to http", answer.status, &answer.body, 403);
}

/// A public host that is on the list must also prove that its owner agrees, which nobody does for
/// a name that does not exist; in no case does a run begin.
#[tokio::test]
async fn a_public_target_needs_its_owner() {
    let settings = r#"["127.0.0.0/8", "*.invalid"]"#;
    let cluster = Cluster::builder().set("GENERATOR__ALLOW_TARGETS", settings).start().await;
    let id = cluster.api.create(&json!({"target_url": "http://shop.invalid/"})).await;
    cluster.api.set_status(&id, "running").await.expect(200);
    let answer = cluster.api.post("/api/traffic/generate", &json!({"campaign_id": id})).await;
    assert!([403, 422].contains(&answer.status), "{}", answer.text);
    must_be_error("no owner", answer.status, &answer.body, answer.status);
    let status = cluster.api.get(&format!("/api/traffic/status/{id}")).await.expect(200);
    assert_eq!(status["data"]["is_running"], false, "{status}");
}

#[tokio::test]
async fn the_rate_of_one_target_holds_over_all_campaigns() {
    let target = Target::start(&[]).await;
    let cluster = Cluster::builder().workers(1).set("GENERATOR__MAX_RATE_PER_TARGET", "100").start().await;
    let body = |rate: u64| json!({"target_url": target.url, "requests_per_minute": rate, "duration_minutes": 10});
    let (first, _) = cluster.api.start(&body(60 * 60)).await;
    let second = cluster.api.create(&body(60 * 60)).await;
    cluster.api.set_status(&second, "running").await.expect(200);
    let answer = cluster.api.post("/api/traffic/generate", &json!({"campaign_id": second})).await;
    must_be_error("more than the target's share", answer.status, &answer.body, 409);
    assert!(answer.text.contains("max_rate_per_target"), "{}", answer.text);
    cluster.api.post(&format!("/api/traffic/stop/{first}"), &json!({})).await.expect(200);
    cluster.api.generate(&second).await;
    let answer = cluster.api.post("/api/traffic/stop-all", &json!({})).await.expect(200);
    assert_eq!(answer["success"], true, "{answer}");
    assert_eq!(cluster.api.status(&second).await.as_deref(), Some("stopped"));
}
