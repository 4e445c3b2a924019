//! Files of figures over HTTP: previews, refusals, what a commit writes, and who may.

use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Tenant, ads, skipped};

const GOOGLE: &str = "Campaign report\r\n\"June 1, 2024 - June 2, 2024\"\r\n\
    Campaign status,Campaign,Campaign ID,Day,Currency code,Impr.,Clicks,Cost,Conversions,Conv. value\r\n\
    Enabled,Brand,777,2024-06-01,USD,\"12,345\",321,\"1,033.33\",2.50,\"2,000.1\"\r\n\
    Enabled,Brand,777,2024-06-02,USD,10, --,1,--,--\r\n\
    Total: Account, --, --, --,USD,\"12,355\",321,\"1,034.33\",2.50,\"2,000.1\"\r\n";

async fn send(tenant: &Tenant, query: &str, file: &str) -> Answer {
    let request = tenant.request(Method::POST, &format!("/api/v1/metrics/import?{query}"));
    Answer::of(request.header("content-type", "text/csv").body(file.to_owned())).await.unwrap()
}

async fn campaigns(tenant: &Tenant) -> Vec<Value> {
    let (status, list) = tenant.get("/api/v1/campaigns?sort_by=name&sort_order=asc&page_size=100").await;
    assert_eq!(status, 200, "{list}");
    list["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn an_export_is_shown_first_and_then_written_whole() {
    let mut cluster = ads().start().await;
    let tenant = Tenant::register(&cluster.api, "Acme").await;
    let preview = send(&tenant, "", GOOGLE).await.expect(200);
    let data = &preview["data"];
    assert_eq!(
        (&data["mode"], &data["file"]["format"], &data["import_id"]),
        (&json!("preview"), &json!("google"), &Value::Null)
    );
    assert_eq!(
        (&data["errors_total"], &data["errors"][0]["row"]),
        (&json!(1), &json!(4)),
        "the campaign is not there: {preview}"
    );
    let preview = send(&tenant, "create_missing=true", GOOGLE).await.expect(200);
    let data = &preview["data"];
    assert_eq!((&data["errors_total"], &data["inserted"], &data["skipped_total"]), (&json!(0), &json!(2), &json!(1)));
    assert_eq!(
        data["sample"][0],
        json!({"row": 4, "campaign": "Brand", "date": "2024-06-01", "impressions": 12345,
        "clicks": 321, "conversions": 2.5, "spend": 1033.33, "revenue": 2000.1})
    );
    assert_eq!(campaigns(&tenant).await, Vec::<Value>::new(), "a preview writes nothing");

    let done = send(&tenant, "create_missing=true&mode=commit", GOOGLE).await.expect(200);
    assert_eq!((&done["data"]["import_id"], &done["data"]["inserted"]), (&json!(1), &json!(2)), "{done}");
    let made = &campaigns(&tenant).await[0];
    assert_eq!(
        (&made["name"], &made["external_id"], &made["status"], &made["total_spend"]),
        (&json!("Brand"), &json!("777"), &json!("paused"), &json!(1034.33))
    );
    let again = send(&tenant, "mode=commit", GOOGLE).await.expect(200);
    assert_eq!((&again["data"]["inserted"], &again["data"]["unchanged"]), (&json!(0), &json!(2)));
    let left = std::fs::read_dir(cluster.data_dir().join("ads_imports")).map_or(0, Iterator::count);
    assert_eq!(left, 0, "no file is left");
    cluster.restart_coordinator().await;
    assert_eq!(campaigns(&tenant).await[0]["total_spend"], 1034.33);
    let (_, list) = tenant.get("/api/v1/metrics/imports").await;
    assert_eq!(
        (&list["pagination"]["total"], &list["data"][0]["unchanged"], &list["data"][1]["created"]),
        (&json!(2), &json!(2), &json!(1))
    );
    let (_, audit) = tenant.get("/api/v1/audit?action=metrics.imported").await;
    assert_eq!(audit["pagination"]["total"], 2, "{audit}");
}

#[tokio::test]
async fn a_file_with_mistakes_writes_nothing_and_names_them() {
    let cluster = ads().start().await;
    let tenant = Tenant::register(&cluster.api, "Acme").await;
    let file = "campaign_name,platform,date,clicks,spend\nA,meta,2024-06-01,1,1\nA,meta,2024-06-02,1,\"=1+1\"\nA,meta,1.6.2024,-2,1\n";
    let refused = send(&tenant, "create_missing=true&mode=commit", file).await.expect(422);
    assert_eq!((&refused["error"], &refused["errors_total"]), (&json!("unprocessable_entity"), &json!(2)));
    assert_eq!(
        refused["errors"][0],
        json!({"row": 3, "column": "spend", "value": "=1+1", "message": "must be a decimal number"})
    );
    assert_eq!(refused["details"][0]["field"], "row 3, spend");
    assert!(campaigns(&tenant).await.is_empty(), "nothing half written");
    let done = send(&tenant, "create_missing=true&mode=commit&on_error=skip", file).await.expect(200);
    assert_eq!((&done["data"]["inserted"], &done["data"]["errors_total"]), (&json!(1), &json!(2)), "{done}");

    let euro = file.replace("spend", "spend (EUR)");
    let refused = send(&tenant, "mode=commit&on_error=fail", &euro).await.expect(422);
    assert!(refused["errors"][0]["message"].as_str().unwrap().contains("EUR and the campaign is in USD"), "{refused}");
    send(&tenant, "mode=commit", "PK\u{3}\u{4}workbook").await.expect(422);
    send(&tenant, "mode=later", file).await.expect(400);
}

#[tokio::test]
async fn only_managers_import_and_only_their_own_tenants_campaigns() {
    let cluster = ads().start().await;
    let (acme, other) = (Tenant::register(&cluster.api, "Acme").await, Tenant::register(&cluster.api, "Other").await);
    let analyst = acme.user("analyst").await;
    send(&analyst, "", GOOGLE).await.expect(403);
    send(&acme, "create_missing=true&mode=commit", GOOGLE).await.expect(200);
    send(&other, "mode=commit", GOOGLE).await.expect(422);
    let id = campaigns(&acme).await[0]["id"].clone();
    let own = format!("campaign_id,date,spend\n{id},2024-06-03,5\n");
    send(&other, "mode=commit", &own).await.expect(422);
    send(&acme, "mode=commit", &own).await.expect(200);
    let form = format!(
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n{}\r\n--b--\r\n",
        own.replace(",5", ",6")
    );
    let request = acme.request(Method::POST, "/api/v1/metrics/import?mode=commit");
    let request = request.header("content-type", "multipart/form-data; boundary=b").body(form);
    let done = Answer::of(request).await.unwrap().expect(200);
    assert_eq!(done["data"]["updated"], 1, "{done}");
    let request = acme.request(Method::POST, "/api/v1/metrics/import").json(&json!({}));
    Answer::of(request).await.unwrap().expect(415);
    let (_, list) = other.get("/api/v1/metrics/imports").await;
    assert_eq!(list["pagination"]["total"], 0, "another tenant's imports are not listed");
}

#[tokio::test]
async fn the_golden_days_come_out_of_a_file() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/adops");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).ok();
    let (Some(days), Some(golden)) = (read("campaign_days.csv"), read("kpi_golden.json")) else {
        skipped("the golden days are not beside the project");
        return;
    };
    let cluster = ads().start().await;
    let tenant = Tenant::register(&cluster.api, "Golden").await;
    let done = send(&tenant, "create_missing=true&mode=commit", &days).await.expect(200);
    assert_eq!(
        (&done["data"]["rows"], &done["data"]["inserted"]),
        (&json!(1800), &json!(1800)),
        "{}",
        done["data"]["errors"]
    );
    let golden: Value = serde_json::from_str(&golden).unwrap();
    for case in golden["cases"].as_array().unwrap() {
        let text = |name: &str| case[name].as_str().map(str::to_owned);
        let mut question = format!("date_from={}&date_to={}", text("date_from").unwrap(), text("date_to").unwrap());
        if let Some(platform) = text("platform") {
            question = format!("{question}&platform={platform}");
        }
        let (status, answer) = tenant.get(&format!("/api/v1/analytics/kpis?{question}")).await;
        assert_eq!(status, 200, "{answer}");
        for (name, value) in case["kpis"].as_object().unwrap() {
            assert_eq!(&answer["data"][name], value, "{name} of {question}");
        }
    }
}
