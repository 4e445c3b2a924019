//! A dead worker's shards go to the others, from where its log ends.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use trafficlab_shared::protocol::report::Record;

use crate::harness::{Cluster, Entries, Logs, Plan, eventually, soon};

async fn records(logs: &Logs, job: &str, shards: u32) -> Vec<Record> {
    let mut records = Vec::new();
    for shard in 0..shards {
        records.extend(logs.record(job, shard).await);
    }
    records
}

/// The takeover is measured and shown; what is asserted is only that it happens at all.
#[allow(clippy::print_stderr, reason = "a figure for people")]
#[tokio::test]
async fn shards_of_a_killed_worker_go_on_elsewhere() {
    let mut cluster = Cluster::with_workers(2).await;
    let plan = Plan::constant(11, 120, 15.0).ramp(10, 400);
    let (id, job) = cluster.api.start(&plan.session()).await;
    let logs = Logs(cluster.broker.jetstream().await);
    let owners = async || {
        let records = records(&logs, &job, plan.shards()).await;
        let owners: BTreeSet<String> = records.iter().map(|record| record.worker.clone()).collect();
        (records.len() == 8 && owners.len() == 2).then_some(())
    };
    soon("both workers having shards", owners).await;
    cluster.api.wait_for_entries(&id, 200).await;
    cluster.workers[0].kill();
    let killed = Instant::now();
    let moved = async || {
        let records = records(&logs, &job, plan.shards()).await;
        records.iter().all(|record| record.worker == "w2").then_some(())
    };
    eventually(Duration::from_secs(20), "w2 having all shards", moved).await;
    eprintln!("takeover took {:?}", killed.elapsed());
    cluster.api.wait_for(&id, "completed", Duration::from_secs(60)).await;
    Entries::read(&cluster.api, &id).await.must_be(&plan.ids(&logs, &job).await);
}
