//! Several workers: sharing a run, joining, leaving and draining.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use crate::harness::{Cluster, Entries, Logs, Plan, eventually, soon};

/// How many of a run's shards each worker has written to last.
async fn owners(logs: &Logs, job: &str, shards: u32) -> BTreeMap<String, u32> {
    let mut owners = BTreeMap::new();
    for shard in 0..shards {
        if let Some(record) = logs.record(job, shard).await {
            *owners.entry(record.worker).or_default() += 1;
        }
    }
    owners
}

#[tokio::test]
async fn two_workers_share_a_run_and_a_newcomer_gets_its_share() {
    let mut cluster = Cluster::with_workers(2).await;
    let plan = Plan::constant(111, 240, 22.5);
    let (id, job) = cluster.api.start(&plan.session()).await;
    let logs = Logs(cluster.broker.jetstream().await);
    let shared = async || (owners(&logs, &job, 8).await.len() == 2).then_some(());
    soon("both workers having shards", shared).await;
    cluster.add_worker();
    let joined = async || {
        let owners = owners(&logs, &job, 8).await;
        (owners.get("w3").copied().unwrap_or(0) >= 2 && owners.len() == 3).then_some(())
    };
    eventually(Duration::from_secs(20), "w3 having its share", joined).await;
    cluster.api.wait_for(&id, "completed", Duration::from_secs(60)).await;
    let entries = Entries::read(&cluster.api, &id).await;
    entries.must_be(&plan.ids(&logs, &job).await);
    assert!(entries.0.iter().any(|entry| entry["worker_id"] == "w3"));
}

#[tokio::test]
async fn a_leaving_worker_gives_everything_back_at_once() {
    let mut cluster = Cluster::with_workers(2).await;
    let plan = Plan::constant(112, 240, 15.0);
    let (id, job) = cluster.api.start(&plan.session()).await;
    cluster.api.wait_for_entries(&id, 300).await;
    let logs = Logs(cluster.broker.jetstream().await);
    assert!(cluster.workers[0].terminate().await.success());
    let moved = async || (owners(&logs, &job, 8).await == [("w2".to_owned(), 8)].into()).then_some(());
    soon("w2 having all shards", moved).await;
    cluster.api.wait_for(&id, "completed", Duration::from_secs(60)).await;
    Entries::read(&cluster.api, &id).await.must_be(&plan.ids(&logs, &job).await);
}

#[tokio::test]
async fn a_drained_worker_is_empty_and_takes_nothing() {
    let cluster = Cluster::with_workers(2).await;
    let plan = Plan::constant(113, 240, 15.0);
    let (id, job) = cluster.api.start(&plan.session()).await;
    cluster.api.wait_for_entries(&id, 300).await;
    let path = "/api/cluster/workers/w1/drain";
    cluster.api.post(path, &json!({"drain": true})).await.expect(200);
    let logs = Logs(cluster.broker.jetstream().await);
    let moved = async || (owners(&logs, &job, 8).await == [("w2".to_owned(), 8)].into()).then_some(());
    soon("w2 having all shards", moved).await;
    let list = cluster.api.get("/api/cluster/workers").await.expect(200);
    assert!(list.to_string().contains("\"w1\""), "{list}");
    cluster.api.post(path, &json!({"drain": false})).await.expect(200);
    cluster.api.wait_for(&id, "completed", Duration::from_secs(60)).await;
    Entries::read(&cluster.api, &id).await.must_be(&plan.ids(&logs, &job).await);
}
