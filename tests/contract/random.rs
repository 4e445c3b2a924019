//! Random JSON to every endpoint that takes a body: an answer below 500, and a healthy server.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

use crate::harness::Cluster;

const KEYS: [&str; 24] = [
    "campaign_id",
    "name",
    "status",
    "target_url",
    "requests_per_minute",
    "duration_minutes",
    "geo_locations",
    "rtb_config",
    "config",
    "user_profiles",
    "test_type",
    "count",
    "seed",
    "mode",
    "arrivals",
    "stages",
    "headers",
    "checks",
    "connections",
    "weight",
    "floor_price",
    "bidders",
    "network_latency",
    "x",
];
const BODIES: usize = 250;

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (0_i64..100).prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        "\\PC{0,20}".prop_map(Value::from),
        prop::sample::select(vec![
            "simulate",
            "running",
            "Germany",
            "full_traffic_simulation",
            "{{uuid}}",
            "{{",
            "http://127.0.0.1:9/"
        ])
        .prop_map(Value::from),
    ]
}

fn body() -> impl Strategy<Value = Value> {
    let key = prop_oneof![4 => prop::sample::select(KEYS.to_vec()).prop_map(str::to_owned), 1 => "\\PC{0,8}"];
    let inner = leaf().prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    });
    let key = prop::sample::select(KEYS.to_vec());
    prop::collection::vec((key, inner), 0..6).prop_map(|members| {
        members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>().into()
    })
}

#[tokio::test]
async fn random_bodies_are_answered_below_500() {
    let mut cluster = Cluster::with_workers(0).await;
    let api = cluster.api.clone();
    let known = api.create(&json!({"config": {"mode": "simulate"}})).await;
    let mut runner = TestRunner::deterministic();
    let paths = [
        (reqwest::Method::POST, "/api/sessions/".to_owned()),
        (reqwest::Method::PUT, format!("/api/sessions/{known}")),
        (reqwest::Method::POST, "/api/traffic/generate".to_owned()),
        (reqwest::Method::POST, "/api/traffic/test".to_owned()),
        (reqwest::Method::PUT, format!("/api/traffic/campaigns/{known}/status")),
    ];
    for (method, path) in paths.iter().cycle().take(BODIES) {
        let body = body().new_tree(&mut runner).unwrap().current();
        let answer = api.send(method.clone(), path, Some(&body)).await;
        let answer = answer.unwrap_or_else(|error| panic!("{method} {path} {body}: {error}"));
        assert!(answer.status < 500, "{method} {path} {body}: {}", answer.text);
        assert!(answer.status < 400 || answer.body["success"] == false, "{method} {path} {body}: {}", answer.text);
    }
    assert!(!cluster.coordinator.process().output().contains("panicked at"), "a handler panicked");
    assert_eq!(api.get("/health").await.expect(200)["status"], "healthy");
}
