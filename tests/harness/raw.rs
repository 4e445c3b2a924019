//! Requests that no well-behaved client sends: bytes straight onto a connection.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Sends `request` as it is and reads until the server closes: status and JSON body.
pub(crate) async fn raw(base: &str, request: &[u8]) -> (u16, Value) {
    let address = base.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A server that refuses early may close before it has read everything.
    drop(stream.write_all(request).await);
    let mut answer = Vec::new();
    let reading = stream.read_to_end(&mut answer);
    drop(timeout(Duration::from_secs(20), reading).await.expect("the server answers and closes"));
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text.get(9..12).and_then(|digits| digits.parse().ok()).unwrap_or(0);
    let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status, serde_json::from_str(body).unwrap_or_default())
}
