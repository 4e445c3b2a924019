//! Exports: what is asked for becomes a file that its tenant can fetch, for a while.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Tenant, ads, soon};

const EXPORT: &str = "/api/v1/analytics/export";

/// Two campaigns with figures in June 2024, one of them with a name that a spreadsheet would compute.
async fn with_campaigns(tenant: &Tenant) {
    for (name, platform, currency) in [("=Summer, \"Sale\"", "meta", "USD"), ("Brand", "google", "EUR")] {
        let body = json!({
            "name": name, "platform": platform, "currency": currency, "daily_budget": 500, "labels": ["summer", "sale"],
        });
        let (status, made) = tenant.post("/api/v1/campaigns", &body).await;
        assert_eq!(status, 201, "{made}");
        let day = |date: &str| json!({"date": date, "impressions": 1000, "clicks": 30, "conversions": 1.5, "spend": 20.5, "revenue": 61.5});
        let path = format!("/api/v1/campaigns/{}/metrics", made["data"]["id"]);
        let (status, answer) = tenant.post(&path, &json!({"data": [day("2024-06-01"), day("2024-06-02")]})).await;
        assert_eq!(status, 200, "{answer}");
    }
}

async fn export(tenant: &Tenant, body: &Value) -> Value {
    let (status, answer) = tenant.post(EXPORT, body).await;
    assert_eq!((status, &answer["success"]), (200, &json!(true)), "{answer}");
    answer["data"].clone()
}

async fn fetch(tenant: &Tenant, export: &Value) -> Answer {
    tenant.send(Method::GET, export["download_url"].as_str().unwrap(), None).await
}

