//! Campaigns that cannot run become `error` with a reason a person understands.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Cluster, Entries, Logs, Plan, Target, eventually};

fn real(target: &str) -> Value {
    json!({"target_url": target, "requests_per_minute": 600, "duration_minutes": 0.0625, "config": {"mode": "http"}})
}

async fn reason(cluster: &Cluster, id: &str) -> String {
    let info = cluster.api.get(&format!("/api/traffic/campaigns/{id}/info")).await.expect(200);
    info["data"].to_string()
}

#[tokio::test]
async fn a_panicking_generator_fails_the_campaign_and_not_the_worker() {
    let cluster = Cluster::builder().workers(1).worker_env("TRAFFICLAB_FAULT", "panic:0").start().await;
    let (id, _) = cluster.api.start(&Plan::constant(121, 50, 60.0).session()).await;
    cluster.api.wait_for(&id, "error", Duration::from_secs(60)).await;
    let reason = reason(&cluster, &id).await;
    assert!(reason.contains("panicked") && reason.contains("asked for by"), "{reason}");
    assert_eq!(cluster.api.get("/health").await.expect(200)["workers"], 1);
    // It is tried again on request and fails again, without a start being lost.
    cluster.api.set_status(&id, "running").await.expect(200);
    cluster.api.generate(&id).await;
    cluster.api.wait_for(&id, "error", Duration::from_secs(60)).await;
}

#[tokio::test]
async fn a_generator_that_panics_a_few_times_goes_on_exactly() {
    let cluster = Cluster::builder().workers(1).worker_env("TRAFFICLAB_FAULT", "panic:3:3").start().await;
    let plan = Plan::constant(122, 240, 7.5);
    let (id, job) = cluster.api.start(&plan.session()).await;
    cluster.api.wait_for(&id, "completed", Duration::from_secs(60)).await;
    let logs = Logs(cluster.broker.jetstream().await);
    assert!(logs.record(&job, 3).await.unwrap().epoch > logs.record(&job, 2).await.unwrap().epoch);
    Entries::read(&cluster.api, &id).await.must_be(&plan.ids(&logs, &job).await);
}

/// Six panics spend the restarts of one shard; the others hold until the run is retried.
#[tokio::test]
async fn a_failed_run_is_retried_from_where_it_stood() {
    let cluster = Cluster::builder().workers(1).worker_env("TRAFFICLAB_FAULT", "panic:3:6").start().await;
    let plan = Plan::constant(123, 240, 7.5);
    let (id, job) = cluster.api.start(&plan.session()).await;
    let retry = format!("/api/traffic/retry/{id}");
    assert_eq!(cluster.api.post(&retry, &json!({})).await.status, 409, "it has not failed yet");
    cluster.api.wait_for(&id, "error", Duration::from_secs(60)).await;
    let retried = eventually(Duration::from_secs(20), "the other shards hold and the retry is taken", async || {
        let answer = cluster.api.post(&retry, &json!({})).await;
        (answer.status == 200).then_some(answer)
    });
    retried.await;
    cluster.api.wait_for(&id, "completed", Duration::from_secs(60)).await;
    let logs = Logs(cluster.broker.jetstream().await);
    Entries::read(&cluster.api, &id).await.must_be(&plan.ids(&logs, &job).await);
}

/// The name is on the allow-list and does not resolve: the start is refused, or the run ends in error.
#[tokio::test]
async fn an_unresolvable_target_says_so() {
    let settings = r#"["127.0.0.0/8", "no-such-host.invalid"]"#;
    let cluster = Cluster::builder().workers(1).set("GENERATOR__ALLOW_TARGETS", settings).start().await;
    let id = cluster.api.create(&real("http://no-such-host.invalid/")).await;
    cluster.api.set_status(&id, "running").await.expect(200);
    let answer = cluster.api.post("/api/traffic/generate", &json!({"campaign_id": id})).await;
    let told = if answer.status == 200 {
        cluster.api.wait_for(&id, "error", Duration::from_secs(40)).await;
        reason(&cluster, &id).await
    } else {
        assert!([403, 422].contains(&answer.status), "{}", answer.text);
        answer.text
    };
    assert!(told.contains("no-such-host.invalid"), "{told}");
}

/// The operator of a worker may allow less than the coordinator's.
#[tokio::test]
async fn a_host_that_the_worker_refuses_ends_in_error() {
    let target = Target::start(&[]).await;
    let refuse = r#"["127.9.9.9/32"]"#;
    let cluster = Cluster::builder().workers(1).worker_env("TRAFFICLAB_GENERATOR__ALLOW_TARGETS", refuse).start().await;
    let (id, _) = cluster.api.start(&real(&target.url)).await;
    cluster.api.wait_for(&id, "error", Duration::from_secs(60)).await;
    let reason = reason(&cluster, &id).await;
    assert!(reason.contains("allow"), "{reason}");
    assert_eq!(target.stats().await["requests"], 0, "a refused target was reached");
}

/// A redirect is checked like a target: the second host is not allowed and never sees a request.
#[tokio::test]
async fn a_redirect_to_a_forbidden_host_is_not_followed() {
    let (allowed, forbidden) = (Target::start(&[]).await, Target::start(&[]).await);
    let port = allowed.url.rsplit(':').next().unwrap();
    let settings = format!("[\"127.0.0.0/8:{port}\"]");
    let cluster = Cluster::builder()
        .workers(1)
        .set("GENERATOR__ALLOW_TARGETS", &settings)
        .worker_env("TRAFFICLAB_GENERATOR__ALLOW_TARGETS", &settings)
        .start()
        .await;
    let mut session = real(&format!("{}/redirect?to={}/stolen", allowed.url, forbidden.url));
    session["config"]["max_redirects"] = json!(3);
    let (id, _) = cluster.api.start(&session).await;
    cluster.api.wait_for(&id, "completed", Duration::from_secs(40)).await;
    let entries = Entries::read(&cluster.api, &id).await;
    assert_eq!(entries.0.len(), 38);
    assert!(
        entries.0.iter().all(|entry| entry["success"] == false && entry["error"] == "refused_target"),
        "{}",
        entries.0[0]
    );
    assert_eq!(forbidden.stats().await["requests"], 0);
    assert_eq!(allowed.stats().await["requests"], 38);
}
