//! Workers that are stopped for longer than their lease: one that holds shards, and one whose open
//! pull swallows job messages.

use std::time::Duration;

use crate::harness::{Cluster, Entries, Logs, Plan, eventually};

#[tokio::test]
async fn a_worker_that_wakes_up_late_is_fenced() {
    let mut cluster = Cluster::with_workers(2).await;
    let plan = Plan::constant(51, 240, 15.0);
    let (id, job) = cluster.api.start(&plan.session()).await;
    cluster.api.wait_for_entries(&id, 200).await;
    cluster.workers[0].freeze();
    let logs = Logs(cluster.broker.jetstream().await);
    let moved = async || {
        for shard in 0..plan.shards() {
            (logs.record(&job, shard).await?.worker == "w2").then_some(())?;
        }
        Some(())
    };
    eventually(Duration::from_secs(30), "w2 having all shards", moved).await;
    cluster.workers[0].thaw();
    cluster.api.wait_for(&id, "completed", Duration::from_secs(60)).await;
    Entries::read(&cluster.api, &id).await.must_be(&plan.ids(&logs, &job).await);
}

#[tokio::test]
async fn the_open_pull_of_a_stopped_worker_delays_a_run_and_loses_nothing() {
    let mut cluster = Cluster::with_workers(2).await;
    cluster.workers[0].freeze();
    let plan = Plan::constant(52, 240, 7.5);
    let (id, job) = cluster.api.start(&plan.session()).await;
    cluster.api.wait_for(&id, "completed", Duration::from_secs(60)).await;
    cluster.workers[0].thaw();
    let logs = Logs(cluster.broker.jetstream().await);
    let planned = plan.ids(&logs, &job).await;
    Entries::read(&cluster.api, &id).await.must_be(&planned);
    // What it pulled before it was stopped must not run now that it is awake.
    cluster.ready().await;
    let again = Plan::constant(53, 50, 3.75);
    let (other, _) = cluster.api.start(&again.session()).await;
    cluster.api.wait_for(&other, "completed", Duration::from_secs(40)).await;
    Entries::read(&cluster.api, &id).await.must_be(&planned);
}
