//! Visits on a disk that fills up: refused whole, counted never, and taken again when there is room.

use serde_json::{Value, json};

use crate::harness::{Answer, Cluster, SmallDisk, skipped, soon};

/// Visits of one batch; with their long addresses they take most of a megabyte.
const BATCH: u64 = 400;

/// Sends a batch of visits with addresses that no other visit has.
async fn send(cluster: &Cluster, number: u64) -> Answer {
    let line = |nth: u64| {
        // The numbers of a simple congruential generator: nothing that would be stored smaller than it is sent.
        let mut state = number * BATCH + nth + 1;
        let mut page = String::new();
        while page.len() < 1800 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            page.push_str(&format!("{:016x}", state ^ (state >> 33)));
        }
        json!({"user_id": format!("user-{nth}"), "page_url": format!("https://shop.example/{page}")}).to_string()
    };
    let body: Vec<String> = (0..BATCH).map(line).collect();
    let request = cluster.api.client.post(format!("{}/visit/batch", cluster.api.base)).body(body.join("\n"));
    Answer::of(request.header("content-type", "application/x-ndjson")).await.unwrap()
}

async fn total(cluster: &Cluster) -> u64 {
    cluster.api.get("/stats").await.expect(200)["total_visits"].as_u64().unwrap()
}

fn accepted(body: &Value) -> u64 {
    body["accepted"].as_u64().unwrap()
}

#[tokio::test]
async fn a_full_disk_refuses_visits_and_loses_none() {
    if !SmallDisk::possible() {
        skipped("mount namespaces cannot be made here");
        return;
    }
    let mut cluster = Cluster::builder().data_mebibytes(96).start().await;
    assert_eq!(accepted(&send(&cluster, 0).await.expect(200)), BATCH);
    cluster.disk().fill();
    // What is reserved ahead of writing is still there to be used, and a batch may be taken in part.
    let (mut taken, mut sent) = (BATCH, 1);
    let refused = loop {
        let answer = send(&cluster, sent).await;
        if answer.status != 200 {
            break answer;
        }
        let body = answer.expect(200);
        assert_eq!(accepted(&body) + body["rejected"].as_u64().unwrap(), BATCH, "{body}");
        assert_eq!(body["results"].as_array().unwrap().len() as u64, BATCH - accepted(&body), "each is told: {body}");
        taken += accepted(&body);
        sent += 1;
        assert!(sent < 200, "the disk never was full");
    };
    assert!(matches!(refused.status, 503 | 507), "{} {}", refused.status, refused.text);
    assert!(refused.body["error"].is_string() && refused.body["code"].is_string(), "{}", refused.text);
    assert_eq!(total(&cluster).await, taken, "a refused visit counts for nothing");

    cluster.disk().free();
    let again = async || {
        let answer = send(&cluster, sent).await;
        let whole = answer.status == 200 && answer.body["rejected"] == 0;
        taken += if answer.status == 200 && !whole { accepted(&answer.body) } else { 0 };
        whole.then(|| accepted(&answer.expect(200)))
    };
    assert_eq!(soon("visits being taken again", again).await, BATCH);
    taken += BATCH;
    assert_eq!(total(&cluster).await, taken);
    cluster.restart_coordinator().await;
    assert_eq!(total(&cluster).await, taken, "after a kill");
    let query = "site_id=shop.example&period=all&metrics=events&bots=include";
    let figures = cluster.api.get(&format!("/api/visits/aggregate?{query}")).await.expect(200);
    assert_eq!(figures["results"]["events"]["value"], taken);
}
