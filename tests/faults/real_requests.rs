//! Real requests when a worker is killed: every arrival is accounted for once, and the target sees
//! again at most what was on its way.

use std::time::Duration;

use serde_json::json;

use crate::harness::{Cluster, Entries, Target, soon};

const PER_SECOND: u64 = 200;
const CONNECTIONS: u64 = 16;

#[tokio::test]
async fn every_real_request_is_accounted_for_once() {
    let target = Target::start(&["--latency", "uniform:5ms,30ms"]).await;
    let mut cluster = Cluster::with_workers(2).await;
    let body = json!({
        "target_url": target.url,
        "requests_per_minute": PER_SECOND * 60,
        "duration_minutes": 0.25,
        "config": {"mode": "http", "connections": CONNECTIONS},
    });
    let (id, job) = cluster.api.start(&body).await;
    cluster.api.wait_for_entries(&id, 400).await;
    cluster.workers[0].kill();
    let stats_before = target.stats().await;
    cluster.api.wait_for_entries(&id, 1200).await;
    cluster.workers[0].up();
    cluster.api.wait_for(&id, "completed", Duration::from_secs(60)).await;

    let settled = async || {
        let stats = cluster.api.stats(&id).await;
        (stats["scheduled"].as_u64()? == PER_SECOND * 15).then_some(stats)
    };
    let stats = soon("all arrivals being accounted for", settled).await;
    let count = |name: &str| stats[name].as_u64().unwrap_or_else(|| panic!("`{name}` is missing: {stats}"));
    assert_eq!(count("scheduled"), count("sent") + count("dropped") + count("missed"), "{stats}");
    assert!(count("sent") > 1000, "{stats}");

    let seen = target.ids().await;
    let repeats = target.stats().await["repeats"].as_u64().unwrap();
    // In flight on half of the shards, and a second of requests that no record had confirmed.
    assert!(repeats <= CONNECTIONS + PER_SECOND, "{repeats} repeats; before: {stats_before}");
    assert!(seen.values().all(|count| *count <= 2), "an id arrived more than twice");
    let entries = Entries::read(&cluster.api, &id).await;
    let ids = entries.ids();
    assert!(ids.iter().all(|id| id.starts_with(&job)));
    for entry in entries.0.iter().filter(|entry| !entry["status_code"].is_null() && entry["status_code"] != 0) {
        let entry_id = entry["id"].as_str().unwrap();
        assert!(seen.contains_key(entry_id), "stored as answered and never sent: {entry}");
    }
    assert!(seen.len() as u64 <= count("sent") + repeats, "{} seen: {stats}", seen.len());
}
