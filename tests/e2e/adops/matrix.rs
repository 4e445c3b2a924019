//! Every route of the family against every role, and every route with an id against another tenant.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::routes::{Needs, ROUTES};
use crate::harness::{Answer, Api, PASSWORD, Tenant, ads};

const ROLES: [&str; 4] = ["viewer", "analyst", "manager", "admin"];
fn request(api: &Api, method: &str, path: &str) -> RequestBuilder {
    let method = Method::from_bytes(method.to_ascii_uppercase().as_bytes()).unwrap();
    api.client.request(method, format!("{}{path}", api.base))
}

async fn send(api: &Api, method: &str, path: &str, token: &str, body: &Value) -> Answer {
    let mut request = request(api, method, path).bearer_auth(token);
    if method == "post" || method == "put" {
        request = request.json(body);
    }
    Answer::of(request).await.unwrap()
}

/// The path with a number that names nothing in place of each parameter.
fn nowhere(path: &str) -> String {
    let part = |part: &str| match part {
        "{platform}" => "meta".to_owned(),
        _ if part.starts_with('{') => "999999".to_owned(),
        _ => part.to_owned(),
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

// checklist 96
#[tokio::test]
async fn the_documented_routes_are_the_tested_ones() {
    let cluster = ads().start().await;
    let spec = cluster.api.get("/openapi.json").await.expect(200);
    let mut documented = Vec::new();
    for (path, operations) in spec["paths"].as_object().unwrap() {
        if !path.starts_with("/api/v1/") {
            continue;
        }
        for (method, operation) in operations.as_object().unwrap() {
            let right = operation["security"][0].as_object().and_then(|names| names.keys().next());
            documented.push((method.clone(), path.clone(), right.cloned().unwrap_or_else(|| "public".into())));
        }
    }
    documented.sort();
    let mut tested: Vec<_> = ROUTES
        .iter()
        .map(|(method, path, needs)| ((*method).to_owned(), (*path).to_owned(), needs.name().to_owned()))
        .collect();
    tested.sort();
    let missing: Vec<_> = documented.iter().filter(|route| !tested.contains(route)).collect();
    let gone: Vec<_> = tested.iter().filter(|route| !documented.contains(route)).collect();
    assert!(missing.is_empty() && gone.is_empty(), "not tested: {missing:#?}\nnot documented: {gone:#?}");
}

// checklist 41, 15
#[tokio::test]
async fn every_route_asks_for_its_role() {
    let cluster = ads().workers(1).start().await;
    let api = &cluster.api;
    let owner = Tenant::register(api, "owner").await;
    let mut tokens = vec![("admin", owner.access.clone())];
    for role in ["viewer", "analyst", "manager"] {
        tokens.push((role, owner.user(role).await.access));
    }
    let key = owner.key("admin").await.access;
    let rank = |role: &str| ROLES.iter().position(|known| *known == role).unwrap();
    let mut wrong = Vec::new();
    // What ends the session of its caller would end the test.
    for (method, path, needs) in ROUTES.iter().filter(|(_, path, _)| !path.starts_with("/api/v1/auth/")) {
        let there = nowhere(path);
        let Some(needed) = needs.role() else { continue };
        let unsigned = Answer::of(
            api.client
                .request(Method::from_bytes(method.to_uppercase().as_bytes()).unwrap(), format!("{}{there}", api.base)),
        )
        .await
        .unwrap();
        if unsigned.status != 401 {
            wrong.push(format!("{method} {path} without a token: {}", unsigned.status));
        }
        for (role, token) in &tokens {
            let answer = send(api, method, &there, token, &json!({})).await;
            // Persons may erase themselves; whether somebody else is there they are not told.
            let needed = if path.starts_with("/api/v1/gdpr/user/") { "admin" } else { needed };
            if (answer.status == 403) != (rank(role) < rank(needed)) || [401, 500].contains(&answer.status) {
                wrong.push(format!("{method} {path} as {role}: {} {}", answer.status, answer.text));
            }
        }
        let by_key = send(api, method, &there, &key, &json!({})).await;
        if (by_key.status == 403) == needs.takes_keys() || [401, 500].contains(&by_key.status) {
            wrong.push(format!("{method} {path} by an admin's key: {} {}", by_key.status, by_key.text));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// One of each thing that has an id, made by a tenant's admin: the parameter's name and the id.
async fn things(api: &Api, token: &str) -> Vec<(&'static str, String)> {
    let make = async |path: &str, body: Value, status: u16| -> Value {
        send(api, "post", path, token, &body).await.expect(status)["data"].take()
    };
    let id = |value: &Value| {
        value["id"].as_u64().map_or_else(|| value["id"].as_str().unwrap().to_owned(), |id| id.to_string())
    };
    let campaign =
        id(&make("/api/v1/campaigns", json!({"name": "secret of the owner", "platform": "meta"}), 201).await);
    let person = json!({"email": "third@example.org", "password": PASSWORD, "full_name": "x", "role": "viewer"});
    let user = id(&make("/api/v1/users", person, 201).await);
    let key = id(&make("/api/v1/api-keys", json!({"name": "k", "role": "viewer"}), 201).await);
    let view =
        id(&make("/api/v1/views", json!({"name": "v", "page": "campaigns", "query": {}, "shared": true}), 201).await);
    let report = json!({"name": "r", "schedule": "daily", "hour": 7, "recipients": ["third@example.org"], "period": "last_7_days"});
    let report = id(&make("/api/v1/reports", report, 201).await);
    let ids: Vec<u64> = vec![campaign.parse().unwrap()];
    let bulk = make("/api/v1/campaigns/bulk", json!({"ids": ids, "action": {"labels": {"add": ["x"]}}}), 200).await;
    let bulk =
        bulk["bulk_id"].as_u64().map_or_else(|| bulk["bulk_id"].as_str().unwrap().to_owned(), |id| id.to_string());
    let export = make("/api/v1/analytics/export", json!({"format": "csv", "type": "campaigns"}), 200).await;
    let export_id = export["export_id"]
        .as_u64()
        .map_or_else(|| export["export_id"].as_str().unwrap().to_owned(), |id| id.to_string());
    let download = export["download_url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    vec![
        ("/campaigns/{campaign_id}", campaign),
        ("/users/{id}", user.clone()),
        ("/gdpr/user/{user_id}", user),
        ("/api-keys/{id}", key),
        ("/views/{id}", view),
        ("/reports/{id}", report),
        ("/bulk/{bulk_id}", bulk),
        ("/export/{export_id}", export_id),
        ("/export/download/{token}", download),
    ]
}

// checklist 35, 36, 39
#[tokio::test]
async fn nothing_of_another_tenant_can_be_reached() {
    let cluster = ads().workers(1).start().await;
    let api = &cluster.api;
    let (owner, stranger) =
        (Tenant::register(api, "owner").await.access, Tenant::register(api, "stranger").await.access);
    let things = things(api, &owner).await;
    let mut wrong = Vec::new();
    let mut tried = 0;
    for (method, path, needs) in ROUTES.iter().filter(|(_, path, _)| path.contains('{') && !path.contains("{platform}"))
    {
        if *needs == Needs::Nothing {
            continue;
        }
        let Some((pattern, id)) = things.iter().find(|(pattern, _)| path.contains(pattern)) else {
            wrong.push(format!("{method} {path}: the test makes no such thing"));
            continue;
        };
        tried += 1;
        let (ours, _) = pattern.rsplit_once('/').unwrap();
        let there = path.replace(pattern, &format!("{ours}/{id}"));
        let answer = send(api, method, &there, &stranger, &json!({"name": "taken"})).await;
        // Only a body that is wrong by itself may be said to be so before the thing is looked up.
        if ![404, 400].contains(&answer.status) || answer.text.contains("secret of the owner") {
            wrong.push(format!("{method} {there} by a stranger: {} {}", answer.status, answer.text));
        }
    }
    for (_, path, _) in ROUTES.iter().filter(|(method, path, _)| *method == "get" && !path.contains('{')) {
        let answer = send(api, "get", path, &stranger, &json!({})).await;
        if answer.text.contains("secret of the owner") || answer.text.contains("third@example.org") {
            wrong.push(format!("get {path} tells a stranger: {}", answer.text));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(tried > 15, "{tried}");
    // All of it is still there.
    let (_, campaign) = things.first().unwrap();
    let still = send(api, "get", &format!("/api/v1/campaigns/{campaign}"), &owner, &json!({})).await.expect(200);
    assert_eq!(still["data"]["name"], "secret of the owner");
}
