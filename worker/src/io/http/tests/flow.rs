//! Whole requests and responses: framing, marks, templates, checks.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::cell::RefCell;

use trafficlab_shared::model::error_kind::ErrorKind;
use trafficlab_shared::template::Variable;

use super::*;

#[tokio::test]
async fn one_connection_is_kept_for_many_requests() {
    local(async {
        let (_target, url) = target(|_| {});
        let mut pool = pool(spec(&url));
        for done in send(&mut pool, 50).await {
            assert_eq!((done.status, done.success, done.error, done.attempts), (200, true, ErrorKind::None, 1));
            assert!(done.due_ns <= done.sent_ns && done.sent_ns <= done.done_ns);
            assert!(done.bytes_in > 13 && done.bytes_out > 50);
        }
        assert_eq!(pool.connections(), 1);
        let stats = stats(&url).await;
        assert_eq!(
            (&stats["requests"], &stats["distinct_ids"], &stats["unmarked"]),
            (&50.into(), &50.into(), &0.into())
        );
        // Ours and the one that asks for the statistics.
        assert_eq!(stats["connections"], 2);
    })
    .await;
}

#[tokio::test]
async fn every_kind_of_body() {
    local(async {
        let (_target, url) = target(|_| {});
        let table = [
            ("/", 200, 13),
            ("/chunked/2500", 200, 2500),
            ("/chunked/0", 200, 0),
            ("/close/70000", 200, 70_000),
            ("/bytes/300000", 200, 300_000),
            ("/status/204", 204, 0),
            ("/status/404", 404, 7),
        ];
        for (path, status, body) in table {
            for method in ["GET", "HEAD", "POST"] {
                let spec = PlanSpec {
                    method: method.into(),
                    body: (method == "POST").then(|| "x".repeat(100_000)),
                    ..spec(&format!("{url}{path}"))
                };
                let mut pool = pool(spec);
                // Twice, so that a wrong end of the first response spoils the second.
                for done in send(&mut pool, 2).await {
                    assert_eq!((done.status, done.error), (status, ErrorKind::None), "{method} {path}");
                    let expected = if method == "HEAD" { 0 } else { body };
                    assert!(
                        (expected..expected + 400).contains(&done.bytes_in) || path.starts_with("/chunked"),
                        "{method} {path}: {}",
                        done.bytes_in
                    );
                    assert_eq!(done.success, status < 400);
                }
            }
        }
    })
    .await;
}

/// Values that show where they went.
struct Marked;

impl TicketContent for Marked {
    fn variable(&self, variable: Variable, ticket: Ticket, out: &mut Vec<u8>) {
        match variable {
            Variable::UserAgent => out.extend_from_slice(b"agent a/1"),
            Variable::Country => out.extend_from_slice(b"a\r\nX-Evil: 1"),
            _ => out.extend_from_slice(ticket.k.to_string().as_bytes()),
        }
    }

    fn headers(&self, ticket: Ticket, sink: &mut HeaderSink<'_>) {
        sink.add("User-Agent", "from the profile");
        if ticket.k == 99 {
            sink.add("X-Bad", "a\nb");
        }
    }
}

async fn captured(change: impl FnOnce(&mut PlanSpec), k: u32) -> (Done, Vec<String>) {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let server_seen = Rc::clone(&seen);
    let (url, _server) = scripted(async move |_, mut stream: TcpStream| {
        let request = read_request(&mut stream).await;
        server_seen.borrow_mut().push(request);
        stream.write_all(b"HTTP/1.1 204 None\r\n\r\n").await.unwrap();
    })
    .await;
    let mut spec = spec(&url);
    change(&mut spec);
    let mut pool = HttpPool::new(Rc::new(RequestPlan::new(spec).unwrap()), Rc::new(Marked));
    pool.set_send_deadline(u64::MAX);
    assert_eq!(pool.offer(ticket(k)), Offered::Queued);
    let done = collect(&mut pool, 1).await.remove(0);
    let seen = seen.borrow().clone();
    (done, seen)
}

#[tokio::test]
async fn requests_are_marked_and_templates_filled_in() {
    local(async {
        let (done, seen) = captured(
            |spec| {
                spec.url.path_and_query = "/p/{{slot}}?ua={{user_agent}}".into();
                spec.headers = vec![("X-Own".into(), "k={{arrival}} id={{id}}".into())];
            },
            5,
        )
        .await;
        assert_eq!(done.status, 204);
        let request = &seen[0];
        assert!(request.starts_with("GET /p/7?ua=agent%20a%2F1 HTTP/1.1\r\nHost: 127.0.0.1:"), "{request}");
        for line in [
            "X-Synthetic-Traffic: campaign",
            "X-Synthetic-Id: run-3-7-5",
            "X-Own: k=5 id=run-3-7-5",
            "User-Agent: from the profile",
        ] {
            assert!(request.contains(&format!("\r\n{line}\r\n")), "{line} in {request}");
        }
        assert_eq!(done.bytes_out, request.len() as u64);
        let (_, seen) = captured(|spec| spec.headers = vec![("user-agent".into(), "own".into())], 1).await;
        assert!(seen[0].contains("user-agent: own") && !seen[0].contains("from the profile"));
    })
    .await;
}

