//! `/generated` and `/download`: the same entries in every form, in pages, and as of one moment.

use std::time::Duration;

use serde_json::Value;

use crate::harness::{Api, Cluster, Entries, Plan};

async fn text(api: &Api, path: &str, accept: &str) -> (String, String) {
    let response = api.client.get(format!("{}{path}", api.base)).header("accept", accept).send().await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
    (kind, response.text().await.unwrap())
}

async fn forms(api: &Api, id: &str, whole: &Value) {
    let path = format!("/api/traffic/generated/{id}");
    let (kind, lines) = text(api, &path, "application/x-ndjson").await;
    assert!(kind.starts_with("application/x-ndjson"), "{kind}");
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(Value::from(lines), *whole, "NDJSON and JSON differ");
    let (kind, table) = text(api, &path, "text/csv").await;
    assert!(kind.starts_with("text/csv"), "{kind}");
    let mut rows = table.lines();
    let head = rows.next().unwrap();
    let columns: Vec<&str> = head.split(',').collect();
    assert!(columns.contains(&"sequence") && columns.contains(&"id"), "{head}");
    let column = columns.iter().position(|name| *name == "id").unwrap();
    let ids: Vec<&str> = rows.map(|row| row.split(',').nth(column).unwrap()).collect();
    let whole = whole.as_array().unwrap();
    assert_eq!(ids.len(), whole.len());
    assert!(ids.iter().zip(whole).all(|(id, entry)| entry["id"] == *id), "CSV rows are in another order");
    let (kind, _) = text(api, &format!("{path}?format=csv"), "*/*").await;
    assert!(kind.starts_with("text/csv"), "{kind}");
}

#[tokio::test]
async fn every_form_and_page_shows_the_same_entries() {
    let cluster = Cluster::with_workers(2).await;
    let api = &cluster.api;
    let (id, job) = api.start(&Plan::constant(91, 240, 3.75).session()).await;
    api.wait_for(&id, "completed", Duration::from_secs(40)).await;
    let path = format!("/api/traffic/generated/{id}");
    let all = api.get(&path).await.expect(200);
    let whole = &all["data"];
    assert_eq!(whole.as_array().unwrap().len(), 900);
    assert_eq!(all["metadata"]["total_requests"], 900);
    forms(api, &id, whole).await;

    let page = api.get(&format!("{path}?limit=100&offset=850")).await.expect(200);
    assert_eq!(page["data"].as_array().unwrap()[..], whole.as_array().unwrap()[850..]);
    let page = api.get(&format!("{path}?limit=7&offset=333")).await.expect(200);
    assert_eq!(page["data"].as_array().unwrap()[..], whole.as_array().unwrap()[333..340]);
    let run = api.get(&format!("{path}?run={job}&limit=5")).await.expect(200);
    assert_eq!(run["data"].as_array().unwrap()[..], whole.as_array().unwrap()[..5]);
    let download = api.get(&format!("/api/traffic/download/{id}")).await.expect(200);
    assert_eq!(&download["data"]["traffic_data"], whole);
}

/// While a run goes on, each answer is whole as of its moment: the count it names is the count it holds.
#[tokio::test]
async fn an_answer_is_of_one_moment() {
    let cluster = Cluster::with_workers(1).await;
    let api = &cluster.api;
    let (id, _) = api.start(&Plan::constant(92, 400, 600.0).session()).await;
    api.wait_for_entries(&id, 400).await;
    for _ in 0..5 {
        let all = api.get(&format!("/api/traffic/generated/{id}")).await.expect(200);
        let entries = Entries(all["data"].as_array().unwrap().clone());
        assert_eq!(all["metadata"]["total_requests"].as_u64(), Some(entries.0.len() as u64));
        let good = entries.0.iter().filter(|entry| entry["success"] == true).count();
        assert_eq!(all["metadata"]["successful_requests"].as_u64(), Some(good as u64));
        assert_eq!(entries.ids().len(), entries.0.len());
    }
}

/// Runs accumulate; sequences go on.
#[tokio::test]
async fn a_second_run_is_added_to_the_first() {
    let cluster = Cluster::with_workers(1).await;
    let api = &cluster.api;
    let plan = Plan::constant(93, 40, 3.75);
    let (id, first) = api.start(&plan.session()).await;
    api.wait_for(&id, "completed", Duration::from_secs(40)).await;
    api.set_status(&id, "running").await.expect(200);
    let second = api.generate(&id).await;
    assert_ne!(first, second);
    api.wait_for(&id, "completed", Duration::from_secs(40)).await;
    let entries = Entries::read(api, &id).await;
    assert_eq!(entries.ids().len(), 300);
    assert!(entries.0[..150].iter().all(|entry| entry["run_id"] == first.as_str()));
    assert!(entries.0[150..].iter().all(|entry| entry["run_id"] == second.as_str()));
    assert_eq!(api.stats(&id).await["total_requests"], 300);
    let one = api.get(&format!("/api/traffic/stats/{id}?run={second}")).await.expect(200);
    assert_eq!(one["data"]["total_requests"], 150, "{one}");
    let compared = api.get(&format!("/api/traffic/compare?a={first}&b={second}")).await.expect(200);
    assert_eq!(compared["success"], true, "{compared}");
}
