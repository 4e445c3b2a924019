//! Scheduled reports and the outbox.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::harness::{Tenant, ads, soon};

#[tokio::test]
async fn a_report_reaches_the_outbox_of_its_tenants_people() {
    let cluster = ads().start().await;
    let (ada, eve) = (Tenant::register(&cluster.api, "Acme").await, Tenant::register(&cluster.api, "Evil").await);
    let body = json!({"name": "Weekly figures", "schedule": "weekly", "weekday": "monday", "hour": 7,
        "recipients": [ada.email], "period": "last_7_days", "compare_period": "previous_period"});
    let (status, made) = ada.post("/api/v1/reports", &body).await;
    assert_eq!(status, 201, "{made}");
    assert!(made["data"]["next_run_at"].as_str().unwrap().contains("T07:00:00"), "{made}");
    assert_eq!(made["data"]["recipients"], json!([ada.email]));
    let path = format!("/api/v1/reports/{}", made["data"]["id"]);
    for answer in [eve.get(&path).await, eve.delete(&path).await, eve.post(&format!("{path}/send"), &json!({})).await] {
        assert_eq!(answer.0, 404);
    }
    let strangers = json!({"recipients": [ada.email, eve.email]});
    let (status, refused) = ada.put(&path, &strangers).await;
    assert_eq!((status, &refused["details"][0]["field"]), (422, &json!("recipients[1]")));
    assert_eq!(ada.user("analyst").await.get(&path).await.0, 403, "checklist 41");
    let (status, sent) = ada.post(&format!("{path}/send"), &json!({})).await;
    assert_eq!((status, &sent["data"]["mails"]), (200, &json!(1)), "{sent}");
    let outbox = cluster.data_dir().join("outbox");
    let file = soon("a file of the outbox", async || {
        let mut files = std::fs::read_dir(&outbox).ok()?.filter_map(|file| Some(file.ok()?.path()));
        files.find(|path| path.extension().is_some_and(|ending| ending == "eml"))
    });
    let file = file.await;
    let mail = std::fs::read_to_string(&file).unwrap();
    assert!(mail.contains(&format!("To: {}", ada.email)) && mail.contains("Subject: Weekly figures"), "{mail}");
    assert!(mail.contains("text/csv") && mail.contains("There are no figures"), "{mail}");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(ada.delete(&path).await.0, 200);
    assert_eq!(ada.get("/api/v1/reports").await.1["pagination"]["total"], 0);
}
