//! The client against real sockets: the built-in target and small scripted servers.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test code")]

mod accounting;
mod closed;
mod failures;
mod flow;
mod http2;
mod http2_server;
mod redirects;
mod tls;

use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinSet, LocalSet};
use tokio::time::timeout;
use trafficlab_shared::allow::{AllowList, TargetGuard};
use trafficlab_shared::clock::boot_ns;
use trafficlab_shared::target::TargetUrl;

use super::*;
use crate::io::target::{Target, TargetArgs};

pub(super) const LIMIT: Duration = Duration::from_secs(15);

pub(super) fn guard(entries: &[&str]) -> TargetGuard {
    let entries: Vec<String> = entries.iter().map(|&entry| entry.to_owned()).collect();
    TargetGuard::new(vec![AllowList::parse(&entries).unwrap()])
}

pub(super) fn spec(url: &str) -> PlanSpec {
    PlanSpec {
        version: HttpVersion::Http1,
        method: "GET".into(),
        url: TargetUrl::parse(url).unwrap(),
        headers: Vec::new(),
        body: None,
        campaign_id: "campaign".into(),
        run_id: "run".into(),
        shard: 3,
        limits: Limits { connections: 1, queue: 1000, ..Limits::default() },
        checks: ResponseChecks::default(),
        guard: guard(&["127.0.0.0/8", "::1"]),
        tls: TlsRoots::default(),
        keep_body: 0,
    }
}

/// A pool that may send.
pub(super) fn pool(spec: PlanSpec) -> HttpPool {
    let mut pool = HttpPool::new(Rc::new(RequestPlan::new(spec).unwrap()), Rc::new(NoContent));
    pool.set_send_deadline(u64::MAX);
    pool
}

pub(super) fn ticket(k: u32) -> Ticket {
    Ticket { slot: 7, k, due_ns: boot_ns() }
}

pub(super) fn target(change: impl FnOnce(&mut TargetArgs)) -> (Target, String) {
    let mut args = TargetArgs { track_ids: true, ..TargetArgs::default() };
    change(&mut args);
    let target = Target::start(args).unwrap();
    let url = format!("http://{}", target.address());
    (target, url)
}

/// Offers `count` tickets at once and waits for all of them.
pub(super) async fn send(pool: &mut HttpPool, count: u32) -> Vec<Done> {
    for k in 0..count {
        assert_eq!(pool.offer(ticket(k)), Offered::Queued);
    }
    collect(pool, count as usize).await
}

/// Waits until `count` completions are there.
pub(super) async fn collect(pool: &mut HttpPool, count: usize) -> Vec<Done> {
    let mut done = Vec::new();
    while done.len() < count {
        timeout(LIMIT, pool.wait_progress()).await.expect("the pool makes progress");
        pool.drain(&mut done);
    }
    done
}

/// One request on a fresh pool.
pub(super) async fn once(spec: PlanSpec) -> Done {
    send(&mut pool(spec), 1).await.remove(0)
}

pub(super) async fn local(test: impl Future<Output = ()>) {
    LocalSet::new().run_until(test).await;
}

/// The JSON of the target's `/stats`.
pub(super) async fn stats(url: &str) -> serde_json::Value {
    let authority = url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(authority).await.unwrap();
    stream.write_all(b"GET /stats HTTP/1.1\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut text = String::new();
    timeout(LIMIT, stream.read_to_string(&mut text)).await.unwrap().unwrap();
    serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap()
}

/// A server that treats its n-th connection as `script` says. Its tasks end with the returned set.
pub(super) async fn scripted(script: impl AsyncFn(usize, TcpStream) + 'static) -> (String, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let mut tasks = JoinSet::new();
    tasks.spawn_local(async move {
        for number in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            script(number, stream).await;
        }
    });
    (url, tasks)
}

/// Reads until a request head (and nothing else) is there.
pub(super) async fn read_request(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    while !text.ends_with(b"\r\n\r\n") {
        assert_ne!(stream.read_buf(&mut text).await.unwrap(), 0, "the client closed early");
    }
    String::from_utf8(text).unwrap()
}
