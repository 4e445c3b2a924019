//! A campaign of ours that is aimed at the tracker: recognised by its mark, and shown apart.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Api, Cluster, soon};

const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

async fn pageviews(api: &Api, more: &str) -> Value {
    let path = format!("/api/visits/aggregate?site_id=shop.example&period=all&metrics=pageviews&bots=include{more}");
    api.get(&path).await.expect(200)["results"]["pageviews"]["value"].take()
}

async fn of_a_person(api: &Api, mark: Option<&str>) -> u16 {
    let body = json!({"user_id": "anna", "page_url": "https://shop.example/", "user_agent": AGENT});
    let mut request = api.client.post(format!("{}/visit", api.base)).json(&body);
    if let Some(mark) = mark {
        request = request.header("x-synthetic-traffic", mark);
    }
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn visits_of_a_campaign_are_counted_apart_also_after_a_kill() {
    let mut cluster = Cluster::with_workers(1).await;
    assert_eq!(of_a_person(&cluster.api, None).await, 200);
    let pixel = "visit.gif?url=https%3A%2F%2Fshop.example%2Fsale&user_id=visitor";
    let session = json!({
        "target_url": format!("{}/{pixel}", cluster.api.base),
        "requests_per_minute": 1200,
        "duration_minutes": 0.05,
        "config": {"mode": "http"},
    });
    let (id, _) = cluster.api.start(&session).await;
    cluster.api.wait_for(&id, "completed", Duration::from_secs(40)).await;
    let settled = async || {
        let sent = cluster.api.stats(&id).await["arrivals"]["sent"].as_u64()?;
        (cluster.api.get("/stats").await.body["synthetic_visits"] == sent && sent > 0).then_some(sent)
    };
    let sent = soon("every request of the campaign being a synthetic visit", settled).await;

    // Whoever borrows a mark that nobody generates under spoils neither figure.
    assert!(matches!(of_a_person(&cluster.api, Some("no-campaign-of-ours")).await, 200 | 202));
    for after in ["before a kill", "after a kill"] {
        let api = &cluster.api;
        let stats = api.get("/stats").await.expect(200);
        let counts = (&stats["total_visits"], &stats["recent_visits"], &stats["synthetic_visits"]);
        assert_eq!(counts, (&json!(1), &json!(1), &json!(sent)), "{after}");
        assert_eq!(pageviews(api, "").await, 1, "{after}");
        assert_eq!(pageviews(api, "&traffic=synthetic").await, sent, "{after}");
        assert_eq!(pageviews(api, "&traffic=unverified").await, 1, "{after}");
        assert_eq!(pageviews(api, "&traffic=all").await, sent + 2, "{after}");
        let query = "site_id=shop.example&period=all&property=visit:campaign&metrics=pageviews&bots=include";
        let rows = api.get(&format!("/api/visits/breakdown?{query}&traffic=synthetic")).await.expect(200);
        assert_eq!(rows["results"], json!([{"campaign": id, "pageviews": sent}]), "{after}");
        cluster.restart_coordinator().await;
    }
    assert_eq!(of_a_person(&cluster.api, None).await, 200);
    assert_eq!(cluster.api.get("/stats").await.expect(200)["total_visits"], 2);
}
