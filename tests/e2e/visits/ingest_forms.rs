//! The forms in which visits come: beacons, the picture, Plausible's events, the script, repeated ones.

use reqwest::Method;
use serde_json::{Value, json};

use super::tracker;
use crate::harness::{Answer, Api};

async fn post(api: &Api, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut request = api.client.post(format!("{}{path}", api.base)).body(body.to_owned());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Answer::of(request).await.unwrap()
}

async fn stats(api: &Api) -> Value {
    api.get("/stats").await.expect(200)
}

const CHROME: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36";

#[tokio::test]
async fn beacons_send_json_as_plain_text() {
    let cluster = tracker(&[]).await;
    let body = r#"{"user_id":"u","page_url":"https://example.com/"}"#;
    let origin = ("origin", "https://example.com");
    let answer = post(&cluster.api, "/visit", &[("content-type", "text/plain;charset=UTF-8"), origin], body).await;
    assert_eq!(answer.header("access-control-allow-origin"), "https://example.com");
    assert_eq!(answer.header("cross-origin-resource-policy"), "cross-origin");
    assert_eq!(answer.header("access-control-allow-credentials"), "");
    assert_eq!(answer.expect(200)["visit_count"], 1);
    let without = post(&cluster.api, "/visit", &[], body).await;
    assert_eq!(without.expect(200)["visit_count"], 2, "no type means JSON");
}

#[tokio::test]
async fn an_event_id_counts_once() {
    let mut cluster = tracker(&[]).await;
    let body = r#"{"user_id":"u","page_url":"https://example.com/","event_id":"e1"}"#;
    let keyed = r#"{"user_id":"u","page_url":"https://example.com/"}"#;
    for _ in 0..3 {
        assert_eq!(post(&cluster.api, "/visit", &[], body).await.expect(200)["visit_count"], 1);
    }
    for _ in 0..2 {
        let answer = post(&cluster.api, "/visit", &[("idempotency-key", "k1")], keyed).await;
        assert_eq!(answer.expect(200)["visit_count"], 2);
    }
    cluster.restart_coordinator().await;
    // Connections to the killed server are of no use, and a client sends no POST twice by itself.
    cluster.api = Api::new(cluster.api.base.clone());
    assert_eq!(post(&cluster.api, "/visit", &[], body).await.expect(200)["visit_count"], 2, "after a restart too");
    for _ in 0..2 {
        post(&cluster.api, "/visit/batch", &[("idempotency-key", "b")], &format!("{keyed}\n{keyed}")).await.expect(200);
    }
    assert_eq!(stats(&cluster.api).await["total_visits"], 4, "a batch that is sent again counts once");
}

#[tokio::test]
async fn the_picture_counts_and_is_a_gif() {
    let cluster = tracker(&[]).await;
    let api = &cluster.api;
    let path = "/visit.gif?url=https%3A%2F%2Fexample.com%2Fmail%3Futm_source%3Dletter&user_id=u&e=opened";
    let answer = api.client.get(format!("{}{path}", api.base)).header("user-agent", CHROME).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "image/gif");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let bytes = answer.bytes().await.unwrap();
    assert!(bytes.len() == 43 && bytes.starts_with(b"GIF89a"));
    let page = api.client.get(format!("{}/visit.gif", api.base)).header("referer", "https://example.com/page");
    assert_eq!(page.send().await.unwrap().status(), 200);
    assert_eq!(api.send(Method::HEAD, path, None).await.unwrap().status, 200);
    assert_eq!(stats(api).await["total_visits"], 2, "a look at the head is no visit");
    for bad in ["/visit.gif", "/visit.gif?url=nothing"] {
        assert_eq!(api.get(bad).await.expect(422)["details"][0]["field"], "url");
    }
}

