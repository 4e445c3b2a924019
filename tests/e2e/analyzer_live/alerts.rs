//! Anomalies reach their receivers, also when those are away and the coordinator is killed meanwhile.

use serde_json::json;

use super::receiver::Receiver;
use super::{done, scanned, upload};
use crate::harness::{Cluster, soon};

/// A cluster whose hooks all lead to `receiver`.
async fn cluster(receiver: &Receiver) -> Cluster {
    let address = &receiver.address;
    let hooks = format!(
        "[{{ name = \"own\", kind = \"webhook\", url = \"http://{address}/own\", secret = \"s3cret\", files = true }}, \
          {{ name = \"ops\", kind = \"slack\", url = \"http://{address}/services/T0/B0/hidden\", files = true, \
             types = [\"port_scan\"] }}, \
          {{ name = \"duty\", kind = \"pagerduty\", routing_key = \"rk-hidden\", files = true, \
             types = [\"port_scan\"] }}]"
    );
    Cluster::builder()
        .workers(1)
        .set("ALERTS__HOOKS", &hooks)
        .set("ALERTS__FIRST_RETRY", "100ms")
        .set("ALERTS__LONGEST_RETRY", "300ms")
        .set("OUTBOUND__ALLOW_PRIVATE", "true")
        .set("SLACK__ALLOW_HOSTS", "[\"127.0.0.1\"]")
        .set("PAGERDUTY__BASE_URL", &format!("http://{address}"))
        .start()
        .await
}

#[tokio::test]
async fn alerts_outlive_an_outage_and_a_crash() {
    let receiver = Receiver::start(true).await;
    let mut cluster = cluster(&receiver).await;
    let id = upload(&cluster, "scan.pcap", scanned()).await;
    done(&cluster, &id).await;
    soon("some refused attempts", async || (receiver.refused() >= 3).then_some(())).await;
    let waiting = cluster.api.get("/api/alerts/").await.expect(200);
    assert!(
        waiting["hooks"].as_array().unwrap().iter().all(|hook| hook["waiting"].as_u64().unwrap() >= 1),
        "{waiting}"
    );
    let first = &waiting["deliveries"][0];
    assert_eq!(first["status"], "waiting", "{waiting}");
    assert!(!waiting.to_string().contains("hidden") && !waiting.to_string().contains("s3cret"), "{waiting}");
    cluster.restart_coordinator().await;
    receiver.accept();
    let view = soon("all alerts delivered", async || {
        let view = cluster.api.get("/api/alerts/").await.expect(200);
        view["deliveries"].as_array()?.iter().all(|delivery| delivery["status"] == "delivered").then_some(view)
    })
    .await;
    let hooks: Vec<&str> =
        view["deliveries"].as_array().unwrap().iter().map(|it| it["hook"].as_str().unwrap()).collect();
    assert!(["own", "ops", "duty"].iter().all(|hook| hooks.contains(hook)), "{view}");
    let taken = receiver.taken();
    let scan = |path: &str| {
        let calls: Vec<_> = taken.iter().filter(|call| call.path == path && call.body.contains("port_scan")).collect();
        assert!(!calls.is_empty(), "nothing at {path}: {taken:?}");
        calls[0].clone()
    };
    let own = scan("/own");
    assert!(own.head.contains("x-trafficlab-signature: t="), "{}", own.head);
    assert_eq!(own.json()["capture"]["id"], id);
    assert_eq!(scan("/services/t0/b0/hidden").json()["blocks"][0]["type"], "header");
    let event = scan("/v2/enqueue").json();
    assert_eq!((event["routing_key"].as_str(), event["event_action"].as_str()), (Some("rk-hidden"), Some("trigger")));
    let text = cluster.api.client.get(format!("{}/metrics", cluster.api.base)).header("accept", "text/plain");
    let text = text.send().await.unwrap().text().await.unwrap();
    assert!(text.contains("trafficlab_alerts_total{hook=\"ops\",status=\"delivered\"} 1"), "{text}");
    assert!(text.contains("trafficlab_capture_anomalies{type=\"port_scan\","), "{text}");
    assert!(text.contains("\ntrafficlab_capture_bits_per_second "), "{text}");
}

#[tokio::test]
async fn hooks_can_be_tried() {
    let receiver = Receiver::start(false).await;
    let cluster = cluster(&receiver).await;
    let tried = cluster.api.post("/api/alerts/test", &json!({})).await.expect(200);
    assert_eq!(tried["success"], true, "{tried}");
    assert_eq!(receiver.taken().len(), 3);
    let one = cluster.api.post("/api/alerts/test", &json!({"hook": "own"})).await.expect(200);
    assert_eq!(one["results"].as_array().unwrap().len(), 1);
    cluster.api.post("/api/alerts/test", &json!({"hook": "nobody"})).await.expect(404);
    // Nothing of this is an alert.
    assert_eq!(cluster.api.get("/api/alerts/").await.expect(200)["deliveries"], json!([]));
    assert_eq!(cluster.api.get("/api/alerts").await.status, 308);
}
