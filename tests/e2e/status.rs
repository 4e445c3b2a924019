//! The status machine over HTTP: every pair.

use serde_json::json;

use crate::harness::{Api, Cluster};

const ALL: [&str; 6] = ["draft", "running", "paused", "completed", "stopped", "error"];

/// A way from `draft` to each status.
fn way(status: &str) -> &'static [&'static str] {
    match status {
        "draft" => &[],
        "running" => &["running"],
        "paused" => &["running", "paused"],
        "completed" => &["running", "completed"],
        "stopped" => &["running", "stopped"],
        _ => &["running", "error"],
    }
}

fn allowed(from: &str) -> &'static [&'static str] {
    match from {
        "draft" => &["running"],
        "running" => &["paused", "completed", "stopped", "error"],
        "paused" => &["running", "stopped"],
        _ => &["draft", "running"],
    }
}

async fn check(api: &Api, from: &str, to: &str) {
    let id = api.create(&json!({"config": {"mode": "simulate"}})).await;
    for status in way(from) {
        api.set_status(&id, status).await.expect(200);
    }
    let answer = api.set_status(&id, to).await;
    let case = format!("{from} to {to}: {}", answer.text);
    if from == to || allowed(from).contains(&to) {
        assert_eq!(answer.status, 200, "{case}");
        assert_eq!(answer.body["campaign_id"], id.as_str(), "{case}");
        assert_eq!(answer.body["previous_status"], from, "{case}");
        assert_eq!(answer.body["new_status"], to, "{case}");
        assert!(answer.body["updated_at"].is_string() && answer.body["message"].is_string(), "{case}");
        assert_eq!(api.status(&id).await.as_deref(), Some(to), "{case}");
    } else {
        assert_eq!(answer.status, 409, "{case}");
        assert_eq!(answer.body["success"], false, "{case}");
        for word in allowed(from) {
            assert!(answer.text.contains(word), "`{word}` is allowed and not named: {case}");
        }
        assert_eq!(api.status(&id).await.as_deref(), Some(from), "{case}");
    }
}

#[tokio::test]
async fn every_pair_is_as_the_contract_says() {
    let cluster = Cluster::with_workers(0).await;
    for from in ALL {
        for to in ALL {
            check(&cluster.api, from, to).await;
        }
    }
}

/// Only a campaign in `running` can generate, and the refusal names its status.
#[tokio::test]
async fn generating_needs_the_status_running() {
    let cluster = Cluster::with_workers(0).await;
    let api = &cluster.api;
    for status in ["draft", "paused", "completed", "stopped", "error"] {
        let id = api.create(&json!({"config": {"mode": "simulate"}})).await;
        for step in way(status) {
            api.set_status(&id, step).await.expect(200);
        }
        let refused = api.post("/api/traffic/generate", &json!({"campaign_id": id})).await;
        assert_eq!(refused.status, 409, "{status}: {}", refused.text);
        assert!(refused.text.contains(status), "{status}: {}", refused.text);
        assert_eq!(api.status(&id).await.as_deref(), Some(status));
    }
}
