//! Proof that the owner of a public target agrees: a line in its `/.well-known/trafficlab.txt`.

use std::net::{IpAddr, SocketAddr};

use futures_util::StreamExt;
use trafficlab_shared::config::Secret;
use trafficlab_shared::proof::{LONGEST, TIMEOUT, holds};
pub use trafficlab_shared::proof::{PATH, line_for};
use trafficlab_shared::target::TargetUrl;

/// Why the proof failed, as a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unproven(pub String);

/// Fetches the file from `address`, the one that was judged, and looks for the line.
///
/// # Errors
/// Why there is no proof.
pub async fn prove(secret: &Secret, target: &TargetUrl, address: IpAddr) -> Result<(), Unproven> {
    let wanted = line_for(secret, target);
    let text = tokio::time::timeout(TIMEOUT, fetch(target, address)).await;
    let text =
        text.map_err(|_elapsed| Unproven(format!("`{}{PATH}` did not answer within 5 s", target.origin())))??;
    if holds(&text, &wanted) {
        Ok(())
    } else {
        Err(Unproven(format!("`{}{PATH}` does not hold the line", target.origin())))
    }
}

async fn fetch(target: &TargetUrl, address: IpAddr) -> Result<String, Unproven> {
    let url = format!("{}{PATH}", target.origin());
    let failed = |error: reqwest::Error| Unproven(format!("`{url}` cannot be fetched: {}", reason(&error)));
    // The connection goes to the judged address, whatever the name says a moment later.
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(TIMEOUT)
        .resolve(&target.host, SocketAddr::new(address, target.port))
        .user_agent(concat!("trafficlab/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(failed)?;
    let response = client.get(&url).send().await.map_err(failed)?;
    if !response.status().is_success() {
        return Err(Unproven(format!("`{url}` answered {}", response.status().as_u16())));
    }
    let mut bytes = Vec::new();
    let mut body = response.bytes_stream();
    while let Some(chunk) = body.next().await {
        bytes.extend_from_slice(&chunk.map_err(failed)?);
        if bytes.len() > LONGEST {
            return Err(Unproven(format!("`{url}` is longer than {LONGEST} bytes")));
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The innermost cause says most, and nothing of the URL.
fn reason(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    async fn served(head: &'static str, body: String) -> Result<(), Unproven> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let target = TargetUrl::parse(&format!("http://owner.test:{}/", address.port())).unwrap();
        let body = body.replace("LINE", &line_for(&Secret::new("s"), &target));
        let serve = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 2048];
            let read = stream.read(&mut request).await.unwrap();
            assert!(request[..read].starts_with(b"GET /.well-known/trafficlab.txt "));
            let text = format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
            stream.write_all(text.as_bytes()).await.unwrap();
        };
        let secret = Secret::new("s");
        tokio::join!(prove(&secret, &target, address.ip()), serve).0
    }

    #[tokio::test]
    async fn the_line_proves_and_nothing_else_does() {
        served("200 OK", "# ours\nLINE\n".to_owned()).await.unwrap();
        served("200 OK", "trafficlab-verification=guess".to_owned()).await.unwrap_err();
        served("302 Found\r\nLocation: http://127.0.0.1:1/", "LINE".to_owned()).await.unwrap_err();
        let long = served("200 OK", format!("{}\nLINE", "x".repeat(5000))).await.unwrap_err();
        assert!(long.0.contains("longer"), "{long}");
    }
}
