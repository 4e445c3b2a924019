//! A real bidder when the worker that asks it is killed: every auction is stored once, with its answer.

use std::time::Duration;

use serde_json::json;

use crate::harness::{Cluster, Entries, Target, soon};

const PER_SECOND: u64 = 100;
const SECONDS: u64 = 9;

#[tokio::test]
async fn auctions_are_stored_once_when_a_worker_dies() {
    let target = Target::start(&["--latency", "uniform:2ms,20ms"]).await;
    let mut cluster = Cluster::with_workers(2).await;
    let endpoint = format!("{}/openrtb2/bid?no_bid=0.25", target.url);
    let (id, _) = cluster
        .api
        .start(&json!({
            "requests_per_minute": PER_SECOND * 60,
            "duration_minutes": 0.15,
            "rtb_config": {"endpoint": endpoint, "tmax": 2000},
            "config": {"connections": 16},
        }))
        .await;
    cluster.api.wait_for_entries(&id, 150).await;
    // A run this slow is one shard, so one of the two holds all of it.
    cluster.workers[0].kill();
    cluster.api.wait_for_entries(&id, 300).await;
    cluster.workers[0].up();
    cluster.workers[1].kill();
    cluster.workers[1].up();
    cluster.api.wait_for(&id, "completed", Duration::from_secs(60)).await;
    let settled = async || {
        let stats = cluster.api.stats(&id).await;
        (stats["arrivals"]["scheduled"] == PER_SECOND * SECONDS).then_some(stats)
    };
    let stats = soon("all arrivals being accounted for", settled).await;
    let arrivals = &stats["arrivals"];
    let count = |name: &str| arrivals[name].as_u64().unwrap_or_else(|| panic!("`{name}` is missing: {arrivals}"));
    assert_eq!(count("scheduled"), count("sent") + count("dropped") + count("missed"), "{arrivals}");
    let rtb = &stats["rtb"];
    assert_eq!(rtb["requests"].as_u64(), Some(count("sent")), "{stats}");
    let entries = Entries::read(&cluster.api, &id).await;
    assert_eq!(entries.ids().len() as u64, count("sent"));
    let wins = entries.0.iter().filter(|entry| entry["rtb"]["auction"]["bidder_won"] == true).count();
    assert_eq!(rtb["bidder"]["wins"].as_u64(), Some(wins as u64), "{rtb}");
    for entry in entries.0.iter().filter(|entry| entry["status_code"] == 200) {
        assert_eq!(entry["rtb"]["bid_response"]["id"], entry["id"]);
    }
    // What was in flight when a worker died was asked again, and its bidder told again.
    let told = target.stats().await["auctions"]["wins"].as_u64().unwrap();
    assert!((wins as u64..=wins as u64 + 2 * (16 + PER_SECOND)).contains(&told), "{told} told, {wins} stored");
}
