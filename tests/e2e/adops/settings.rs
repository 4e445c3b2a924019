//! A tenant's settings: zone and currency, credentials of outside services, saved views, the audit log.

use serde_json::{Value, json};

use crate::harness::{Cluster, Tenant, ads};

/// Bytes anywhere in the files of a folder.
fn holds(folder: &std::path::Path, needle: &str) -> bool {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).any(|path| {
        if path.is_dir() {
            return holds(&path, needle);
        }
        let bytes = std::fs::read(&path).unwrap_or_default();
        bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
    })
}

async fn tenants() -> (Cluster, Tenant, Tenant) {
    let cluster = ads().start().await;
    let (one, two) = (Tenant::register(&cluster.api, "Acme").await, Tenant::register(&cluster.api, "Evil").await);
    (cluster, one, two)
}

#[tokio::test]
async fn settings_are_the_tenants_own() {
    let (_cluster, ada, eve) = tenants().await;
    let (_, before) = ada.get("/api/v1/tenant").await;
    assert_eq!((&before["data"]["timezone"], &before["data"]["currency"]), (&json!("UTC"), &json!("USD")));
    let change = json!({"name": "Acme GmbH", "timezone": "Europe/Berlin", "currency": "EUR", "id": eve.id});
    let (status, after) = ada.put("/api/v1/tenant", &change).await;
    assert_eq!((status, &after["data"]["id"]), (200, &json!(ada.id)), "checklist 42: {after}");
    assert_eq!(ada.get("/api/v1/tenant").await.1["data"]["name"], "Acme GmbH");
    assert_eq!(eve.get("/api/v1/tenant").await.1["data"]["name"], "Evil");
    let (status, wrong) = ada.put("/api/v1/tenant", &json!({"timezone": "Nowhere", "currency": "XXXX"})).await;
    assert_eq!((status, wrong["details"].as_array().unwrap().len()), (400, 2), "{wrong}");
    // checklist 41
    let manager = ada.user("manager").await;
    assert_eq!((manager.get("/api/v1/tenant").await.0, manager.put("/api/v1/tenant", &change).await.0), (200, 403));
}

/// checklist 40: what a tenant calls itself reaches nothing of another's, whatever bytes it is made of.
#[tokio::test]
async fn names_with_separators_stay_names() {
    let (_cluster, ada, eve) = tenants().await;
    for name in ["a\u{1}b", "ads_tenant", "../..", "\u{ff}\u{1}", "1\u{ff}2", "x/y|z:\"';--"] {
        let (status, _) = ada.put("/api/v1/tenant", &json!({ "name": name })).await;
        let control = name.chars().any(char::is_control);
        assert_eq!(status, if control { 400 } else { 200 }, "{name:?}");
        assert_eq!(eve.get("/api/v1/tenant").await.1["data"]["name"], "Evil");
        assert_eq!(eve.get("/api/v1/users").await.1["pagination"]["total"], 1);
    }
    assert_eq!(ada.put("/api/v1/tenant", &json!({"name": "nul\u{0}l"})).await.0, 400);
}

/// checklist 64, for credentials: never shown, sealed at rest, never logged.
#[tokio::test]
async fn credentials_of_outside_services_are_written_and_never_read() {
    let (cluster, ada, eve) = tenants().await;
    let secret = "EAABplantedsecret0123456789";
    let path = "/api/v1/integrations/meta";
    assert_eq!(ada.get(path).await.1["data"]["status"], "not_configured");
    let (status, set) = ada.put(path, &json!({"pixel_id": "4711", "access_token": secret})).await;
    assert_eq!((status, &set["data"]["status"]), (200, &json!("configured")), "{set}");
    assert_eq!((&set["data"]["access_token"], &set["data"]["pixel_id"]), (&json!({"set": true}), &json!("4711")));
    let (_, list) = ada.get("/api/v1/integrations").await;
    assert_eq!(list["data"].as_array().unwrap().len(), 6);
    let (_, audit) = ada.get("/api/v1/audit?object=integration").await;
    assert!(!format!("{set}{list}{audit}").contains(secret));
    assert!(holds(&cluster.data_dir(), "4711"), "the scan finds what is there in clear");
    assert!(!holds(&cluster.data_dir(), secret));
    assert_eq!(eve.get(path).await.1["data"]["source"], "none");
    assert_eq!(eve.delete(path).await.0, 404);
    for bad in ["http://graph.facebook.com", "https://127.0.0.1/", "https://2130706433/", "https://[::1]/"] {
        assert_eq!(ada.put(path, &json!({ "base_url": bad })).await.0, 400, "{bad}");
    }
    assert_eq!((ada.get("/api/v1/integrations/myspace").await.0, ada.delete(path).await.0), (404, 200));
    assert_eq!(ada.user("manager").await.get(path).await.0, 403, "checklist 41");
}

