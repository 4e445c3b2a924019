//! The target over HTTP/2 by prior knowledge: the same answers, as messages on streams.

use std::io;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::header::{CONNECTION, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Request as Message, Response};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::connection::MAX_KEPT_BODY;
use super::request::{BodyLength, Request};
use super::route::Service;
use crate::io::http::ChunkedDecoder;

/// What a client that knows beforehand sends first.
pub(super) const PREFACE: &[u8] = b"PRI ";
/// The most requests at once on a connection.
const MAX_STREAMS: u32 = 1024;

/// Answers the requests of `stream` until it ends.
pub(super) async fn serve(service: Arc<Service>, stream: TcpStream, seed: u64) -> io::Result<()> {
    service.stats().http2_connections += 1;
    stream.set_nodelay(true)?;
    let mut connection = h2::server::Builder::new()
        .max_concurrent_streams(MAX_STREAMS)
        .handshake::<_, Bytes>(stream)
        .await
        .map_err(io::Error::other)?;
    let (mut streams, mut number) = (JoinSet::new(), seed);
    while let Some(accepted) = connection.accept().await {
        let (message, respond) = accepted.map_err(io::Error::other)?;
        number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
        streams.spawn_local(answer(Arc::clone(&service), message, respond, number));
        while let Some(end) = streams.try_join_next() {
            end.map_err(io::Error::other)?;
        }
    }
    Ok(())
}

async fn answer(service: Arc<Service>, message: Message<RecvStream>, mut respond: SendResponse<Bytes>, seed: u64) {
    let (head, body) = message.into_parts();
    let Ok(body) = receive(body).await else {
        return;
    };
    let field = |name: &str| head.headers.get(name).map(HeaderValue::as_bytes);
    let request = Request {
        method: head.method.as_str(),
        path: head.uri.path_and_query().map_or("/", |path| path.as_str()),
        body: BodyLength::Bytes(body.len() as u64),
        keep_alive: true,
        expects_continue: false,
        campaign: field("x-synthetic-traffic"),
        id: field("x-synthetic-id"),
        host: head.uri.authority().map(|authority| authority.as_str().as_bytes()),
    };
    let mut written = Vec::new();
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let verdict = service.answer(&request, &body, &mut rng, &mut written);
    if !verdict.delay.is_zero() {
        sleep(verdict.delay).await;
    }
    let Some((response, body)) = response(&written) else {
        // No answer at all is how the target resets.
        respond.send_reset(Reason::INTERNAL_ERROR);
        return;
    };
    if let Err(error) = send(&mut respond, response, body) {
        tracing::debug!(%error, "an answer was not sent");
    }
}

fn send(respond: &mut SendResponse<Bytes>, response: Response<()>, body: Bytes) -> Result<(), h2::Error> {
    let mut sending = respond.send_response(response, body.is_empty())?;
    if body.is_empty() { Ok(()) } else { sending.send_data(body, true) }
}

/// The body, as far as it is kept.
async fn receive(mut body: RecvStream) -> Result<BytesMut, h2::Error> {
    let mut kept = BytesMut::new();
    while let Some(data) = body.data().await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
        let room = MAX_KEPT_BODY.saturating_sub(kept.len());
        kept.extend_from_slice(data.get(..room).unwrap_or(&data));
    }
    Ok(kept)
}

/// A written HTTP/1.1 answer as a message.
fn response(written: &[u8]) -> Option<(Response<()>, Bytes)> {
    let mut storage = [httparse::EMPTY_HEADER; 32];
    let mut parsed = httparse::Response::new(&mut storage);
    let httparse::Status::Complete(length) = parsed.parse(written).ok()? else {
        return None;
    };
    let mut headers = HeaderMap::new();
    for header in &*parsed.headers {
        headers
            .append(HeaderName::from_bytes(header.name.as_bytes()).ok()?, HeaderValue::from_bytes(header.value).ok()?);
    }
    headers.remove(CONNECTION);
    let rest = written.get(length..)?;
    let body = if headers.remove(TRANSFER_ENCODING).is_some() {
        let mut body = Vec::new();
        ChunkedDecoder::new().feed(rest, |data| body.extend_from_slice(data)).ok()?;
        Bytes::from(body)
    } else {
        Bytes::copy_from_slice(rest)
    };
    let mut response = Response::new(());
    *response.status_mut() = http::StatusCode::from_u16(parsed.code?).ok()?;
    *response.headers_mut() = headers;
    Some((response, body))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn an_answer_loses_its_framing_and_nothing_else() {
        let written = b"HTTP/1.1 404 No\r\nContent-Length: 2\r\nX-A: b\r\nConnection: close\r\n\r\nno";
        let (message, body) = response(written).unwrap();
        assert_eq!((message.status().as_u16(), &body[..]), (404, &b"no"[..]));
        let names: Vec<&str> = message.headers().keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["content-length", "x-a"]);
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n";
        let (message, body) = response(chunked).unwrap();
        assert!(message.headers().is_empty() && body == "abc");
        assert!(response(b"").is_none());
    }
}
