//! Sessions: create, read, change, list in pages, remove; and all of it over a restart.

use serde_json::{Value, json};

use crate::harness::Cluster;

#[tokio::test]
async fn lists_come_in_pages_without_breaking_their_shape() {
    let cluster = Cluster::with_workers(0).await;
    let api = &cluster.api;
    assert_eq!(api.get("/api/sessions/").await.expect(200), json!([]));
    let mut ids = Vec::new();
    for number in 0..7 {
        ids.push(api.create(&json!({"name": format!("s{number}"), "config": {"note": number}})).await);
    }
    let page = api.get("/api/sessions/?limit=3&offset=2").await;
    assert_eq!(page.header("x-total-count"), "7");
    let names = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    let all = names(&api.get("/api/sessions/").await.expect(200));
    assert_eq!(all.len(), 7);
    assert_eq!(names(&page.expect(200)), all[2..5]);
    assert_eq!(names(&api.get("/api/sessions/?offset=6").await.expect(200)), all[6..]);
    assert_eq!(api.get("/api/sessions/?offset=70").await.expect(200), json!([]));
    for bad in ["limit=-1", "limit=x", "offset=1.5"] {
        let refused = api.get(&format!("/api/sessions/?{bad}")).await;
        assert_eq!(refused.status, 400, "{bad}: {}", refused.text);
    }
    let moved = api.get("/api/sessions?limit=3").await;
    assert_eq!((moved.status, moved.header("location")), (308, "/api/sessions/?limit=3"));
    let deleted = api.delete(&format!("/api/sessions/{}", ids[0])).await.expect(200);
    assert_eq!(deleted["message"], "Session deleted successfully");
    assert_eq!(api.get("/api/sessions/").await.header("x-total-count"), "6");
}

#[tokio::test]
async fn sessions_survive_a_restart() {
    let mut cluster = Cluster::with_workers(0).await;
    let body = json!({
        "campaign_id": "kept_1",
        "name": "kept",
        "target_url": "http://127.0.0.1:9/x",
        "requests_per_minute": 12.5,
        "duration_minutes": 1.5,
        "geo_locations": ["Germany"],
        "rtb_config": {"floor_price": 0.5, "note": "kept"},
        "config": {"seed": 9, "note": {"kept": [1, 2]}, "headers": {"A": {"value": "hush", "secret": true}}},
        "user_profiles": [{"name": "p", "device_types": ["tablet"]}],
    });
    let created = cluster.api.post("/api/sessions/", &body).await;
    assert!(!created.text.contains("hush"), "{}", created.text);
    let created = created.expect(201);
    assert_eq!(created["id"], "kept_1");
    assert_eq!(created["config"]["note"], json!({"kept": [1, 2]}), "{created}");
    let before = cluster.api.get("/api/sessions/kept_1").await.expect(200);
    cluster.restart_coordinator().await;
    assert_eq!(cluster.api.get("/api/sessions/kept_1").await.expect(200), before);

    let changed = cluster.api.put("/api/sessions/kept_1", &json!({"duration_minutes": 3})).await.expect(200);
    assert_eq!(changed["duration_minutes"], 3.0);
    assert_eq!(changed["geo_locations"], before["geo_locations"], "a field that was not given stays");
    assert_eq!(changed["created_at"], before["created_at"]);
    let again = cluster.api.post("/api/sessions/", &json!({"campaign_id": "kept_1"})).await;
    assert_eq!(again.status, 409, "{}", again.text);
}

#[tokio::test]
async fn defaults_are_those_of_the_document() {
    let cluster = Cluster::with_workers(0).await;
    let session = cluster.api.post("/api/sessions/", &json!({})).await.expect(201);
    assert_eq!(session["requests_per_minute"], 10.0);
    assert_eq!(session["duration_minutes"], 60.0);
    assert_eq!(session["geo_locations"], json!(["United States"]));
    assert_eq!((&session["target_url"], &session["status"]), (&Value::Null, &json!("draft")));
}

/// The same `Idempotency-Key` gives the same answer once; another body under it is refused.
#[tokio::test]
async fn a_repeated_request_is_carried_out_once() {
    let cluster = Cluster::with_workers(0).await;
    let send = async |body: &Value| {
        let request = cluster.api.client.post(format!("{}/api/sessions/", cluster.api.base)).json(body);
        let response = request.header("Idempotency-Key", "k-1").send().await.unwrap();
        (response.status().as_u16(), response.json::<Value>().await.unwrap())
    };
    let (first, second) = (send(&json!({"name": "a"})).await, send(&json!({"name": "a"})).await);
    assert_eq!((first.0, &first.1["id"]), (201, &second.1["id"]), "{second:?}");
    assert_eq!(send(&json!({"name": "b"})).await.0, 409);
    assert_eq!(cluster.api.get("/api/sessions/").await.header("x-total-count"), "1");
}
