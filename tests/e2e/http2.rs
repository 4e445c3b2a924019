//! Campaigns that choose their version of HTTP and what becomes of their connections.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Cluster, Entries, Target};

fn campaign(target: &Target, config: Value) -> Value {
    let mut session =
        json!({"target_url": target.url, "requests_per_minute": 1200, "duration_minutes": 0.05, "config": {}});
    session["config"] = config;
    session
}

#[tokio::test]
async fn a_campaign_over_http_2_shares_connections_and_keeps_the_marks() {
    let target = Target::start(&["--latency", "20ms"]).await;
    let cluster = Cluster::builder().workers(1).start().await;
    let config = json!({"http_version": "2", "connections": 1, "streams": 8});
    let (id, job) = cluster.api.start(&campaign(&target, config)).await;
    cluster.api.wait_for(&id, "completed", Duration::from_secs(40)).await;
    let entries = Entries::read(&cluster.api, &id).await;
    assert_eq!(entries.0.len(), 60);
    let stats = target.stats().await;
    assert_eq!((&stats["requests"], &stats["distinct_ids"], &stats["unmarked"]), (&json!(60), &json!(60), &json!(0)));
    assert_eq!(stats["http2_connections"], 1);
    assert!(target.ids().await.keys().all(|id| id.starts_with(&job)));
}

#[tokio::test]
async fn without_keep_alive_each_request_has_a_connection() {
    let target = Target::start(&[]).await;
    let cluster = Cluster::builder().workers(1).start().await;
    let before = target.stats().await["connections"].as_u64().unwrap();
    let (id, _) = cluster.api.start(&campaign(&target, json!({"keep_alive": false}))).await;
    cluster.api.wait_for(&id, "completed", Duration::from_secs(40)).await;
    let stats = target.stats().await;
    assert_eq!((&stats["requests"], &stats["http2_connections"]), (&json!(60), &json!(0)));
    // And at least the one that asks.
    assert!(stats["connections"].as_u64().unwrap() > before + 60);
}
