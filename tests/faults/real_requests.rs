//! Real requests when processes are killed: every arrival is accounted for once, and the target sees
//! again at most what was on its way.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::harness::{Cluster, Entries, Target, soon};

const PER_SECOND: u64 = 200;
const SECONDS: u64 = 15;
const CONNECTIONS: u64 = 16;

fn session(target: &Target) -> Value {
    json!({
        "target_url": target.url,
        "requests_per_minute": PER_SECOND * 60,
        "duration_minutes": 0.25,
        "config": {"mode": "http", "connections": CONNECTIONS},
    })
}

/// Requests between two records of a worker, which leave at least once a second.
const OF_A_RECORD: u64 = PER_SECOND;
/// Requests that may leave while the broker confirms nothing: the right to send lasts 2.4 s from the last
/// confirmed record, and another worker may take the shard before what was sent by it is confirmed.
const OF_A_LEASE: u64 = PER_SECOND * 24 / 10;

/// Checks the books of a finished run in which `unconfirmed` requests, besides those on their way, may
/// have left without a record that says so.
async fn must_balance(cluster: &Cluster, target: &Target, id: &str, unconfirmed: u64) {
    let settled = async || {
        let arrivals = cluster.api.stats(id).await["arrivals"].take();
        (arrivals["scheduled"].as_u64()? == PER_SECOND * SECONDS).then_some(arrivals)
    };
    let arrivals = soon("all arrivals being accounted for", settled).await;
    let count = |name: &str| arrivals[name].as_u64().unwrap_or_else(|| panic!("`{name}` is missing: {arrivals}"));
    let sent = count("sent");
    assert_eq!(count("scheduled"), sent + count("dropped") + count("missed"), "{arrivals}");
    assert!(sent > 1000, "{arrivals}");

    let seen = target.ids().await;
    let on_the_wire: u64 = seen.values().sum();
    let surplus = on_the_wire.saturating_sub(sent);
    // These come twice, or once and are recorded as missed.
    assert!(surplus <= CONNECTIONS + unconfirmed, "{on_the_wire} on the wire: {arrivals}");
    assert!(seen.values().all(|count| *count <= 2), "an id arrived too often");
    let entries = Entries::read(&cluster.api, id).await;
    entries.ids();
    let answered = |entry: &&Value| entry["status_code"].as_u64().is_some_and(|status| status > 0);
    for entry in entries.0.iter().filter(answered) {
        let entry_id = entry["id"].as_str().unwrap();
        assert!(seen.contains_key(entry_id), "stored as answered and never sent: {entry}");
    }
}

#[tokio::test]
async fn every_request_is_accounted_for_when_a_worker_dies() {
    let target = Target::start(&["--latency", "uniform:5ms,30ms"]).await;
    let mut cluster = Cluster::with_workers(2).await;
    let (id, _) = cluster.api.start(&session(&target)).await;
    cluster.api.wait_for_entries(&id, 400).await;
    cluster.workers[0].kill();
    cluster.api.wait_for_entries(&id, 1200).await;
    cluster.workers[0].up();
    cluster.api.wait_for(&id, "completed", Duration::from_secs(60)).await;
    must_balance(&cluster, &target, &id, OF_A_RECORD).await;
}

/// Without the broker nobody may go on sending for longer than the lease; a dead coordinator is no
/// reason to stop.
#[tokio::test]
async fn every_request_is_accounted_for_when_broker_and_coordinator_die() {
    let target = Target::start(&["--latency", "5ms"]).await;
    let mut cluster = Cluster::with_workers(2).await;
    let (id, _) = cluster.api.start(&session(&target)).await;
    cluster.api.wait_for_entries(&id, 400).await;
    cluster.coordinator.kill();
    let before = target.stats().await["requests"].as_u64().unwrap();
    let goes_on = async || (target.stats().await["requests"].as_u64()? > before + 300).then_some(());
    soon("requests going on without a coordinator", goes_on).await;
    cluster.broker.kill();
    // The right to send ends 2.4 s after the last confirmed record; what is open may finish.
    sleep(Duration::from_secs(4)).await;
    let silent = target.stats().await["requests"].clone();
    sleep(Duration::from_secs(1)).await;
    assert_eq!(target.stats().await["requests"], silent, "somebody sends without a confirmed record");
    cluster.broker.up().await;
    cluster.coordinator.up();
    cluster.ready().await;
    cluster.api.wait_for(&id, "completed", Duration::from_secs(60)).await;
    must_balance(&cluster, &target, &id, OF_A_LEASE).await;
}
