//! Bulk changes over the API: told, done, listed, undone, and over a kill.

use serde_json::{Value, json};

use crate::harness::{Tenant, ads};

async fn made(tenant: &Tenant, name: &str) -> u64 {
    let body = json!({"name": name, "platform": "meta", "status": "active", "daily_budget": 100});
    let (status, made) = tenant.post("/api/v1/campaigns", &body).await;
    assert_eq!(status, 201, "{made}");
    made["data"]["id"].as_u64().unwrap()
}

fn results(bulk: &Value) -> Vec<(&str, &Value, &Value)> {
    let items = bulk["data"]["items"].as_array().unwrap().iter();
    items.map(|item| (item["result"].as_str().unwrap(), &item["old"], &item["new"])).collect()
}

#[tokio::test]
async fn a_bulk_change_is_told_done_and_undone() {
    let mut cluster = ads().start().await;
    let tenant = Tenant::register(&cluster.api, "Acme").await;
    let (one, two) = (made(&tenant, "one").await, made(&tenant, "two").await);
    let bulk = "/api/v1/campaigns/bulk";
    let mut body =
        json!({"ids": [one, two, 999_999], "action": {"daily_budget": {"percent": 10, "max": 150}}, "dry_run": true});
    let (status, told) = tenant.post(bulk, &body).await;
    assert_eq!((status, &told["data"]["bulk_id"], &told["data"]["done"]), (200, &Value::Null, &json!(2)), "{told}");
    assert_eq!(tenant.get(bulk).await.1["pagination"]["total"], 0);
    body["dry_run"] = json!(false);
    let (_, done) = tenant.post(bulk, &body).await;
    let (raised, null) = (("done", &json!(100.0), &json!(110.0)), &Value::Null);
    assert_eq!(results(&done), [raised, raised, ("failed", null, null)]);
    let id = done["data"]["bulk_id"].as_u64().unwrap();
    cluster.restart_coordinator().await;

    let budget = async |id: u64| tenant.get(&format!("/api/v1/campaigns/{id}")).await.1["data"]["daily_budget"].take();
    assert_eq!((budget(one).await, budget(two).await), (json!(110.0), json!(110.0)), "after a kill");
    assert_eq!(tenant.put(&format!("/api/v1/campaigns/{two}"), &json!({"daily_budget": 90})).await.0, 200);
    let undo = format!("{bulk}/{id}/undo");
    let other = Tenant::register(&cluster.api, "Other").await;
    assert_eq!(other.post(&undo, &json!({})).await.0, 404);
    assert_eq!(tenant.user("analyst").await.post(&undo, &json!({})).await.0, 403);
    let (_, undone) = tenant.post(&undo, &json!({})).await;
    assert_eq!(results(&undone), [("done", &json!(110.0), &json!(100.0)), ("skipped", null, null)]);
    assert_eq!((budget(one).await, budget(two).await), (json!(100.0), json!(90.0)));
    assert_eq!(tenant.post(&undo, &json!({})).await.0, 422, "only once");
    let (_, list) = tenant.get(bulk).await;
    let kept = &list["data"][0];
    assert_eq!((&kept["bulk_id"], &kept["done"], &kept["action"]), (&json!(id), &json!(2), &body["action"]), "{list}");
    assert!(kept["undone_at"].is_string(), "{kept}");
}

#[tokio::test]
async fn bulk_changes_are_checked_before_anything_happens() {
    let cluster = ads().start().await;
    let tenant = Tenant::register(&cluster.api, "Acme").await;
    let id = made(&tenant, "one").await;
    let bulk = "/api/v1/campaigns/bulk";
    let (status, refused) = tenant.post(bulk, &json!({"ids": [id, "x"], "action": {"status": "gone"}})).await;
    let fields: Vec<_> = refused["details"].as_array().unwrap().iter().map(|one| &one["field"]).collect();
    assert_eq!((status, fields), (400, vec![&json!("ids[1]"), &json!("action.status")]));
    let both = json!({"ids": [id], "filter": {}, "action": {"status": "paused"}});
    assert_eq!(tenant.post(bulk, &both).await.0, 422);
    assert_eq!(tenant.post(&format!("{bulk}/77/undo"), &json!({})).await.0, 404);
    let filtered =
        json!({"filter": {"search": "ONE", "platform": ["meta", "google"]}, "action": {"labels": {"add": ["x"]}}});
    let (_, done) = tenant.post(bulk, &filtered).await;
    assert_eq!(results(&done), [("done", &json!([]), &json!(["x"]))]);
}
