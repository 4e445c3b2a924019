//! Thresholds of a campaign: those that stop it, those that only tell, and the figures they are judged by.

use std::time::Duration;

use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::harness::{Cluster, Entries, Target, soon};

fn real(target: &Target, per_second: u64, minutes: f64, config: &Value) -> Value {
    json!({
        "target_url": target.url,
        "requests_per_minute": per_second * 60,
        "duration_minutes": minutes,
        "config": config,
    })
}

async fn data(cluster: &Cluster, path: &str) -> Value {
    cluster.api.get(path).await.expect(200)["data"].take()
}

#[tokio::test]
async fn a_crossed_threshold_stops_the_run_for_good_and_says_why() {
    let mut cluster = Cluster::with_workers(2).await;
    let target = Target::start(&["--latency", "200ms"]).await;
    let abort = json!({"threshold": "p99 < 50ms", "abort_on": true, "after": "2s"});
    let body = real(&target, 40, 10.0, &json!({"thresholds": [abort, "error_rate<1%"]}));
    let id = cluster.api.create(&body).await;
    let watcher = cluster.broker.client("results").await;
    let mut live = watcher.subscribe(format!("tl.v1.live.{id}")).await.unwrap();
    cluster.api.set_status(&id, "running").await.expect(200);
    let job = cluster.api.generate(&id).await;
    cluster.api.wait_for(&id, "stopped", Duration::from_secs(20)).await;

    let reason = cluster.api.get(&format!("/api/sessions/{id}")).await.expect(200)["reason"].take();
    let text = reason.as_str().unwrap();
    assert!(text.starts_with("threshold `p99<50ms` crossed: 2") && text.contains(" ms after "), "{text}");
    let over = async || {
        let monitor = data(&cluster, &format!("/api/traffic/monitor/{id}")).await;
        (monitor["observed"]["state"] == "stopped").then_some(monitor)
    };
    let monitor = soon("the end of the run", over).await;
    assert_eq!((&monitor["reason"], &monitor["desired"]["state"]), (&reason, &json!("stop")));
    assert_eq!(data(&cluster, &format!("/api/traffic/status/{id}")).await["reason"], reason);
    let info = data(&cluster, &format!("/api/traffic/campaigns/{id}/info")).await;
    let told = [&info["basic_info"]["reason"], &info["traffic_generation"]["reason"]];
    assert_eq!(told, [&reason, &reason], "{info}");
    let thresholds = &data(&cluster, &format!("/api/traffic/stats/{id}")).await["thresholds"];
    assert_eq!(thresholds, &monitor["thresholds"]);
    assert_eq!((&thresholds[0]["threshold"], &thresholds[0]["passed"]), (&json!("p99<50ms"), &json!(false)));
    assert!(thresholds[0]["value"].as_f64().unwrap() >= 200.0, "{thresholds}");
    assert!(thresholds[0]["crossed_after_seconds"].as_f64().unwrap() >= 2.0, "{thresholds}");
    assert_eq!((&thresholds[1]["passed"], &thresholds[1]["value"]), (&json!(true), &json!(0.0)));
    let last = async {
        loop {
            let message: Value = serde_json::from_slice(&live.next().await.unwrap().payload).unwrap();
            if message["state"] == "stopped" {
                return message;
            }
        }
    };
    let last = timeout(Duration::from_secs(20), last).await.expect("a summary of the end");
    assert_eq!((&last["reason"], &last["status"]), (&reason, &json!("stopped")));
    assert_eq!((&last["thresholds"][0]["passed"], &last["thresholds"][0]["crossed"]), (&json!(false), &json!(true)));

    let entries = Entries::read(&cluster.api, &id).await.ids().len();
    assert!(entries >= 40, "what was measured is kept");
    cluster.restart_coordinator().await;
    let monitor = data(&cluster, &format!("/api/traffic/monitor/{id}")).await;
    assert_eq!((&monitor["status"], &monitor["reason"]), (&json!("stopped"), &reason));
    assert_eq!((&monitor["is_running"], &monitor["run_id"]), (&json!(false), &json!(job)));
    // Another run is possible, and nothing of the first one comes again meanwhile.
    assert_eq!(monitor["desired"]["revision"], 2, "it was stopped once: {monitor}");
    cluster.api.set_status(&id, "running").await.expect(200);
    assert_eq!(Entries::read(&cluster.api, &id).await.ids().len(), entries);
    assert_eq!(cluster.api.get(&format!("/api/sessions/{id}")).await.expect(200)["reason"], Value::Null);
    cluster.api.post(&format!("/api/traffic/cleanup/{id}"), &json!({})).await.expect(200);
    let stats = cluster.api.stats(&id).await;
    assert_eq!((&stats["thresholds"], &stats["workers"]), (&json!([]), &json!([])), "{stats}");
}

