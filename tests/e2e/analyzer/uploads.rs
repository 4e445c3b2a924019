//! Files sent by callers: as a form, as bytes, broken off, too large, and no captures.

use reqwest::header;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::{Lab, sample};
use crate::harness::{Api, soon};

const CAPTURES: &str = "/api/captures/";

/// Sends bytes as `content_type`; comes back with status and body.
async fn send(api: &Api, query: &str, content_type: &str, bytes: Vec<u8>) -> (u16, Value) {
    let request = api.client.post(format!("{}{CAPTURES}{query}", api.base)).header(header::CONTENT_TYPE, content_type);
    let response = request.body(bytes).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap_or_default())
}

/// A form with another field before the file.
fn form(name: &str, bytes: &[u8]) -> (String, Vec<u8>) {
    let mut body = Vec::new();
    body.extend(b"--X\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhello\r\n");
    body.extend(format!("--X\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n").bytes());
    body.extend(b"Content-Type: application/octet-stream\r\n\r\n");
    body.extend(bytes);
    body.extend(b"\r\n--X--\r\n");
    ("multipart/form-data; boundary=X".to_owned(), body)
}

async fn done(api: &Api, id: &str) -> Value {
    soon("the upload is analysed", async || {
        let capture = api.get(&format!("{CAPTURES}{id}")).await.expect(200);
        assert_ne!(capture["status"], "failed", "{capture}");
        (capture["status"] == "done").then_some(capture)
    })
    .await
}

#[tokio::test]
async fn forms_and_bytes_are_analysed_at_once() {
    let lab = Lab::start(1).await;
    let api = &lab.cluster.api;
    let bytes = sample::office().pcap();
    let (content_type, body) = form("../../evil.pcap", &bytes);
    let (status, sent) = send(api, "", &content_type, body).await;
    assert_eq!((status, &sent["name"], &sent["source"]), (202, &json!("evil.pcap"), &json!("upload")), "{sent}");
    let id = sent["id"].as_str().unwrap();
    let whole = done(api, id).await;
    assert_eq!(whole["window_count"], sample::WINDOWS);
    assert!(whole["anomaly_count"].as_u64().unwrap() > 0, "{whole}");
    assert!(whole["bytes_on_disk"].as_u64().unwrap() > bytes.len() as u64, "the file counts to the quota: {whole}");
    assert_eq!(api.get("/api/baselines/").await.expect(200)["available"], 0, "an upload makes no baselines");
    assert_eq!(api.get("/api/metrics/").await.expect(200)["capture"], id);

    let pcapng = sample::office().pcapng();
    let (status, sent) = send(api, "?name=second.pcapng&window_size=20", "application/octet-stream", pcapng).await;
    assert_eq!((status, &sent["window_size"]), (202, &json!(20)), "{sent}");
    let second = done(api, sent["id"].as_str().unwrap()).await;
    assert_eq!((&second["name"], &second["window_count"]), (&json!("second.pcapng"), &json!(3)));
    // The same file with windows of another length.
    let path = format!("/api/metrics/compute?capture={id}");
    let again = api.post(&path, &json!({"window_size": 30})).await.expect(200);
    assert_eq!(again["window_count"], 2);
    let listed = api.get("/api/captures/?source=upload&state=done").await.expect(200);
    assert_eq!((&listed["total"], &listed["captures"][1]["id"]), (&json!(2), &json!(id)));
    api.delete(&format!("{CAPTURES}{id}")).await.expect(200);
    let folder = lab.cluster.data_dir().join("captures").join(id);
    soon("the upload's folder is removed", async || (!folder.exists()).then_some(())).await;
}

/// Folders of captures in the data folder.
fn folders(lab: &Lab) -> usize {
    std::fs::read_dir(lab.cluster.data_dir().join("captures")).map_or(0, Iterator::count)
}

#[tokio::test]
async fn what_is_refused_or_broken_off_leaves_nothing() {
    let lab = Lab::with(0, &[("CAPTURES__MAX_UPLOAD_BYTES", "100000")]).await;
    let api = &lab.cluster.api;
    let raw = "application/octet-stream";
    let (status, body) = send(api, "?name=a.pcap", raw, b"no capture".to_vec()).await;
    assert_eq!((status, &body["error"]), (400, &json!("PCAP file is not a pcap or pcapng capture: a.pcap")));
    let (status, body) = send(api, "?name=a.pcap", raw, Vec::new()).await;
    assert_eq!((status, &body["error"]), (400, &json!("PCAP file is empty: a.pcap")));
    for (content_type, bytes, expected) in [
        ("application/json", b"{}".to_vec(), 415),
        ("text/plain", b"x".to_vec(), 415),
        ("application/x-www-form-urlencoded", b"x".to_vec(), 415),
        (
            "multipart/form-data; boundary=X",
            b"--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--X--\r\n".to_vec(),
            400,
        ),
        ("multipart/form-data; boundary=X", b"--X\r\nnonsense".to_vec(), 400),
        ("multipart/form-data", b"x".to_vec(), 400),
        (raw, vec![0; 100_001], 413),
    ] {
        let (status, body) = send(api, "", content_type, bytes).await;
        assert_eq!((status, &body["success"]), (expected, &json!(false)), "{content_type}: {body}");
    }
    // Chunks, so that the length is not announced.
    let head = "POST /api/captures/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\n\
         Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
    let mut request = head.as_bytes().to_vec();
    for _ in 0..3 {
        request.extend(b"c350\r\n");
        request.extend([0; 50_000]);
        request.extend(b"\r\n");
    }
    request.extend(b"0\r\n\r\n");
    let (status, body) = crate::harness::raw(&api.base, &request).await;
    assert_eq!((status, &body["code"]), (413, &json!("payload_too_large")));

    // A sender that goes away in the middle.
    let mut stream = TcpStream::connect(api.base.strip_prefix("http://").unwrap()).await.unwrap();
    let head = "POST /api/captures/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\n\
         Content-Length: 90000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&sample::office().pcap()[..1000]).await.unwrap();
    soon("the upload has begun", async || (folders(&lab) == 1).then_some(())).await;
    drop(stream);
    soon("the upload left nothing", async || (folders(&lab) == 0).then_some(())).await;
    assert_eq!(api.get(CAPTURES).await.expect(200)["total"], 0);
}

#[tokio::test]
async fn an_upload_beyond_the_quota_is_507() {
    let lab = Lab::with(0, &[("CAPTURES__QUOTA_BYTES", "10000")]).await;
    let (status, body) = send(&lab.cluster.api, "", "application/octet-stream", sample::office().pcap()).await;
    assert_eq!((status, &body["code"]), (507, &json!("insufficient_storage")), "{body}");
    assert_eq!(folders(&lab), 0);
}
