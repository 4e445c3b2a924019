//! What surrounds a request of the family: rates, credentials, headers, and one form of errors.

use std::time::Instant;

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Api, Cluster};

/// Registers a tenant; its access token.
async fn registered(api: &Api, email: &str) -> String {
    let body =
        json!({"email": email, "password": "correct horse battery staple", "full_name": "A", "tenant_name": "T"});
    let answer = api.post("/api/v1/auth/register", &body).await.expect(201);
    answer["data"]["access_token"].as_str().unwrap().to_owned()
}

async fn ask(api: &Api, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = api.client.get(format!("{}{path}", api.base));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Answer::of(request).await.unwrap()
}

fn number(answer: &Answer, header: &str) -> u64 {
    answer.header(header).parse().unwrap_or_else(|_| panic!("no {header}: {:?}", answer.headers))
}

fn must_be_envelope(answer: &Answer, status: u16, error: &str) {
    assert_eq!(answer.status, status, "{}", answer.text);
    let body = &answer.body;
    assert_eq!((&body["success"], body["error"].as_str()), (&Value::Bool(false), Some(error)), "{}", answer.text);
    assert!(body["message"].as_str().is_some_and(|message| !message.is_empty()), "{}", answer.text);
    assert!(body["details"].is_array() && body["timestamp"].is_string(), "{}", answer.text);
    assert!(!answer.header("x-request-id").is_empty() && answer.header("x-content-type-options") == "nosniff");
}

/// Requests that pass until the first that does not.
async fn passing(api: &Api, headers: &[(&str, &str)], status: u16) -> (u64, Answer) {
    let began = Instant::now();
    let mut last = u64::MAX;
    for passed in 0..2000 {
        let answer = ask(api, "/api/v1/auth/me", headers).await;
        if answer.status == 429 {
            // While they come some of the rate comes back: one each 600 ms.
            let refilled = u64::try_from(began.elapsed().as_millis() / 600).unwrap() + 1;
            assert!((120..=120 + refilled).contains(&passed), "{passed} passed, {refilled} came back");
            return (passed, answer);
        }
        assert_eq!(answer.status, status, "{}", answer.text);
        let remaining = number(&answer, "x-rate-limit-remaining");
        assert!(remaining <= last.saturating_add(1) && remaining < 120, "{remaining} after {last}");
        last = remaining;
    }
    panic!("nothing is limited");
}

// checklist 53, 54, 58
#[tokio::test]
async fn a_hundred_and_twenty_at_once_and_no_more() {
    let cluster = Cluster::with_workers(0).await;
    let api = &cluster.api;
    let token = format!("Bearer {}", registered(api, "a@example.com").await);
    let (_, refused) = passing(api, &[("authorization", &token)], 200).await;
    must_be_envelope(&refused, 429, "rate_limited");
    assert!(number(&refused, "retry-after") >= 1);
    assert_eq!(number(&refused, "x-rate-limit-remaining"), 0);
    let now = trafficlab_shared::clock::wall_ns() / 1_000_000_000;
    assert!((now..now + 75).contains(&number(&refused, "x-rate-limit-reset")), "{:?}", refused.headers);
    // Another credential is another caller, and probes are nobody's.
    let other = format!("Bearer {}", registered(api, "b@example.com").await);
    assert_eq!(ask(api, "/api/v1/auth/me", &[("authorization", &other)]).await.status, 200);
    for _ in 0..300 {
        assert_eq!(api.get("/health/live").await.status, 200);
    }
}

// checklist 55, 56
#[tokio::test]
async fn guessing_is_limited_by_address_and_the_address_is_not_what_the_caller_says() {
    let cluster = Cluster::with_workers(0).await;
    let api = &cluster.api;
    for turn in 0..400 {
        let spoofed = format!("198.51.100.{}", turn % 250);
        let answer = ask(api, "/api/v1/auth/me", &[("authorization", "Bearer x"), ("x-forwarded-for", &spoofed)]).await;
        if answer.status == 429 {
            assert!(turn >= 120, "{turn}");
            break;
        }
        must_be_envelope(&answer, 401, "unauthorized");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        assert!(turn < 399, "guessing is not limited");
    }
    let mut statuses = Vec::new();
    for turn in 0..12 {
        let body = json!({"username": format!("nobody{turn}@example.com"), "password": "wrong wrong wrong"});
        let answer = api.post("/api/v1/auth/login", &body).await;
        statuses.push(answer.status);
    }
    assert_eq!((statuses[0], statuses[11]), (401, 429), "{statuses:?}");
}

