//! Links that show a site's figures: to whoever has them, of that site only, until they are revoked.

use serde_json::{Value, json};

use super::stats_sample::{CHROME, SITE, filled};
use super::{batch, tracker};
use crate::harness::{Answer, Api};

const ASKED: &str = "/api/visits/aggregate?date=2025-06-10,2025-06-11";
const OPERATOR: &str = "the-token-of-the-operator";

async fn with_link(api: &Api, path: &str, token: &str) -> Answer {
    Answer::of(api.client.get(format!("{}{path}", api.base)).header("x-share-token", token)).await.unwrap()
}

#[tokio::test]
async fn a_link_shows_its_site_until_it_is_revoked() {
    let cluster = filled(&[]).await;
    let api = &cluster.api;
    batch(api, &[json!({"user_id": "u", "page_url": "https://other.example/", "timestamp": "2025-06-10T00:00:00Z"})])
        .await;
    let made = api.post("/api/visits/shares", &json!({"site_id": SITE, "name": "board"})).await.expect(201);
    let token = made["token"].as_str().unwrap();
    assert_eq!((token.len(), &made["url"]), (32, &json!(format!("/share/{token}"))));
    let listed = api.get("/api/visits/shares").await;
    assert!(!listed.text.contains(token), "the token is shown once");
    // It stands for the site too.
    let figures = api.get(&format!("{ASKED}&share={token}")).await.expect(200);
    assert_eq!((&figures["results"]["visitors"]["value"], &figures["meta"]["site_id"]), (&json!(4), &json!(SITE)));
    for open in ["timeseries", "realtime", "retention", "goals", "funnels", "breakdown?property=event:page"] {
        assert_eq!(with_link(api, &format!("/api/visits/{open}"), token).await.status, 200, "{open}");
    }
    assert_eq!(with_link(api, &format!("{ASKED}&site_id=other.example"), token).await.status, 403);
    for closed in ["export", "sites", "shares", "imports"] {
        assert_eq!(
            with_link(api, &format!("/api/visits/{closed}?site_id={SITE}"), token).await.status,
            403,
            "{closed}"
        );
    }
    let change = api.client.post(format!("{}/api/visits/goals?share={token}", api.base)).json(&json!({"event": "x"}));
    assert_eq!(Answer::of(change).await.unwrap().status, 403);
    page(api, token).await;
    let id = made["share"]["id"].as_str().unwrap();
    api.delete(&format!("/api/visits/shares/{id}")).await.expect(200);
    assert_eq!(with_link(api, ASKED, token).await.status, 404);
    assert_eq!(api.get(&format!("/share/{token}")).await.status, 404);
    api.delete(&format!("/api/visits/shares/{id}")).await.expect(404);
    let over = api
        .post("/api/visits/shares", &json!({"site_id": SITE, "name": "n", "expires_at": "2020-01-01T00:00:00Z"}))
        .await;
    assert_eq!(over.expect(422)["details"][0]["field"], "expires_at");
}

async fn page(api: &Api, token: &str) {
    let page = api.get(&format!("/share/{token}")).await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    let script = api.get("/share/page.js").await;
    assert_eq!((script.status, script.header("content-type")), (200, "text/javascript; charset=utf-8"));
    let guessed = api.get("/share/00000000000000000000000000000000").await;
    assert_eq!((guessed.status, guessed.header("content-type")), (404, "text/html; charset=utf-8"));
}

/// Where the server asks for tokens a link stands for one, and for nothing more.
#[tokio::test]
async fn a_link_needs_no_token_and_gives_none() {
    let tokens = format!(r#"[{{name = "o", role = "admin", sha256 = "{}"}}]"#, sha256(OPERATOR));
    let settings =
        [("PUBLIC_URL", "http://lab.example"), ("AUTH__API_TOKENS", tokens.as_str()), ("TRACKER__KEEP_DAYS", "36500")];
    let cluster = tracker(&settings).await;
    let api = &cluster.api;
    batch(api, &[json!({"user_id": "u", "page_url": "https://shop.example/", "user_agent": CHROME, "timestamp": "2025-06-10T00:00:00Z"})])
        .await;
    assert_eq!(api.get(ASKED).await.status, 401);
    let made = operator(api, &json!({"site_id": SITE, "name": "lasting"})).await;
    let token = made["token"].as_str().unwrap();
    assert_eq!(made["url"], json!(format!("http://lab.example/share/{token}")));
    assert_eq!(with_link(api, ASKED, token).await.expect(200)["results"]["visitors"]["value"], 1);
    assert_eq!(with_link(api, "/api/sessions/", token).await.status, 401);
    assert_eq!(with_link(api, ASKED, "guess").await.status, 404);
}

async fn operator(api: &Api, body: &Value) -> Value {
    let request = api.client.post(format!("{}/api/visits/shares", api.base)).bearer_auth(OPERATOR).json(body);
    Answer::of(request).await.unwrap().expect(201)
}

fn sha256(text: &str) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
