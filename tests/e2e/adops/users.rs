//! The people of a tenant, and their API keys.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Api, PASSWORD, Tenant, ads, fresh_email};

fn fields(body: &Value) -> Vec<&str> {
    let details = body["details"].as_array().unwrap();
    details.iter().map(|detail| detail["field"].as_str().unwrap()).collect()
}

async fn refreshed(tenant: &Tenant) -> Answer {
    let api = Api { base: tenant.base.clone(), client: tenant.client.clone() };
    api.post("/api/v1/auth/refresh", &json!({"refresh_token": tenant.refresh})).await
}

#[tokio::test]
async fn an_admin_governs_the_people_of_their_tenant_only() {
    let cluster = ads().start().await;
    let (ada, eve) = (Tenant::register(&cluster.api, "Acme").await, Tenant::register(&cluster.api, "Evil").await);
    let email = fresh_email("jane");
    let body = json!({"email": email, "password": PASSWORD, "full_name": "Jane", "role": "analyst",
        "id": 1, "tenant_id": eve.id, "created_at": "2001-01-01T00:00:00Z"});
    let (status, made) = ada.post("/api/v1/users", &body).await;
    assert_eq!(status, 201, "{made}");
    let jane = made["data"].clone();
    assert_eq!((&jane["email"], &jane["role"], &jane["active"]), (&json!(email), &json!("analyst"), &json!(true)));
    assert!(jane["id"] != 1 && jane.get("password_hash").is_none(), "checklist 42: {jane}");
    let (status, taken) = eve
        .post("/api/v1/users", &json!({"email": email.to_uppercase(), "password": PASSWORD, "full_name": "J"}))
        .await;
    assert_eq!((status, &taken["error"]), (409, &json!("conflict")));
    let path = format!("/api/v1/users/{}", jane["id"]);
    let change = json!({"full_name": "Jane Doe"});
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        assert_eq!(eve.send(method.clone(), &path, Some(&change)).await.status, 404, "{method}");
    }
    let (_, list) = ada.get("/api/v1/users?page_size=1&page=2").await;
    assert_eq!((&list["pagination"]["total"], &list["data"][0]["id"]), (&json!(2), &jane["id"]));
    assert_eq!(eve.get("/api/v1/users").await.1["pagination"]["total"], 1);
    let (status, wrong) = ada.put(&path, &json!({"email": "x", "role": "root", "admin": true})).await;
    assert_eq!((status, fields(&wrong)), (400, vec!["email", "role", "admin"]));
    assert_eq!(ada.put(&path, &change).await.1["data"]["full_name"], "Jane Doe");
    // The last admin stays.
    let own = format!("/api/v1/users/{}", ada.user);
    assert_eq!(ada.delete(&own).await.0, 409);
    assert_eq!(ada.put(&own, &json!({"role": "viewer"})).await.0, 409);
    assert_eq!(ada.put(&own, &json!({"password": PASSWORD})).await.0, 422, "one's own needs the present one");
}

// checklist 19 and 21
#[tokio::test]
async fn a_person_who_is_deactivated_has_no_session_any_more() {
    let cluster = ads().start().await;
    let ada = Tenant::register(&cluster.api, "Acme").await;
    let jane = ada.user("manager").await;
    let key = jane.key("analyst").await;
    for own in [&jane, &key] {
        assert_eq!(own.get("/api/v1/tenant").await.0, 200);
    }
    assert_eq!(ada.delete(&format!("/api/v1/users/{}", jane.user)).await.0, 200);
    for own in [&jane, &key] {
        assert_eq!(own.get("/api/v1/tenant").await.0, 401, "at once");
    }
    assert_eq!(refreshed(&jane).await.status, 401);
    let again = json!({"active": true});
    assert_eq!(ada.put(&format!("/api/v1/users/{}", jane.user), &again).await.0, 200);
    assert_eq!(jane.get("/api/v1/tenant").await.0, 401, "old sessions stay dead");
    assert_eq!(refreshed(&jane).await.status, 401);
    let jane = jane.signed_in().await;
    assert_eq!(jane.get("/api/v1/tenant").await.0, 200);
    let other = "another long password 47";
    assert_eq!(ada.put(&format!("/api/v1/users/{}", jane.user), &json!({"password": other})).await.0, 200);
    assert_eq!(jane.get("/api/v1/tenant").await.0, 401, "a new password ends sessions");
}

#[tokio::test]
async fn a_key_is_shown_once_and_does_no_more_than_its_maker() {
    let mut cluster = ads().start().await;
    let ada = Tenant::register(&cluster.api, "Acme").await;
    let jane = ada.user("manager").await;
    let (status, made) = jane.post("/api/v1/api-keys", &json!({"name": "ci", "role": "manager"})).await;
    assert_eq!(status, 201, "{made}");
    let secret = made["data"]["api_key"].as_str().unwrap().to_owned();
    let (_, list) = jane.get("/api/v1/api-keys").await;
    assert!(secret.len() == 47 && !list.to_string().contains(&secret), "{list}");
    assert_eq!(jane.post("/api/v1/api-keys", &json!({"name": "x", "role": "admin"})).await.0, 403);
    let key = Tenant { access: secret, ..jane.clone() };
    let views = key.get("/api/v1/views").await.0;
    assert_eq!(
        (key.get("/api/v1/reports").await.0, views),
        (200, 403),
        "checklist 41: reports, not what is a person's"
    );
    // checklist 41: never signing in, users or keys.
    for path in ["/api/v1/users", "/api/v1/api-keys", "/api/v1/auth/me"] {
        assert_eq!(ada.key("admin").await.get(path).await.0, 403, "{path}");
    }
    // checklist 41: less from the moment its maker may do less.
    assert_eq!(ada.put(&format!("/api/v1/users/{}", jane.user), &json!({"role": "viewer"})).await.0, 200);
    assert_eq!((key.get("/api/v1/reports").await.0, key.get("/api/v1/tenant").await.0), (403, 200));
    cluster.restart_coordinator().await;
    assert_eq!(key.get("/api/v1/tenant").await.0, 200);
    let path = format!("/api/v1/api-keys/{}", made["data"]["id"]);
    let eve = Tenant::register(&cluster.api, "Evil").await;
    assert_eq!(eve.delete(&path).await.0, 404);
    assert_eq!(ada.delete(&path).await.0, 200);
    assert_eq!(key.get("/api/v1/tenant").await.0, 401);
}
