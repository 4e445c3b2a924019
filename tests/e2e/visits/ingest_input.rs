//! What `/visit`, `/stats` and the batch say to bad input, and that nothing of it is counted.

use reqwest::Method;
use serde_json::{Value, json};

use super::{KEY, tracker};
use crate::harness::{Answer, Api};

/// Sends a text as a JSON body.
async fn send(api: &Api, path: &str, body: impl Into<reqwest::Body>) -> Answer {
    let request = api.client.post(format!("{}{path}", api.base)).header("content-type", "application/json");
    Answer::of(request.body(body)).await.unwrap()
}

async fn total(api: &Api) -> Value {
    api.get("/stats").await.expect(200)["total_visits"].take()
}

/// The project's error body with the fields that are to blame.
fn must_blame(answer: Answer, status: u16, fields: &[&str]) -> Value {
    let body = answer.expect(status);
    assert_eq!(body["success"], false, "{body}");
    let named: Vec<_> = body["details"].as_array().unwrap().iter().map(|one| one["field"].as_str().unwrap()).collect();
    assert_eq!(named, fields, "{body}");
    assert!(body["timestamp"].as_str().unwrap().ends_with('Z'));
    body
}

#[tokio::test]
async fn wrong_fields_are_named_and_nothing_is_counted() {
    let cluster = tracker(&[]).await;
    let api = &cluster.api;
    let good = json!({"user_id": "u", "page_url": "https://example.com/"});
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body
    };
    let cases = [
        (json!({}), vec!["user_id", "page_url"]),
        (json!({"user_id": "", "page_url": "  "}), vec!["user_id", "page_url"]),
        (json!({"page_url": "https://example.com/"}), vec!["user_id"]),
        (json!({"user_id": "u"}), vec!["page_url"]),
        (with("user_id", Value::Null), vec!["user_id"]),
        (with("user_id", json!(7)), vec!["user_id"]),
        (with("page_url", json!({"a": 1})), vec!["page_url"]),
        (with("page_url", json!("not a url")), vec!["page_url"]),
        (with("page_url", json!("/relative")), vec!["page_url"]),
        (with("page_url", json!("javascript:alert(1)")), vec!["page_url"]),
        (with("page_url", json!("https://exa mple.com/")), vec!["page_url"]),
        (with("user_agent", json!(["x"])), vec!["user_agent"]),
        (with("referrer", json!(1.5)), vec!["referrer"]),
        (with("ip_address", json!("300.1.1.1")), vec!["ip_address"]),
        (with("ip_address", json!("localhost; rm -rf")), vec!["ip_address"]),
        (with("timestamp", json!("2024-01-01T00:00:00Z")), vec!["timestamp"]),
        (with("props", json!({"nested": {"a": 1}})), vec!["props"]),
        (with("revenue", json!({"amount": 1})), vec!["revenue"]),
        (with("event_id", json!("x".repeat(256))), vec!["event_id"]),
        (with("user_id", json!("x".repeat(1_000_000))), vec!["user_id"]),
        (with("page_url", json!(format!("https://example.com/{}", "x".repeat(1_000_000)))), vec!["page_url"]),
    ];
    for (body, fields) in cases {
        must_blame(send(api, "/visit", body.to_string()).await, 422, &fields);
    }
    must_blame(send(api, "/visit", "[1]").await, 422, &["body"]);
    assert_eq!(total(api).await, 0);
}

#[tokio::test]
async fn bodies_that_are_no_json_are_told_with_their_place() {
    let cluster = tracker(&[]).await;
    let api = &cluster.api;
    for body in ["", "{", "nope", "{\"user_id\":\"u\",}", "{\"user_id\":NaN}", "{} {}", "\u{feff}{}"] {
        let answer = must_blame(send(api, "/visit", body).await, 400, &[]);
        assert!(answer["line"].is_u64() && answer["column"].is_u64(), "{answer}");
    }
    must_blame(send(api, "/visit", b"{\"user_id\":\"\xff\"}".to_vec()).await, 400, &[]);
    let deep = "[".repeat(200_000);
    must_blame(send(api, "/visit", deep).await, 400, &[]);
    let long = format!("{{\"user_id\":\"{}\"}}", "x".repeat(1 << 20));
    must_blame(send(api, "/visit", long).await, 413, &["body"]);
    for kind in ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml"] {
        let request = api.client.post(format!("{}/visit", api.base)).header("content-type", kind).body("{}");
        must_blame(Answer::of(request).await.unwrap(), 415, &[]);
    }
    assert_eq!(total(api).await, 0);
}

