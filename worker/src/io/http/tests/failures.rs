//! Every way a request can fail, and the one retry.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test code")]

use trafficlab_shared::model::error_kind::ErrorKind;
use trafficlab_shared::template::Variable;

use super::*;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

#[track_caller]
fn check(done: &Done, error: ErrorKind) {
    assert_eq!((done.error, done.success, done.status), (error, false, 0), "{done:?}");
}

#[tokio::test]
async fn nobody_listens() {
    local(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        drop(listener);
        let mut pool = pool(spec(&url));
        for done in send(&mut pool, 20).await {
            check(&done, ErrorKind::Connect);
            assert_eq!((done.attempts, done.bytes_out), (0, 0));
        }
    })
    .await;
}

#[tokio::test]
async fn a_name_that_does_not_exist() {
    local(async { check(&once(spec("http://no-such-host.invalid/")).await, ErrorKind::Dns) }).await;
}

#[tokio::test]
async fn a_server_that_never_answers() {
    local(async {
        let (url, _server) = scripted(async |_, mut stream: TcpStream| {
            read_request(&mut stream).await;
            // Held open until the client gives up.
            assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0);
        })
        .await;
        let mut spec = spec(&url);
        spec.limits.request_timeout = Duration::from_millis(30);
        for done in send(&mut pool(spec), 2).await {
            check(&done, ErrorKind::Timeout);
            assert!(done.done_ns - done.sent_ns >= 30_000_000);
        }
    })
    .await;
}

#[tokio::test]
async fn bytes_that_are_not_http() {
    local(async {
        let (url, _server) = scripted(async |_, mut stream: TcpStream| {
            read_request(&mut stream).await;
            stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await.unwrap();
        })
        .await;
        check(&once(spec(&url)).await, ErrorKind::Protocol);
    })
    .await;
}

#[tokio::test]
async fn a_response_that_is_cut_short() {
    local(async {
        for cut in [&b""[..], b"HTTP/1.1 200 O", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc"] {
            let (url, _server) = scripted(async move |_, mut stream: TcpStream| {
                read_request(&mut stream).await;
                stream.write_all(cut).await.unwrap();
            })
            .await;
            let done = once(spec(&url)).await;
            assert_eq!((done.error, done.success, done.attempts), (ErrorKind::Reset, false, 1));
        }
    })
    .await;
}

#[tokio::test]
async fn status_faults_are_responses_and_resets_are_not() {
    local(async {
        let (_target, url) = target(|args| args.errors = Some("503:1".parse().unwrap()));
        let done = once(spec(&url)).await;
        assert_eq!((done.status, done.error, done.success), (503, ErrorKind::None, false));
        let (_target, url) = target(|args| args.errors = Some("reset:1".parse().unwrap()));
        check(&once(spec(&url)).await, ErrorKind::Reset);
    })
    .await;
}

#[tokio::test]
async fn a_kept_connection_that_turns_out_closed_is_replaced_once() {
    local(async {
        let (url, _server) = scripted(async |_, mut stream: TcpStream| {
            // One answer for each connection; the second request is read and the connection closed.
            read_request(&mut stream).await;
            stream.write_all(OK).await.unwrap();
            read_request(&mut stream).await;
        })
        .await;
        let mut pool = pool(spec(&url));
        let done = send(&mut pool, 2).await;
        assert_eq!((done[0].status, done[0].attempts), (200, 1));
        assert_eq!((done[1].status, done[1].attempts, done[1].success), (200, 2, true));
    })
    .await;
}

#[tokio::test]
async fn a_fresh_connection_is_not_tried_again() {
    local(async {
        let (url, _server) = scripted(async |_, mut stream: TcpStream| drop(read_request(&mut stream).await)).await;
        let mut pool = pool(spec(&url));
        for done in send(&mut pool, 3).await {
            check(&done, ErrorKind::Reset);
            assert_eq!(done.attempts, 1);
        }
    })
    .await;
}

#[tokio::test]
async fn a_connection_the_server_is_done_with_is_not_used_again() {
    local(async {
        let answers = [
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nnobody asked for this",
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        ];
        for answer in answers {
            let (url, _server) = scripted(async move |_, mut stream: TcpStream| {
                read_request(&mut stream).await;
                stream.write_all(answer.as_bytes()).await.unwrap();
                // Open until the client closes; a second request here would never be answered.
                assert_eq!(stream.read(&mut [0; 1]).await.unwrap_or(0), 0);
            })
            .await;
            for done in send(&mut pool(spec(&url)), 3).await {
                assert_eq!((done.status, done.attempts), (200, 1), "{answer}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_plan_off_the_allow_list_is_refused_before_any_network() {
    let refused = |url: &str, entries: &[&str]| {
        let spec = PlanSpec { guard: guard(entries), ..spec(url) };
        matches!(RequestPlan::new(spec), Err(PlanError::Refused(_)))
    };
    assert!(refused("http://localhost:8080/", &["10.0.0.0/8"]));
    assert!(refused("http://127.0.0.1:8080/", &["10.0.0.0/8", "localhost", "127.0.0.0/8:80"]));
    assert!(refused("http://169.254.169.254/", &["0.0.0.0/0"]));
    assert!(!refused("http://localhost:8080/", &["127.0.0.0/8"]));
}

#[tokio::test]
async fn plans_with_forbidden_parts_are_refused() {
    let bad = |change: &dyn Fn(&mut PlanSpec)| {
        let mut spec = spec("http://127.0.0.1/");
        change(&mut spec);
        RequestPlan::new(spec).err().map(|error| error.to_string()).unwrap()
    };
    assert!(
        bad(&|spec| spec.headers = vec![("X-Synthetic-Traffic".into(), "x".into())])
            .contains("config.headers.X-Synthetic-Traffic")
    );
    assert!(bad(&|spec| spec.method = "GET /\r\n".into()).contains("config.method"));
    assert!(bad(&|spec| spec.campaign_id = "a\r\nb".into()).contains("campaign_id"));
    assert!(bad(&|spec| spec.campaign_id = String::new()).contains("campaign_id"));
    assert!(bad(&|spec| spec.body = Some("{{nothing}}".into())).contains("config.body"));
}

struct Panics;

impl TicketContent for Panics {
    fn variable(&self, _: Variable, _: Ticket, _: &mut Vec<u8>) {}

    fn headers(&self, _: Ticket, _: &mut HeaderSink<'_>) {
        panic!("content broke");
    }
}

#[tokio::test]
async fn a_panic_of_a_connection_reaches_whoever_drains() {
    local(async {
        let (_target, url) = target(|_| {});
        let mut tasks = JoinSet::new();
        tasks.spawn_local(async move {
            let mut pool = HttpPool::new(Rc::new(RequestPlan::new(spec(&url)).unwrap()), Rc::new(Panics));
            pool.set_send_deadline(u64::MAX);
            assert_eq!(pool.offer(ticket(0)), Offered::Queued);
            collect(&mut pool, 1).await;
        });
        let panic = timeout(LIMIT, tasks.join_next()).await.unwrap().unwrap().unwrap_err().into_panic();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"content broke"));
    })
    .await;
}
