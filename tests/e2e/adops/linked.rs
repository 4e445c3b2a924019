//! Generated traffic of a linked session as synthetic figures of a campaign.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Cluster, Tenant, eventually};

async fn made(tenant: &Tenant) -> (u64, String) {
    let (status, made) = tenant.post("/api/v1/campaigns", &json!({"name": "Shadow", "platform": "google"})).await;
    assert_eq!(status, 201, "{made}");
    let id = made["data"]["id"].as_u64().unwrap();
    (id, format!("/api/v1/campaigns/{id}"))
}

fn session(config: &Value) -> Value {
    json!({"requests_per_minute": 6000, "duration_minutes": 0.05, "rtb_config": {"floor_price": 0.1}, "config": config})
}

/// Synthetic impressions and clicks of the last days, today included.
async fn synthetic(tenant: &Tenant, path: &str) -> (u64, u64) {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let range = format!("date_from={}&date_to={today}", today.yesterday().unwrap());
    let (status, shown) = tenant.get(&format!("{path}/metrics?{range}&synthetic=only")).await;
    assert_eq!(status, 200, "{shown}");
    let sum = |name: &str| shown["data"].as_array().unwrap().iter().map(|row| row[name].as_u64().unwrap()).sum();
    (sum("impressions"), sum("clicks"))
}

#[tokio::test]
async fn generated_traffic_counts_once_as_synthetic_figures() {
    let mut cluster = Cluster::with_workers(1).await;
    let tenant = Tenant::register(&cluster.api, "Acme").await;
    let ((id, named), (_, linked)) = (made(&tenant).await, made(&tenant).await);
    let unknown = cluster.api.create(&session(&json!({"seed": 5, "ad_campaign_id": 999_999}))).await;
    cluster.api.set_status(&unknown, "running").await.expect(200);
    let refused = cluster.api.post("/api/traffic/generate", &json!({"campaign_id": unknown})).await.expect(400);
    assert_eq!(refused["details"][0]["field"], "config.ad_campaign_id", "{refused}");

    let (first, _) = cluster.api.start(&session(&json!({"seed": 5, "ad_campaign_id": id}))).await;
    let (second, _) = cluster.api.start(&session(&json!({"seed": 6}))).await;
    let (status, answer) = tenant.put(&format!("{linked}/traffic"), &json!({"session_id": second})).await;
    assert_eq!(status, 200, "{answer}");
    for session in [&first, &second] {
        cluster.api.wait_for(session, "completed", Duration::from_secs(30)).await;
    }
    for (session, path) in [(&first, &named), (&second, &linked)] {
        let rtb = cluster.api.stats(session).await["rtb"].take();
        let expected = (rtb["impressions"].as_u64().unwrap(), rtb["clicks"].as_u64().unwrap());
        assert!(expected.0 > 0, "{rtb}");
        let counted = async || (synthetic(&tenant, path).await == expected).then_some(());
        eventually(Duration::from_secs(20), "all impressions are counted", counted).await;
        let (_, detail) = tenant.get(path).await;
        assert_eq!((&detail["data"]["impressions"], &detail["data"]["last_synced_at"]), (&json!(0), &Value::Null));
        let (_, links) = tenant.get(&format!("{path}/traffic")).await;
        assert_eq!(links["data"][0]["session_id"], session.as_str());
        assert_eq!(links["pagination"]["total"], 1, "{links}");
    }
    let before = synthetic(&tenant, &named).await;
    cluster.restart_coordinator().await;
    assert_eq!(synthetic(&tenant, &named).await, before, "kept, and not counted again");
}
