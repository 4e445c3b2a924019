//! Campaigns as the document shows them: made, listed, changed, deleted, restored, labelled, and each change told.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Tenant, ads};

/// The body of the document's example.
fn document() -> Value {
    json!({
        "name": "Holiday Campaign 2024", "platform": "meta", "account_id": "act_123456789", "objective": "CONVERSIONS",
        "daily_budget": 1000.00, "currency": "USD", "start_date": "2024-12-01", "end_date": "2024-12-31",
        "targeting": {"age_min": 18, "age_max": 65, "locations": ["US"]}, "labels": ["holiday", "q4"],
    })
}

/// Makes a campaign; comes back with its path.
async fn made(tenant: &Tenant, body: &Value) -> String {
    let (status, made) = tenant.post("/api/v1/campaigns", body).await;
    assert_eq!((status, &made["success"]), (201, &json!(true)), "{made}");
    format!("/api/v1/campaigns/{}", made["data"]["id"])
}

fn names(list: &Value) -> Vec<&str> {
    list["data"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_campaigns_whole_life_over_a_restart() {
    let mut cluster = ads().start().await;
    let tenant = Tenant::register(&cluster.api, "Acme").await;
    let path = made(&tenant, &document()).await;
    let (status, shown) = tenant.get(&path).await;
    assert_eq!(status, 200);
    for (member, value) in document().as_object().unwrap() {
        if member != "targeting" {
            assert_eq!(&shown["data"][member], value, "{member}");
        }
    }
    for member in ["external_id", "lifetime_budget", "ctr", "roas", "demographics", "last_synced_at"] {
        assert_eq!(shown["data"].get(member), Some(&Value::Null), "{member} is there and null");
    }
    assert!(shown["data"]["created_at"].as_str().unwrap().ends_with('Z'), "{shown}");

    let update = json!({"name": "Holiday Campaign 2024 - Updated", "daily_budget": 1500.00, "status": "active"});
    let (status, updated) = tenant.put(&path, &update).await;
    assert_eq!((status, &updated["data"]["daily_budget"]), (200, &json!(1500.0)), "{updated}");
    cluster.restart_coordinator().await;
    assert_eq!(tenant.get(&path).await.1["data"], updated["data"], "after a kill");

    let (_, history) = tenant.get(&format!("{path}/history")).await;
    assert_eq!(history["pagination"]["total"], 2);
    assert_eq!(
        history["data"][0]["old"],
        json!({"name": "Holiday Campaign 2024", "daily_budget": 1000.0, "status": "draft"})
    );
    assert_eq!(history["data"][0]["user_id"], json!(tenant.user));
    assert!(history["data"][0].get("address").is_none(), "{history}");

    let (status, deleted) = tenant.delete(&path).await;
    assert_eq!(status, 200);
    let until = deleted["data"]["restorable_until"].as_str().unwrap();
    for (method, below) in
        [("GET", ""), ("PUT", ""), ("DELETE", ""), ("GET", "/history"), ("GET", "/metrics"), ("POST", "/labels")]
    {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let answer = tenant.send(method, &format!("{path}{below}"), Some(&json!({"labels": ["x"]}))).await;
        assert_eq!(answer.status, 404, "{below}: {}", answer.text);
    }
    assert_eq!(names(&tenant.get("/api/v1/campaigns").await.1), [""; 0]);
    let (_, gone) = tenant.get("/api/v1/campaigns?deleted=true").await;
    assert_eq!((names(&gone).len(), &gone["data"][0]["restorable_until"]), (1, &json!(until)));
    let manager = tenant.user("manager").await;
    assert_eq!(manager.get("/api/v1/campaigns?deleted=true").await.0, 403);
    assert_eq!(tenant.post(&format!("{path}/restore"), &json!({})).await.0, 200);
    assert_eq!(tenant.post(&format!("{path}/restore"), &json!({})).await.0, 422, "it is not deleted any more");
    assert_eq!(names(&tenant.get("/api/v1/campaigns").await.1).len(), 1);
}

#[tokio::test]
async fn lists_are_filtered_sorted_and_paged() {
    let cluster = ads().start().await;
    let tenant = Tenant::register(&cluster.api, "Acme").await;
    let other = Tenant::register(&cluster.api, "Other").await;
    made(&other, &json!({"name": "Straße of another tenant", "platform": "meta"})).await;
    for (name, platform, start, spend) in [
        ("Alpha", "meta", Some("2024-06-01"), Some(300.0)),
        ("beta STRASSE", "google", None, Some(1000.0)),
        ("Gamma Straße", "meta", Some("2024-07-01"), None),
    ] {
        let body = json!({"name": name, "platform": platform, "start_date": start, "labels": [platform, "all"]});
        let path = made(&tenant, &body).await;
        if let Some(spend) = spend {
            let day = json!({"date": "2024-06-02", "impressions": 10, "clicks": 1, "conversions": 1, "spend": spend, "revenue": 600});
            assert_eq!(tenant.post(&format!("{path}/metrics"), &json!({"data": [day]})).await.0, 200);
        }
    }
    let table = [
        ("", vec!["Gamma Straße", "beta STRASSE", "Alpha"]),
        ("?sort_by=name", vec!["Alpha", "beta STRASSE", "Gamma Straße"]),
        ("?sort_by=spend", vec!["beta STRASSE", "Alpha", "Gamma Straße"]),
        ("?sort_by=roas&sort_order=asc", vec!["beta STRASSE", "Alpha", "Gamma Straße"]),
        ("?sort_by=roas", vec!["Alpha", "beta STRASSE", "Gamma Straße"]),
        ("?sort_by=start_date&sort_order=asc", vec!["Alpha", "Gamma Straße", "beta STRASSE"]),
        ("?platform=meta&sort_by=name", vec!["Alpha", "Gamma Straße"]),
        ("?search=STRAßE", vec!["Gamma Straße"]),
        ("?search=ALPHA&status=draft", vec!["Alpha"]),
        ("?status=active", vec![]),
        ("?date_from=2024-06-15", vec!["Gamma Straße"]),
        ("?label=google", vec!["beta STRASSE"]),
        ("?page=2&page_size=2", vec!["Alpha"]),
        ("?page=3&page_size=2", vec![]),
    ];
    for (query, expected) in table {
        let (status, list) = tenant.get(&format!("/api/v1/campaigns{query}")).await;
        assert_eq!((status, names(&list)), (200, expected), "{query}");
    }
    let (_, list) = tenant.get("/api/v1/campaigns?page_size=2").await;
    assert_eq!(list["pagination"], json!({"page": 1, "page_size": 2, "total": 3, "total_pages": 2}));
    let (_, list) = tenant.get("/api/v1/campaigns?search=alpha").await;
    let item = &list["data"][0];
    assert_eq!((&item["total_spend"], &item["roas"], &item["conversions"]), (&json!(300.0), &json!(2.0), &json!(1)));
    assert_eq!((&item["ctr"], &item["cpm"], &item["end_date"]), (&json!(10.0), &json!(30_000.0), &Value::Null));
}

#[tokio::test]
async fn labels_are_counted_given_and_taken() {
    let cluster = ads().start().await;
    let tenant = Tenant::register(&cluster.api, "Acme").await;
    let path = made(&tenant, &document()).await;
    made(&tenant, &json!({"name": "x", "platform": "meta", "labels": ["q4"]})).await;
    let labels = format!("{path}/labels");
    let (status, added) = tenant.post(&labels, &json!({"labels": [" new ", "q4"]})).await;
    assert_eq!((status, &added["data"]["labels"]), (200, &json!(["holiday", "q4", "new"])));
    let (_, removed) = tenant.delete(&format!("{labels}?label=holiday")).await;
    assert_eq!(removed["data"]["labels"], json!(["q4", "new"]));
    let removed = tenant.send(Method::DELETE, &labels, Some(&json!({"labels": ["new", "never there"]}))).await;
    assert_eq!(removed.expect(200)["data"]["labels"], json!(["q4"]));
    assert_eq!(tenant.delete(&labels).await.0, 400, "which ones?");
    let (_, all) = tenant.get("/api/v1/labels").await;
    assert_eq!(all["data"], json!([{"label": "q4", "campaigns": 2}]));
    assert_eq!(all["pagination"], json!({"page": 1, "page_size": 20, "total": 1, "total_pages": 1}));
    assert_eq!(tenant.user("viewer").await.post(&labels, &json!({"labels": ["x"]})).await.0, 403);
}

// checklist 52
#[tokio::test]
async fn a_repeated_request_makes_one_campaign() {
    let cluster = ads().start().await;
    let tenant = Tenant::register(&cluster.api, "Acme").await;
    let other = Tenant::register(&cluster.api, "Other").await;
    let send = async |who: &Tenant, body: &Value| {
        let request = who.request(Method::POST, "/api/v1/campaigns").header("Idempotency-Key", "key-1").json(body);
        Answer::of(request).await.unwrap()
    };
    let first = send(&tenant, &document()).await;
    let again = send(&tenant, &document()).await;
    assert_eq!((first.status, again.status, &first.body), (201, 201, &again.body));
    let mut changed = document();
    changed["name"] = json!("another");
    assert_eq!(send(&tenant, &changed).await.expect(409)["error"], "conflict");
    let theirs = send(&other, &document()).await;
    assert_eq!(
        (theirs.status, theirs.body["data"]["id"] == first.body["data"]["id"]),
        (201, false),
        "keys are the caller's own"
    );
    let key = tenant.key("manager").await;
    assert_eq!(send(&key, &changed).await.status, 201, "another credential, another request");
    let list = tenant.get("/api/v1/campaigns").await.1;
    assert_eq!(list["pagination"]["total"], 2);
    // Many at once are one too.
    let at_once = (0..8).map(|_| {
        let request =
            tenant.request(Method::POST, "/api/v1/campaigns").header("Idempotency-Key", "key-2").json(&changed);
        Answer::of(request)
    });
    let answers = futures_util::future::join_all(at_once).await;
    let ids: std::collections::BTreeSet<u64> =
        answers.into_iter().map(|answer| answer.unwrap().expect(201)["data"]["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
}
