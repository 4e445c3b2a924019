//! The coordinator dies while a file of figures is imported: all of it is there afterwards, or nothing.

use std::fmt::Write as _;
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use tokio::time::{sleep, timeout};

use crate::harness::{Tenant, ads};

const CAMPAIGNS: u64 = 40;
const DAYS: u32 = 250;

/// A file about campaigns that are not there yet; each round has its own.
fn file(round: u64) -> String {
    let mut file = "external_id,platform,date,impressions,clicks,conversions,spend,revenue\n".to_owned();
    for campaign in 0..CAMPAIGNS {
        for day in 0..DAYS {
            let (month, of_month) = (day / 28 + 1, day % 28 + 1);
            writeln!(file, "{round}-{campaign},meta,2023-{month:02}-{of_month:02},100,10,1,1.25,2.5").unwrap();
        }
    }
    file
}

/// The campaigns of a round, with what they spent.
async fn of_round(person: &Tenant, round: u64) -> Vec<f64> {
    let (status, list) = person.get(&format!("/api/v1/campaigns?page_size=100&search=meta%20{round}-")).await;
    assert_eq!(status, 200, "{list}");
    list["data"].as_array().unwrap().iter().map(|one| one["total_spend"].as_f64().unwrap()).collect()
}

async fn imports(person: &Tenant) -> Value {
    person.get("/api/v1/metrics/imports").await.1["pagination"]["total"].take()
}

fn sent(person: &Tenant, round: u64) -> reqwest::RequestBuilder {
    let path = "/api/v1/metrics/import?mode=commit&create_missing=true";
    person.request(Method::POST, path).header("content-type", "text/csv").body(file(round))
}

#[tokio::test]
async fn an_import_is_there_wholly_or_not_at_all() {
    let mut cluster = ads().start().await;
    let person = Tenant::register(&cluster.api, "Acme").await;
    let mut whole = 0_u64;
    for round in 0..6 {
        let coordinator = &mut cluster.coordinator;
        let killing = async {
            // Not a wait for anything: the kills shall fall into different steps of the import.
            sleep(Duration::from_millis(30 * round * round)).await;
            coordinator.kill();
        };
        let both = async { tokio::join!(sent(&person, round).send(), killing) };
        let (answer, ()) = timeout(Duration::from_secs(60), both).await.expect("the sender notices the end");
        cluster.coordinator.up();
        cluster.ready().await;
        let found = of_round(&person, round).await;
        if let Ok(answer) = answer {
            assert_eq!((answer.status().as_u16(), found.len() as u64), (200, CAMPAIGNS), "what was answered is there");
        }
        if !found.is_empty() {
            let spent = f64::from(DAYS) * 1.25;
            let all = found.iter().all(|one| (one - spent).abs() < 1e-9);
            assert_eq!((found.len() as u64, all), (CAMPAIGNS, true), "round {round}");
            whole += 1;
        }
        assert_eq!(imports(&person).await, whole, "each import has its record");
    }
    let answer = sent(&person, 6).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), of_round(&person, 6).await.len() as u64), (200, CAMPAIGNS));
}