#[tokio::test]
async fn a_window_sees_what_the_whole_run_hides() {
    let cluster = Cluster::with_workers(1).await;
    let target = Target::start(&["--stall", "6s:600s"]).await;
    let abort = json!({"threshold": "error_rate<50%", "abort_on": true, "after": "1s", "window": "2s"});
    let config = json!({"thresholds": [abort], "timeout_ms": 500, "connections": 32});
    let (id, _) = cluster.api.start(&real(&target, 40, 10.0, &config)).await;
    cluster.api.wait_for(&id, "stopped", Duration::from_secs(25)).await;
    let monitor = data(&cluster, &format!("/api/traffic/monitor/{id}")).await;
    let reason = monitor["reason"].as_str().unwrap();
    assert!(reason.contains("over 2 s after"), "{reason}");
    assert!(monitor["success_rate"].as_f64().unwrap() > 25.0, "{monitor}");
}

/// The value at a quantile by nearest rank.
fn rank(values: &[f64], per_thousand: usize) -> f64 {
    values[(values.len() * per_thousand).div_ceil(1000).max(1) - 1]
}

/// Figures of a distribution against all values it was made of: within a bucket, 1 part in 1024.
fn must_be_exact(told: &Value, mut values: Vec<f64>, rounding: f64) {
    values.sort_by(f64::total_cmp);
    assert_eq!(told["count"].as_u64(), Some(values.len() as u64), "{told}");
    for (name, per_thousand) in [("p50", 500), ("p90", 900), ("p95", 950), ("p99", 990), ("p99.9", 999), ("max", 1000)]
    {
        let (exact, told) = (rank(&values, per_thousand), told[name].as_f64().unwrap());
        assert!((told - exact).abs() <= exact / 1024.0 + rounding, "{name}: {told} for {exact}");
    }
    #[allow(clippy::cast_precision_loss, reason = "a small count")]
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    assert!((told["mean"].as_f64().unwrap() - mean).abs() <= rounding, "{told} for a mean of {mean}");
}

#[tokio::test]
async fn figures_over_all_workers_are_exact_and_thresholds_are_judged_by_them() {
    let cluster = Cluster::with_workers(3).await;
    let target = Target::start(&["--latency", "3ms"]).await;
    let thresholds = json!(["error_rate<1%", "p99<10s", "p50<1us", "missed==0"]);
    let body = real(&target, 240, 0.075, &json!({"thresholds": thresholds}));
    let mut wrong = body.clone();
    wrong["config"]["thresholds"] = json!(["p99<5", {"threshold": "p99<<5"}]);
    let refused = cluster.api.post("/api/sessions/", &wrong).await.expect(400);
    assert_eq!(refused["details"][0]["field"], "config.thresholds[1].threshold", "{refused}");
    let (id, job) = cluster.api.start(&body).await;
    cluster.api.wait_for(&id, "completed", Duration::from_secs(40)).await;

    let entries = Entries::read(&cluster.api, &id).await.0;
    let stats = cluster.api.stats(&id).await;
    let monitor = data(&cluster, &format!("/api/traffic/monitor/{id}")).await;
    assert_eq!(monitor["response_times"], stats["response_times"]);
    let of = |name: &str| entries.iter().map(|entry| entry[name].as_f64().unwrap()).collect::<Vec<_>>();
    let (response, service) = (of("response_time_ms"), of("service_time_ms"));
    let lag: Vec<f64> = response.iter().zip(&service).map(|(response, service)| response - service).collect();
    assert!(lag.iter().all(|lag| *lag > -0.0005), "a request left before it was due: {lag:?}");
    must_be_exact(&stats["response_times"]["response"], response, 0.0011);
    must_be_exact(&stats["response_times"]["service"], service, 0.0011);
    // The lag is not an entry's own field: both times it comes from were cut to microseconds.
    must_be_exact(&stats["response_times"]["send_lag"], lag, 0.0031);

    let workers = stats["workers"].as_array().unwrap();
    assert_eq!(workers.len(), 3, "{stats}");
    for name in ["scheduled", "sent", "late", "dropped", "missed"] {
        let sum: u64 = workers.iter().map(|worker| worker[name].as_u64().unwrap()).sum();
        assert_eq!(Some(sum), stats["arrivals"][name].as_u64(), "{name}: {stats}");
    }
    for worker in workers {
        let own = entries.iter().filter(|entry| entry["worker_id"] == worker["worker"]).count();
        assert_eq!(worker["sent"].as_u64(), Some(own as u64), "{worker}");
    }

    let passed: Vec<_> = stats["thresholds"].as_array().unwrap().iter().map(|one| &one["passed"]).collect();
    assert_eq!(passed[1..], [&json!(true), &json!(false), &json!(true)], "{}", stats["thresholds"]);
    assert_eq!(stats["thresholds"][0]["passed"], stats["failed_requests"].as_u64().unwrap() < 10);
    let compared = cluster.api.get(&format!("/api/traffic/compare?a={job}&b={job}")).await.expect(200);
    let compared = if compared["data"].is_object() { &compared["data"] } else { &compared };
    assert_eq!(compared["b"]["thresholds"], stats["thresholds"], "{compared}");
}
