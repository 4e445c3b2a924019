//! Watching a campaign from outside, over NATS. This is also the example for subscribers in Rust.
//!
//! The coordinator publishes JSON on `tl.v1.live.<campaign_id>`: a `summary` each second and, with
//! `config.live_entries`, `entries` after their commit. `seq` counts messages of a campaign without
//! gaps. A core subscription sees a gap where it lost something; a JetStream consumer gets every
//! message exactly once within the retention of an hour.

use std::time::Duration;

use async_nats::jetstream::{self, consumer};
use futures_util::StreamExt as _;
use serde_json::Value;
use tokio::time::timeout;

use crate::harness::{Cluster, Entries, Plan};

/// Collects entries until the campaign has told of `expected` of them, and checks that no message
/// was left out.
async fn follow(client: async_nats::Client, campaign: &str, expected: u64) -> Vec<Value> {
    let live = jetstream::new(client).get_stream("TL_LIVE").await.unwrap();
    let ordered =
        consumer::pull::OrderedConfig { filter_subject: format!("tl.v1.live.{campaign}"), ..Default::default() };
    let mut messages = live.create_consumer(ordered).await.unwrap().messages().await.unwrap();
    let mut entries = Vec::new();
    let mut seq = 0;
    while (entries.len() as u64) < expected {
        let message = messages.next().await.unwrap().unwrap();
        let news: Value = serde_json::from_slice(&message.payload).unwrap();
        seq += 1;
        assert_eq!(news["seq"], seq, "a message is missing before {news}");
        assert_eq!(news["campaign_id"], campaign);
        match news["type"].as_str() {
            Some("entries") => entries.extend(news["entries"].as_array().unwrap().iter().cloned()),
            Some("summary") => assert!(news["scheduled"].is_u64() && news["response_time_ms"].is_object(), "{news}"),
            other => panic!("unknown type {other:?}"),
        }
    }
    entries
}

fn live_session(plan: &Plan) -> Value {
    let mut session = plan.session();
    session["config"]["live_entries"] = true.into();
    session
}

#[tokio::test]
async fn a_subscriber_sees_every_entry_once() {
    let mut cluster = Cluster::with_workers(2).await;
    let plan = Plan::constant(101, 240, 7.5);
    let id = cluster.api.create(&live_session(&plan)).await;
    let watcher = cluster.broker.client("results").await;
    let mut core = watcher.subscribe(format!("tl.v1.live.{id}")).await.unwrap();
    cluster.api.set_status(&id, "running").await.expect(200);
    cluster.api.generate(&id).await;
    let first = timeout(Duration::from_secs(20), core.next()).await.unwrap().unwrap();
    let first: Value = serde_json::from_slice(&first.payload).unwrap();
    assert_eq!(first["seq"], 1, "{first}");
    // A restart neither repeats nor skips a message.
    cluster.api.wait_for_entries(&id, 500).await;
    cluster.restart_coordinator().await;
    let seen = timeout(Duration::from_secs(90), follow(watcher, &id, 1800)).await.expect("all entries");
    cluster.api.wait_for(&id, "completed", Duration::from_secs(40)).await;
    assert_eq!(seen, Entries::read(&cluster.api, &id).await.0);
}

#[tokio::test]
async fn a_subscriber_can_only_read() {
    let cluster = Cluster::with_workers(1).await;
    let plan = Plan::constant(102, 20, 600.0);
    let (id, job) = cluster.api.start(&plan.session()).await;
    cluster.api.wait_for_entries(&id, 20).await;
    let watcher = cluster.broker.client("results").await;
    let subjects = [
        format!("tl.v1.live.{id}"),
        format!("tl.v1.res.traffic.{job}.0"),
        format!("tl.v1.job.traffic.any.{job}.0"),
        format!("$KV.TL_CTL.job.{job}"),
        "$JS.API.STREAM.PURGE.TL_LIVE".to_owned(),
        "$JS.API.STREAM.DELETE.TL_RES".to_owned(),
    ];
    for subject in subjects {
        watcher.publish(subject, "forged".into()).await.unwrap();
    }
    watcher.flush().await.unwrap();
    let live = jetstream::new(cluster.broker.client("coordinator").await);
    for name in ["TL_LIVE", "TL_RES", "TL_JOBS"] {
        let stream = live.get_stream(name).await.unwrap();
        let info = stream.cached_info();
        assert!(info.state.messages > 0, "{name} was emptied");
        for sequence in info.state.first_sequence..=info.state.last_sequence {
            if let Ok(message) = stream.get_raw_message(sequence).await {
                assert_ne!(message.payload, "forged", "{name}: {}", message.subject);
            }
        }
    }
    let before = cluster.api.stats(&id).await["total_requests"].as_u64().unwrap();
    cluster.api.wait_for_entries(&id, before + 20).await;
    assert_eq!(cluster.api.status(&id).await.as_deref(), Some("running"));
}
