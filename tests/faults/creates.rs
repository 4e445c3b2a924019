//! The coordinator dies between accepting a request and answering it.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::harness::{Api, Cluster};

const FIELDS: [&str; 10] = [
    "id",
    "name",
    "status",
    "created_at",
    "updated_at",
    "requests_per_minute",
    "duration_minutes",
    "geo_locations",
    "config",
    "user_profiles",
];

/// Creates sessions one after the other until the server is gone: what was answered, and what was
/// asked last without an answer.
async fn create_until_killed(api: &Api, client: usize) -> (Vec<String>, String) {
    let mut answered = Vec::new();
    for number in 0.. {
        let id = format!("c{client}-{number}");
        let body = json!({"campaign_id": id, "name": id, "config": {"mode": "simulate"}});
        match api.send(reqwest::Method::POST, "/api/sessions/", Some(&body)).await {
            Ok(answer) if answer.status == 201 => answered.push(id),
            Ok(answer) => panic!("{}: {}", answer.status, answer.text),
            Err(_) => return (answered, id),
        }
    }
    unreachable!("numbers do not end")
}

fn must_be_whole(session: &Value) {
    for field in FIELDS {
        assert!(session.get(field).is_some(), "`{field}` is missing: {session}");
    }
    assert_eq!(session["status"], "draft", "{session}");
}

#[tokio::test]
async fn a_campaign_exists_or_does_not() {
    let mut cluster = Cluster::with_workers(0).await;
    for round in 0..3 {
        let api = cluster.api.clone();
        let clients = (0..8).map(|client| create_until_killed(&api, round * 8 + client));
        let coordinator = &mut cluster.coordinator;
        let killing = async {
            sleep(Duration::from_millis(300 + 70 * round as u64)).await;
            coordinator.kill();
        };
        let both = async { tokio::join!(join_all(clients), killing) };
        let (ends, ()) = timeout(Duration::from_secs(60), both).await.expect("clients notice the end");
        cluster.coordinator.up();
        cluster.ready().await;
        let mut answered = 0;
        for (ids, unanswered) in ends {
            answered += ids.len();
            for id in ids {
                must_be_whole(&cluster.api.get(&format!("/api/sessions/{id}")).await.expect(200));
            }
            let last = cluster.api.get(&format!("/api/sessions/{unanswered}")).await;
            match last.status {
                200 => must_be_whole(&last.body),
                status => assert_eq!(status, 404, "{}", last.text),
            }
        }
        assert!(answered > 0, "the coordinator was killed before it did anything");
    }
    let list = cluster.api.get("/api/sessions/?limit=1000").await;
    let total: usize = list.header("x-total-count").parse().unwrap();
    let list = list.expect(200);
    list.as_array().unwrap().iter().for_each(must_be_whole);
    assert_eq!(list.as_array().unwrap().len(), total.min(1000));
}

/// A start that was answered is carried out; one that was not leaves a campaign that can be started.
#[tokio::test]
async fn a_start_happens_or_does_not() {
    let mut cluster = Cluster::with_workers(1).await;
    let body = json!({"requests_per_minute": 600, "duration_minutes": 0.0625, "config": {"mode": "simulate"}});
    let mut ids = Vec::new();
    for _ in 0..8 {
        let id = cluster.api.create(&body).await;
        cluster.api.set_status(&id, "running").await.expect(200);
        ids.push(id);
    }
    let api = cluster.api.clone();
    let starts = ids.iter().map(|id| {
        let (api, body) = (api.clone(), json!({"campaign_id": id}));
        async move { api.send(reqwest::Method::POST, "/api/traffic/generate", Some(&body)).await }
    });
    let coordinator = &mut cluster.coordinator;
    let killing = async {
        sleep(Duration::from_millis(4)).await;
        coordinator.kill();
    };
    let (answers, ()) = tokio::join!(join_all(starts), killing);
    cluster.coordinator.up();
    cluster.ready().await;
    for (id, answer) in ids.iter().zip(answers) {
        let known = cluster.api.get(&format!("/api/sessions/{id}")).await.expect(200);
        let begun = known["run_id"].is_string();
        let accepted = answer.is_ok_and(|answer| answer.status == 200);
        assert!(begun || !accepted, "`{id}` was accepted and does not run: {known}");
        if !begun {
            assert_eq!(known["status"], "running", "{known}");
            cluster.api.generate(id).await;
        }
    }
    for id in &ids {
        cluster.api.wait_for(id, "completed", Duration::from_secs(60)).await;
        assert_eq!(cluster.api.stats(id).await["total_requests"], 38, "10 a second for 3.75 s");
    }
}
