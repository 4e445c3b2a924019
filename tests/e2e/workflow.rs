//! The documents' typical workflow, from creating a campaign to downloading what it did.

use std::time::Duration;

use serde_json::json;

use crate::harness::{Api, Cluster, Entries, Target};

/// The six steps of the traffic document.
async fn walk(api: &Api, session: serde_json::Value, requests: u64) -> String {
    let id = api.create(&session).await;
    let changed = api.set_status(&id, "running").await.expect(200);
    assert_eq!((&changed["previous_status"], &changed["new_status"]), (&json!("draft"), &json!("running")));
    let job = api.generate(&id).await;
    let again = api.post("/api/traffic/generate", &json!({"campaign_id": id})).await.expect(409);
    assert_eq!(again["success"], false, "{again}");
    api.wait_for_entries(&id, requests / 3).await;
    let monitor = api.get(&format!("/api/traffic/monitor/{id}")).await.expect(200);
    assert_eq!(monitor["data"]["is_running"], true, "{monitor}");
    assert_eq!(monitor["data"]["has_data"], true, "{monitor}");
    api.wait_for(&id, "completed", Duration::from_secs(60)).await;
    let status = api.get(&format!("/api/traffic/status/{id}")).await.expect(200);
    assert_eq!(status["data"]["is_running"], false, "{status}");
    let download = api.get(&format!("/api/traffic/download/{id}")).await.expect(200);
    let name = download["filename"].as_str().unwrap();
    assert!(name.starts_with(&format!("traffic_{id}_")) && name.ends_with(".json"), "{name}");
    let data = &download["data"];
    let entries = data["traffic_data"].as_array().unwrap();
    assert_eq!(data["total_requests"].as_u64(), Some(entries.len() as u64), "{}", data["total_requests"]);
    assert!(entries.iter().all(|entry| entry["run_id"] == job.as_str()));
    id
}

#[tokio::test]
async fn simulated_from_create_to_download() {
    let cluster = Cluster::with_workers(1).await;
    let session = json!({
        "name": "spring sale",
        "target_url": "https://shop.example.com/offers",
        "requests_per_minute": 6000,
        "duration_minutes": 0.0625,
        "geo_locations": ["Germany", {"country": "France", "weight": 3}],
        "rtb_config": {"floor_price": 0.5},
        "user_profiles": [{"name": "phone", "device_types": ["mobile"]}],
        "config": {"mode": "simulate", "seed": 5},
    });
    let id = walk(&cluster.api, session, 375).await;
    let entries = Entries::read(&cluster.api, &id).await;
    assert_eq!(entries.ids().len(), 375);
    for entry in &entries.0 {
        assert!(["Germany", "France"].contains(&entry["geo_location"].as_str().unwrap()), "{entry}");
        assert_eq!(entry["device_type"], "mobile", "{entry}");
        assert_eq!(entry["user_profile"], "phone", "{entry}");
        assert_eq!(entry["mode"], "simulate");
    }
    let stats = cluster.api.stats(&id).await;
    assert_eq!(stats["unique_geo_locations"], 2, "{stats}");
    assert_eq!(stats["total_requests"], 375, "{stats}");
    let good = entries.0.iter().filter(|entry| entry["success"] == true).count();
    assert_eq!(stats["successful_requests"], good, "{stats}");
}

#[tokio::test]
async fn real_requests_from_create_to_download() {
    let target = Target::start(&["--latency", "2ms", "--errors", "503:0.1"]).await;
    let cluster = Cluster::with_workers(2).await;
    let session = json!({
        "target_url": format!("{}/shop?item={{{{uuid}}}}", target.url),
        "requests_per_minute": 12_000,
        "duration_minutes": 0.0625,
        "config": {"headers": {"X-Shop": "a", "X-Key": {"value": "hidden-value", "secret": true}}},
    });
    let id = walk(&cluster.api, session, 750).await;
    let entries = Entries::read(&cluster.api, &id).await;
    let ids = entries.ids();
    let seen = target.ids().await;
    let stats = cluster.api.stats(&id).await;
    assert_eq!(stats["arrivals"]["scheduled"], 750, "{stats}");
    assert_eq!(seen.len() as u64, stats["arrivals"]["sent"].as_u64().unwrap(), "{stats}");
    assert!(seen.keys().all(|id| ids.contains(id)), "the target saw a request that is not stored");
    let target_stats = target.stats().await;
    assert_eq!((&target_stats["repeats"], &target_stats["unmarked"]), (&json!(0), &json!(0)));
    let failed = entries.0.iter().filter(|entry| entry["status_code"] == 503).count();
    assert!((30..160).contains(&failed), "{failed} of 750 failed, one in ten was asked for");
    assert!(entries.0.iter().all(|entry| entry["success"] == (entry["status_code"] == 200)));
    let session = cluster.api.get(&format!("/api/sessions/{id}")).await;
    assert!(!session.text.contains("hidden-value"), "{}", session.text);
    assert_eq!(session.body["config"]["headers"]["X-Key"], json!({"secret": true, "set": true}));
}

/// The sessions document's one-request form.
#[tokio::test]
async fn generate_creates_an_unknown_campaign() {
    let target = Target::start(&[]).await;
    let cluster = Cluster::with_workers(1).await;
    let body = json!({
        "campaign_id": "one-shot",
        "target_url": target.url,
        "requests_per_minute": 1200,
        "duration_minutes": 0.0625,
    });
    let answer = cluster.api.post("/api/traffic/generate", &body).await.expect(200);
    for (field, value) in [("success", json!(true)), ("campaign_id", json!("one-shot")), ("status", json!("running"))] {
        assert_eq!(answer[field], value, "{answer}");
    }
    assert_eq!(answer["data"]["campaign_id"], "one-shot", "{answer}");
    assert!(answer["config"].is_object() && answer["message"].is_string(), "{answer}");
    cluster.api.wait_for("one-shot", "completed", Duration::from_secs(40)).await;
    assert_eq!(target.ids().await.len(), 75);
}
