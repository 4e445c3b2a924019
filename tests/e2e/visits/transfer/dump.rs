//! A restored dump answers the same figures.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::process::Command;

use super::{CHROME, FIREFOX, SITE, date, import, noon};
use crate::e2e::visits::{batch, tracker};
use crate::harness::{Api, Cluster, coordinator};

async fn run(cluster: &Cluster, command: &str) {
    let data = cluster.data_dir();
    let file = data.with_file_name("dump.jsonl");
    let args = [command, &file.display().to_string(), "--data-dir", &data.display().to_string()].map(str::to_owned);
    let mut program = Command::new(coordinator());
    program.args(args).env("TRAFFICLAB_ENVIRONMENT", "development").stdin(Stdio::null()).kill_on_drop(true);
    let done = program.output().await.unwrap();
    assert!(done.status.success(), "{command}: {}", String::from_utf8_lossy(&done.stderr));
}

async fn figures(api: &Api) -> Vec<Value> {
    let span = format!("site_id={SITE}&period=custom&date={},{}", date(30), date(0));
    let mut found = Vec::new();
    for path in [
        format!("/api/visits/aggregate?{span}&metrics=visitors,visits,pageviews,bounce_rate,visit_duration"),
        format!("/api/visits/breakdown?{span}&property=event:page&metrics=visitors,pageviews"),
        format!("/api/visits/breakdown?{span}&property=visit:browser"),
        format!("/api/visits/timeseries?{span}&interval=day"),
    ] {
        found.push(api.get(&path).await.expect(200)["results"].take());
    }
    let stats = api.get("/stats").await.expect(200);
    found.extend(["total_visits", "recent_visits", "bot_visits"].map(|name| stats[name].clone()));
    found
}

#[tokio::test]
async fn a_restored_dump_answers_the_same() {
    let mut cluster = tracker(&[]).await;
    let visit = |number: i64| {
        let agent = if number % 3 == 0 { CHROME } else { FIREFOX };
        let mut visit = json!({"user_id": format!("user{}", number % 40), "user_agent": agent,
            "page_url": format!("https://{SITE}/page{}", number % 7), "event_id": format!("event{number}")});
        if number % 2 == 0 {
            visit["timestamp"] = json!(noon(1 + number % 5).to_string());
        }
        visit
    };
    let visits: Vec<Value> = (0..200).map(visit).collect();
    batch(&cluster.api, &visits).await;
    let table = format!("date,visitors,pageviews,bounces,visits,visit_duration\n{},10,20,5,10,500\n", date(20));
    assert_eq!(import(&cluster.api, &format!("site_id={SITE}"), table).await["accepted"], 1);
    let goal = json!({"site_id": SITE, "name": "Third page", "path": "/page3"});
    assert!(cluster.api.post("/api/visits/goals", &goal).await.status < 300);
    let before = figures(&cluster.api).await;
    let goals = cluster.api.get(&format!("/api/visits/goals?site_id={SITE}")).await.expect(200);

    assert!(cluster.coordinator.terminate().await.success());
    run(&cluster, "dump").await;
    let data = cluster.data_dir();
    std::fs::rename(&data, data.with_file_name("before")).unwrap();
    run(&cluster, "restore").await;
    cluster.coordinator.up();
    cluster.ready().await;
    assert_eq!(figures(&cluster.api).await, before);
    assert_eq!(cluster.api.get(&format!("/api/visits/goals?site_id={SITE}")).await.expect(200), goals);

    // A repetition is still known as one, and people are who they were.
    let again = visit(7);
    let lines = again.to_string();
    let request =
        cluster.api.client.post(format!("{}/visit/batch", cluster.api.base)).bearer_auth(crate::e2e::visits::KEY);
    let answer: Value = request.body(lines).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["duplicate"], 1, "{answer}");
    let shown = cluster.api.post("/api/visits/gdpr/export", &json!({"user_id": "user7"})).await;
    assert_eq!(shown.text.lines().count(), 5, "{}", shown.text);
}
