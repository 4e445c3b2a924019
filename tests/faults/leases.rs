//! A thousand campaigns at once.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use serde_json::json;
use trafficlab_shared::protocol::report::{EndReason, Event};
use trafficlab_shared::protocol::subject;

use crate::harness::{Api, Cluster, Logs, eventually};

const CAMPAIGNS: usize = 1000;
const AT_ONCE: usize = 32;

/// The sessions document's one-request form: unknown campaign, target and rate.
async fn start_one(api: &Api, number: usize) -> String {
    let body = json!({
        "campaign_id": format!("many-{number}"),
        "target_url": "http://192.0.2.1/",
        "requests_per_minute": 60,
        "duration_minutes": 60,
        "config": {"mode": "simulate"},
    });
    let answer = api.post("/api/traffic/generate", &body).await.expect(200);
    answer["thread_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_thousand_campaigns_run_and_stop() {
    let cluster = Cluster::builder().workers(2).worker_env("TRAFFICLAB_WORKER__CAPACITY", "600").start().await;
    let api = &cluster.api;
    let starts = stream::iter(0..CAMPAIGNS).map(|number| start_one(api, number));
    let jobs: Vec<String> = starts.buffer_unordered(AT_ONCE).collect().await;
    let logs = Logs(cluster.broker.jetstream().await);
    let within = Duration::from_secs(60);
    let all = async || {
        let known = logs.subjects(subject::RESULTS_STREAM, subject::ALL_RESULTS).await;
        (known.len() == CAMPAIGNS).then_some(())
    };
    eventually(within, "a log of every campaign", all).await;
    let all = async || {
        let health = api.get("/api/traffic/health").await.body;
        (health["data"]["total_active_campaigns"] == CAMPAIGNS).then_some(())
    };
    eventually(within, "every campaign being active", all).await;

    api.post("/api/traffic/stop-all", &json!({})).await.expect(200);
    let logs = &logs;
    stream::iter(&jobs)
        .for_each_concurrent(AT_ONCE, |job| async move {
            let stopped = async || match logs.record(job, 0).await?.event {
                Event::End { reason } => Some(reason),
                _ => None,
            };
            let reason = eventually(within, "the end of a log", stopped).await;
            assert_eq!(reason, EndReason::Stopped);
        })
        .await;
    let none = async || {
        let health = api.get("/api/traffic/health").await.body;
        (health["data"]["total_active_campaigns"] == 0).then_some(())
    };
    eventually(within, "no campaign being active", none).await;
}
