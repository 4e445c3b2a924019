//! Unknown campaigns, and ids that are tricks.

use serde_json::json;

use super::{must_be_error, must_be_unharmed};
use crate::harness::{Cluster, raw};

/// Method and path of every endpoint that names a campaign.
const ENDPOINTS: [(&str, &str); 13] = [
    ("POST", "/api/traffic/stop/ID"),
    ("POST", "/api/traffic/cleanup/ID"),
    ("GET", "/api/traffic/monitor/ID"),
    ("GET", "/api/traffic/generated/ID"),
    ("GET", "/api/traffic/generated/ID?format=csv"),
    ("GET", "/api/traffic/download/ID"),
    ("GET", "/api/traffic/stats/ID"),
    ("GET", "/api/traffic/status/ID"),
    ("PUT", "/api/traffic/campaigns/ID/status"),
    ("GET", "/api/traffic/campaigns/ID/info"),
    ("GET", "/api/sessions/ID"),
    ("PUT", "/api/sessions/ID"),
    ("DELETE", "/api/sessions/ID"),
];

async fn ask(cluster: &Cluster, method: &str, path: &str) -> (u16, serde_json::Value) {
    let body = if method == "PUT" { "{\"status\": \"running\"}" } else { "" };
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    raw(&cluster.api.base, request.as_bytes()).await
}

#[tokio::test]
async fn an_unknown_campaign_is_404_everywhere() {
    let cluster = Cluster::with_workers(0).await;
    for (method, path) in ENDPOINTS {
        let (status, body) = ask(&cluster, method, &path.replace("ID", "unknown")).await;
        must_be_error(&format!("{method} {path}"), status, &body, 404);
        assert!(body["error"].as_str().unwrap().contains("unknown"), "{method} {path}: {body}");
    }
    let answer = cluster.api.post("/api/traffic/generate", &json!({"campaign_id": "unknown"})).await;
    must_be_error("generate", answer.status, &answer.body, 404);
    let answer = cluster.api.post("/api/traffic/generate", &json!({})).await;
    must_be_error("generate without an id", answer.status, &answer.body, 400);
    assert_eq!(answer.body["details"][0]["field"], "campaign_id", "{}", answer.text);
    for path in ["/api/traffic/compare", "/api/traffic/compare?a=x", "/api/traffic/compare?a=x&b=y"] {
        let answer = cluster.api.get(path).await;
        assert!([400, 404].contains(&answer.status), "{path}: {}", answer.text);
    }
    must_be_unharmed(&cluster.api, "0").await;
}

#[tokio::test]
async fn tricks_in_ids_find_nothing() {
    let cluster = Cluster::with_workers(0).await;
    cluster.api.create(&json!({"campaign_id": "here", "config": {"mode": "simulate"}})).await;
    let long = "a".repeat(5000);
    let tricks = [
        "..",
        "%2e%2e",
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "%00",
        "here%00",
        "here%2f..",
        "%c0%ae%c0%ae",
        "here;a=b",
        "here%20",
        "%0d%0aX-Injected:%20yes",
        "*",
        "%ff",
        &long,
    ];
    for (method, path) in ENDPOINTS {
        for trick in tricks {
            let (status, body) = ask(&cluster, method, &path.replace("ID", trick)).await;
            let case: String = format!("{method} {path} with {trick}").chars().take(120).collect();
            assert!((400..500).contains(&status), "{case}: {status} {body}");
            must_be_error(&case, status, &body, status);
            assert!(!body.to_string().contains("root:"), "{case}: {body}");
        }
    }
    must_be_unharmed(&cluster.api, "1").await;
    assert_eq!(cluster.api.status("here").await.as_deref(), Some("draft"));
}

/// Wrong words for a status are 400 and change nothing.
#[tokio::test]
async fn a_status_is_one_of_six_words() {
    let cluster = Cluster::with_workers(0).await;
    let id = cluster.api.create(&json!({"config": {"mode": "simulate"}})).await;
    for body in [
        json!({}),
        json!({"status": "RUNNING"}),
        json!({"status": 1}),
        json!({"status": null}),
        json!({"status": ["running"]}),
    ] {
        let answer = cluster.api.put(&format!("/api/traffic/campaigns/{id}/status"), &body).await;
        must_be_error(&body.to_string(), answer.status, &answer.body, 400);
        assert_eq!(answer.body["details"][0]["field"], "status", "{}", answer.text);
    }
    assert_eq!(cluster.api.status(&id).await.as_deref(), Some("draft"));
}
