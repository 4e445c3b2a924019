//! Exports when something dies in the middle: the file is whole, whoever finishes it.

use std::time::Duration;

use serde_json::{Value, json};
use trafficlab_engine::ads::day::Day;
use trafficlab_shared::protocol::export::{ExportEvent, ExportRecord};
use trafficlab_shared::protocol::{codec, subject};

use crate::harness::{Cluster, Logs, Tenant, ads, eventually, soon};

const WITHIN: Duration = Duration::from_secs(60);
const CAMPAIGNS: u64 = 12;
const DAYS: i32 = 700;

/// A tenant whose figures are a file of several pieces.
async fn tenant(cluster: &Cluster) -> Tenant {
    let tenant = Tenant::register(&cluster.api, "Acme").await;
    let first = Day::parse("2023-01-01").unwrap();
    let row = |day| {
        let date = first.plus(day).to_string();
        json!({"date": date, "impressions": 100_000 + day, "clicks": day, "conversions": 1, "spend": day, "revenue": 9.5})
    };
    let data: Vec<Value> = (0..DAYS).map(row).collect();
    for number in 1..=CAMPAIGNS {
        let body =
            json!({"name": format!("Campaign {number}"), "platform": "meta", "daily_budget": 10, "currency": "USD"});
        let (status, made) = tenant.post("/api/v1/campaigns", &body).await;
        assert_eq!(status, 201, "{made}");
        let path = format!("/api/v1/campaigns/{}/metrics", made["data"]["id"]);
        let (status, answer) = tenant.post(&path, &json!({ "data": data })).await;
        assert_eq!(status, 200, "{answer}");
    }
    tenant
}

/// Asks for all of it in the background.
fn ask(tenant: &Tenant) -> tokio::task::JoinHandle<(u16, Value)> {
    let own = tenant.clone();
    let body = json!({"type": "metrics", "date_from": "2023-01-01", "date_to": "2024-12-31"});
    tokio::runtime::Handle::current().spawn(async move { own.post("/api/v1/analytics/export", &body).await })
}

/// The id of the tenant's only export, once part of its file is here.
async fn begun(tenant: &Tenant) -> String {
    let part = async || {
        let (_, list) = tenant.get("/api/v1/analytics/exports").await;
        let export = list["data"].as_array()?.first()?;
        let part = export["status"] == "running" && export["file_size"].as_u64()? > 0;
        part.then(|| export["export_id"].as_str().unwrap().to_owned())
    };
    soon("a part of the file being here", part).await
}

async fn done(tenant: &Tenant, id: &str) -> Value {
    let path = format!("/api/v1/analytics/export/{id}");
    let over = async || {
        let (_, answer) = tenant.get(&path).await;
        assert_ne!(answer["data"]["status"], "failed", "{answer}");
        (answer["data"]["status"] == "done").then(|| answer["data"].clone())
    };
    eventually(WITHIN, "the export being done", over).await
}

/// Every day of every campaign once.
async fn must_be_whole(tenant: &Tenant, export: &Value) {
    let url = format!("{}{}", tenant.base, export["download_url"].as_str().unwrap());
    let file = tenant.client.get(url).bearer_auth(&tenant.access).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(export["file_size"].as_u64().unwrap(), file.len() as u64);
    let text = std::str::from_utf8(&file).unwrap();
    let mut keys: Vec<(&str, &str)> = text.lines().skip(1).filter_map(|line| line.split_once(',')).collect();
    assert_eq!(keys.len() as u64, CAMPAIGNS * u64::try_from(DAYS).unwrap());
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len() as u64, export["row_count"].as_u64().unwrap(), "a row is there twice");
}

async fn last_record(cluster: &Cluster, job: &str) -> ExportRecord {
    let logs = Logs(cluster.broker.jetstream().await);
    let last = async || logs.last(subject::RESULTS_STREAM, &subject::export_results(job)).await;
    codec::decode(&soon("a record of the export", last).await.payload).unwrap()
}

