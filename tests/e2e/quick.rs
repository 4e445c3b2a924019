//! Changes that follow each other faster than anybody can carry them out.

use std::time::Duration;

use serde_json::json;
use trafficlab_shared::protocol::report::Event;

use crate::harness::{Cluster, Entries, Logs, Plan, soon};

async fn ended(logs: &Logs, job: &str, shards: u32) -> Option<()> {
    for shard in 0..shards {
        matches!(logs.record(job, shard).await?.event, Event::End { .. }).then_some(())?;
    }
    Some(())
}

#[tokio::test]
async fn pauses_and_rates_in_quick_succession_keep_the_plan() {
    let cluster = Cluster::with_workers(2).await;
    let plan = Plan::constant(161, 240, 11.25);
    let (id, job) = cluster.api.start(&plan.session()).await;
    cluster.api.wait_for_entries(&id, 100).await;
    let path = format!("/api/sessions/{id}");
    for rate in [6000, 18_000, 12_000, 15_000] {
        cluster.api.set_status(&id, "paused").await.expect(200);
        cluster.api.put(&path, &json!({"requests_per_minute": rate})).await.expect(200);
        cluster.api.set_status(&id, "running").await.expect(200);
        cluster.api.put(&path, &json!({"requests_per_minute": rate + 600})).await.expect(200);
    }
    cluster.api.wait_for(&id, "completed", Duration::from_secs(60)).await;
    let logs = Logs(cluster.broker.jetstream().await);
    let last = logs.record(&job, 0).await.unwrap();
    assert_eq!(last.history.last().map(|change| change.rate), Some(15_600 * 1_000_000), "{:?}", last.history);
    Entries::read(&cluster.api, &id).await.must_be(&plan.ids(&logs, &job).await);
}

#[tokio::test]
async fn a_run_can_be_stopped_before_it_starts_and_while_it_is_paused() {
    let cluster = Cluster::with_workers(1).await;
    let plan = Plan::constant(162, 240, 600.0);
    let logs = Logs(cluster.broker.jetstream().await);
    let (early, job) = cluster.api.start(&plan.session()).await;
    cluster.api.post(&format!("/api/traffic/stop/{early}"), &json!({})).await.expect(200);
    soon("the end of a run that hardly began", async || ended(&logs, &job, 8).await).await;
    assert_eq!(cluster.api.status(&early).await.as_deref(), Some("stopped"));

    let (paused, job) = cluster.api.start(&plan.session()).await;
    cluster.api.wait_for_entries(&paused, 100).await;
    cluster.api.set_status(&paused, "paused").await.expect(200);
    let at_rest = async || matches!(logs.record(&job, 0).await?.event, Event::Pause).then_some(());
    soon("a shard at rest", at_rest).await;
    cluster.api.set_status(&paused, "stopped").await.expect(200);
    soon("the end of a paused run", async || ended(&logs, &job, 8).await).await;
    let planned = plan.ids(&logs, &job).await;
    let stored = async || (cluster.api.stats(&paused).await["total_requests"] == planned.len()).then_some(());
    soon("all its entries", stored).await;
    Entries::read(&cluster.api, &paused).await.must_be(&planned);
}

/// What a removed run still sends must not show up in the campaign that has its id now.
#[tokio::test]
async fn a_removed_campaign_is_gone_though_it_still_sends() {
    let mut cluster = Cluster::with_workers(1).await;
    let mut session = Plan::constant(163, 400, 600.0).session();
    session["campaign_id"] = json!("again");
    let (id, first) = cluster.api.start(&session).await;
    cluster.api.wait_for_entries(&id, 200).await;
    cluster.workers[0].freeze();
    cluster.api.delete(&format!("/api/sessions/{id}?force=true")).await.expect(200);
    cluster.api.get(&format!("/api/sessions/{id}")).await.expect(404);
    cluster.api.get(&format!("/api/traffic/generated/{id}")).await.expect(404);
    let plan = Plan::constant(164, 100, 3.75);
    let mut session = plan.session();
    session["campaign_id"] = json!("again");
    let (id, second) = cluster.api.start(&session).await;
    assert_ne!(first, second);
    cluster.workers[0].thaw();
    cluster.api.wait_for(&id, "completed", Duration::from_secs(60)).await;
    let logs = Logs(cluster.broker.jetstream().await);
    Entries::read(&cluster.api, &id).await.must_be(&plan.ids(&logs, &second).await);
}

/// A length below what has passed already ends the run.
#[tokio::test]
async fn a_run_that_is_shortened_ends() {
    let cluster = Cluster::with_workers(1).await;
    let plan = Plan::constant(165, 100, 600.0);
    let (id, job) = cluster.api.start(&plan.session()).await;
    cluster.api.wait_for_entries(&id, 200).await;
    cluster.api.put(&format!("/api/sessions/{id}"), &json!({"duration_minutes": 0.01})).await.expect(200);
    cluster.api.wait_for(&id, "completed", Duration::from_secs(30)).await;
    let logs = Logs(cluster.broker.jetstream().await);
    let entries = Entries::read(&cluster.api, &id).await;
    assert!((200..2000).contains(&entries.0.len()), "{}", entries.0.len());
    let last = logs.record(&job, 0).await.unwrap();
    let planned = entries.ids();
    assert!(planned.contains(&format!("{job}-0-{}-0", last.next.slot.saturating_sub(1))));
}
