//! HTTP/2: many requests on one connection, and every way in which a server ends one.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use trafficlab_shared::model::error_kind::ErrorKind;

use super::http2_server::Seen;
use super::*;

fn http2(url: &str, connections: usize, streams: usize) -> PlanSpec {
    let mut spec = PlanSpec { version: HttpVersion::Http2, ..spec(url) };
    (spec.limits.connections, spec.limits.streams) = (connections, streams);
    spec
}

async fn server(change: impl FnOnce(&Seen)) -> (Rc<Seen>, String, JoinSet<()>) {
    let seen = Rc::new(Seen::default());
    change(&seen);
    let (url, tasks) = http2_server::start(Rc::clone(&seen)).await;
    (seen, url, tasks)
}

#[track_caller]
fn all_fine(done: &[Done]) {
    for done in done {
        assert_eq!((done.status, done.error, done.success), (200, ErrorKind::None, true), "{done:?}");
        assert!(done.due_ns <= done.sent_ns && done.sent_ns <= done.done_ns);
    }
}

#[tokio::test]
async fn requests_share_a_connection_and_carry_the_marks() {
    local(async {
        let (seen, url, _server) = server(|_| {}).await;
        let mut spec = http2(&format!("{url}/p?q={{{{arrival}}}}"), 1, 8);
        spec.headers = vec![("X-Own".into(), "{{slot}}".into()), ("TE".into(), "gzip".into())];
        spec.keep_body = 5;
        let mut pool = pool(spec);
        let done = send(&mut pool, 20).await;
        all_fine(&done);
        assert!(done.iter().all(|done| done.attempts == 1 && done.body.as_deref() == Some(&b"hello"[..])));
        assert!(done.iter().all(|done| done.bytes_in >= 11 && done.bytes_out > 80));
        assert_eq!((seen.connections.get(), pool.connections()), (1, 1));
        let requests = seen.requests.borrow();
        let request = requests.iter().find(|request| request.headers()["x-synthetic-id"] == "run-3-7-4").unwrap();
        assert_eq!(request.uri().to_string(), format!("{url}/p?q=4"));
        assert_eq!(request.headers()["x-synthetic-traffic"], "campaign");
        assert_eq!(request.headers()["x-own"], "7");
        assert!(!request.headers().contains_key("te") && !request.headers().contains_key("host"));
        assert_eq!(requests.len(), 20);
    })
    .await;
}

#[tokio::test]
async fn the_built_in_target_speaks_it_too() {
    local(async {
        let (_target, url) = target(|_| {});
        for (path, length) in [("/", 13), ("/chunked/2500", 2500), ("/bytes/300000", 300_000), ("/close/700", 700)] {
            let mut spec = http2(&format!("{url}{path}"), 1, 4);
            spec.keep_body = 1 << 20;
            for done in send(&mut pool(spec), 5).await {
                assert_eq!((done.status, done.error), (200, ErrorKind::None), "{path}");
                assert_eq!(done.body.unwrap().len(), length, "{path}");
            }
        }
        let spec = PlanSpec { method: "HEAD".into(), ..http2(&url, 1, 4) };
        all_fine(&send(&mut pool(spec), 3).await);
        let stats = stats(&url).await;
        assert_eq!(
            (&stats["requests"], &stats["http2_connections"], &stats["unmarked"]),
            (&23.into(), &5.into(), &0.into())
        );
    })
    .await;
}

#[tokio::test]
async fn as_many_requests_at_once_as_there_are_streams() {
    local(async {
        let (seen, url, _server) = server(|seen| seen.party.set(12)).await;
        // Two connections of six streams: the answers come only when all twelve are there.
        let mut pool = pool(http2(&format!("{url}/meet"), 2, 6));
        all_fine(&send(&mut pool, 12).await);
        assert_eq!((seen.connections.get(), seen.most.get()), (2, 12));
    })
    .await;
}

#[tokio::test]
async fn the_server_may_permit_fewer() {
    local(async {
        let (seen, url, _server) = server(|seen| seen.streams.set(3)).await;
        let mut pool = pool(http2(&format!("{url}/slow"), 1, 16));
        let done = send(&mut pool, 20).await;
        all_fine(&done);
        assert!(done.iter().all(|done| done.attempts == 1));
        assert_eq!((seen.connections.get(), seen.most.get()), (1, 3));
        // What waits for a place waits before it is sent, not after.
        let slowest = done.iter().map(|done| done.done_ns - done.sent_ns).max().unwrap();
        assert!(slowest < done.iter().map(|done| done.done_ns - done.due_ns).max().unwrap());
    })
    .await;
}

#[tokio::test]
async fn a_closed_loop_over_streams() {
    local(async {
        let (seen, url, _server) = server(|_| {}).await;
        let mut pool = pool(http2(&url, 2, 4));
        pool.start_closed_loop(500);
        let mut done = Vec::new();
        while done.len() < 500 {
            tokio::time::sleep(Duration::from_millis(1)).await;
            pool.drain(&mut done);
        }
        all_fine(&done);
        assert_eq!((seen.requests.borrow().len(), seen.connections.get(), pool.open_count()), (500, 2, 0));
    })
    .await;
}

#[tokio::test]
async fn a_server_that_goes_away_loses_nothing() {
    local(async {
        let (seen, url, _server) = server(|seen| seen.goes_away_after.set(10)).await;
        let mut pool = pool(http2(&url, 1, 4));
        for _ in 0..10 {
            all_fine(&send(&mut pool, 7).await);
        }
        assert!(seen.connections.get() > 3, "{}", seen.connections.get());
        assert!(pool.connections() <= 1);
    })
    .await;
}

