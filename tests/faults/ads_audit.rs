//! The coordinator dies between a change and its audit entry: there is never one without the other.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::harness::{Tenant, ads};

/// Makes campaigns one after the other until the server is gone; comes back with how many were answered.
async fn make_until_killed(person: &Tenant, client: usize) -> usize {
    for number in 0.. {
        let body = json!({"name": format!("c{client}-{number}"), "platform": "meta"});
        let request = person.request(reqwest::Method::POST, "/api/v1/campaigns").json(&body);
        match request.send().await {
            Ok(answer) => assert_eq!(answer.status().as_u16(), 201),
            Err(_) => return number,
        }
    }
    unreachable!("numbers do not end")
}

/// All rows of a list.
async fn all(person: &Tenant, path: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    for page in 1.. {
        let (status, list) = person.get(&format!("{path}page_size=100&page={page}")).await;
        assert_eq!(status, 200, "{list}");
        rows.extend(list["data"].as_array().unwrap().iter().cloned());
        if page >= list["pagination"]["total_pages"].as_u64().unwrap() {
            return rows;
        }
    }
    unreachable!("numbers do not end")
}

// checklist 87
#[tokio::test]
async fn a_change_and_its_audit_entry_live_and_die_together() {
    let mut cluster = ads().start().await;
    let ada = Tenant::register(&cluster.api, "Acme").await;
    let mut people = Vec::new();
    for _ in 0..4 {
        people.push(ada.user("manager").await);
    }
    let mut answered = 0;
    for round in 0..4 {
        let clients = people.iter().enumerate().map(|(client, person)| make_until_killed(person, round * 10 + client));
        let coordinator = &mut cluster.coordinator;
        let killing = async {
            sleep(Duration::from_millis(60 + 45 * round as u64)).await;
            coordinator.kill();
        };
        let both = async { tokio::join!(join_all(clients), killing) };
        let (counts, ()) = timeout(Duration::from_secs(60), both).await.expect("clients notice the end");
        answered += counts.iter().sum::<usize>();
        cluster.coordinator.up();
        cluster.ready().await;
        let mut told: BTreeMap<String, usize> = BTreeMap::new();
        for entry in all(&ada, "/api/v1/audit?action=campaign.created&").await {
            *told.entry(entry["id"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        let campaigns = all(&ada, "/api/v1/campaigns?").await;
        let stored: BTreeMap<String, usize> = campaigns.iter().map(|one| (one["id"].to_string(), 1)).collect();
        assert_eq!(told, stored, "each campaign has exactly its entry");
        assert!(stored.len() >= answered, "what was answered is there: {} of {answered}", stored.len());
    }
    assert!(answered > 0, "the clients were too late to show anything");
}
