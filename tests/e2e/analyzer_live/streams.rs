//! Captures followed by server-sent events and by WebSocket.

use futures_util::StreamExt;
use serde_json::Value;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::{done, scanned, upload};
use crate::harness::Cluster;

/// Events of a text: name, id, data.
fn events(text: &str) -> Vec<(String, String, Value)> {
    let field = |block: &str, name: &str| {
        let line = block.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")).map(str::to_owned));
        line.unwrap_or_default()
    };
    let blocks = text.split("\n\n").filter(|block| block.contains("event: "));
    blocks
        .map(|block| (field(block, "event"), field(block, "id"), serde_json::from_str(&field(block, "data")).unwrap()))
        .collect()
}

async fn stream(cluster: &Cluster, path: &str, last: Option<&str>) -> reqwest::Response {
    let mut request = cluster.api.client.get(format!("{}{path}", cluster.api.base));
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    request.send().await.unwrap()
}

#[tokio::test]
async fn a_capture_is_followed_to_its_end_and_resumed() {
    let cluster = Cluster::with_workers(1).await;
    let id = upload(&cluster, "scan.pcap", scanned()).await;
    // Joined while it is analysed, or after: everything is told either way.
    let path = format!("/api/captures/{id}/stream");
    let answer = stream(&cluster, &path, Some("0-0")).await;
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let all = events(&answer.text().await.unwrap());
    let capture = done(&cluster, &id).await;
    let count = |name: &str| all.iter().filter(|(found, ..)| found == name).count();
    assert_eq!(count("window"), 6, "{all:?}");
    assert_eq!(count("anomaly") as u64, capture["anomaly_count"].as_u64().unwrap());
    assert!(count("anomaly") >= 1);
    let ids: Vec<u64> = all.iter().filter_map(|(_, _, data)| data["window"]["window_id"].as_u64()).collect();
    assert_eq!(ids, [0, 1, 2, 3, 4, 5]);
    let (last_name, last_id, _) = all.last().unwrap();
    assert_eq!(last_name, "end");
    // Behind the third window.
    let third = all.iter().find(|(_, _, data)| data["window"]["window_id"] == 2).unwrap();
    let rest = events(&stream(&cluster, &path, Some(&third.1)).await.text().await.unwrap());
    let windows: Vec<u64> = rest.iter().filter_map(|(_, _, data)| data["window"]["window_id"].as_u64()).collect();
    assert_eq!(windows, [3, 4, 5]);
    // Behind the end there is nothing to come for.
    assert_eq!(stream(&cluster, &path, Some(last_id)).await.status(), 204);
    let latest = events(&stream(&cluster, "/api/metrics/stream?last_event_id=4", None).await.text().await.unwrap());
    assert_eq!(latest.iter().filter(|(name, ..)| name == "window").count(), 1);
    assert_eq!(stream(&cluster, &path, Some("x")).await.status(), 400);
    assert_eq!(stream(&cluster, "/api/captures/none/stream", None).await.status(), 404);
}

#[tokio::test]
async fn a_web_socket_tells_the_same_to_our_own_pages() {
    let cluster = Cluster::builder().workers(1).set("LIMITS__STREAM_CLIENTS", "1").start().await;
    let id = upload(&cluster, "scan.pcap", scanned()).await;
    done(&cluster, &id).await;
    let url = format!("{}/api/captures/{id}/ws?last_event_id=0-0", cluster.api.base.replace("http://", "ws://"));
    let (mut socket, _) = connect_async(&url).await.unwrap();
    let mut told = Vec::new();
    while let Some(message) = socket.next().await {
        match message.unwrap() {
            Message::Text(text) => told.push(serde_json::from_str::<Value>(&text).unwrap()),
            Message::Close(_) => break,
            _ => {}
        }
    }
    drop(socket);
    let types: Vec<&str> = told.iter().map(|message| message["type"].as_str().unwrap()).collect();
    assert_eq!(types.iter().filter(|name| **name == "window").count(), 6, "{types:?}");
    assert_eq!(types.last(), Some(&"end"));
    assert!(told.iter().all(|message| message["capture"] == id.as_str()));
    // Pages of others are refused before anything else.
    let mut foreign = url.as_str().into_client_request().unwrap();
    foreign.headers_mut().insert("origin", "https://evil.example".parse().unwrap());
    match connect_async(foreign).await {
        Err(Error::Http(answer)) => assert_eq!(answer.status(), 403),
        other => panic!("{other:?}"),
    }
    // Without an upgrade it is no WebSocket.
    let plain = stream(&cluster, &format!("/api/captures/{id}/ws"), None).await;
    assert_eq!(plain.status(), 400);
}
