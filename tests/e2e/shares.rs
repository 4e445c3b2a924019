//! Shards are shared out by the capacity of the workers.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Cluster, eventually};

/// Shards that each worker holds.
async fn held(cluster: &Cluster) -> BTreeMap<String, u64> {
    let list = cluster.api.get("/api/cluster/workers").await.expect(200);
    let one = |worker: &Value| (worker["id"].as_str().unwrap().to_owned(), worker["running"].as_u64().unwrap());
    list["data"].as_array().unwrap().iter().map(one).collect()
}

/// Waits until every worker is within one shard of its share.
async fn settled(cluster: &Cluster, shares: [u64; 3]) {
    let mut last = BTreeMap::new();
    let even = async || {
        last = held(cluster).await;
        let near = |(held, share): (&u64, u64)| held.abs_diff(share) <= 1;
        let whole = last.values().sum::<u64>() == shares.iter().sum::<u64>();
        (whole && last.values().zip(shares).all(near)).then_some(())
    };
    eventually(Duration::from_secs(30), &format!("shares of {shares:?}"), even).await;
}

#[tokio::test]
async fn a_worker_of_double_capacity_gets_double() {
    let mut cluster = Cluster::with_workers(0).await;
    for capacity in ["100", "200", "100"] {
        cluster.add_worker_with(&[("WORKER__CAPACITY", capacity)]);
    }
    cluster.ready().await;
    let run = |per_second: u64| json!({"requests_per_minute": per_second * 60, "duration_minutes": 30, "config": {"mode": "simulate"}});
    // One run of eight shards is shared out right from its start.
    let (id, _) = cluster.api.start(&run(240)).await;
    settled(&cluster, [2, 4, 2]).await;
    let moved = cluster.api.get(&format!("/api/traffic/monitor/{id}")).await.expect(200);
    let epochs = moved["data"]["shards"].as_array().unwrap().iter().map(|shard| shard["epoch"].as_u64().unwrap());
    let workers = moved["data"]["workers"].as_array().unwrap();
    let shards: u64 = workers.iter().map(|worker| worker["shards"].as_u64().unwrap()).sum();
    assert_eq!((workers.len(), shards), (3, 8), "{moved}");
    let list = cluster.api.get("/api/cluster/workers").await.expect(200);
    for worker in list["data"].as_array().unwrap().iter().chain(workers) {
        let busy = worker["lane_busy"].as_array().unwrap();
        assert!(busy.len() == 1 && (0.0..=1.0).contains(&busy[0].as_f64().unwrap()), "{worker}");
    }
    assert!(epochs.sum::<u64>() <= 8 + 4, "hardly a shard had to move: {moved}");
    // And so are many runs of one shard each.
    for _ in 0..24 {
        cluster.api.start(&run(2)).await;
    }
    settled(&cluster, [8, 16, 8]).await;
    // A worker that leaves is made up for in proportion.
    cluster.workers[2].terminate().await;
    let gone = async || {
        let held = held(&cluster).await;
        let (first, second) = (held.get("w1")?, held.get("w2")?);
        (first + second == 32 && second.abs_diff(21) <= 2).then_some(())
    };
    eventually(Duration::from_secs(30), "the shares of two workers", gone).await;
    cluster.api.post("/api/traffic/stop-all", &json!({})).await.expect(200);
}
