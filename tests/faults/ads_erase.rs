//! A coordinator that is killed while it erases people and compacts its store loses nothing and finishes what it began.

use std::time::Duration;

use serde_json::json;

use crate::harness::{Tenant, ads, eventually};

#[tokio::test]
async fn a_killed_erasure_is_finished_after_the_restart() {
    let mut cluster = ads().set("GDPR__ERASE_WITHIN", "1s").start().await;
    let admin = Tenant::register(&cluster.api, "Acme").await;
    let mut people = Vec::new();
    for _ in 0..4 {
        people.push(admin.user("viewer").await);
    }
    let kept = admin.user("viewer").await;
    // Each is killed a little later than the one before: within the change, after it, within the compaction.
    for (person, ms) in people.iter().zip([0, 30, 300, 700]) {
        let body = json!({"user_id": person.user});
        let asking = admin.request(reqwest::Method::POST, "/api/v1/gdpr/anonymise").json(&body).send();
        drop(tokio::time::timeout(Duration::from_millis(ms), asking).await);
        cluster.coordinator.kill();
        cluster.coordinator.up();
        cluster.ready().await;
        let (status, done) = admin.post("/api/v1/gdpr/anonymise", &body).await;
        assert_eq!(status, 200, "{done}");
        let (_, shown) = admin.get(&format!("/api/v1/users/{}", kept.user)).await;
        assert_eq!(shown["data"]["email"], kept.email, "{shown}");
    }
    let finished = async || {
        let (_, all) = admin.get("/api/v1/gdpr/erasures").await;
        let all = all["data"].as_array()?.clone();
        (all.len() == people.len() && all.iter().all(|one| one["compacted_at"].is_string())).then_some(())
    };
    eventually(Duration::from_secs(30), "all erasures to be complete", finished).await;
    let list = std::fs::read_to_string(cluster.data_dir().join("erased.jsonl")).unwrap();
    assert_eq!(list.lines().count(), people.len(), "{list}");
}
