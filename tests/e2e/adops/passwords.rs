//! Passwords over HTTP: guessing, forgetting, and what many sign-ins at once do to everybody else.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Answer, Api, PASSWORD, Tenant, ads, eventually};

const NEW: &str = "a rather different phrase";

async fn sign_in(api: &Api, name: &str, password: &str) -> Answer {
    api.post("/api/v1/auth/login", &json!({"username": name, "password": password})).await
}

/// An answer without what differs from one request to the next.
fn bare(answer: Answer, status: u16) -> Value {
    let mut body = answer.expect(status);
    body.as_object_mut().unwrap().remove("timestamp");
    body
}

// checklist 27, 28
#[tokio::test]
async fn guessing_is_answered_alike_and_ends_after_five_failures() {
    let cluster = ads().start().await;
    let api = &cluster.api;
    let ada = Tenant::register(api, "Acme").await;
    let expected = bare(sign_in(api, "nobody@example.com", "wrong password").await, 401);
    for name in [ada.email.as_str(), "another@example.com", "no address", "a\u{0}b"] {
        for _ in 0..5 {
            assert_eq!(bare(sign_in(api, name, "wrong password").await, 401), expected, "{name}");
        }
        let locked = sign_in(api, name, PASSWORD).await;
        let seconds: u32 = locked.header("retry-after").parse().unwrap();
        assert!((800..=900).contains(&seconds), "{seconds}");
        assert_eq!(locked.expect(429)["error"], "rate_limited");
    }
    assert_eq!(ada.get("/api/v1/auth/me").await.0, 200, "sessions go on");
    let (_, log) = ada.get("/api/v1/audit?action=auth.login").await;
    assert_eq!(log["data"].as_array().unwrap().len(), 5, "failures are noted: {log}");
    assert!(!log.to_string().contains(&ada.email));
}

// checklist 28
#[tokio::test]
async fn a_good_sign_in_clears_the_failures() {
    let cluster = ads().start().await;
    let ada = Tenant::register(&cluster.api, "Acme").await;
    for _ in 0..3 {
        for _ in 0..4 {
            sign_in(&cluster.api, &ada.email, "wrong password").await.expect(401);
        }
        sign_in(&cluster.api, &ada.email, PASSWORD).await.expect(200);
    }
}

// checklist 29, 30, 31
#[tokio::test]
async fn a_forgotten_password_is_replaced_by_mail() {
    let cluster = ads().start().await;
    let api = &cluster.api;
    let ada = Tenant::register(api, "Acme").await;
    let gone = ada.user("viewer").await;
    assert_eq!(ada.delete(&format!("/api/v1/users/{}", gone.user)).await.0, 200);
    let forgot =
        async |email: &str| bare(api.post("/api/v1/auth/forgot-password", &json!({"email": email})).await, 200);
    let expected = forgot("nobody@example.com").await;
    assert_eq!(forgot(&gone.email).await, expected);
    assert_eq!(forgot(&ada.email).await, expected);
    api.post("/api/v1/auth/forgot-password", &json!({"email": "no address"})).await.expect(400);

    let outbox = cluster.data_dir().join("outbox");
    let within = Duration::from_secs(20);
    let first = eventually(within, "a mail", async || tokens(&outbox).pop()).await;
    forgot(&ada.email).await;
    let newer = async || tokens(&outbox).into_iter().find(|token| *token != first);
    let second = eventually(within, "another mail", newer).await;
    assert_eq!(tokens(&outbox).len(), 2, "only the known and active are mailed to");

    let reset = async |token: &str, password: &str| {
        let body = json!({"token": token, "new_password": password});
        api.post("/api/v1/auth/reset-password", &body).await
    };
    let refused = bare(reset("tlp_1.1.x", NEW).await, 400);
    assert_eq!(bare(reset(&first, NEW).await, 400), refused, "a newer one ends the older");
    let weak = reset(&second, "qwertyuiop").await.expect(400);
    assert_eq!(weak["details"][0]["field"], "new_password");
    reset(&second, NEW).await.expect(200);
    assert_eq!(bare(reset(&second, NEW).await, 400), refused, "it is good once");
    assert_eq!(ada.get("/api/v1/auth/me").await.0, 401, "every session has ended");
    sign_in(api, &ada.email, PASSWORD).await.expect(401);
    sign_in(api, &ada.email, NEW).await.expect(200);
}

/// The tokens of the mails in the outbox.
fn tokens(outbox: &std::path::Path) -> Vec<String> {
    let mails = std::fs::read_dir(outbox).into_iter().flatten().flatten();
    let mails = mails.filter(|entry| entry.path().extension().is_some_and(|extension| extension == "eml"));
    let token = |entry: std::fs::DirEntry| {
        let text = std::fs::read_to_string(entry.path()).ok()?.replace("=\r\n", "");
        let at = text.find("tlp_")?;
        text.get(at..)?.split_whitespace().next().map(str::to_owned)
    };
    mails.filter_map(token).collect()
}

// checklist 23: every sign-in is judged, and nobody else waits for them
#[tokio::test]
async fn twenty_sign_ins_at_once_leave_the_server_to_others() {
    let cluster = ads().start().await;
    let ada = Tenant::register(&cluster.api, "Acme").await;
    let mut people = Vec::new();
    for _ in 0..4 {
        people.push(ada.user("viewer").await.email);
    }
    let mut running = tokio::task::JoinSet::new();
    for number in 0..20 {
        let (api, email) = (cluster.api.clone(), people[number % people.len()].clone());
        running.spawn(async move { sign_in(&api, &email, PASSWORD).await.status });
    }
    let mut answers = 0;
    loop {
        match running.try_join_next() {
            Some(status) => assert_eq!(status.unwrap(), 200),
            None if running.is_empty() => break,
            None => {
                cluster.api.get("/health").await.expect(200);
                answers += 1;
            }
        }
    }
    // Were hashes made on the threads that answer requests, each answer would wait for one.
    assert!(answers > 20, "{answers} answers of /health meanwhile");
}