#[tokio::test]
async fn events_of_plausible_are_taken_by_short_and_long_names() {
    let cluster = tracker(&[]).await;
    let api = &cluster.api;
    let short = r#"{"n":"pageview","u":"https://example.com/a","d":"example.com","r":null,"w":1200,"h":0}"#;
    let long = r#"{"name":"Signup","url":"https://example.com/a","domain":"example.com,other.example","props":{"plan":"pro"},
        "revenue":{"amount":"9.90","currency":"EUR"},"interactive":false}"#;
    for (kind, body, count) in [("text/plain", short, 1), ("application/json", long, 3), ("image/png", short, 4)] {
        for path in ["/api/event", "/visit/event"] {
            let seen = stats(api).await["total_visits"].as_u64().unwrap();
            let answer = post(api, path, &[("content-type", kind), ("user-agent", CHROME)], body).await;
            assert_eq!((answer.status, answer.text.as_str(), answer.header("x-visit-dropped")), (202, "ok", ""));
            let grown = stats(api).await["total_visits"].as_u64().unwrap() - seen;
            assert_eq!(grown, if count == 3 { 2 } else { 1 }, "{path} {kind}");
        }
    }
    let before = stats(api).await["total_visits"].clone();
    for (body, field) in [
        (r#"{"u":"https://example.com/","d":"example.com"}"#, "name"),
        (r#"{"n":"pageview","u":"nope","d":"example.com"}"#, "url"),
        (r#"{"n":"pageview","u":"https://example.com/"}"#, "domain"),
        (r#"{"n":7,"u":"https://example.com/","d":"example.com"}"#, "n"),
    ] {
        let body = post(api, "/api/event", &[], body).await.expect(400);
        assert!(body["errors"][field].is_array(), "{body}");
    }
    assert!(post(api, "/api/event", &[], "nope").await.expect(400)["errors"]["request"].is_array());
    let foreign = post(api, "/api/event", &[("origin", "https://evil.example")], short).await;
    assert_eq!((foreign.status, foreign.header("x-visit-dropped")), (202, "origin_mismatch"));
    let seconds = r#"{"n":"engagement","u":"https://example.com/a","d":"example.com","sd":40,"e":3000}"#;
    assert_eq!(post(api, "/api/event", &[], seconds).await.header("x-visit-dropped"), "engagement");
    assert_eq!(stats(api).await["total_visits"], before);
}

#[tokio::test]
async fn the_script_is_served_under_its_name() {
    let cluster = tracker(&[("TRACKER__SCRIPT_NAME", "js/count.js")]).await;
    let api = &cluster.api;
    let script = api.get("/js/count.js").await;
    assert_eq!(script.status, 200);
    assert!(script.header("content-type").starts_with("text/javascript"));
    assert!(script.header("cache-control").contains("max-age"));
    assert_eq!(script.header("cross-origin-resource-policy"), "cross-origin");
    assert!(script.text.contains("/visit/event") && script.text.len() < 3000);
    let again = api.client.get(format!("{}/js/count.js", api.base)).header("if-none-match", script.header("etag"));
    assert_eq!(Answer::of(again).await.unwrap().status, 304);
    assert_eq!(api.get("/t.js").await.status, 404);
}

#[tokio::test]
async fn preflights_are_answered_for_the_ingest_alone() {
    let cluster =
        tracker(&[("TRACKER__SITES", r#"["example.com"]"#), ("TRACKER__CORS_ORIGINS", r#"["https://app.example"]"#)])
            .await;
    let api = &cluster.api;
    let ask = async |path: &str, origin: &str| {
        let request = api.client.request(Method::OPTIONS, format!("{}{path}", api.base));
        Answer::of(request.header("origin", origin).header("access-control-request-method", "POST")).await.unwrap()
    };
    for origin in ["https://example.com", "https://www.example.com", "https://app.example"] {
        let answer = ask("/visit", origin).await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (204, origin));
        assert!(answer.header("access-control-allow-headers").contains("Content-Type"));
    }
    assert_eq!(ask("/visit", "https://evil.example").await.header("access-control-allow-origin"), "");
    assert_eq!(ask("/stats", "https://example.com").await.status, 403, "figures are nobody's page's business");
    let shown = json!({"user_id": "u", "page_url": "https://example.com/"}).to_string();
    let answer = post(api, "/visit", &[("origin", "https://evil.example")], &shown).await;
    assert_eq!((answer.status, answer.header("x-visit-dropped")), (202, "origin_mismatch"));
    assert_eq!(answer.header("access-control-allow-origin"), "");
}