#[tokio::test]
async fn a_line_break_from_a_template_is_never_sent() {
    local(async {
        let in_header = |spec: &mut PlanSpec| spec.headers = vec![("X-Own".into(), "{{country}}".into())];
        let in_path = |spec: &mut PlanSpec| spec.url.path_and_query = "/{{country}}".into();
        for (change, k) in [(&in_header as &dyn Fn(&mut PlanSpec), 1), (&in_path, 1), (&|_| {}, 99)] {
            let (done, seen) = captured(|spec| change(spec), k).await;
            assert_eq!((done.error, done.bytes_out, done.success), (ErrorKind::Template, 0, false));
            assert!(seen.is_empty());
        }
    })
    .await;
}

fn body(text: &str) -> ResponseChecks {
    ResponseChecks { body_contains: Some(text.into()), ..ResponseChecks::default() }
}

fn status(status: u16) -> ResponseChecks {
    ResponseChecks { statuses: vec![status], ..ResponseChecks::default() }
}

fn latency(longest: u64) -> ResponseChecks {
    ResponseChecks { max_latency_ns: Some(longest), ..ResponseChecks::default() }
}

#[tokio::test]
async fn response_checks_decide() {
    local(async {
        let (_target, url) = target(|_| {});
        let table = [
            ("/status/404", status(404), ErrorKind::None),
            ("/", status(404), ErrorKind::CheckFailed),
            ("/", body("world"), ErrorKind::None),
            ("/", body("moon"), ErrorKind::CheckFailed),
            ("/delay/20", latency(1_000_000), ErrorKind::CheckFailed),
            ("/", latency(u64::MAX), ErrorKind::None),
        ];
        for (path, checks, error) in table {
            let name = format!("{path} {checks:?}");
            let done = once(PlanSpec { checks, ..spec(&format!("{url}{path}")) }).await;
            assert_eq!((done.error, done.success), (error, error == ErrorKind::None), "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_stalled_target_shows_in_the_time_since_due() {
    local(async {
        let before = boot_ns();
        let (_target, url) = target(|args| args.stall = vec!["0s:300ms".parse().unwrap()]);
        let done = send(&mut pool(spec(&url)), 10).await;
        // One connection: all wait for the first, and only the time since the intended moment tells.
        assert!(done.iter().all(|done| done.done_ns >= before + 300_000_000));
        assert!(done.windows(2).all(|pair| pair[1].sent_ns >= pair[0].done_ns && pair[1].due_ns <= pair[0].done_ns));
    })
    .await;
}

/// Content that says path and body of each ticket itself.
struct OwnParts;

impl TicketContent for OwnParts {
    fn variable(&self, _variable: Variable, _ticket: Ticket, _out: &mut Vec<u8>) {}

    fn headers(&self, _ticket: Ticket, _sink: &mut HeaderSink<'_>) {}

    fn path(&self, ticket: Ticket, out: &mut Vec<u8>) -> bool {
        let path = if ticket.k == 3 { "/a b".to_owned() } else { format!("/bytes/{}", 10 * ticket.k) };
        out.extend_from_slice(path.as_bytes());
        true
    }

    fn body(&self, ticket: Ticket, out: &mut Vec<u8>) -> bool {
        out.extend_from_slice(&vec![b'y'; 100 * ticket.k as usize]);
        true
    }
}

#[tokio::test]
async fn content_may_say_path_and_body_and_responses_are_kept_up_to_a_length() {
    local(async {
        let (_target, url) = target(|_| {});
        let spec = PlanSpec { method: "POST".into(), body: Some("{{slot}}".into()), keep_body: 15, ..spec(&url) };
        let mut pool = HttpPool::new(Rc::new(RequestPlan::new(spec).unwrap()), Rc::new(OwnParts));
        pool.set_send_deadline(u64::MAX);
        let mut done = Vec::new();
        for k in 1..=3 {
            assert_eq!(pool.offer(ticket(k)), Offered::Queued);
            done.append(&mut collect(&mut pool, 1).await);
        }
        assert_eq!((done[0].body.as_deref(), done[1].body.as_deref()), (Some(&[b'x'; 10][..]), Some(&[b'x'; 15][..])));
        assert!(done[1].bytes_out == done[0].bytes_out + 100, "{done:?}");
        // A path with a space is never sent.
        assert_eq!((done[2].error, done[2].bytes_out, done[2].body.is_none()), (ErrorKind::Template, 0, true));
    })
    .await;
}
