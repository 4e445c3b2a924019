//! Traps that were measured once: purges that take checkpoints with them, and paused shards that
//! are lost in a takeover.

use std::time::Duration;

use trafficlab_shared::protocol::report::Event;
use trafficlab_shared::protocol::subject;

use crate::harness::{Cluster, Entries, Logs, Plan, soon};

/// A purge of a busy shard's log must leave the last record of every log: of the busy one itself,
/// of one that writes rarely, and of one that is paused. With all workers dead nothing else is known.
#[tokio::test]
async fn purges_keep_the_checkpoints_of_slow_and_paused_shards() {
    let mut cluster = Cluster::with_workers(1).await;
    let (slow, paused, busy) =
        (Plan::constant(21, 1, 30.0), Plan::constant(22, 50, 15.0), Plan::constant(23, 150, 22.5));
    let (slow_id, slow_job) = cluster.api.start(&slow.session()).await;
    let (paused_id, paused_job) = cluster.api.start(&paused.session()).await;
    cluster.api.wait_for_entries(&paused_id, 100).await;
    cluster.api.set_status(&paused_id, "paused").await.expect(200);
    let (busy_id, busy_job) = cluster.api.start(&busy.session()).await;
    let logs = Logs(cluster.broker.jetstream().await);
    let at_rest = async || matches!(logs.record(&paused_job, 0).await?.event, Event::Pause).then_some(());
    soon("the pause in the log", at_rest).await;
    cluster.api.wait_for_entries(&busy_id, 1000).await;
    let purged = async || {
        let counts = logs.subjects(subject::RESULTS_STREAM, &subject::traffic_results(&busy_job, 0)).await;
        let stream = logs.last(subject::RESULTS_STREAM, &subject::traffic_results(&busy_job, 0)).await?;
        (counts.first()?.1 <= 3 && stream.sequence > 10).then_some(())
    };
    soon("a purge of what was taken", purged).await;
    for job in [&slow_job, &paused_job, &busy_job] {
        assert!(logs.record(job, 0).await.is_some(), "a checkpoint is gone");
    }
    cluster.workers[0].kill();
    cluster.workers[0].up();
    cluster.ready().await;
    cluster.api.set_status(&paused_id, "running").await.expect(200);
    for (id, job, plan) in [(busy_id, busy_job, busy), (paused_id, paused_job, paused), (slow_id, slow_job, slow)] {
        cluster.api.wait_for(&id, "completed", Duration::from_secs(60)).await;
        Entries::read(&cluster.api, &id).await.must_be(&plan.ids(&logs, &job).await);
    }
}

/// A paused shard has no lease and no owner: only its log knows where it stands.
#[tokio::test]
async fn a_paused_run_survives_everybody() {
    let mut cluster = Cluster::with_workers(2).await;
    let plan = Plan::constant(31, 200, 7.5);
    let (id, job) = cluster.api.start(&plan.session()).await;
    cluster.api.wait_for_entries(&id, 300).await;
    cluster.api.set_status(&id, "paused").await.expect(200);
    let logs = Logs(cluster.broker.jetstream().await);
    let at_rest = async || {
        for shard in 0..plan.shards() {
            matches!(logs.record(&job, shard).await?.event, Event::Pause).then_some(())?;
        }
        Some(())
    };
    soon("all shards at rest", at_rest).await;
    for worker in &mut cluster.workers {
        worker.kill();
    }
    cluster.broker.kill();
    cluster.coordinator.kill();
    cluster.broker.up().await;
    cluster.coordinator.up();
    for worker in &mut cluster.workers {
        worker.up();
    }
    cluster.ready().await;
    assert_eq!(cluster.api.status(&id).await.as_deref(), Some("paused"));
    cluster.api.set_status(&id, "running").await.expect(200);
    cluster.api.wait_for(&id, "completed", Duration::from_secs(60)).await;
    let logs = Logs(cluster.broker.jetstream().await);
    let planned = plan.ids(&logs, &job).await;
    assert_eq!(planned.len(), 1500);
    Entries::read(&cluster.api, &id).await.must_be(&planned);
}
