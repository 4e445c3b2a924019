//! Access and refresh tokens over HTTP.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Api, PASSWORD, Tenant, ads, eventually};

async fn refresh(api: &Api, token: &str) -> Answer {
    api.post("/api/v1/auth/refresh", &json!({"refresh_token": token})).await
}

fn text(tokens: &Value, name: &str) -> String {
    tokens[name].as_str().unwrap().to_owned()
}

// checklist 8, 16, 17
#[tokio::test]
async fn refresh_tokens_follow_one_another_and_a_used_one_ends_the_session() {
    let cluster = ads().start().await;
    let (api, ada) = (&cluster.api, Tenant::register(&cluster.api, "Acme").await);
    let bystander = ada.signed_in().await;
    assert_eq!(refresh(api, &ada.access).await.status, 401, "an access token is no refresh token");
    let wrong = Tenant { access: ada.refresh.clone(), ..ada.clone() };
    assert_eq!(wrong.get("/api/v1/auth/me").await.0, 401, "a refresh token is no access token");

    let second = refresh(api, &ada.refresh).await.expect(200);
    let members: Vec<&String> = second.as_object().unwrap().keys().collect();
    assert_eq!(members, ["access_token", "expires_in", "refresh_token", "token_type"]);
    let now = Tenant { access: text(&second, "access_token"), ..ada.clone() };
    assert_eq!(now.get("/api/v1/auth/me").await.0, 200);

    let reused = refresh(api, &ada.refresh).await.expect(401);
    assert_eq!(reused["error"], "unauthorized");
    assert_eq!(refresh(api, &text(&second, "refresh_token")).await.status, 401, "the newest ends too");
    assert_eq!(now.get("/api/v1/auth/me").await.0, 401, "and the access token");
    let (_, log) = bystander.get("/api/v1/audit?action=auth.refresh_reused").await;
    assert_eq!(log["data"].as_array().unwrap().len(), 1, "{log}");
}

// checklist 18
#[tokio::test]
async fn two_refreshes_at_once_fifty_times() {
    let cluster = ads().start().await;
    let (api, ada) = (&cluster.api, Tenant::register(&cluster.api, "Acme").await);
    let mut sessions = Vec::new();
    for _ in 0..5 {
        sessions.push(ada.signed_in().await.refresh);
    }
    for round in 0..50 {
        let Some(token) = sessions.pop() else {
            sessions.push(ada.signed_in().await.refresh);
            continue;
        };
        let (one, two) = tokio::join!(refresh(api, &token), refresh(api, &token));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 401], "round {round}");
    }
}

// checklist 19, 21
#[tokio::test]
async fn sessions_end_with_the_password_and_with_the_account() {
    let cluster = ads().start().await;
    let ada = Tenant::register(&cluster.api, "Acme").await;
    let vera = ada.user("viewer").await;
    let other = vera.signed_in().await;
    let wish = json!({"password": "a rather different phrase", "current_password": PASSWORD});
    assert_eq!(vera.put("/api/v1/auth/me", &wish).await.0, 200);
    for session in [&vera, &other] {
        assert_eq!(session.get("/api/v1/auth/me").await.0, 401);
        assert_eq!(refresh(&cluster.api, &session.refresh).await.status, 401);
    }

    let max = ada.user("manager").await;
    let path = format!("/api/v1/users/{}", max.user);
    assert_eq!(ada.put(&path, &json!({"active": false})).await.0, 200);
    assert_eq!(max.get("/api/v1/auth/me").await.0, 401);
    assert_eq!(refresh(&cluster.api, &max.refresh).await.status, 401);
    assert_eq!(ada.put(&path, &json!({"active": true})).await.0, 200);
    assert_eq!(max.get("/api/v1/auth/me").await.0, 401, "what has ended does not come back");
    assert_eq!(max.signed_in().await.get("/api/v1/auth/me").await.0, 200);
}

// checklist 1, 2, 10
#[tokio::test]
async fn forged_tokens_are_refused() {
    let cluster = ads().start().await;
    let ada = Tenant::register(&cluster.api, "Acme").await;
    let parts: Vec<&str> = ada.access.split('.').collect();
    let [header, payload, signature] = parts.as_slice() else { panic!("{parts:?}") };
    // {"alg":"none","typ":"JWT"}
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    let forged = [
        format!("{none}.{payload}."),
        format!("{none}.{payload}.{signature}"),
        format!("{header}.{payload}."),
        format!("{header}.{payload}"),
        format!("{header}.{payload}.{}", "A".repeat(signature.len())),
        format!("{header}.{payload}A.{signature}"),
        format!("{header}.{payload}.{signature}.{signature}"),
    ];
    for token in forged {
        let forger = Tenant { access: token.clone(), ..ada.clone() };
        let answer = forger.send(Method::GET, "/api/v1/auth/me", None).await;
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        assert_eq!(answer.status, 401, "{token}");
    }
    assert_eq!(ada.get("/api/v1/auth/me").await.0, 200);
}

// checklist 13, 20
#[tokio::test]
async fn neither_log_nor_store_shows_a_password_or_a_token() {
    let mut cluster = ads().set("LOG__LEVEL", "trace").start().await;
    let ada = Tenant::register(&cluster.api, "Acme").await;
    let vera = ada.user("viewer").await;
    let next = refresh(&cluster.api, &vera.refresh).await.expect(200);
    let form = [("username", ada.email.as_str()), ("password", "not the right phrase")];
    let login = cluster.api.client.post(format!("{}/api/v1/auth/login", cluster.api.base)).form(&form);
    assert_eq!(Answer::of(login).await.unwrap().status, 401);
    cluster.api.post("/api/v1/auth/forgot-password", &json!({"email": ada.email})).await.expect(200);
    let folder = cluster.data_dir();
    let token = eventually(std::time::Duration::from_secs(20), "a mail", async || mailed(&folder)).await;
    let bad = json!({"token": token, "new_password": "password1"});
    cluster.api.post("/api/v1/auth/reset-password", &bad).await.expect(400);

    let secret = |name: &str| text(&next, name);
    let secrets = [
        PASSWORD.to_owned(),
        "not the right phrase".to_owned(),
        ada.access.clone(),
        ada.refresh.clone(),
        vera.access.clone(),
        vera.refresh.clone(),
        secret("access_token"),
        secret("refresh_token"),
        token,
    ];
    cluster.coordinator.terminate().await;
    let log = std::fs::read(folder.with_file_name("coordinator.log")).unwrap();
    assert!(contains(&log, b"answered"), "the log was written at its finest level");
    let store = bytes_below(&folder.join("store"));
    for (number, secret) in secrets.iter().enumerate() {
        assert!(!contains(&log, secret.as_bytes()), "secret {number} is in the log");
        // A mail that waits holds its token; this one was sent and is forgotten, but old pages of the store may show it.
        if number + 1 < secrets.len() {
            assert!(!contains(&store, secret.as_bytes()), "secret {number} is in the store");
        }
    }
}

/// The token of the first mail in the outbox.
fn mailed(data: &std::path::Path) -> Option<String> {
    let mails = bytes_below(&data.join("outbox"));
    let text = String::from_utf8_lossy(&mails).replace("=\r\n", "");
    let at = text.find("tlp_")?;
    text.get(at..)?.split_whitespace().next().map(str::to_owned)
}

fn bytes_below(folder: &std::path::Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            all.extend(bytes_below(&path));
        } else {
            all.extend(std::fs::read(&path).unwrap_or_default());
        }
    }
    all
}

fn contains(all: &[u8], part: &[u8]) -> bool {
    all.windows(part.len()).any(|window| window == part)
}
