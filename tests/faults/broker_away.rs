//! The broker is away for ten seconds, or comes back without its memory.

use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;

use crate::harness::{Cluster, Entries, Logs, Plan, soon};

#[tokio::test]
async fn nothing_is_lost_starts_are_refused_and_stops_are_taken() {
    let mut cluster = Cluster::with_workers(2).await;
    let (kept, stopped) = (Plan::constant(61, 200, 15.0), Plan::constant(62, 50, 60.0));
    let (kept_id, kept_job) = cluster.api.start(&kept.session()).await;
    let (stopped_id, stopped_job) = cluster.api.start(&stopped.session()).await;
    let waiting = cluster.api.create(&kept.session()).await;
    cluster.api.set_status(&waiting, "running").await.expect(200);
    cluster.api.wait_for_entries(&kept_id, 100).await;
    cluster.api.wait_for_entries(&stopped_id, 10).await;
    cluster.broker.kill();
    let degraded = async || (cluster.api.get("/health").await.body["status"] == "degraded").then_some(());
    soon("the coordinator noticing", degraded).await;

    let refused = cluster.api.post("/api/traffic/generate", &json!({"campaign_id": waiting})).await;
    assert!(refused.header("retry-after").parse::<u32>().unwrap() > 0);
    let refused = refused.expect(503);
    assert_eq!((&refused["success"], &refused["code"]), (&json!(false), &json!("service_unavailable")));
    cluster.api.get(&format!("/api/traffic/stats/{kept_id}")).await.expect(200);
    cluster.api.post(&format!("/api/traffic/stop/{stopped_id}"), &json!({})).await.expect(200);
    assert_eq!(cluster.api.status(&stopped_id).await.as_deref(), Some("stopped"));
    sleep(Duration::from_secs(10)).await;
    cluster.broker.up().await;
    cluster.ready().await;

    cluster.api.wait_for(&kept_id, "completed", Duration::from_secs(60)).await;
    let logs = Logs(cluster.broker.jetstream().await);
    let planned = kept.ids(&logs, &kept_job).await;
    assert_eq!(planned.len(), 3000);
    Entries::read(&cluster.api, &kept_id).await.must_be(&planned);
    let over = async || {
        let status = cluster.api.try_get(&format!("/api/traffic/status/{stopped_id}")).await.ok()?;
        let ended = logs.record(&stopped_job, 0).await?;
        let ended = matches!(ended.event, trafficlab_shared::protocol::report::Event::End { .. });
        (status.body["data"]["is_running"] == false && ended).then_some(())
    };
    soon("the stop being applied", over).await;
    let planned = stopped.ids(&logs, &stopped_job).await;
    let taken = async || {
        let stats = cluster.api.stats(&stopped_id).await;
        (stats["total_requests"].as_u64()? == planned.len() as u64).then_some(())
    };
    soon("its last record being taken", taken).await;
    Entries::read(&cluster.api, &stopped_id).await.must_be(&planned);
}

/// A shard whose log is gone must not begin at slot 0 again: what it would repeat is stored already.
#[tokio::test]
async fn a_broker_that_lost_its_store_ends_runs_with_a_reason() {
    let mut cluster = Cluster::with_workers(1).await;
    let plan = Plan::constant(63, 100, 600.0);
    let (id, _) = cluster.api.start(&plan.session()).await;
    cluster.api.wait_for_entries(&id, 200).await;
    cluster.broker.kill();
    cluster.broker.lose_everything();
    cluster.broker.up().await;
    cluster.restart_coordinator().await;
    cluster.api.wait_for(&id, "error", Duration::from_secs(80)).await;
    let info = cluster.api.get(&format!("/api/traffic/campaigns/{id}/info")).await;
    assert!(info.text.contains("lost in the broker"), "{}", info.text);
    let stored = Entries::read(&cluster.api, &id).await.ids().len();
    assert!(stored >= 200, "{stored}");

    let plan = Plan::constant(64, 100, 3.75);
    let (id, job) = cluster.api.start(&plan.session()).await;
    cluster.api.wait_for(&id, "completed", Duration::from_secs(40)).await;
    let logs = Logs(cluster.broker.jetstream().await);
    Entries::read(&cluster.api, &id).await.must_be(&plan.ids(&logs, &job).await);
}

/// The order in which processes start is nobody's promise.
#[tokio::test]
async fn a_coordinator_that_starts_without_the_broker_serves_and_takes_stops() {
    let mut cluster = Cluster::with_workers(1).await;
    let plan = Plan::constant(65, 100, 600.0);
    let (id, job) = cluster.api.start(&plan.session()).await;
    cluster.api.wait_for_entries(&id, 100).await;
    cluster.coordinator.kill();
    cluster.broker.kill();
    cluster.coordinator.up();
    let degraded = async || {
        let health = cluster.api.try_get("/health").await.ok()?;
        (health.body["status"] == "degraded" && health.status == 200).then_some(())
    };
    soon("a degraded coordinator", degraded).await;
    assert!(cluster.api.stats(&id).await["total_requests"].as_u64().unwrap() >= 100);
    assert!(Entries::read(&cluster.api, &id).await.ids().len() >= 100);
    cluster.api.post("/api/traffic/stop-all", &json!({})).await.expect(200);
    assert_eq!(cluster.api.status(&id).await.as_deref(), Some("stopped"));
    cluster.broker.up().await;
    cluster.ready().await;
    let logs = Logs(cluster.broker.jetstream().await);
    let over = async || match logs.record(&job, 0).await?.event {
        trafficlab_shared::protocol::report::Event::End { .. } => Some(plan.ids(&logs, &job).await),
        _ => None,
    };
    let planned = soon("the stop being applied", over).await;
    let taken = async || (cluster.api.stats(&id).await["total_requests"] == planned.len()).then_some(());
    soon("its last record being taken", taken).await;
    Entries::read(&cluster.api, &id).await.must_be(&planned);
}