#[tokio::test]
async fn an_export_whose_worker_is_killed_is_finished_by_another() {
    let mut cluster = ads().workers(0).start().await;
    cluster.add_worker_with(&[("FAULT", "hold:export")]);
    let tenant = tenant(&cluster).await;
    let asked = ask(&tenant);
    let id = begun(&tenant).await;
    let held = last_record(&cluster, &id).await;
    assert_eq!((&held.event, held.epoch), (&ExportEvent::Batch, 1));
    cluster.workers[0].kill();
    cluster.add_worker();
    let export = done(&tenant, &id).await;
    must_be_whole(&tenant, &export).await;
    let last = last_record(&cluster, &id).await;
    assert_eq!((last.worker.as_str(), last.epoch), ("w2", 2), "the second owner wrote all of it");
    let (status, answer) = asked.await.unwrap();
    assert!(matches!(status, 200 | 202), "{answer}");
    assert_eq!(answer["data"]["export_id"], id.as_str());
}

#[tokio::test]
async fn a_worker_that_leaves_gives_its_export_back() {
    // checklist 95
    let mut cluster = ads().workers(0).start().await;
    cluster.add_worker_with(&[("FAULT", "hold:export")]);
    let tenant = tenant(&cluster).await;
    let asked = ask(&tenant);
    let id = begun(&tenant).await;
    cluster.add_worker();
    assert!(cluster.workers[0].terminate().await.success());
    let export = done(&tenant, &id).await;
    must_be_whole(&tenant, &export).await;
    let last = last_record(&cluster, &id).await;
    assert_eq!((last.worker.as_str(), last.starts), ("w2", 1), "what was given back unharmed does not count");
    assert!(matches!(asked.await.unwrap().0, 200 | 202));
}

#[tokio::test]
async fn an_export_waits_for_a_worker_and_survives_a_restart() {
    let mut cluster = ads().workers(0).start().await;
    let tenant = tenant(&cluster).await;
    let asked = ask(&tenant);
    let listed = async || {
        let (_, list) = tenant.get("/api/v1/analytics/exports").await;
        Some(list["data"].as_array()?.first()?.clone())
    };
    let export = soon("the export being listed", listed).await;
    assert_eq!(
        (&export["status"], &export["reason"]),
        (&json!("queued"), &json!("it waits for a worker; none is there"))
    );
    let (status, answer) = asked.await.unwrap();
    assert_eq!((status, &answer["data"]["status"]), (202, &json!("queued")), "{answer}");
    assert!(answer["data"].get("download_url").is_none(), "{answer}");
    cluster.restart_coordinator().await;
    let tenant = Tenant { base: cluster.api.base.clone(), ..tenant };
    cluster.add_worker();
    let export = done(&tenant, export["export_id"].as_str().unwrap()).await;
    must_be_whole(&tenant, &export).await;
}

#[tokio::test]
async fn an_export_that_is_removed_stops_and_leaves_nothing() {
    // checklist 85
    let mut cluster = ads().workers(0).start().await;
    cluster.add_worker_with(&[("FAULT", "hold:export")]);
    let tenant = tenant(&cluster).await;
    let asked = ask(&tenant);
    let id = begun(&tenant).await;
    let path = format!("/api/v1/analytics/export/{id}");
    assert_eq!(tenant.delete(&path).await.0, 200);
    assert_eq!(tenant.get(&path).await.0, 404);
    assert_eq!(asked.await.unwrap().0, 404, "it was removed while it was waited for");
    let stopped = async || matches!(last_record(&cluster, &id).await.event, ExportEvent::End { .. }).then_some(());
    soon("the worker having stopped", stopped).await;
    let files = std::fs::read_dir(cluster.data_dir().join("exports")).unwrap().count();
    assert_eq!(files, 0, "its rows and its file are gone");
    let logs = Logs(cluster.broker.jetstream().await);
    let emptied = async || logs.subjects("OBJ_TL_FILES", "$O.TL_FILES.C.>").await.is_empty().then_some(());
    soon("the object store being empty", emptied).await;
}

#[tokio::test]
async fn without_a_broker_nothing_is_begun() {
    let mut cluster = ads().start().await;
    let tenant = Tenant::register(&cluster.api, "Acme").await;
    cluster.broker.kill();
    let refused = async || {
        let answer = tenant.send(reqwest::Method::POST, "/api/v1/analytics/export", Some(&json!({}))).await;
        (answer.status == 503).then_some(answer)
    };
    let answer = soon("exports being refused", refused).await;
    assert_eq!((answer.header("retry-after"), &answer.body["error"]), ("5", &json!("service_unavailable")));
    cluster.broker.up().await;
}
