//! The closed loop: exact budgets, failing targets, stops, leases, a caller that does not drain.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::collections::BTreeSet;

use trafficlab_shared::model::error_kind::ErrorKind;

use super::*;
use crate::io::http::closed::MOST_UNDRAINED;

fn with_connections(url: &str, connections: usize) -> PlanSpec {
    let mut spec = spec(url);
    spec.limits.connections = connections;
    spec
}

/// Drains until the loop is over.
async fn finish(pool: &mut HttpPool) -> Vec<Done> {
    let mut done = Vec::new();
    while pool.closed_loop_left() > 0 || pool.open_count() > 0 || done.is_empty() {
        timeout(LIMIT, tokio::time::sleep(Duration::from_millis(1))).await.unwrap();
        pool.drain(&mut done);
    }
    pool.drain(&mut done);
    done
}

#[tokio::test]
async fn the_budget_is_used_exactly_over_all_connections() {
    local(async {
        let (_target, url) = target(|_| {});
        let mut pool = pool(with_connections(&url, 7));
        pool.start_closed_loop(1000);
        assert_eq!(pool.connections(), 7);
        let done = timeout(LIMIT, finish(&mut pool)).await.unwrap();
        assert!(done.iter().all(|done| done.success && done.due_ns <= done.sent_ns && done.sent_ns <= done.done_ns));
        let distinct: BTreeSet<_> = done.iter().map(|done| (done.slot, done.k)).collect();
        assert_eq!(distinct, (0..1000).map(|k| (0, k)).collect());
        assert_eq!((done.len(), pool.closed_loop_left(), pool.open_count()), (1000, 0, 0));
        let counted = stats(&url).await;
        assert_eq!((&counted["requests"], &counted["distinct_ids"]), (&1000.into(), &1000.into()));
        assert_eq!(counted["connections"], 8);
        // A second budget goes on where the first one ended.
        pool.start_closed_loop(3);
        let ks: BTreeSet<_> = finish(&mut pool).await.iter().map(|done| done.k).collect();
        assert_eq!(ks, BTreeSet::from([1000, 1001, 1002]));
    })
    .await;
}