#[tokio::test]
async fn the_timeframe_keeps_its_bounds() {
    let cluster = tracker(&[]).await;
    let api = &cluster.api;
    for given in ["0.0999", "168.01", "NaN", "inf", "-1", "text", "", "1e999"] {
        let answer = api.get(&format!("/stats?timeframe_hours={given}")).await;
        let body = must_blame(answer, 422, &["timeframe_hours"]);
        let message = body["message"].as_str().unwrap();
        assert!(
            message.contains("0.1") && message.contains("168.0") && message.contains(&format!("`{given}`")),
            "{body}"
        );
    }
    for (given, hours) in [("0.1", 0.1), ("168", 168.0), ("168.0", 168.0), ("2.5", 2.5)] {
        let body = api.get(&format!("/stats?timeframe_hours={given}")).await.expect(200);
        assert_eq!(body["timeframe_hours"].as_f64(), Some(hours));
    }
    assert_eq!(api.get("/stats").await.expect(200)["timeframe_hours"].as_f64(), Some(1.0));
}

#[tokio::test]
async fn other_methods_are_405_in_the_same_body() {
    let cluster = tracker(&[]).await;
    let api = &cluster.api;
    for (method, path, allowed) in [
        (Method::GET, "/visit", "POST"),
        (Method::DELETE, "/visit/batch", "POST"),
        (Method::PUT, "/api/event", "POST"),
        (Method::POST, "/visit.gif", "GET"),
        (Method::POST, "/stats", "GET"),
        (Method::POST, "/t.js", "GET"),
    ] {
        let answer = api.send(method, path, None).await.unwrap();
        assert_eq!(answer.header("allow"), allowed, "{path}");
        assert!(!answer.header("x-request-id").is_empty());
        must_blame(answer, 405, &[]);
    }
    let head = api.send(Method::HEAD, "/stats", None).await.unwrap();
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    assert_eq!(api.get("/visit/nothing").await.status, 404);
}

#[tokio::test]
async fn a_bad_item_of_a_batch_spoils_no_other() {
    let cluster = tracker(&[]).await;
    let api = &cluster.api;
    let lines = [
        r#"{"user_id":"a","page_url":"https://example.com/1"}"#,
        r#"{"user_id":"","page_url":"https://example.com/2"}"#,
        r#"{"user_id":"b","page_url":"#,
        "",
        r#"{"user_id":"c","page_url":"https://example.com/3","event_id":"same"}"#,
        r#"{"user_id":"c","page_url":"https://example.com/3","event_id":"same"}"#,
    ];
    let body = send(api, "/visit/batch", lines.join("\n")).await.expect(200);
    for (name, count) in [("accepted", 2), ("rejected", 2), ("duplicate", 1), ("dropped", 0), ("visit_count", 2)] {
        assert_eq!(body[name], count, "{name}: {body}");
    }
    let results = body["results"].as_array().unwrap();
    let told: Vec<_> =
        results.iter().map(|one| (one["index"].as_u64().unwrap(), one["status"].as_str().unwrap())).collect();
    assert_eq!(told, [(1, "rejected"), (2, "rejected"), (4, "duplicate")], "{body}");
    assert_eq!(results[0]["details"][0]["field"], "user_id");
    let array = json!([{"user_id": "d", "page_url": "https://example.com/4"}, 7]);
    let body = send(api, "/visit/batch?results=all", array.to_string()).await.expect(200);
    assert_eq!((&body["accepted"], &body["rejected"], &body["visit_count"]), (&json!(1), &json!(1), &json!(3)));
    assert_eq!(body["results"].as_array().unwrap().len(), 2);
    for (bad, status) in [("[{}", 400), ("", 400)] {
        assert_eq!(send(api, "/visit/batch", bad).await.status, status);
    }
    let many = "{}\n".repeat(10_001);
    must_blame(send(api, "/visit/batch", many).await, 422, &["body"]);
    assert_eq!(total(api).await, 3);
}

#[tokio::test]
async fn times_and_addresses_of_others_need_the_key() {
    let cluster = tracker(&[]).await;
    let api = &cluster.api;
    let old = json!({"user_id": "u", "page_url": "https://example.com/", "timestamp": "2024-05-01T10:00:00Z"});
    must_blame(send(api, "/visit", old.to_string()).await, 422, &["timestamp"]);
    for (header, key, status) in [
        ("authorization", format!("Bearer {KEY}"), 200),
        ("x-ingest-key", KEY.to_owned(), 200),
        ("x-ingest-key", format!("{KEY}x"), 422),
        ("authorization", "Bearer ".to_owned(), 422),
    ] {
        let request = api.client.post(format!("{}/visit", api.base)).header(header, key).json(&old);
        assert_eq!(Answer::of(request).await.unwrap().status, status, "{header}");
    }
    let stats = api.get("/stats").await.expect(200);
    assert_eq!((&stats["total_visits"], &stats["recent_visits"]), (&json!(2), &json!(0)), "of years ago");
    let future = json!({"user_id": "u", "page_url": "https://example.com/", "timestamp": 4_102_444_800_u64});
    let request = api.client.post(format!("{}/visit", api.base)).bearer_auth(KEY).json(&future);
    must_blame(Answer::of(request).await.unwrap(), 422, &["timestamp"]);
}
