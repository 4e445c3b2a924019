//! The HTTP side of bad input: bodies, types, methods, paths, hosts and origins.

use serde_json::json;

use super::{must_be_error, must_be_unharmed};
use crate::harness::{Cluster, raw};

#[tokio::test]
async fn malformed_bodies_name_line_and_column() {
    let cluster = Cluster::with_workers(0).await;
    let base = &cluster.api.base;
    let deep = format!("{{\"config\": {}", "[".repeat(100_000));
    for body in ["{", "{\"name\": }", "{\n \"name\": \"a\",\n}", "not json", "{\"a\":1} extra", "\u{feff}{}", &deep] {
        for path in ["/api/sessions/", "/api/traffic/generate", "/api/traffic/test"] {
            let request = cluster.api.client.post(format!("{base}{path}")).body(body.to_owned());
            let response = request.header("content-type", "application/json").send().await.unwrap();
            let (status, answer) = (response.status().as_u16(), response.json().await.unwrap());
            let case: String = format!("{path} {body}").chars().take(60).collect();
            must_be_error(&case, status, &answer, 400);
            let text = answer["message"].as_str().unwrap();
            assert!(text.contains("line") && text.contains("column"), "{case}: {text}");
        }
    }
    let answer = cluster.api.post("/api/sessions/", &json!([1])).await;
    must_be_error("a list as body", answer.status, &answer.body, 400);
    must_be_unharmed(&cluster.api, "0").await;
}

#[tokio::test]
async fn bodies_are_json_of_a_bounded_size() {
    let cluster = Cluster::with_workers(0).await;
    let url = format!("{}/api/sessions/", cluster.api.base);
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/html",
        "application/xml",
    ] {
        let response = cluster.api.client.post(&url).header("content-type", kind).body("{}").send().await.unwrap();
        let status = response.status().as_u16();
        must_be_error(kind, status, &response.json().await.unwrap(), 415);
    }
    // Without a type a body is JSON.
    let response = cluster.api.client.post(&url).body("{\"name\": \"untyped\"}").send().await.unwrap();
    assert_eq!(response.status(), 201);
    let large = json!({"name": "x".repeat(2 << 20)});
    let answer = cluster.api.post("/api/sessions/", &large).await;
    must_be_error("a large body", answer.status, &answer.body, 413);
    let announced =
        "POST /api/sessions/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 999999999999\r\n\r\n{";
    let (status, body) = raw(&cluster.api.base, announced.as_bytes()).await;
    must_be_error("a body that is announced as large", status, &body, 413);
    must_be_unharmed(&cluster.api, "1").await;
}

#[tokio::test]
async fn unknown_paths_and_methods_have_the_same_body() {
    let cluster = Cluster::with_workers(0).await;
    for path in [
        "/nothing",
        "/api",
        "/api/traffic",
        "/api/traffic/nothing",
        "/api/sessions/a/b",
        "/.env",
        "/api/traffic/generated/a/b",
    ] {
        let answer = cluster.api.get(path).await;
        must_be_error(path, answer.status, &answer.body, 404);
    }
    for (method, path) in [
        (reqwest::Method::PATCH, "/api/sessions/"),
        (reqwest::Method::DELETE, "/api/sessions/"),
        (reqwest::Method::GET, "/api/traffic/generate"),
        (reqwest::Method::POST, "/health"),
        (reqwest::Method::PUT, "/api/traffic/stats/x"),
        (reqwest::Method::POST, "/api/traffic/campaigns/x/status"),
    ] {
        let answer = cluster.api.send(method.clone(), path, None).await.unwrap();
        must_be_error(&format!("{method} {path}"), answer.status, &answer.body, 405);
    }
    must_be_unharmed(&cluster.api, "0").await;
}

/// Web pages of other sites must not reach a server on their visitor's machine.
#[tokio::test]
async fn foreign_hosts_and_origins_are_refused() {
    let cluster = Cluster::with_workers(0).await;
    let base = &cluster.api.base;
    let own = base.strip_prefix("http://").unwrap();
    for headers in [
        "Host: evil.example\r\n".to_owned(),
        "Host: 127.0.0.1.evil.example\r\n".to_owned(),
        format!("Host: {own}\r\nOrigin: http://evil.example\r\n"),
        format!("Host: {own}\r\nOrigin: null\r\n"),
        format!("Host: {own}\r\nSec-Fetch-Site: cross-site\r\n"),
        format!("Host: {own}\r\nSec-Fetch-Site: same-site\r\n"),
    ] {
        for (method, body) in [("GET", ""), ("POST", "{}")] {
            let length = body.len();
            let request = format!(
                "{method} /api/sessions/ HTTP/1.1\r\n{headers}Connection: close\r\nContent-Length: {length}\r\n\r\n{body}"
            );
            let (status, answer) = raw(base, request.as_bytes()).await;
            must_be_error(&format!("{method} with {headers:?}"), status, &answer, 403);
        }
    }
    for headers in [
        format!("Host: {own}\r\nOrigin: {base}\r\nSec-Fetch-Site: same-origin\r\n"),
        "Host: localhost\r\n".to_owned(),
        "Host: [::1]:80\r\nSec-Fetch-Site: none\r\n".to_owned(),
    ] {
        let request = format!("GET /health HTTP/1.1\r\n{headers}Connection: close\r\n\r\n");
        assert_eq!(raw(base, request.as_bytes()).await.0, 200, "{headers}");
    }
    must_be_unharmed(&cluster.api, "0").await;
}

/// Bytes that are not HTTP end their own connection and nothing else.
#[tokio::test]
async fn bytes_that_are_not_http_do_no_harm() {
    let cluster = Cluster::with_workers(0).await;
    let long = format!("GET /{} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "a".repeat(100_000));
    let many = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{}Connection: close\r\n\r\n", "A: b\r\n".repeat(5000));
    let requests: [&[u8]; 6] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n",
        long.as_bytes(),
        many.as_bytes(),
    ];
    for request in requests {
        let (status, _) = raw(&cluster.api.base, request).await;
        assert!(status == 0 || (400..500).contains(&status), "{status}");
    }
    must_be_unharmed(&cluster.api, "0").await;
}