fn june(more: &Value) -> Value {
    let mut body = json!({"date_from": "2024-06-01", "date_to": "2024-06-30"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn the_documents_export_becomes_a_file() {
    let cluster = ads().workers(1).start().await;
    let tenant = Tenant::register(&cluster.api, "Acme").await;
    with_campaigns(&tenant).await;
    let asked = june(&json!({
        "format": "csv", "type": "campaigns", "platforms": ["meta", "google"],
        "columns": ["name", "spend", "revenue", "roas"],
    }));
    let made = export(&tenant, &asked).await;
    assert_eq!((&made["row_count"], &made["status"], &made["progress"]), (&json!(2), &json!("done"), &json!(100.0)));
    assert!(made["expires_at"].as_str().unwrap().ends_with('Z'), "{made}");
    let file = fetch(&tenant, &made).await;
    assert_eq!(made["file_size"].as_u64().unwrap(), file.text.len() as u64);
    // checklist 49
    let expected = "name,spend,revenue,roas\r\n\"'=Summer, \"\"Sale\"\"\",41.00,123.00,3\r\nBrand,41.00,123.00,3\r\n";
    assert_eq!(file.text, expected);
    assert_eq!(file.header("cache-control"), "no-store");
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    let named = "attachment; filename=\"campaigns-2024-06-01-2024-06-30.csv\"";
    assert_eq!(file.header("content-disposition"), named);
    let (_, again) = tenant.get(&format!("{EXPORT}/{}", made["export_id"].as_str().unwrap())).await;
    assert_ne!(again["data"]["download_url"], made["download_url"], "each answer has a link of its own");
    assert_eq!(fetch(&tenant, &again["data"]).await.text, expected);
    assert_eq!(fetch(&tenant, &made).await.text, expected, "the older one works as well");
    let (_, list) = tenant.get("/api/v1/analytics/exports").await;
    assert_eq!((&list["pagination"]["total"], list["data"][0].get("download_url")), (&json!(1), None));
}

#[tokio::test]
async fn every_format_and_table_has_its_rows() {
    let cluster = ads().workers(1).start().await;
    let tenant = Tenant::register(&cluster.api, "Acme").await;
    with_campaigns(&tenant).await;
    let lines = export(&tenant, &june(&json!({"format": "ndjson", "type": "metrics", "labels": ["sale"]}))).await;
    let file = fetch(&tenant, &lines).await;
    let rows: Vec<Value> = file.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((rows.len(), &lines["row_count"]), (4, &json!(4)));
    assert_eq!((&rows[0]["date"], &rows[0]["campaign_name"]), (&json!("2024-06-01"), &json!("=Summer, \"Sale\"")));
    assert_eq!(
        (&rows[3]["spend"], &rows[3]["currency"], &rows[3]["conversions"]),
        (&json!(20.5), &json!("EUR"), &json!(1.5))
    );
    let parquet = export(&tenant, &june(&json!({"format": "parquet", "platforms": ["google"]}))).await;
    let path = format!("{}{}", tenant.base, parquet["download_url"].as_str().unwrap());
    let answer = tenant.client.get(path).bearer_auth(&tenant.access).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/vnd.apache.parquet");
    let bytes = answer.bytes().await.unwrap();
    assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
    let empty = export(&tenant, &june(&json!({"status": "archived", "columns": ["id", "ctr"]}))).await;
    assert_eq!((&empty["row_count"], fetch(&tenant, &empty).await.text.as_str()), (&json!(0), "id,ctr\r\n"));
}

#[tokio::test]
async fn an_export_is_its_tenants_own() {
    // checklist 36 and 39
    let cluster = ads().workers(1).start().await;
    let (one, two) = (Tenant::register(&cluster.api, "One").await, Tenant::register(&cluster.api, "Two").await);
    with_campaigns(&one).await;
    let made = export(&one, &june(&json!({"columns": ["name"]}))).await;
    assert_eq!(fetch(&two, &made).await.status, 404, "another tenant's link");
    let path = made["download_url"].as_str().unwrap();
    assert_eq!(cluster.api.get(path).await.status, 401, "a link is not enough");
    let token = path.rsplit('/').next().unwrap();
    assert_eq!(token.len(), 22, "128 bits");
    for other in [format!("{}A", &token[..21]), token[..21].to_owned(), "..%2F..%2Fetc".to_owned()] {
        if other != token {
            assert_eq!(one.get(&format!("{EXPORT}/download/{other}")).await.0, 404, "{other}");
        }
    }
    let own = format!("{EXPORT}/{}", made["export_id"].as_str().unwrap());
    assert_eq!((two.get(&own).await.0, two.delete(&own).await.0), (404, 404));
    let (_, list) = two.get("/api/v1/analytics/exports").await;
    assert_eq!(list["data"], json!([]));
    let nothing = export(&two, &june(&json!({"columns": ["name"]}))).await;
    assert_eq!(fetch(&two, &nothing).await.text, "name\r\n", "the other tenant's rows are never in");
    // checklist 41
    let viewer = one.user("viewer").await;
    assert_eq!((viewer.post(EXPORT, &json!({})).await.0, fetch(&viewer, &made).await.status), (403, 403));
    let analyst = one.user("analyst").await;
    assert_eq!(fetch(&analyst, &made).await.status, 200);
    assert_eq!(one.delete(&own).await.0, 200);
    assert_eq!((fetch(&one, &made).await.status, one.get(&own).await.0), (404, 404));
    let log = cluster.api.client.get(format!("{}/api/v1/audit", one.base)).bearer_auth(&one.access);
    let audit = Answer::of(log).await.unwrap().text;
    for action in ["export.created", "export.downloaded", "export.deleted"] {
        assert!(audit.contains(action), "{action}: {audit}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let cluster = ads().workers(1).start().await;
    let tenant = Tenant::register(&cluster.api, "Acme").await;
    let wrong = json!({"format": "xlsx", "columns": ["name", "password_hash"], "date_from": "2024-02-30", "extra": 1});
    let (status, answer) = tenant.post(EXPORT, &wrong).await;
    let mut fields: Vec<&str> =
        answer["details"].as_array().unwrap().iter().map(|detail| detail["field"].as_str().unwrap()).collect();
    fields.sort_unstable();
    assert_eq!((status, fields), (400, vec!["columns[1]", "date_from", "extra", "format"]), "{answer}");
    let (status, _) = tenant.post(EXPORT, &json!({"date_from": "2024-03-01", "date_to": "2024-02-01"})).await;
    assert_eq!(status, 422);
}

#[tokio::test]
async fn a_file_goes_when_its_time_is_over_and_exports_have_limits() {
    // checklist 39
    let cluster = ads()
        .workers(1)
        .set("EXPORTS__KEEP", "1s")
        .set("EXPORTS__PER_TENANT", "1")
        .set("GDPR__ERASE_WITHIN", "2s")
        .start()
        .await;
    let tenant = Tenant::register(&cluster.api, "Acme").await;
    let made = export(&tenant, &json!({})).await;
    let path = format!("{EXPORT}/{}", made["export_id"].as_str().unwrap());
    let expired = async || {
        let (_, answer) = tenant.get(&path).await;
        (answer["data"]["status"] == "expired").then_some(answer)
    };
    let answer = soon("the export being expired", expired).await;
    assert_eq!(answer["data"].get("download_url"), None);
    assert_eq!(fetch(&tenant, &made).await.status, 404);
    let folder = cluster.data_dir().join("exports");
    let gone = async || {
        let left = std::fs::read_dir(&folder).unwrap().filter(|file| {
            file.as_ref().unwrap().path().extension().is_some_and(|kind| kind == "table" || kind == "rows")
        });
        (left.count() == 0).then_some(())
    };
    soon("the files being gone", gone).await;
}

#[tokio::test]
async fn too_many_at_once_are_refused() {
    let cluster = ads().workers(0).set("EXPORTS__PER_TENANT", "1").start().await;
    let (tenant, other) = (Tenant::register(&cluster.api, "A").await, Tenant::register(&cluster.api, "B").await);
    let waiting = tenant.clone();
    let first = tokio::runtime::Handle::current().spawn(async move { waiting.post(EXPORT, &json!({})).await });
    let listed = async || {
        let (_, list) = tenant.get("/api/v1/analytics/exports").await;
        (list["data"].as_array()?.len() == 1).then_some(())
    };
    soon("the first export being under way", listed).await;
    let answer = tenant.send(Method::POST, EXPORT, Some(&json!({"format": "ndjson"}))).await;
    assert_eq!(answer.status, 429, "{}", answer.text);
    assert_eq!((answer.header("retry-after"), &answer.body["error"]), ("10", &json!("rate_limited")));
    let (_, list) = other.get("/api/v1/analytics/exports").await;
    assert_eq!(list["data"], json!([]), "the other tenant has all of its own");
    assert_eq!(first.await.unwrap().0, 202);
}
