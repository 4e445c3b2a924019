//! Every documented field of every endpoint has its documented JSON type.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Api, Cluster};

/// Types: `s` text, `t` RFC 3339 time in UTC, `i` whole number, `n` number, `b` boolean, `o` object,
/// `a` list; with `?` it may be null.
type Fields = &'static [(&'static str, &'static str)];

const SESSION: Fields = &[
    ("id", "s"),
    ("name", "s"),
    ("status", "s"),
    ("created_at", "t"),
    ("updated_at", "t"),
    ("started_at", "t?"),
    ("ended_at", "t?"),
    ("target_url", "s?"),
    ("requests_per_minute", "n"),
    ("duration_minutes", "n"),
    ("geo_locations", "a"),
    ("rtb_config", "o"),
    ("config", "o"),
    ("user_profiles", "a"),
];

const ENTRY: Fields = &[
    ("id", "s"),
    ("campaign_id", "s"),
    ("run_id", "s"),
    ("sequence", "i"),
    ("timestamp", "t"),
    ("scheduled_at", "t"),
    ("mode", "s"),
    ("method", "s"),
    ("url", "s"),
    ("status_code", "i?"),
    ("success", "b"),
    ("response_time_ms", "n?"),
    ("error", "s?"),
    ("geo_location", "s"),
    ("device_model", "s"),
    ("device_type", "s"),
    ("os", "s"),
    ("browser", "s"),
    ("user_agent", "s"),
    ("ip_address", "s"),
    ("ad_format", "s?"),
    ("user_profile", "s?"),
    ("rtb.bid_request.id", "s"),
    ("rtb.bid_request.imp", "a"),
    ("rtb.auction.outcome", "s"),
    ("rtb.auction.winner", "s?"),
    ("rtb.auction.clearing_price", "n?"),
    ("worker_id", "s"),
];

/// Path (`{id}` is the campaign), place of the object in the answer, its fields.
const ANSWERS: &[(&str, &str, Fields)] = &[
    ("/api/sessions/{id}", "", SESSION),
    ("/api/sessions/", "0", SESSION),
    (
        "/api/traffic/monitor/{id}",
        "data",
        &[
            ("campaign_id", "s"),
            ("is_running", "b"),
            ("has_data", "b"),
            ("last_updated", "t"),
            ("total_requests", "i"),
            ("successful_requests", "i"),
            ("last_request", "o"),
            ("requests_per_minute", "n"),
            ("success_rate", "n"),
            ("average_response_time", "n"),
        ],
    ),
    ("/api/traffic/monitor/{id}", "data.last_request", ENTRY),
    ("/api/traffic/generated/{id}", "data.0", ENTRY),
    (
        "/api/traffic/generated/{id}",
        "metadata",
        &[("total_requests", "i"), ("successful_requests", "i"), ("last_updated", "t")],
    ),
    ("/api/traffic/generated", "data.0", ENTRY),
    (
        "/api/traffic/download/{id}",
        "data",
        &[
            ("campaign_id", "s"),
            ("download_time", "t"),
            ("total_requests", "i"),
            ("successful_requests", "i"),
            ("traffic_data", "a"),
        ],
    ),
    (
        "/api/traffic/stats/{id}",
        "data",
        &[
            ("total_requests", "i"),
            ("successful_requests", "i"),
            ("success_rate", "n"),
            ("unique_geo_locations", "i"),
            ("unique_device_models", "i"),
            ("unique_ad_formats", "i"),
            ("start_time", "t"),
            ("end_time", "t"),
            ("duration_minutes", "n"),
            ("requests_per_minute", "n"),
        ],
    ),
    (
        "/api/traffic/status/{id}",
        "data",
        &[
            ("campaign_id", "s"),
            ("is_running", "b"),
            ("has_data", "b"),
            ("last_updated", "t"),
            ("total_requests", "i"),
            ("successful_requests", "i"),
            ("last_request", "o"),
        ],
    ),
    (
        "/api/traffic/health",
        "data",
        &[
            ("traffic_data_dir", "s"),
            ("timestamp", "t"),
            ("active_campaigns", "a"),
            ("campaign_stats", "o"),
            ("total_active_campaigns", "i"),
            ("system_info", "o"),
        ],
    ),
    ("/api/traffic/health", "", &[("success", "b"), ("status", "s"), ("message", "s")]),
    (
        "/api/traffic/campaigns/{id}/info",
        "data",
        &[
            ("campaign_id", "s"),
            ("basic_info", "o"),
            ("traffic_generation", "o"),
            ("traffic_stats", "o"),
            ("configuration", "o"),
        ],
    ),
    (
        "/health",
        "",
        &[
            ("success", "b"),
            ("status", "s"),
            ("version", "s"),
            ("timestamp", "t"),
            ("mode", "s"),
            ("environment", "s"),
            ("database", "s"),
            ("broker", "s"),
            ("redis", "s"),
            ("uptime_seconds", "i"),
            ("workers", "i"),
        ],
    ),
];

fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').filter(|part| !part.is_empty()).try_fold(value, |value, part| match value {
        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
        other => other.get(part),
    })
}

fn has_type(value: &Value, kind: &str) -> bool {
    if let Some(kind) = kind.strip_suffix('?') {
        return value.is_null() || has_type(value, kind);
    }
    match kind {
        "s" => value.is_string(),
        "t" => value.as_str().is_some_and(|text| text.ends_with('Z') && text.get(10..11) == Some("T")),
        "i" => value.is_u64(),
        "n" => value.is_number(),
        "b" => value.is_boolean(),
        "o" => value.is_object(),
        "a" => value.is_array(),
        other => panic!("no type `{other}`"),
    }
}

async fn faults(api: &Api, id: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (path, place, fields) in ANSWERS {
        let answer = api.get(&path.replace("{id}", id)).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        if path.starts_with("/api/traffic/") {
            assert_eq!(answer.body["success"], true, "{path}");
        }
        let Some(object) = at(&answer.body, place) else {
            faults.push(format!("{path}: there is no `{place}`"));
            continue;
        };
        for (field, kind) in *fields {
            match at(object, field) {
                None => faults.push(format!("{path}: `{place}.{field}` is missing")),
                Some(value) if !has_type(value, kind) => {
                    faults.push(format!("{path}: `{place}.{field}` is {value}, not of type {kind}"));
                }
                Some(_) => {}
            }
        }
    }
    faults
}

#[tokio::test]
async fn every_documented_field_has_its_type() {
    let cluster = Cluster::with_workers(1).await;
    let session = json!({
        "name": "shapes",
        "requests_per_minute": 3000,
        "duration_minutes": 0.0625,
        "rtb_config": {"floor_price": 0.1},
        "user_profiles": [{"name": "p", "device_types": ["mobile"]}],
        "config": {"mode": "simulate"},
    });
    let (id, _) = cluster.api.start(&session).await;
    cluster.api.wait_for(&id, "completed", Duration::from_secs(40)).await;
    let faults = faults(&cluster.api, &id).await;
    assert!(faults.is_empty(), "{} faults:\n  {}", faults.len(), faults.join("\n  "));
}

/// A known campaign without data answers 200 with empty data and zero counters everywhere.
#[tokio::test]
async fn a_campaign_without_data_answers_zeros() {
    let cluster = Cluster::with_workers(0).await;
    let api = &cluster.api;
    let id = api.create(&json!({})).await;
    for path in ["monitor", "status"] {
        let data = api.get(&format!("/api/traffic/{path}/{id}")).await.expect(200)["data"].take();
        assert_eq!((&data["has_data"], &data["is_running"]), (&json!(false), &json!(false)), "{path}: {data}");
        assert_eq!(data["total_requests"], 0, "{path}: {data}");
    }
    assert_eq!(api.stats(&id).await["total_requests"], 0);
    let generated = api.get(&format!("/api/traffic/generated/{id}")).await.expect(200);
    assert_eq!((&generated["data"], &generated["metadata"]["total_requests"]), (&json!([]), &json!(0)));
    let download = api.get(&format!("/api/traffic/download/{id}")).await.expect(200);
    assert_eq!(download["data"]["traffic_data"], json!([]));
    assert_eq!(api.get("/api/traffic/generated").await.expect(200)["data"], json!([]));
    api.post(&format!("/api/traffic/cleanup/{id}"), &json!({})).await.expect(200);
    api.get(&format!("/api/sessions/{id}")).await.expect(200);
}

/// `POST /api/traffic/test` runs the real functions.
#[tokio::test]
async fn the_test_endpoint_runs_the_real_functions() {
    let cluster = Cluster::with_workers(0).await;
    for kind in ["generate_traffic_data", "simulate_request", "full_traffic_simulation"] {
        let body = json!({"test_type": kind, "count": 50, "seed": 3, "geo_locations": ["Japan"]});
        let one = cluster.api.post("/api/traffic/test", &body).await.expect(200);
        assert_eq!(one["success"], true, "{kind}: {one}");
        assert!(one.to_string().contains("Japan") || kind == "simulate_request", "{kind}: {one}");
    }
    for body in [json!({}), json!({"test_type": "nonsense"}), json!({"test_type": 7})] {
        let refused = cluster.api.post("/api/traffic/test", &body).await.expect(400);
        assert_eq!(refused["details"][0]["field"], "test_type", "{refused}");
    }
}
