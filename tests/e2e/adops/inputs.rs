//! Inputs that are wrong in every way that the checklist numbers.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Tenant, ads};

fn fields(body: &Value) -> Vec<&str> {
    body["details"].as_array().unwrap().iter().map(|detail| detail["field"].as_str().unwrap()).collect()
}

async fn send_raw(tenant: &Tenant, body: impl Into<Vec<u8>>) -> Answer {
    let request = tenant.request(Method::POST, "/api/v1/campaigns").header("content-type", "application/json");
    Answer::of(request.body(body.into())).await.unwrap()
}

#[tokio::test]
async fn lists_refuse_wrong_parameters_and_name_them() {
    let cluster = ads().start().await;
    let tenant = Tenant::register(&cluster.api, "Acme").await;
    let table = [
        // checklist 43
        ("page=0", 400, "page"),
        ("page=-1", 400, "page"),
        ("page=1000000000000000000", 400, "page"),
        ("page=x", 400, "page"),
        ("page_size=0", 400, "page_size"),
        ("page_size=101", 400, "page_size"),
        ("page_size=x", 400, "page_size"),
        // checklist 44
        ("sort_by=password", 400, "sort_by"),
        ("sort_by=name%00", 400, "sort_by"),
        ("sort_by=", 400, "sort_by"),
        ("sort_order=up", 400, "sort_order"),
        // checklist 45
        ("date_from=2024-02-30", 400, "date_from"),
        ("date_to=yesterday", 400, "date_to"),
        ("date_from=2024-02-02&date_to=2024-02-01", 422, "date_from"),
        ("platform=myspace", 400, "platform"),
        ("status=gone", 400, "status"),
        ("deleted=perhaps", 400, "deleted"),
    ];
    for (query, expected, field) in table {
        let (status, refused) = tenant.get(&format!("/api/v1/campaigns?{query}")).await;
        assert_eq!((status, fields(&refused)), (expected, vec![field]), "{query}: {refused}");
    }
}

#[tokio::test]
async fn bodies_refuse_what_is_no_campaign_and_write_nothing() {
    let cluster = ads().start().await;
    let tenant = Tenant::register(&cluster.api, "Acme").await;
    // checklist 46
    let long = format!(r#"{{"name":"{}"}}"#, "x".repeat(1_200_000));
    assert_eq!(send_raw(&tenant, long).await.status, 413);
    let deep = format!(r#"{{"name":"x","platform":"meta","targeting":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    let objects = format!("{}1{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000));
    for nested in [deep, objects] {
        let refused = send_raw(&tenant, nested).await;
        assert_eq!((refused.status, &refused.body["error"]), (400, &json!("validation_error")), "{}", refused.text);
    }
    // checklist 47
    for budget in ["NaN", "Infinity", "-Infinity", "1e309", "-0.01", "0", "1e300", "\"5\"", "true", "[1]"] {
        let body = format!(r#"{{"name":"x","platform":"meta","daily_budget":{budget}}}"#);
        let refused = send_raw(&tenant, body).await;
        assert_eq!(refused.status, 400, "{budget}: {}", refused.text);
        assert_eq!(refused.body["error"], "validation_error", "{budget}");
    }
    // checklist 48
    let twice = send_raw(&tenant, r#"{"name":"x","platform":"meta","name":"y"}"#).await;
    assert_eq!((twice.status, fields(&twice.body)), (400, vec!["name"]));
    let within = send_raw(&tenant, r#"{"name":"x","platform":"meta","targeting":{"age_min":20,"age_min":30}}"#).await;
    assert_eq!((within.status, fields(&within.body)), (400, vec!["age_min"]));
    assert_eq!(send_raw(&tenant, b"{\"name\":\"\xff\xfe\",\"platform\":\"meta\"}".to_vec()).await.status, 400);
    assert_eq!(send_raw(&tenant, b"{\"name\":\"\\ud800\",\"platform\":\"meta\"}".to_vec()).await.status, 400);
    assert_eq!(tenant.get("/api/v1/campaigns").await.1["pagination"]["total"], 0);
}

#[tokio::test]
async fn members_of_the_server_are_the_servers() {
    let cluster = ads().start().await;
    let tenant = Tenant::register(&cluster.api, "Acme").await;
    // checklist 42
    let body = json!({"name": "x", "platform": "meta", "id": 77, "tenant_id": 99, "total_spend": 5, "created_at": "x"});
    let (status, made) = tenant.post("/api/v1/campaigns", &body).await;
    assert_eq!(status, 201, "{made}");
    let id = made["data"]["id"].as_u64().unwrap();
    assert!(id != 77 && made["data"]["total_spend"] == 0.0, "{made}");
    let path = format!("/api/v1/campaigns/{id}");
    let (status, refused) = tenant.put(&path, &json!({"name": "y", "owner": 1, "trigger_count": 3})).await;
    assert_eq!((status, fields(&refused)), (400, vec!["owner", "trigger_count"]));
    let (_, same) = tenant.get(&path).await;
    assert_eq!(same["data"]["name"], "x");
    let (status, returned) = tenant.put(&path, &same["data"]).await;
    assert_eq!((status, &returned["data"]), (200, &same["data"]), "what was read can be written back");
    // checklist 47: exactly 0.3
    let (_, exact) = tenant.put(&path, &json!({"daily_budget": 0.1 + 0.2})).await;
    assert_eq!(exact["data"]["daily_budget"], json!(0.3));
    // checklist 35
    let other = Tenant::register(&cluster.api, "Other").await;
    for (method, below) in [
        ("GET", ""),
        ("PUT", ""),
        ("DELETE", ""),
        ("POST", "/restore"),
        ("GET", "/history"),
        ("POST", "/labels"),
        ("DELETE", "/labels"),
    ] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let answer = other.send(method.clone(), &format!("{path}{below}"), Some(&json!({}))).await;
        assert_eq!(answer.status, 404, "{method} {below}: {}", answer.text);
    }
}