#[tokio::test]
async fn views_are_ones_own_until_they_are_shared() {
    let (_cluster, ada, eve) = tenants().await;
    let (jane, john) = (ada.user("viewer").await, ada.user("viewer").await);
    let body = json!({"name": "Meta", "page": "campaigns", "query": {"platform": "meta", "sort_by": "spend"}});
    let (status, made) = jane.post("/api/v1/views", &body).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(jane.post("/api/v1/views", &body).await.0, 409);
    let path = format!("/api/v1/views/{}", made["data"]["id"]);
    assert_eq!((john.get(&path).await.0, eve.get(&path).await.0), (404, 404));
    assert_eq!(jane.put(&path, &json!({"shared": true})).await.0, 200);
    assert_eq!((john.get(&path).await.0, eve.get(&path).await.0), (200, 404));
    assert_eq!((john.put(&path, &json!({"name": "x"})).await.0, eve.delete(&path).await.0), (403, 404));
    assert_eq!(john.get("/api/v1/views?of=campaigns").await.1["data"][0]["query"]["sort_by"], "spend");
    let strange = json!({"name": "x", "page": "campaigns", "query": {"sort": "spend"}});
    let (status, wrong) = jane.post("/api/v1/views", &strange).await;
    assert_eq!((status, &wrong["details"][0]["field"]), (400, &json!("query.sort")));
    assert_eq!(jane.delete(&path).await.0, 200);
}

// checklist 86 and 36
#[tokio::test]
async fn the_audit_log_tells_who_changed_what() {
    let (_cluster, ada, eve) = tenants().await;
    let jane = ada.user("manager").await;
    ada.put("/api/v1/tenant", &json!({"currency": "EUR"})).await;
    ada.put(&format!("/api/v1/users/{}", jane.user), &json!({"role": "analyst", "full_name": "Jane Planted"})).await;
    let entry = async |query: &str| {
        let (status, list) = ada.get(&format!("/api/v1/audit?{query}")).await;
        assert_eq!(status, 200, "{list}");
        list["data"].as_array().unwrap().first().cloned().unwrap_or(Value::Null)
    };
    let newest = entry("").await;
    assert_eq!((&newest["action"], &newest["old"]), (&json!("user.updated"), &json!({"role": "manager"})));
    assert_eq!(newest["new"], json!({"role": "analyst", "changed": ["full_name"]}));
    assert_eq!((&newest["who"]["user_id"], &newest["address"]), (&json!(ada.user), &json!("127.0.0.1")));
    assert!(!newest["request_id"].as_str().unwrap().is_empty());
    assert_eq!(entry("action=tenant").await["new"], json!({"currency": "EUR"}));
    assert_eq!(entry("date_to=2020-01-01").await, Value::Null);
    let (_, all) = ada.get("/api/v1/audit?page_size=100").await;
    assert!(!all.to_string().contains("Planted") && !all.to_string().contains('@'), "{all}");
    let (_, others) = eve.get("/api/v1/audit?page_size=100").await;
    assert!(others["data"].as_array().unwrap().iter().all(|entry| entry["who"]["user_id"] != ada.user), "{others}");
    let manager = ada.user("manager").await;
    assert_eq!(manager.get("/api/v1/audit").await.0, 403, "checklist 41");
    for (query, status) in [
        ("page=0", 400),
        ("page_size=101", 400),
        ("date_from=yesterday", 400),
        ("user_id=x", 400),
        ("refused=perhaps", 400),
        ("date_from=2024-02-02&date_to=2024-02-01", 422),
    ] {
        assert_eq!(ada.get(&format!("/api/v1/audit?{query}")).await.0, status, "{query}");
    }
}
