//! An HTTP/2 server whose paths misbehave in every way the client must cope with.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test code")]

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::{HeaderMap, Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// What the server saw, and how it is set.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) connections: Cell<usize>,
    pub(super) requests: RefCell<Vec<Request<()>>>,
    pub(super) bodies: Cell<usize>,
    open: Cell<usize>,
    /// The most requests open at once.
    pub(super) most: Cell<usize>,
    /// As many requests to `/meet` are answered together.
    pub(super) party: Cell<usize>,
    meeting: Notify,
    /// So many requests are refused.
    pub(super) refuse: Cell<usize>,
    /// A connection says that it goes away after so many requests, unless this is 0.
    pub(super) goes_away_after: Cell<usize>,
    /// What SETTINGS says, unless this is 0.
    pub(super) streams: Cell<u32>,
}

/// Listens and serves until the set is dropped.
pub(super) async fn start(seen: Rc<Seen>) -> (String, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut tasks = JoinSet::new();
    tasks.spawn_local(async move {
        let mut connections = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            connections.spawn_local(serve(stream, Rc::clone(&seen)));
        }
    });
    (url, tasks)
}

pub(super) async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, seen: Rc<Seen>) {
    seen.connections.set(seen.connections.get() + 1);
    let mut builder = h2::server::Builder::new();
    if seen.streams.get() > 0 {
        builder.max_concurrent_streams(seen.streams.get());
    }
    let Ok(mut connection) = builder.handshake::<_, Bytes>(stream).await else {
        return;
    };
    let (mut tasks, mut count) = (JoinSet::new(), 0);
    while let Some(Ok((request, respond))) = connection.accept().await {
        count += 1;
        let (head, body) = request.into_parts();
        let request = Request::from_parts(head, ());
        seen.requests.borrow_mut().push(request.clone());
        if request.uri().path() == "/cut" {
            return;
        }
        if request.uri().path() == "/calm" {
            connection.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM);
        }
        tasks.spawn_local(answer(request, body, respond, Rc::clone(&seen)));
        if count == seen.goes_away_after.get() {
            connection.graceful_shutdown();
        }
    }
}

async fn answer(request: Request<()>, body: RecvStream, mut respond: SendResponse<Bytes>, seen: Rc<Seen>) {
    if seen.refuse.get() > 0 {
        seen.refuse.set(seen.refuse.get() - 1);
        respond.send_reset(Reason::REFUSED_STREAM);
        return;
    }
    seen.open.set(seen.open.get() + 1);
    seen.most.set(seen.most.get().max(seen.open.get()));
    act(request, body, respond, &seen).await;
    seen.open.set(seen.open.get() - 1);
}

async fn act(request: Request<()>, body: RecvStream, mut respond: SendResponse<Bytes>, seen: &Seen) {
    let status = |status: u16| Response::builder().status(status);
    match request.uri().path() {
        "/reset" => respond.send_reset(Reason::INTERNAL_ERROR),
        "/silent" => std::future::pending().await,
        "/slow" => {
            tokio::time::sleep(Duration::from_millis(20)).await;
            reply(&mut respond, status(200).body(()).unwrap(), b"slow");
        }
        "/meet" => {
            seen.party.set(seen.party.get() - 1);
            if seen.party.get() == 0 {
                seen.meeting.notify_waiters();
            } else {
                seen.meeting.notified().await;
            }
            reply(&mut respond, status(200).body(()).unwrap(), b"met");
        }
        "/upload" => {
            let length = swallow(body).await;
            seen.bodies.set(seen.bodies.get() + length);
            reply(&mut respond, status(200).body(()).unwrap(), b"thanks");
        }
        "/redirect" => {
            let response = status(302).header("location", "/end").body(()).unwrap();
            reply(&mut respond, response, b"");
        }
        "/big" => {
            let mut sending = respond.send_response(status(200).body(()).unwrap(), false).unwrap();
            for _ in 0..30 {
                sending.send_data(Bytes::from(vec![b'x'; 100_000]), false).unwrap();
            }
            let mut trailers = HeaderMap::new();
            trailers.insert("x-trailer", "end".parse().unwrap());
            sending.send_trailers(trailers).unwrap();
        }
        _ => {
            respond.send_informational(status(103).body(()).unwrap()).unwrap();
            reply(&mut respond, status(200).header("x-a", "b").body(()).unwrap(), b"hello world");
        }
    }
}

fn reply(respond: &mut SendResponse<Bytes>, response: Response<()>, body: &'static [u8]) {
    if let Ok(mut sending) = respond.send_response(response, body.is_empty())
        && !body.is_empty()
    {
        drop(sending.send_data(Bytes::from_static(body), true));
    }
}

async fn swallow(mut body: RecvStream) -> usize {
    let mut length = 0;
    while let Some(Ok(data)) = body.data().await {
        length += data.len();
        body.flow_control().release_capacity(data.len()).unwrap();
    }
    length
}
