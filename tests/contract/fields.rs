//! Every field of a body, wrong in type or range.

use serde_json::{Value, json};

use super::{blamed, must_be_error, must_be_unharmed};
use crate::harness::Cluster;

/// A field and the JSON texts that are wrong for it; a field in `config` has its path.
const WRONG: &[(&str, &[&str])] = &[
    ("campaign_id", &["7", "\"\"", "\"a/b\"", "\"..\"", "\"a b\"", "\"é\"", "[]"]),
    ("name", &["7", "[]", "\"a\\u0000b\""]),
    (
        "target_url",
        &[
            "7",
            "\"nonsense\"",
            "\"ftp://127.0.0.1/\"",
            "\"http://\"",
            "\"http://u:p@127.0.0.1/\"",
            "\"http://u@127.0.0.1/\"",
            "\"http://127.0.0.1:99999/\"",
            "{}",
        ],
    ),
    ("requests_per_minute", &["0", "-1", "-0.001", "\"10\"", "[]", "true", "60000001", "1e300"]),
    ("duration_minutes", &["0", "-5", "\"1\"", "{}", "43201", "1e300"]),
    (
        "geo_locations",
        &["7", "\"Germany\"", "[7]", "[\"Atlantis\"]", "[{\"country\": \"Germany\", \"weight\": -1}]", "[[]]"],
    ),
    (
        "user_profiles",
        &[
            "7",
            "{}",
            "[7]",
            "[{\"name\": \"a\", \"device_types\": [\"toaster\"]}]",
            "[{\"name\": \"a\", \"weight\": -1}]",
        ],
    ),
    ("rtb_config", &["7", "[]", "\"x\"", "{\"floor_price\": -1}", "{\"floor_price\": \"x\"}"]),
    ("config", &["7", "[]", "\"x\""]),
    ("config.mode", &["\"turbo\"", "7"]),
    (
        "config.arrivals",
        &["\"often\"", "7", "{\"type\": \"x\"}", "{\"type\": \"stages\"}", "{\"type\": \"stages\", \"stages\": []}"],
    ),
    (
        "config.stages",
        &[
            "7",
            "[]",
            "[7]",
            "[{\"duration_seconds\": 0, \"target\": 5}]",
            "[{\"duration_seconds\": 5}]",
            "[{\"duration_seconds\": 5, \"target\": -5}]",
        ],
    ),
    ("config.seed", &["-1", "1.5", "\"x\"", "18446744073709551616"]),
    ("config.method", &["7", "\"\"", "\"G T\"", "\"GET\\r\\nX\""]),
    (
        "config.headers",
        &[
            "7",
            "[]",
            "{\"A\": 7}",
            "{\"A\": {\"value\": 7}}",
            "{\"A b\": \"x\"}",
            "{\"A\": \"x\\r\\nB: y\"}",
            "{\"A\": \"x\\u0000\"}",
        ],
    ),
    (
        "config.headers",
        &[
            "{\"Host\": \"x\"}",
            "{\"host\": \"x\"}",
            "{\":authority\": \"x\"}",
            "{\"Content-Length\": \"1\"}",
            "{\"Transfer-Encoding\": \"chunked\"}",
            "{\"Connection\": \"close\"}",
            "{\"X-Synthetic-Traffic\": \"no\"}",
            "{\"x-synthetic-anything\": \"no\"}",
        ],
    ),
    ("config.body", &["7", "true"]),
    ("config.connections", &["0", "10001", "-1", "1.5", "\"x\""]),
    ("config.timeout_ms", &["0", "-1", "\"x\"", "1e12"]),
    ("config.max_redirects", &["-1", "11", "\"x\""]),
    (
        "config.checks",
        &["7", "{\"statuses\": [99]}", "{\"statuses\": \"x\"}", "{\"max_latency_ms\": -1}", "{\"body_contains\": 7}"],
    ),
    ("config.warm_up", &["-1", "\"x\""]),
    ("config.catch_up", &["-1", "\"x\""]),
    ("config.live_entries", &["7", "\"yes\""]),
    ("config.error_rate", &["-0.1", "1.1", "\"x\""]),
    ("config.status_codes", &["7", "[700]", "{\"x\": 1}"]),
];

fn body_with(field: &str, value: &str) -> String {
    match field.strip_prefix("config.") {
        Some(inner) => format!("{{\"config\": {{\"{inner}\": {value}}}}}"),
        None => format!("{{\"{field}\": {value}}}"),
    }
}

async fn send(cluster: &Cluster, method: reqwest::Method, path: &str, body: String) -> (u16, Value) {
    let request = cluster.api.client.request(method, format!("{}{path}", cluster.api.base));
    let response = request.header("content-type", "application/json").body(body).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap_or_default())
}

