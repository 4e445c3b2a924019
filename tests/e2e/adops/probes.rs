//! What a platform asks a server: whether it lives, and whether to send it work.

use std::time::Duration;

use rustix::process::Signal;

use crate::harness::{Cluster, soon};

// checklist 88
#[tokio::test]
async fn without_its_broker_a_server_lives_and_is_not_ready() {
    let mut cluster = Cluster::with_workers(0).await;
    let api = &cluster.api;
    assert_eq!(api.get("/health/ready").await.expect(200)["status"], "healthy");
    assert_eq!(api.get("/health/live").await.expect(200)["status"], "alive");
    cluster.broker.kill();
    let not_ready = async || (api.get("/health/ready").await.status == 503).then_some(());
    soon("a server without a broker that is not ready", not_ready).await;
    let alive = api.get("/health/live").await.expect(200);
    assert_eq!(alive["broker"], serde_json::Value::Null, "the probe looks at the broker: {alive}");
    assert_eq!(api.get("/health").await.expect(200)["status"], "degraded");
    cluster.broker.up().await;
    let ready = async || (cluster.api.get("/health/ready").await.status == 200).then_some(());
    soon("a server that is ready again", ready).await;
}

// checklist 88, 95
#[tokio::test]
async fn a_server_that_was_told_to_stop_answers_and_is_not_ready() {
    let mut cluster = Cluster::builder().set("HTTP__DRAIN", "60s").start().await;
    assert_eq!(cluster.api.get("/health/ready").await.status, 200);
    cluster.coordinator.process().signal(Signal::TERM);
    let api = &cluster.api;
    soon("a stopping server that is not ready", async || (api.get("/health/ready").await.status == 503).then_some(()))
        .await;
    assert_eq!(api.get("/health/live").await.status, 200);
    assert_eq!(api.get("/api/sessions/").await.status, 200, "requests are still taken");
    // A second order ends the wait.
    let ended = tokio::time::timeout(Duration::from_secs(20), cluster.coordinator.terminate()).await;
    assert!(ended.expect("the server did not stop").success());
}