#[tokio::test]
async fn a_stop_leaves_the_rest_of_the_budget_alone() {
    local(async {
        let (_target, url) = target(|_| {});
        let mut pool = pool(with_connections(&url, 4));
        pool.start_closed_loop(u64::MAX);
        let mut done = Vec::new();
        while done.len() < 100 {
            tokio::task::yield_now().await;
            pool.drain(&mut done);
        }
        pool.stop_closed_loop();
        assert_eq!(pool.closed_loop_left(), 0);
        while pool.open_count() > 0 {
            timeout(LIMIT, pool.wait_progress()).await.unwrap();
            pool.drain(&mut done);
        }
        assert_eq!(stats(&url).await["requests"], done.len());
        // The same pool takes offered tickets afterwards.
        assert_eq!(send(&mut pool, 2).await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn close_ends_a_running_loop_and_loses_nothing() {
    local(async {
        let (_target, url) = target(|_| {});
        let mut pool = pool(with_connections(&url, 4));
        pool.start_closed_loop(u64::MAX);
        let mut done = Vec::new();
        while done.len() < 50 {
            tokio::task::yield_now().await;
            pool.drain(&mut done);
        }
        let closed = timeout(LIMIT, pool.close(LIMIT)).await.unwrap();
        done.extend(closed.done);
        assert!(closed.unsent.is_empty() && done.iter().all(|done| done.success));
        assert_eq!(stats(&url).await["requests"], done.len());
    })
    .await;
}

#[tokio::test]
async fn a_target_that_is_down_fails_the_budget_and_is_not_hammered() {
    local(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        drop(listener);
        let mut pool = pool(with_connections(&url, 3));
        let begin = boot_ns();
        pool.start_closed_loop(20);
        let done = timeout(LIMIT, finish(&mut pool)).await.unwrap();
        assert_eq!(done.len(), 20);
        assert!(done.iter().all(|done| done.error == ErrorKind::Connect && done.bytes_out == 0));
        // Three connections, at least six tries one after the other: 1 + 2 + 4 + 8 + 16 ms lie between them.
        assert!(boot_ns() - begin >= 31_000_000);
        pool.start_closed_loop(u64::MAX);
        timeout(LIMIT, pool.close(LIMIT)).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn failures_of_requests_use_the_budget_too() {
    local(async {
        let (_target, url) = target(|args| args.errors = Some("503:0.3,reset:0.3".parse().unwrap()));
        let mut pool = pool(with_connections(&url, 5));
        pool.start_closed_loop(300);
        let done = timeout(LIMIT, finish(&mut pool)).await.unwrap();
        assert_eq!(done.len(), 300);
        assert!(done.iter().any(|done| done.error == ErrorKind::Reset) && done.iter().any(|done| done.status == 503));
    })
    .await;
}

#[tokio::test]
async fn nothing_is_taken_without_the_right_to_send() {
    local(async {
        let (_target, url) = target(|_| {});
        let plan = Rc::new(RequestPlan::new(with_connections(&url, 2)).unwrap());
        let mut pool = HttpPool::new(plan, Rc::new(NoContent));
        pool.start_closed_loop(u64::MAX);
        assert_eq!((pool.connections(), pool.open_count()), (0, 0));
        let deadline = boot_ns() + 20_000_000;
        pool.set_send_deadline(deadline);
        let mut done = Vec::new();
        while boot_ns() < deadline || pool.open_count() > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
            pool.drain(&mut done);
        }
        assert!(!done.is_empty() && done.iter().all(|done| done.sent_ns < deadline));
        let before = done.len();
        assert_eq!(stats(&url).await["requests"], before);
        // Renewed, it goes on.
        pool.set_send_deadline(u64::MAX);
        while done.len() == before {
            tokio::task::yield_now().await;
            pool.drain(&mut done);
        }
    })
    .await;
}

#[tokio::test]
async fn undrained_completions_have_a_bound() {
    local(async {
        let (_target, url) = target(|_| {});
        let mut pool = pool(with_connections(&url, 2));
        pool.start_closed_loop(u64::MAX);
        timeout(LIMIT, pool.wait_progress()).await.unwrap();
        let requests = async || stats(&url).await["requests"].as_u64().unwrap();
        let bound = MOST_UNDRAINED as u64;
        while requests().await < bound {}
        // One for each connection may have been on its way.
        assert!(requests().await <= bound + 2);
        let mut done = Vec::new();
        pool.drain(&mut done);
        assert!((MOST_UNDRAINED..=MOST_UNDRAINED + 2).contains(&done.len()));
        timeout(LIMIT, async { while requests().await <= bound + 2 {} }).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn without_keep_alive_each_request_has_its_own_connection() {
    local(async {
        let (_target, url) = target(|_| {});
        let mut spec = with_connections(&url, 3);
        spec.limits.keep_alive = false;
        let mut pool = pool(spec);
        pool.start_closed_loop(30);
        let done = timeout(LIMIT, finish(&mut pool)).await.unwrap();
        assert!(done.len() == 30 && done.iter().all(|done| done.success && done.attempts == 1));
        assert_eq!(send(&mut pool, 5).await.len(), 5);
        assert_eq!(stats(&url).await["connections"], 36);
        let (url, _server) = scripted(async |_, mut stream: TcpStream| {
            assert!(read_request(&mut stream).await.contains("\r\nConnection: close\r\n"));
            stream.write_all(b"HTTP/1.1 204 None\r\n\r\n").await.unwrap();
        })
        .await;
        let mut spec = with_connections(&url, 1);
        spec.limits.keep_alive = false;
        assert_eq!(once(spec).await.status, 204);
    })
    .await;
}
