//! Pause, resume, change of rate and stop, with what they do to the entries.

use std::time::Duration;

use serde_json::json;

use crate::harness::{Cluster, Entries, Logs, Plan, soon};

#[tokio::test]
async fn a_pause_takes_no_time_from_the_run() {
    let cluster = Cluster::with_workers(2).await;
    let plan = Plan::constant(81, 200, 7.5);
    let (id, job) = cluster.api.start(&plan.session()).await;
    cluster.api.wait_for_entries(&id, 200).await;
    cluster.api.set_status(&id, "paused").await.expect(200);
    let mut last = 0;
    let quiet = async || {
        let now = cluster.api.stats(&id).await["total_requests"].as_u64()?;
        let info = cluster.api.get(&format!("/api/traffic/status/{id}")).await.body;
        let quiet = now == last && info["data"]["is_running"] == false;
        last = now;
        tokio::time::sleep(Duration::from_millis(1200)).await;
        quiet.then_some(now)
    };
    let held_at = soon("no more entries", quiet).await;
    assert!(held_at < 1500, "the pause came too late to mean anything");
    cluster.api.set_status(&id, "running").await.expect(200);
    cluster.api.wait_for(&id, "completed", Duration::from_secs(60)).await;
    let logs = Logs(cluster.broker.jetstream().await);
    let planned = plan.ids(&logs, &job).await;
    assert_eq!(planned.len(), 1500, "the duration is of active time");
    Entries::read(&cluster.api, &id).await.must_be(&planned);
}

#[tokio::test]
async fn a_change_of_rate_holds_from_the_next_slot_on() {
    let cluster = Cluster::with_workers(2).await;
    let plan = Plan::constant(82, 50, 11.25);
    let (id, job) = cluster.api.start(&plan.session()).await;
    cluster.api.wait_for_entries(&id, 100).await;
    let path = format!("/api/sessions/{id}");
    let refused = cluster.api.put(&path, &json!({"geo_locations": ["Japan"]})).await.expect(409);
    assert_eq!(refused["success"], false);
    let changed = cluster.api.put(&path, &json!({"requests_per_minute": 9000, "id": "other", "status": "draft"})).await;
    let changed = changed.expect(200);
    assert_eq!((&changed["id"], &changed["status"]), (&json!(id), &json!("running")), "{changed}");
    assert_eq!(changed["requests_per_minute"], 9000.0, "{changed}");
    cluster.api.wait_for(&id, "completed", Duration::from_secs(60)).await;
    let logs = Logs(cluster.broker.jetstream().await);
    let history = logs.record(&job, 0).await.unwrap().history;
    assert_eq!((history.len(), history[0].rate), (1, 9000 * 1_000_000), "{history:?}");
    let planned = plan.ids(&logs, &job).await;
    let slot = history[0].from_slot;
    assert!(slot >= 2 && planned.len() > 563, "{slot}: {}", planned.len());
    Entries::read(&cluster.api, &id).await.must_be(&planned);
}

#[tokio::test]
async fn a_stop_ends_at_once_and_keeps_what_there_is() {
    let cluster = Cluster::with_workers(2).await;
    let plan = Plan::constant(83, 200, 600.0);
    let (id, job) = cluster.api.start(&plan.session()).await;
    cluster.api.wait_for_entries(&id, 200).await;
    let running = cluster.api.delete(&format!("/api/sessions/{id}")).await;
    assert_eq!(running.status, 409, "{}", running.text);
    let stopped = cluster.api.post(&format!("/api/traffic/stop/{id}"), &json!({})).await.expect(200);
    assert_eq!(stopped["success"], true);
    assert_eq!(cluster.api.status(&id).await.as_deref(), Some("stopped"));
    let again = cluster.api.post(&format!("/api/traffic/stop/{id}"), &json!({})).await.expect(404);
    assert_eq!(again["code"], "not_running", "{again}");
    let logs = Logs(cluster.broker.jetstream().await);
    let over = async || {
        let info = cluster.api.get(&format!("/api/traffic/campaigns/{id}/info")).await.body;
        let mut ended = 0;
        for shard in 0..plan.shards() {
            let event = logs.record(&job, shard).await?.event;
            ended += u32::from(matches!(event, trafficlab_shared::protocol::report::Event::End { .. }));
        }
        (ended == plan.shards()).then_some(info)
    };
    soon("the end of every shard", over).await;
    let planned = plan.ids(&logs, &job).await;
    let stored = async || {
        let stats = cluster.api.stats(&id).await;
        (stats["total_requests"].as_u64()? == planned.len() as u64).then_some(())
    };
    soon("all entries", stored).await;
    Entries::read(&cluster.api, &id).await.must_be(&planned);

    cluster.api.post(&format!("/api/traffic/cleanup/{id}"), &json!({})).await.expect(200);
    assert_eq!(Entries::read(&cluster.api, &id).await.0.len(), 0);
    assert_eq!(cluster.api.stats(&id).await["total_requests"], 0);
    cluster.api.delete(&format!("/api/sessions/{id}")).await.expect(200);
    cluster.api.get(&format!("/api/sessions/{id}")).await.expect(404);
}