#[tokio::test]
async fn each_wrong_field_is_named() {
    let cluster = Cluster::with_workers(0).await;
    let known = cluster.api.create(&json!({"config": {"mode": "simulate"}})).await;
    let before = cluster.api.get(&format!("/api/sessions/{known}")).await.expect(200);
    let mut faults = Vec::new();
    for (field, values) in WRONG {
        for value in *values {
            let update = format!("/api/sessions/{known}");
            for (method, path) in [(reqwest::Method::POST, "/api/sessions/"), (reqwest::Method::PUT, update.as_str())] {
                // The id of an existing session is read-only and ignored.
                if *field == "campaign_id" && method == reqwest::Method::PUT {
                    continue;
                }
                let case = format!("{method} {field} = {value}");
                let (status, body) = send(&cluster, method, path, body_with(field, value)).await;
                let named = blamed(&body).iter().any(|blamed| {
                    blamed.starts_with(field) || field.starts_with("config.arrivals") && blamed.starts_with("config")
                });
                if status != 400 || body["success"] != false || !named {
                    faults.push(format!("{case}: {status} {body}"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{} faults:\n  {}", faults.len(), faults.join("\n  "));
    assert_eq!(
        cluster.api.get(&format!("/api/sessions/{known}")).await.expect(200),
        before,
        "a refused change was stored"
    );
    must_be_unharmed(&cluster.api, "1").await;
}

#[tokio::test]
async fn all_mistakes_come_together() {
    let cluster = Cluster::with_workers(0).await;
    let body = json!({
        "requests_per_minute": 0,
        "duration_minutes": "x",
        "geo_locations": ["Atlantis", "Germany", 7],
        "user_profiles": [{"name": "a", "weight": -1}],
        "config": {"mode": "turbo", "connections": 0, "headers": {"Host": "x"}},
    });
    let answer = cluster.api.post("/api/sessions/", &body).await;
    must_be_error("many mistakes", answer.status, &answer.body, 400);
    let fields = blamed(&answer.body);
    for expected in ["requests_per_minute", "duration_minutes", "config.mode", "config.connections", "config.headers"] {
        assert!(fields.iter().any(|field| field.starts_with(expected)), "`{expected}` is not in {fields:?}");
    }
    must_be_unharmed(&cluster.api, "0").await;
}

/// The configured limit is of requests a second; the field is of requests a minute.
#[tokio::test]
async fn rates_end_at_the_configured_limit() {
    let cluster = Cluster::builder().set("GENERATOR__MAX_RATE", "100").start().await;
    for (rate, status) in [(6000.0, 201), (6000.1, 400), (6001.0, 400)] {
        let body = json!({"requests_per_minute": rate, "config": {"mode": "simulate"}});
        let answer = cluster.api.post("/api/sessions/", &body).await;
        assert_eq!(answer.status, status, "{rate}: {}", answer.text);
    }
    let body = json!({"config": {"mode": "simulate", "stages": [{"duration_seconds": 5, "target": 6001}]}});
    let answer = cluster.api.post("/api/sessions/", &body).await;
    must_be_error("a stage above the limit", answer.status, &answer.body, 400);
    must_be_unharmed(&cluster.api, "1").await;
}

/// What the document leaves free is kept and echoed, and named as having no effect.
#[tokio::test]
async fn unknown_members_are_no_mistake() {
    let cluster = Cluster::with_workers(0).await;
    let body = json!({
        "config": {"mode": "simulate", "colour": "red"},
        "rtb_config": {"strange": {"a": 1}},
        "user_profiles": [{"name": "p", "mood": "good"}],
    });
    let session = cluster.api.post("/api/sessions/", &body).await.expect(201);
    assert_eq!(session["config"]["colour"], "red");
    assert_eq!(session["rtb_config"]["strange"], json!({"a": 1}));
    assert_eq!(session["user_profiles"][0]["mood"], "good");
    let warnings = session["warnings"].to_string();
    for word in ["colour", "strange", "mood"] {
        assert!(warnings.contains(word), "`{word}` is not in {warnings}");
    }
}

/// Numbers that JSON cannot say, or that are too large, in the bodies of both documents.
#[tokio::test]
async fn numbers_that_are_none_are_refused() {
    let cluster = Cluster::with_workers(0).await;
    for number in ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "0x10", "01", "+1", ".5"] {
        for path in ["/api/sessions/", "/api/traffic/generate"] {
            let body = format!(
                "{{\"campaign_id\": \"x\", \"target_url\": \"http://127.0.0.1:9/\", \"requests_per_minute\": {number}}}"
            );
            let (status, body) = send(&cluster, reqwest::Method::POST, path, body).await;
            must_be_error(&format!("{path} with {number}"), status, &body, 400);
        }
    }
    must_be_unharmed(&cluster.api, "0").await;
}
