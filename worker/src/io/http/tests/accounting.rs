//! Every ticket ends in exactly one place: queue cap, send deadline, close.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::collections::BTreeSet;

use tokio::sync::Notify;
use trafficlab_shared::model::error_kind::ErrorKind;

use super::*;

#[tokio::test]
async fn the_queue_has_a_cap() {
    local(async {
        let (_target, url) = target(|_| {});
        let mut spec = spec(&url);
        spec.limits.queue = 3;
        let mut pool = pool(spec);
        let offered: Vec<_> = (0..10).map(|k| pool.offer(ticket(k))).collect();
        // One ticket for the connection in the making, three that wait.
        assert!(offered[..4].iter().all(|&offered| offered == Offered::Queued));
        assert!(offered[4..].iter().all(|&offered| offered == Offered::Dropped));
        let mut open = Vec::new();
        pool.open(&mut open);
        assert_eq!(open, [(7, 0), (7, 1), (7, 2), (7, 3)]);
        let done = collect(&mut pool, 4).await;
        assert_eq!(done.iter().map(|done| done.k).collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert_eq!(pool.open_count(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_pool_grows_to_its_cap_and_no_further() {
    local(async {
        let (_target, url) = target(|_| {});
        let mut spec = spec(&format!("{url}/delay/20"));
        spec.limits.connections = 4;
        let mut pool = pool(spec);
        assert_eq!(send(&mut pool, 12).await.len(), 12);
        assert_eq!(pool.connections(), 4);
        assert_eq!(stats(&url).await["connections"], 5);
    })
    .await;
}

#[tokio::test]
async fn nothing_is_written_without_the_right_to_send() {
    local(async {
        let (_target, url) = target(|_| {});
        let plan = Rc::new(RequestPlan::new(spec(&url)).unwrap());
        let mut pool = HttpPool::new(plan, Rc::new(NoContent));
        for k in 0..5 {
            assert_eq!(pool.offer(ticket(k)), Offered::Queued);
        }
        assert_eq!((pool.connections(), pool.open_count()), (0, 5));
        pool.set_send_deadline(u64::MAX);
        assert_eq!(collect(&mut pool, 5).await.len(), 5);
        // The connection is open and idle; a right that is over keeps it so.
        pool.set_send_deadline(boot_ns());
        for k in 5..9 {
            assert_eq!(pool.offer(ticket(k)), Offered::Queued);
        }
        assert_eq!(stats(&url).await["requests"], 5);
        assert_eq!(pool.open_count(), 4);
        pool.set_send_deadline(u64::MAX);
        assert_eq!(collect(&mut pool, 4).await.iter().map(|done| done.k).collect::<Vec<_>>(), [5, 6, 7, 8]);
        pool.set_send_deadline(0);
        assert_eq!(pool.offer(ticket(9)), Offered::Queued);
        let closed = pool.close(LIMIT).await;
        assert_eq!((closed.done.len(), closed.unsent.len()), (0, 1));
    })
    .await;
}

#[tokio::test]
async fn a_right_that_ends_between_offer_and_write_puts_the_ticket_back_in_front() {
    local(async {
        let (_target, url) = target(|_| {});
        let mut pool = pool(spec(&url));
        send(&mut pool, 1).await;
        // The idle connection is handed ticket 1 and the right ends before its task runs.
        assert_eq!(pool.offer(ticket(1)), Offered::Queued);
        pool.set_send_deadline(0);
        assert_eq!(pool.offer(ticket(2)), Offered::Queued);
        assert_eq!(stats(&url).await["requests"], 1);
        let mut open = Vec::new();
        pool.open(&mut open);
        assert_eq!(open, [(7, 1), (7, 2)]);
        pool.set_send_deadline(u64::MAX);
        let done = collect(&mut pool, 2).await;
        assert_eq!(done.iter().map(|done| done.k).collect::<Vec<_>>(), [1, 2]);
    })
    .await;
}

#[tokio::test]
async fn a_deadline_in_the_middle_of_sending_is_kept() {
    local(async {
        let (_target, url) = target(|_| {});
        let mut pool = pool(spec(&url));
        let deadline = boot_ns() + 20_000_000;
        pool.set_send_deadline(deadline);
        let (mut k, mut queued, mut done) = (0, 0, Vec::new());
        while boot_ns() < deadline {
            queued += usize::from(pool.offer(ticket(k)) == Offered::Queued);
            k += 1;
            tokio::task::yield_now().await;
            pool.drain(&mut done);
        }
        let closed = pool.close(LIMIT).await;
        done.extend(closed.done);
        assert!(done.iter().all(|done| done.sent_ns < deadline && done.error == ErrorKind::None));
        assert_eq!(done.len() + closed.unsent.len(), queued);
        assert_eq!(stats(&url).await["requests"], done.len());
    })
    .await;
}

#[tokio::test]
async fn close_aborts_what_is_in_flight_and_returns_the_rest() {
    local(async {
        let arrived = Rc::new(Notify::new());
        let server_arrived = Rc::clone(&arrived);
        let (url, _server) = scripted(async move |_, mut stream: TcpStream| {
            read_request(&mut stream).await;
            server_arrived.notify_one();
            assert_eq!(stream.read(&mut [0; 1]).await.unwrap_or(0), 0);
        })
        .await;
        let mut pool = pool(spec(&url));
        for k in 0..4 {
            assert_eq!(pool.offer(ticket(k)), Offered::Queued);
        }
        timeout(LIMIT, arrived.notified()).await.unwrap();
        let closed = pool.close(Duration::from_millis(10)).await;
        assert_eq!(closed.done.len(), 1);
        assert_eq!((closed.done[0].k, closed.done[0].error), (0, ErrorKind::Aborted));
        assert!(closed.done[0].sent_ns > 0);
        assert_eq!(closed.unsent.iter().map(|ticket| ticket.k).collect::<Vec<_>>(), [1, 2, 3]);
    })
    .await;
}

#[tokio::test]
async fn close_lets_a_request_finish_within_the_grace() {
    local(async {
        let (_target, url) = target(|_| {});
        let mut pool = pool(spec(&format!("{url}/delay/30")));
        assert_eq!(pool.offer(ticket(0)), Offered::Queued);
        while stats(&url).await["requests"] == 0 {}
        let closed = timeout(LIMIT, pool.close(LIMIT)).await.unwrap();
        assert_eq!((closed.done[0].status, closed.unsent.len()), (200, 0));
    })
    .await;
}

#[tokio::test]
async fn every_ticket_ends_in_exactly_one_place() {
    local(async {
        for seed in 0..6 {
            let (_target, url) = target(|args| {
                args.seed = seed;
                args.errors = Some("503:0.1,reset:0.2".parse().unwrap());
                args.latency = Some("uniform:0ms,2ms".parse().unwrap());
            });
            let mut spec = spec(&url);
            spec.limits = Limits { connections: 8, queue: 20, ..Limits::default() };
            let mut pool = pool(spec);
            let (mut ended, mut dropped, mut done) = (BTreeSet::new(), 0, Vec::new());
            for k in 0..400 {
                match pool.offer(ticket(k)) {
                    Offered::Queued => {}
                    Offered::Dropped => {
                        dropped += 1;
                        assert!(ended.insert(k));
                    }
                }
                if k % 5 == 0 {
                    timeout(LIMIT, pool.wait_progress()).await.unwrap();
                    pool.drain(&mut done);
                    let mut open = Vec::new();
                    pool.open(&mut open);
                    assert_eq!(done.len() + dropped + open.len(), k as usize + 1);
                }
            }
            let closed = pool.close(Duration::from_millis(1)).await;
            done.extend(closed.done);
            let aborted = done.iter().filter(|done| done.error == ErrorKind::Aborted).count();
            assert!(aborted <= 8);
            assert!(done.iter().all(|done| ended.insert(done.k)));
            assert!(closed.unsent.iter().all(|ticket| ended.insert(ticket.k)));
            assert_eq!(ended.len(), 400, "seed {seed}");
        }
    })
    .await;
}
