//! The figures of a campaign: told, asked for, restated, refused.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Tenant, ads};

async fn campaign(tenant: &Tenant, name: &str) -> String {
    let (status, made) = tenant.post("/api/v1/campaigns", &json!({"name": name, "platform": "meta"})).await;
    assert_eq!(status, 201, "{made}");
    format!("/api/v1/campaigns/{}", made["data"]["id"])
}

fn day(date: &str, impressions: u64, clicks: u64, conversions: f64, spend: f64, revenue: f64) -> Value {
    json!({"date": date, "impressions": impressions, "clicks": clicks, "conversions": conversions,
        "spend": spend, "revenue": revenue})
}

fn two_days() -> Value {
    json!({"data": [day("2024-12-19", 5000, 180, 7.0, 125.5, 385.0), day("2024-12-20", 5200, 195, 8.0, 130.0, 420.0)]})
}

/// Fields that a refusal names.
fn fields(body: &Value) -> Vec<&str> {
    body["details"].as_array().unwrap().iter().map(|detail| detail["field"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn figures_are_told_asked_for_restated_and_kept() {
    let mut cluster = ads().start().await;
    let tenant = Tenant::register(&cluster.api, "Acme").await;
    let path = campaign(&tenant, "Summer").await;
    let metrics = format!("{path}/metrics");
    let told = tenant.post(&metrics, &two_days()).await;
    assert_eq!(told, (200, json!({"success": true, "data": {"inserted": 2, "updated": 0, "unchanged": 0}})));
    let mut again = two_days();
    again["data"][1]["revenue"] = json!(420.01);
    again["data"][1]["conversions"] = json!(8.5);
    let told = tenant.post(&metrics, &again).await;
    assert_eq!(told, (200, json!({"success": true, "data": {"inserted": 0, "updated": 1, "unchanged": 1}})));

    let range = "date_from=2024-12-18&date_to=2024-12-20";
    let (status, shown) = tenant.get(&format!("{metrics}?{range}")).await;
    assert_eq!((status, shown["data"].as_array().unwrap().len()), (200, 3), "{shown}");
    let sample = json!({"date": "2024-12-19", "impressions": 5000, "clicks": 180, "conversions": 7, "spend": 125.5,
        "revenue": 385.0, "ctr": 3.6, "cpc": 0.7, "cpm": 25.1, "cpa": 17.93, "roas": 3.07});
    assert_eq!(shown["data"][1], sample);
    assert_eq!((&shown["data"][0]["spend"], &shown["data"][0]["roas"]), (&json!(0.0), &Value::Null));
    assert_eq!((&shown["data"][2]["conversions"], &shown["data"][2]["revenue"]), (&json!(8.5), &json!(420.01)));
    let (_, week) = tenant.get(&format!("{metrics}?{range}&granularity=weekly")).await;
    assert_eq!((&week["data"][0]["date"], &week["data"][0]["impressions"]), (&json!("2024-12-16"), &json!(10_200)));
    let (_, month) = tenant.get(&format!("{metrics}?{range}&granularity=monthly")).await;
    assert_eq!((&month["data"][0]["date"], month["data"].as_array().unwrap().len()), (&json!("2024-12-01"), 1));
    let (_, usual) = tenant.get(&metrics).await;
    assert_eq!(usual["data"].as_array().unwrap().len(), 30, "the last 30 full days");

    let (_, restated) = tenant.get(&format!("{metrics}/restatements")).await;
    assert_eq!(restated["pagination"]["total"], 1, "{restated}");
    let one = &restated["data"][0];
    assert_eq!((&one["user_id"], &one["days"][0]["date"]), (&json!(tenant.user), &json!("2024-12-20")));
    assert_eq!((&one["days"][0]["old"]["revenue"], &one["days"][0]["new"]["revenue"]), (&json!(420.0), &json!(420.01)));

    let (_, detail) = tenant.get(&path).await;
    assert_eq!((&detail["data"]["total_spend"], &detail["data"]["impressions"]), (&json!(255.5), &json!(10_200)));
    assert!(detail["data"]["last_synced_at"].is_string(), "{detail}");
    cluster.restart_coordinator().await;
    let (_, kept) = tenant.get(&format!("{metrics}?{range}")).await;
    assert_eq!(kept, shown, "after a kill");
}

#[tokio::test]
async fn wrong_days_are_named_and_nothing_is_written() {
    let cluster = ads().start().await;
    let tenant = Tenant::register(&cluster.api, "Acme").await;
    let metrics = format!("{}/metrics", campaign(&tenant, "Summer").await);
    let mut body = two_days();
    body["data"][1]["spend"] = json!(-1);
    body["data"][1]["clicks"] = json!("many");
    let (status, refused) = tenant.post(&metrics, &body).await;
    assert_eq!((status, refused["error"].as_str()), (400, Some("validation_error")), "{refused}");
    assert_eq!(fields(&refused), ["data[1].clicks", "data[1].spend"]);
    let twice = json!({"data": [two_days()["data"][0], two_days()["data"][0]]});
    let (status, refused) = tenant.post(&metrics, &twice).await;
    assert_eq!((status, fields(&refused)), (400, vec!["data[1].date"]));
    let later = json!({"data": [two_days()["data"][0], day("9999-12-31", 1, 1, 1.0, 1.0, 1.0)]});
    let (status, refused) = tenant.post(&metrics, &later).await;
    assert_eq!((status, fields(&refused)), (422, vec!["data[1].date"]));
    let far = json!({"data": [two_days()["data"][0], day("1990-01-01", 1, 1, 1.0, 1.0, 1.0)]});
    assert_eq!(tenant.post(&metrics, &far).await.0, 422, "more than twenty years apart");
    // Checklist 47: what is no JSON number, and one beyond every number.
    for number in ["NaN", "Infinity", "1e309", "-1e309", "0x10", "1_000"] {
        let text = two_days().to_string().replace("125.5", number);
        let request = tenant.request(Method::POST, &metrics).header("content-type", "application/json").body(text);
        assert_eq!(Answer::of(request).await.unwrap().status, 400, "{number}");
    }
    // Checklist 48.
    let repeated = r#"{"data":[{"date":"2024-12-19","date":"2024-12-20"}]}"#;
    let request = tenant.request(Method::POST, &metrics).header("content-type", "application/json").body(repeated);
    assert_eq!(Answer::of(request).await.unwrap().status, 400, "a member twice");
    let (_, shown) = tenant.get(&format!("{metrics}?date_from=2024-12-19&date_to=2024-12-20")).await;
    assert!(shown["data"].as_array().unwrap().iter().all(|row| row["impressions"] == 0), "{shown}");
    let (_, detail) = tenant.get(metrics.trim_end_matches("/metrics")).await;
    assert_eq!(detail["data"]["last_synced_at"], Value::Null, "nothing came");

    // Checklist 45.
    for (query, status, field) in [
        ("date_from=2024-02-30", 400, "date_from"),
        ("granularity=hourly", 400, "granularity"),
        ("synthetic=maybe", 400, "synthetic"),
        ("date_from=2024-02-02&date_to=2024-02-01", 422, "date_from"),
        ("date_from=2022-01-01&date_to=2024-01-02", 422, "date_to"),
    ] {
        let (found, refused) = tenant.get(&format!("{metrics}?{query}")).await;
        assert_eq!((found, fields(&refused)[0]), (status, field), "{query}: {refused}");
    }
    assert_eq!(tenant.get(&format!("{metrics}/restatements?page_size=101")).await.0, 400);
}

#[tokio::test]
async fn figures_belong_to_their_tenant_and_are_told_by_managers() {
    let cluster = ads().start().await;
    let tenant = Tenant::register(&cluster.api, "Acme").await;
    let other = Tenant::register(&cluster.api, "Other").await;
    let path = campaign(&tenant, "Summer").await;
    let metrics = format!("{path}/metrics");
    for unknown in ["/api/v1/campaigns/999999/metrics", metrics.as_str()] {
        // Checklist 35: another tenant's campaign is as unknown as one that there never was.
        assert_eq!(other.get(unknown).await.0, 404, "{unknown}");
        assert_eq!(other.post(unknown, &two_days()).await.0, 404, "{unknown}");
        assert_eq!(other.get(&format!("{unknown}/restatements")).await.0, 404, "{unknown}");
    }
    let (viewer, manager) = (tenant.user("viewer").await, tenant.user("manager").await);
    assert_eq!(viewer.post(&metrics, &two_days()).await.0, 403);
    assert_eq!(manager.post(&metrics, &two_days()).await.0, 200);
    assert_eq!(viewer.get(&metrics).await.0, 200);
    assert_eq!(tenant.delete(&path).await.0, 200);
    assert_eq!((tenant.get(&metrics).await.0, tenant.post(&metrics, &two_days()).await.0), (404, 404), "deleted");
}