// checklist 56
#[tokio::test]
async fn behind_a_trusted_proxy_each_client_has_its_own_rate() {
    let cluster =
        Cluster::builder().set("HTTP__TRUSTED_PROXIES", r#"["127.0.0.0/8"]"#).set("AUTH__OPEN", "true").start().await;
    let api = &cluster.api;
    let (_, refused) = passing(api, &[("x-forwarded-for", "198.51.100.7")], 401).await;
    must_be_envelope(&refused, 429, "rate_limited");
    assert_eq!(ask(api, "/api/v1/auth/me", &[("x-forwarded-for", "198.51.100.8")]).await.status, 401);
    // What the client itself wrote in front of the proxy's entry is not believed.
    let forged = ask(api, "/api/v1/auth/me", &[("x-forwarded-for", "203.0.113.1, 198.51.100.7")]).await;
    assert_eq!(forged.status, 429);
}

// checklist 15, 51, 90, 91, 93
#[tokio::test]
async fn every_refusal_has_the_one_form_and_in_the_same_order() {
    let cluster = Cluster::builder().set("LIMITS__API_PER_MINUTE", "100000").start().await;
    let api = &cluster.api;
    let token = format!("Bearer {}", registered(api, "a@example.com").await);
    let auth = ("authorization", token.as_str());
    // Without a token a path says nothing about whether it is there.
    for path in ["/api/v1/nothing", "/api/v1/campaigns", "/api/v1/campaigns/1", "/api/v1/"] {
        must_be_envelope(&ask(api, path, &[]).await, 401, "unauthorized");
        for bad in ["", "Bearer", "Bearer ", "Basic YTpi", "bearer x.y.z", "Token abc"] {
            must_be_envelope(&ask(api, path, &[("authorization", bad)]).await, 401, "unauthorized");
        }
    }
    must_be_envelope(&ask(api, "/api/v1/nothing", &[auth]).await, 404, "not_found");
    must_be_envelope(&ask(api, "/api/v1/campaigns/999", &[auth]).await, 404, "not_found");
    must_be_envelope(&ask(api, "/api/v1/campaigns?page=0", &[auth]).await, 400, "validation_error");
    let send = async |method: Method, kind: &str, body: String| {
        let request = api.client.request(method, format!("{}/api/v1/campaigns", api.base));
        Answer::of(request.header(auth.0, auth.1).header("content-type", kind).body(body)).await.unwrap()
    };
    let wrong_method = send(Method::PATCH, "application/json", String::new()).await;
    must_be_envelope(&wrong_method, 405, "method_not_allowed");
    assert!(wrong_method.header("allow").contains("POST"), "{:?}", wrong_method.headers);
    must_be_envelope(&send(Method::POST, "text/plain", "{}".into()).await, 415, "unsupported_media_type");
    must_be_envelope(&send(Method::POST, "application/json", "{".into()).await, 400, "validation_error");
    let twice = send(Method::POST, "application/json", r#"{"name":"a","name":"b"}"#.into()).await;
    must_be_envelope(&twice, 400, "validation_error");
    must_be_envelope(&send(Method::POST, "application/json", "[".repeat(10_000)).await, 400, "validation_error");
    let long = format!("{{\"name\":\"{}\"}}", "x".repeat(64 << 20));
    must_be_envelope(&send(Method::POST, "application/json", long).await, 413, "payload_too_large");
    // Pages of other sites are kept out before anything else is looked at.
    let foreign = ask(api, "/api/v1/auth/me", &[auth, ("origin", "http://evil.example")]).await;
    must_be_envelope(&foreign, 403, "forbidden");
    assert!(!foreign.headers.contains_key("access-control-allow-origin"));
    let mine = ask(api, "/api/v1/auth/me", &[auth, ("x-request-id", "my-id.1")]).await;
    assert_eq!((mine.status, mine.header("x-request-id"), mine.header("cache-control")), (200, "my-id.1", "no-store"));
}