#[tokio::test]
async fn a_refused_stream_is_sent_once_more() {
    local(async {
        let (seen, url, _server) = server(|seen| seen.refuse.set(1)).await;
        let done = once(http2(&url, 1, 4)).await;
        assert_eq!((done.status, done.attempts, seen.connections.get()), (200, 2, 1));
        seen.refuse.set(2);
        let done = once(http2(&url, 1, 4)).await;
        assert_eq!((done.error, done.attempts), (ErrorKind::Reset, 2));
    })
    .await;
}

#[tokio::test]
async fn resets_and_cuts_are_failures_of_their_requests_only() {
    local(async {
        let (seen, url, _server) = server(|_| {}).await;
        for path in ["/reset", "/cut", "/calm"] {
            let done = once(http2(&format!("{url}{path}"), 1, 4)).await;
            assert_eq!((done.error, done.success, done.status), (ErrorKind::Reset, false, 0), "{path}");
            assert_eq!(done.attempts, 1);
        }
        let before = seen.connections.get();
        let mut pool = pool(http2(&format!("{url}/reset"), 1, 2));
        let done = send(&mut pool, 6).await;
        assert!(done.iter().all(|done| done.error == ErrorKind::Reset));
        assert_eq!(seen.connections.get(), before + 1);
    })
    .await;
}

#[tokio::test]
async fn a_time_out_ends_a_request_and_a_dead_connection() {
    local(async {
        let (seen, url, _server) = server(|_| {}).await;
        let mut spec = http2(&format!("{url}/silent"), 1, 2);
        spec.limits.request_timeout = Duration::from_millis(30);
        let mut pool = pool(spec);
        for done in send(&mut pool, 4).await {
            assert_eq!((done.error, done.attempts), (ErrorKind::Timeout, 1));
            assert!(done.done_ns - done.sent_ns >= 30_000_000);
        }
        assert!(seen.connections.get() > 1);
    })
    .await;
}

#[tokio::test]
async fn bodies_larger_than_every_window() {
    local(async {
        let (seen, url, _server) = server(|_| {}).await;
        let mut pool_down = pool(http2(&format!("{url}/big"), 1, 8));
        let done = send(&mut pool_down, 16).await;
        all_fine(&done);
        assert!(done.iter().all(|done| (3_000_000..3_000_200).contains(&done.bytes_in)));
        let mut spec = http2(&format!("{url}/upload"), 1, 8);
        (spec.method, spec.body) = ("POST".into(), Some("x".repeat(300_000)));
        let mut pool_up = pool(spec);
        let done = send(&mut pool_up, 16).await;
        all_fine(&done);
        assert_eq!(seen.bodies.get(), 16 * 300_000);
        assert!(done.iter().all(|done| done.bytes_out > 300_000));
    })
    .await;
}

#[tokio::test]
async fn redirects_stay_on_the_connection() {
    local(async {
        let (seen, url, _server) = server(|_| {}).await;
        let mut spec = http2(&format!("{url}/redirect"), 1, 4);
        spec.limits.max_redirects = 2;
        let done = send(&mut pool(spec), 3).await;
        all_fine(&done);
        assert_eq!((seen.connections.get(), seen.requests.borrow().len()), (1, 6));
        assert!(seen.requests.borrow().iter().all(|request| request.headers().contains_key("x-synthetic-id")));
    })
    .await;
}

#[tokio::test]
async fn without_keep_alive_each_request_has_its_own_connection() {
    local(async {
        let (seen, url, _server) = server(|_| {}).await;
        let mut spec = http2(&url, 3, 8);
        spec.limits.keep_alive = false;
        all_fine(&send(&mut pool(spec), 10).await);
        assert_eq!(seen.connections.get(), 10);
    })
    .await;
}

#[tokio::test]
async fn a_server_of_another_protocol() {
    local(async {
        let (url, _server) = scripted(async |_, mut stream: TcpStream| {
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await.unwrap();
            drop(stream.read(&mut [0; 100]).await);
        })
        .await;
        assert_eq!(once(http2(&url, 1, 4)).await.error, ErrorKind::Protocol);
        let (url, _server) = scripted(async |_, mut stream: TcpStream| {
            stream.write_all(&[0xff; 100]).await.unwrap();
            drop(stream.read(&mut [0; 100]).await);
        })
        .await;
        assert_eq!(once(http2(&url, 1, 4)).await.error, ErrorKind::Protocol);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        drop(listener);
        let mut pool = pool(http2(&url, 2, 4));
        assert!(send(&mut pool, 20).await.iter().all(|done| done.error == ErrorKind::Connect && done.attempts == 0));
    })
    .await;
}

#[tokio::test]
async fn the_right_to_send_and_the_close_hold_here_too() {
    local(async {
        let (seen, url, _server) = server(|_| {}).await;
        let mut pool = pool(http2(&url, 1, 4));
        all_fine(&send(&mut pool, 4).await);
        pool.set_send_deadline(0);
        for k in 10..13 {
            assert_eq!(pool.offer(ticket(k)), Offered::Queued);
        }
        let closed = timeout(LIMIT, pool.close(LIMIT)).await.unwrap();
        assert_eq!((closed.done.len(), closed.unsent.len(), seen.requests.borrow().len()), (0, 3, 4));
        let mut pool = pool_of(&format!("{url}/silent"));
        for k in 0..6 {
            assert_eq!(pool.offer(ticket(k)), Offered::Queued);
        }
        while seen.requests.borrow().len() < 6 {
            tokio::task::yield_now().await;
        }
        let closed = pool.close(Duration::from_millis(5)).await;
        assert!(closed.done.iter().all(|done| done.error == ErrorKind::Aborted));
        assert_eq!((closed.done.len(), closed.unsent.len()), (2, 4));
    })
    .await;
}

fn pool_of(url: &str) -> HttpPool {
    pool(http2(url, 1, 2))
}
