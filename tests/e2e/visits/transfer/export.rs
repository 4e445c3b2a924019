//! Raw visits as files: what was sent, filtered as the statistics are, over the API and the command line.

use std::path::Path;

use parquet::file::reader::{FileReader as _, SerializedFileReader};
use serde_json::{Value, json};
use tokio::process::Command;

use super::{CHROME, FIREFOX, SITE, date, figure, noon};
use crate::e2e::visits::{batch, tracker};
use crate::harness::{Api, coordinator};

/// Forty visits by ten people over four days; one of five is a bot's.
async fn visits(api: &Api) -> Vec<Value> {
    let visit = |number: i64| {
        let agent = match number % 5 {
            0 => "curl/8.0",
            1 => CHROME,
            _ => FIREFOX,
        };
        json!({
            "user_id": format!("user{}", number % 10),
            "page_url": format!("https://{SITE}/page{}", number % 4),
            "user_agent": agent,
            "timestamp": noon(1 + number / 10).to_string(),
            "props": {"number": number.to_string()},
        })
    };
    let visits: Vec<Value> = (0..40).map(visit).collect();
    batch(api, &visits).await;
    visits
}

async fn rows(api: &Api, query: &str) -> Vec<Value> {
    let answer = api.get(&format!("/api/visits/export?site_id={SITE}&format=ndjson&{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.header("content-type"), "application/x-ndjson");
    assert_eq!(answer.header("content-disposition"), "attachment; filename=\"visits-shop.example.ndjson\"");
    answer.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn numbers(rows: &[Value]) -> Vec<u32> {
    let number = |row: &Value| row["props"]["number"].as_str().unwrap().parse().unwrap();
    let mut numbers: Vec<u32> = rows.iter().map(number).collect();
    numbers.sort_unstable();
    numbers
}

#[tokio::test]
async fn an_export_is_what_was_sent_filtered_alike() {
    let mut cluster = tracker(&[]).await;
    let sent = visits(&cluster.api).await;
    for _ in 0..2 {
        let api = &cluster.api;
        let all = rows(api, "period=all&bots=include").await;
        assert_eq!(numbers(&all), (0..40).collect::<Vec<_>>());
        for row in &all {
            let number: usize = row["props"]["number"].as_str().unwrap().parse().unwrap();
            let visit = &sent[number];
            assert_eq!(row["page"], format!("/page{}", number % 4));
            assert_eq!((&row["site"], &row["event"]), (&json!(SITE), &json!("pageview")));
            let (shown, time) = (row["time"].as_str().unwrap(), visit["timestamp"].as_str().unwrap());
            assert_eq!(shown.get(..19), time.get(..19));
            assert_eq!(row["user_id"], Value::Null);
        }
        for filters in
            ["", "visit:browser==Chrome", "event:page==/page1|/page3", "event:page!=/page0;visit:browser~fire"]
        {
            let query = format!("period=all&filters={filters}");
            let found = rows(api, &query).await;
            assert_eq!(figure(api, "pageviews", &format!("&filters={filters}")).await, found.len(), "{filters}");
            assert!(found.iter().all(|row| row["bot"].is_null()), "{filters}");
        }
        let day = rows(api, &format!("bots=include&from={0}&to={0}", date(2))).await;
        assert_eq!(numbers(&day), (10..20).collect::<Vec<_>>());
        cluster.restart_coordinator().await;
    }
}

#[tokio::test]
async fn every_format_holds_every_visit_and_the_command_line_writes_them() {
    let cluster = tracker(&[]).await;
    let api = &cluster.api;
    visits(api).await;
    let path = |format: &str| format!("/api/visits/export?period=all&bots=include&format={format}");
    let csv = api.get(&path("csv")).await;
    assert_eq!((csv.text.lines().count(), csv.header("content-type")), (41, "text/csv; charset=utf-8"));
    let response = api.client.get(format!("{}{}", api.base, path("parquet"))).send().await.unwrap();
    let file = SerializedFileReader::new(response.bytes().await.unwrap()).unwrap();
    assert_eq!(file.metadata().file_metadata().num_rows(), 40);

    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("visits.csv");
    let target = target.display().to_string();
    let (done, told) =
        run(api, &["export", "--site", SITE, "--period", "all", "--bots", "include", "-o", &target]).await;
    assert!(done, "{told}");
    assert_eq!(std::fs::read_to_string(Path::new(&target)).unwrap().lines().count(), 41);
    let (done, told) = run(api, &["export", "--site", "none.example"]).await;
    assert!(!done && told.contains("404"), "{told}");
}

/// Runs `visits` of the command line against the server.
async fn run(api: &Api, args: &[&str]) -> (bool, String) {
    let (command, rest) = args.split_first().unwrap();
    let mut program = Command::new(coordinator());
    let done =
        program.args(["visits", command, "--url", &api.base]).args(rest).kill_on_drop(true).output().await.unwrap();
    let told = [done.stdout, done.stderr].concat();
    (done.status.success(), String::from_utf8_lossy(&told).into_owned())
}

#[tokio::test]
async fn questions_that_cannot_be_asked_are_refused() {
    let cluster = tracker(&[]).await;
    let api = &cluster.api;
    assert_eq!(api.get("/api/visits/export").await.status, 404);
    visits(api).await;
    for (query, field) in [
        ("period=eternity", "period"),
        ("filters=visit:shoe==x", "filters"),
        ("from=2026-01-01", "to"),
        ("to=2026-01-01", "from"),
        ("period=7d&from=2026-01-01&to=2026-01-02", "from"),
        ("bots=maybe", "bots"),
    ] {
        let refused = api.get(&format!("/api/visits/export?site_id={SITE}&{query}")).await.expect(422);
        assert_eq!(refused["details"][0]["field"], field, "{query}");
    }
    assert_eq!(api.get(&format!("/api/visits/export?site_id={SITE}&format=xml")).await.status, 422);
    assert_eq!(api.get("/api/visits/export?site_id=other.example").await.status, 404);
}
