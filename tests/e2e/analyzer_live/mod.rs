//! Captures beyond the document: streams, exports, figures for Prometheus, and alerts.

mod alerts;
mod exports;
mod receiver;
mod streams;

use std::net::SocketAddr;

use reqwest::Method;
use serde_json::Value;
use trafficlab_engine::packet::craft::{Capture, Conversation, Side};

use crate::harness::{Cluster, soon};

const SECOND: i64 = 1_000_000_000;
/// First packet of the captures here.
const ORIGIN: i64 = 1_700_000_000 * SECOND;

/// A minute of quiet conversations, and in its fourth window a scan of 40 ports that nobody answers.
fn scanned() -> Vec<u8> {
    let mut capture = Capture::new();
    let socket = |text: &str| text.parse::<SocketAddr>().unwrap();
    for second in 0..60 {
        let client = socket(&format!("192.0.2.{}:{}", 10 + second % 5, 20_000 + second));
        let mut talk = Conversation::new(client, socket("198.51.100.1:443"), ORIGIN + second * SECOND);
        talk.handshake().exchange(Side::Client, 300).exchange(Side::Server, 1200).close();
        capture.conversation(&talk);
    }
    for port in 0..40 {
        let start = ORIGIN + 35 * SECOND + port * 50_000_000;
        let target = socket(&format!("198.51.100.9:{}", 1000 + port));
        let mut attempt = Conversation::new(socket("203.0.113.66:55555"), target, start);
        attempt.syn();
        capture.conversation(&attempt);
    }
    capture.sort();
    capture.pcap()
}

/// Sends a capture; comes back with its id.
async fn upload(cluster: &Cluster, name: &str, bytes: Vec<u8>) -> String {
    let url = format!("{}/api/captures/?name={name}", cluster.api.base);
    let request = cluster.api.client.request(Method::POST, url).header("content-type", "application/octet-stream");
    let answer = request.body(bytes).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    body["id"].as_str().unwrap().to_owned()
}

/// Waits until a capture is analysed.
async fn done(cluster: &Cluster, id: &str) -> Value {
    soon("the capture being analysed", async || {
        let capture = cluster.api.get(&format!("/api/captures/{id}")).await.expect(200);
        assert_ne!(capture["status"], "failed", "{capture}");
        (capture["status"] == "done").then_some(capture)
    })
    .await
}
