//! The visit tracker over HTTP: what pages and servers send, and what people ask of it.

mod browser;
mod campaigns;
mod document;
mod ingest_drops;
mod ingest_forms;
mod ingest_input;
mod stats_figures;
mod stats_sample;
mod stats_settled;
mod stats_shares;
mod transfer;

use serde_json::Value;

use crate::harness::{Api, Cluster};

/// A key of a server that may say when a visit was and for whom.
pub(crate) const KEY: &str = "an-ingest-key-of-the-tests";

/// A server without workers whose operator gave out `KEY`, with further settings such as `TRACKER__SITES`.
pub(crate) async fn tracker(settings: &[(&str, &str)]) -> Cluster {
    let keys = format!("[{KEY:?}]");
    let mut builder = Cluster::builder().set("TRACKER__INGEST_KEYS", &keys);
    for (key, value) in settings {
        builder = builder.set(key, value);
    }
    builder.start().await
}

/// Sends visits as one batch with `KEY`; every one must be accepted.
pub(crate) async fn batch(api: &Api, visits: &[Value]) -> Value {
    let lines: Vec<String> = visits.iter().map(Value::to_string).collect();
    let request = api.client.post(format!("{}/visit/batch", api.base)).bearer_auth(KEY);
    let request = request.header("content-type", "application/x-ndjson").body(lines.join("\n"));
    let response = request.send().await.unwrap();
    let (status, text) = (response.status().as_u16(), response.text().await.unwrap());
    assert_eq!(status, 200, "{text}");
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(answer["accepted"], visits.len(), "{text}");
    answer
}
