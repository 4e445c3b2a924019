//! Registering, signing in, one's own account.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Api, PASSWORD, Tenant, ads, fresh_email};

/// A body with the members that registering needs.
fn registration(email: &str) -> Value {
    json!({"email": email, "password": PASSWORD, "full_name": "Ada", "tenant_name": "Acme"})
}

async fn sign_in(api: &Api, name: &str, password: &str) -> Answer {
    let form = [("username", name), ("password", password)];
    Answer::of(api.client.post(format!("{}/api/v1/auth/login", api.base)).form(&form)).await.unwrap()
}

#[tokio::test]
async fn from_registering_to_signing_out() {
    let cluster = ads().start().await;
    let api = &cluster.api;
    let ada = Tenant::register(api, "Acme").await;
    let (status, me) = ada.get("/api/v1/auth/me").await;
    assert_eq!(status, 200, "{me}");
    assert_eq!(me["data"]["user"]["email"], ada.email);
    assert_eq!(me["data"]["user"]["role"], "admin");
    assert_eq!(me["data"]["tenant"]["name"], "Acme");
    assert_eq!(me["data"]["tenant"]["currency"], "USD");

    let answer = sign_in(api, &ada.email, PASSWORD).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let tokens = answer.expect(200);
    let members: Vec<&String> = tokens.as_object().unwrap().keys().collect();
    assert_eq!(members, ["access_token", "expires_in", "refresh_token", "token_type"], "as the document shows");
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("bearer"), &json!(1800)));

    let other = ada.signed_in().await;
    assert_eq!(other.post("/api/v1/auth/logout", &json!({})).await.0, 200);
    assert_eq!(other.get("/api/v1/auth/me").await.0, 401, "the access token ends with its session");
    assert_eq!(ada.get("/api/v1/auth/me").await.0, 200, "the other session goes on");
    let third = ada.signed_in().await;
    assert_eq!(ada.post("/api/v1/auth/logout", &json!({"all": true})).await.0, 200);
    assert_eq!(third.get("/api/v1/auth/me").await.0, 401);
}

#[tokio::test]
async fn registering_names_what_is_wrong() {
    let cluster = ads().start().await;
    let api = &cluster.api;
    let wrong = json!({"email": "nobody", "password": "short", "full_name": "", "tenant_name": 7, "plan": "gold"});
    let refused = api.post("/api/v1/auth/register", &wrong).await.expect(400);
    assert_eq!(refused["error"], "validation_error");
    let details = refused["details"].as_array().unwrap();
    let mut fields: Vec<&str> = details.iter().map(|detail| detail["field"].as_str().unwrap()).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["email", "full_name", "plan", "tenant_name"]);
    let email = details.iter().find(|detail| detail["field"] == "email").unwrap();
    assert_eq!(email["message"], "value is not a valid email address", "the document's sentence");

    // checklist 26
    let mut weak = registration(&fresh_email("weak"));
    weak["password"] = json!("password1");
    let refused = api.post("/api/v1/auth/register", &weak).await.expect(400);
    assert_eq!(refused["details"][0]["field"], "password");

    // checklist 32
    let email = fresh_email("Jörg.Kahl");
    api.post("/api/v1/auth/register", &registration(&email)).await.expect(201);
    for same in [email.clone(), email.to_uppercase(), email.replace('ö', "o\u{308}"), email.replace("exam", "ｅxam")]
    {
        let refused = api.post("/api/v1/auth/register", &registration(&same)).await.expect(409);
        assert_eq!(refused["error"], "conflict", "{same}");
        assert_eq!(sign_in(api, &same, PASSWORD).await.status, 200, "{same}");
    }

    // checklist 33
    let first = Tenant::register(api, "First").await;
    let mut chosen = registration(&fresh_email("mallory"));
    chosen["tenant_id"] = json!(first.id);
    chosen["role"] = json!("viewer");
    chosen["id"] = json!(first.user);
    let made = api.post("/api/v1/auth/register", &chosen).await.expect(201);
    assert_eq!(made["data"]["user"]["role"], "admin");
    assert_ne!(made["data"]["tenant"]["id"], first.id);
    assert_ne!(made["data"]["user"]["id"], first.user);
}

#[tokio::test]
async fn registration_is_closed_or_for_the_first() {
    let cluster = ads().set("AUTH__REGISTRATION", "first_only").start().await;
    Tenant::register(&cluster.api, "First").await;
    let refused = cluster.api.post("/api/v1/auth/register", &registration(&fresh_email("second"))).await.expect(403);
    assert_eq!(refused["error"], "forbidden");
}

// checklist 34
#[tokio::test]
async fn signing_in_takes_forms_and_json_and_nothing_else() {
    let cluster = ads().start().await;
    let ada = Tenant::register(&cluster.api, "Acme").await;
    let url = format!("{}/api/v1/auth/login", cluster.api.base);
    for name in ["username", "email"] {
        let body = json!({name: ada.email, "password": PASSWORD});
        cluster.api.post("/api/v1/auth/login", &body).await.expect(200);
    }
    let form = format!("username={}&password=correct+horse+battery+staple", ada.email.replace('@', "%40"));
    let types = [
        ("application/x-www-form-urlencoded; charset=utf-8", 200),
        ("text/plain", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/xml", 415),
    ];
    for (content_type, status) in types {
        let request = cluster.api.client.post(&url).header("content-type", content_type).body(form.clone());
        let answer = Answer::of(request).await.unwrap();
        assert_eq!(answer.status, status, "{content_type}: {}", answer.text);
    }
    for body in ["", "{", "[]", "\u{0}", "{\"username\":1,\"password\":[]}"] {
        let request = cluster.api.client.post(&url).header("content-type", "application/json").body(body);
        assert_eq!(Answer::of(request).await.unwrap().status, 400, "{body:?}");
    }
    let odd = cluster.api.client.post(&url).header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(Answer::of(odd.body(vec![0xff, b'=', 0xfe, b'&', b'%'])).await.unwrap().status, 400);
}

// checklist 15
#[tokio::test]
async fn without_a_bearer_token_nothing_is_told() {
    let cluster = ads().start().await;
    let url = format!("{}/api/v1/auth/me", cluster.api.base);
    let headers =
        [None, Some(""), Some("Bearer"), Some("Bearer "), Some("Basic YTpi"), Some("Bearer x.y.z"), Some("tlk_")];
    for header in headers {
        let mut request = cluster.api.client.get(&url);
        if let Some(value) = header {
            request = request.header("authorization", value);
        }
        let answer = Answer::of(request).await.unwrap();
        assert_eq!(answer.header("www-authenticate"), "Bearer", "{header:?}");
        assert_eq!(answer.expect(401)["error"], "unauthorized");
    }
}

#[tokio::test]
async fn a_person_changes_their_name_and_nothing_that_is_not_theirs() {
    let cluster = ads().start().await;
    let ada = Tenant::register(&cluster.api, "Acme").await;
    let viewer = ada.user("viewer").await;
    let wish = json!({"full_name": "Vera View", "role": "admin", "tenant_id": 99, "email": "new@example.com"});
    let (status, me) = viewer.put("/api/v1/auth/me", &wish).await;
    assert_eq!(status, 200, "{me}");
    let user = &me["data"]["user"];
    assert_eq!((&user["full_name"], &user["role"]), (&json!("Vera View"), &json!("viewer")));
    assert_eq!(user["email"], viewer.email);
    assert_eq!(me["data"]["tenant"]["id"], ada.id);
    let key = ada.key("admin").await;
    assert_eq!(key.send(Method::GET, "/api/v1/auth/me", None).await.status, 403, "a key is no person");
}
