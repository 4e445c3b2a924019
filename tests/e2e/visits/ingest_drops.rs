//! Visits that are left out, with the reason in the header and the count unchanged, and clients that send too much.

use serde_json::{Value, json};

use super::{KEY, tracker};
use crate::harness::{Answer, Api};

async fn visit(api: &Api, url: &str, headers: &[(&str, &str)], more: &Value) -> Answer {
    let mut body = json!({"user_id": "u", "page_url": url});
    for (name, value) in more.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    let mut request = api.client.post(format!("{}/visit", api.base)).json(&body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Answer::of(request).await.unwrap()
}

/// Dropped for this reason, with the count as it was.
fn must_be_dropped(answer: Answer, reason: &str, count: u64) {
    assert_eq!(answer.header("x-visit-dropped"), reason, "{}", answer.text);
    let body = answer.expect(202);
    assert_eq!((&body["success"], &body["visit_count"]), (&json!(true), &json!(count)), "{body}");
}

#[tokio::test]
async fn only_listed_sites_are_counted_where_sites_are_listed() {
    let cluster = tracker(&[("TRACKER__SITES", r#"["example.com"]"#)]).await;
    let api = &cluster.api;
    visit(api, "https://www.Example.com:8443/", &[], &json!({})).await.expect(200);
    for url in ["https://other.example/", "https://example.com.evil.example/", "http://127.0.0.1/"] {
        must_be_dropped(visit(api, url, &[], &json!({})).await, "unknown_site", 1);
    }
    for origin in ["https://evil.example", "null", "https://example.com.evil.example"] {
        let answer = visit(api, "https://example.com/", &[("origin", origin)], &json!({})).await;
        must_be_dropped(answer, "origin_mismatch", 1);
    }
    visit(api, "https://example.com/", &[("origin", "https://www.example.com")], &json!({})).await.expect(200);
}

#[tokio::test]
async fn visitors_who_ask_not_to_be_counted_are_not() {
    let cluster = tracker(&[]).await;
    let api = &cluster.api;
    let url = "https://example.com/";
    must_be_dropped(visit(api, url, &[("dnt", "1")], &json!({})).await, "dnt", 0);
    must_be_dropped(visit(api, url, &[("sec-gpc", "1")], &json!({})).await, "gpc", 0);
    must_be_dropped(visit(api, url, &[("origin", "https://evil.example")], &json!({})).await, "origin_mismatch", 0);
    let sites = api.get("/api/visits/sites").await.expect(200);
    assert_eq!(sites["sites"], json!([]), "and they leave no site behind");
    visit(api, url, &[("dnt", "0")], &json!({})).await.expect(200);
    let indifferent = tracker(&[("TRACKER__RESPECT_DNT", "false")]).await;
    visit(&indifferent.api, url, &[("dnt", "1"), ("sec-gpc", "1")], &json!({})).await.expect(200);
}

#[tokio::test]
async fn forged_marks_are_kept_apart_and_few() {
    let cluster = tracker(&[]).await;
    let api = &cluster.api;
    let (mut taken, mut dropped) = (0, 0);
    for _ in 0..150 {
        let answer =
            visit(api, "https://example.com/", &[("x-synthetic-traffic", "no-such-campaign")], &json!({})).await;
        match answer.status {
            200 => taken += 1,
            _ => {
                must_be_dropped(answer, "unverified_limit", 0);
                dropped += 1;
            }
        }
    }
    assert!(taken >= 100 && dropped > 0, "{taken} taken, {dropped} dropped");
    let stats = api.get("/stats").await.expect(200);
    assert_eq!((&stats["total_visits"], &stats["synthetic_visits"]), (&json!(0), &json!(0)), "{stats}");
    assert_eq!(visit(api, "https://example.com/", &[], &json!({})).await.expect(200)["visit_count"], 1);
}

#[tokio::test]
async fn a_client_over_its_rate_is_told_when_to_come_back() {
    let settings =
        [("LIMITS__VISIT_ON_LOOPBACK", "true"), ("LIMITS__VISIT_PER_SECOND", "1"), ("LIMITS__VISIT_BURST", "5")];
    let cluster = tracker(&settings).await;
    let api = &cluster.api;
    let mut refused = 0;
    for _ in 0..12 {
        // A client that writes another address into headers and body stays the same client.
        let forged = [("x-forwarded-for", "198.51.100.9"), ("forwarded", "for=198.51.100.9")];
        let answer = visit(api, "https://example.com/", &forged, &json!({"ip_address": "198.51.100.9"})).await;
        if answer.status == 429 {
            assert!(answer.header("retry-after").parse::<u32>().unwrap() >= 1);
            assert_eq!(answer.expect(429)["code"], "rate_limited");
            refused += 1;
        } else {
            answer.expect(200);
        }
    }
    assert!(refused >= 1, "twelve at once with a burst of five");
    let event = json!({"n": "pageview", "u": "https://example.com/", "d": "example.com"});
    let mut last = api.post("/api/event", &event).await;
    for _ in 0..12 {
        last = api.post("/api/event", &event).await;
    }
    assert_eq!(last.status, 429);
    visit(api, "https://example.com/", &[("x-ingest-key", KEY)], &json!({})).await.expect(200);
}

#[tokio::test]
async fn an_event_that_one_of_its_sites_has_is_not_refused_for_the_others() {
    let settings =
        [("LIMITS__VISIT_ON_LOOPBACK", "true"), ("LIMITS__VISIT_PER_SECOND", "0"), ("LIMITS__VISIT_BURST", "2")];
    let cluster = tracker(&settings).await;
    let api = &cluster.api;
    let event = json!({"n": "pageview", "u": "https://a.example/", "d": "a.example,b.example,c.example"});
    let partly = api.post("/api/event", &event).await;
    assert_eq!((partly.status, partly.header("x-visit-dropped")), (202, "overload"), "{}", partly.text);
    assert_eq!(api.get("/stats").await.expect(200)["total_visits"], 2);
    api.post("/api/event", &event).await.expect(429);
    assert_eq!(api.get("/stats").await.expect(200)["total_visits"], 2, "sent again, it counts no second time");
}

#[tokio::test]
async fn a_flood_of_hosts_makes_no_more_than_a_thousand_sites() {
    let cluster = tracker(&[]).await;
    let api = &cluster.api;
    let lines = |hosts: std::ops::Range<u32>| {
        let line = |host| json!({"user_id": "u", "page_url": format!("https://h{host}.example/")}).to_string();
        hosts.map(line).collect::<Vec<_>>().join("\n")
    };
    let mut counts = (0, 0);
    for hosts in [0..600, 600..1200] {
        let request = api.client.post(format!("{}/visit/batch", api.base)).body(lines(hosts));
        let body = Answer::of(request).await.unwrap().expect(200);
        counts = (counts.0 + body["accepted"].as_u64().unwrap(), counts.1 + body["dropped"].as_u64().unwrap());
    }
    assert_eq!(counts, (1000, 200));
    must_be_dropped(visit(api, "https://one-more.example/", &[], &json!({})).await, "too_many_sites", 1000);
    visit(api, "https://h0.example/", &[], &json!({})).await.expect(200);
}

#[tokio::test]
async fn distinct_pages_and_names_are_all_counted() {
    let cluster = tracker(&[]).await;
    let api = &cluster.api;
    for batch in 0..3_u32 {
        let line = |nth: u32| {
            let url = format!("https://example.com/{batch}/{nth}?utm_campaign=c{batch}-{nth}");
            json!({"user_id": format!("u{batch}-{nth}"), "page_url": url, "event": format!("e{batch}-{nth}")})
                .to_string()
        };
        let body = (0..4000).map(line).collect::<Vec<_>>().join("\n");
        let request = api.client.post(format!("{}/visit/batch", api.base)).body(body);
        let answer = Answer::of(request).await.unwrap().expect(200);
        assert_eq!(answer["accepted"], 4000, "{answer}");
    }
    assert_eq!(api.get("/stats").await.expect(200)["total_visits"], 12_000);
}

#[tokio::test]
async fn an_address_is_believed_from_those_who_may_say_it() {
    let settings = [("HTTP__TRUSTED_PROXIES", r#"["127.0.0.1/32"]"#), ("AUTH__OPEN", "true")];
    let cluster = tracker(&settings).await;
    let api = &cluster.api;
    let url = "https://example.com/";
    let site = json!({"domain": "example.com"});
    api.post("/api/visits/sites", &site).await.expect(201);
    api.put("/api/visits/sites/example.com", &json!({"excluded_addresses": ["203.0.113.0/24"]})).await.expect(200);
    let inside = json!({"ip_address": "203.0.113.5"});
    must_be_dropped(visit(api, url, &[], &inside).await, "excluded", 0);
    must_be_dropped(visit(api, url, &[("x-forwarded-for", "203.0.113.5")], &json!({})).await, "excluded", 0);
    // The proxy passes on a stranger, who may say nothing about others, neither in the body nor further left.
    let stranger = ("x-forwarded-for", "203.0.113.5, 198.51.100.1");
    visit(api, url, &[stranger], &inside).await.expect(200);
    must_be_dropped(visit(api, url, &[stranger, ("x-ingest-key", KEY)], &inside).await, "excluded", 1);
}
