//! Redirects: followed within the limit, judged again at every hop.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::cell::RefCell;

use trafficlab_shared::model::error_kind::ErrorKind;

use super::*;

fn following(url: &str, limit: u8) -> PlanSpec {
    let mut spec = spec(url);
    spec.limits.max_redirects = limit;
    spec
}

#[tokio::test]
async fn by_default_a_redirect_is_an_answer() {
    local(async {
        let (_target, url) = target(|_| {});
        let done = once(spec(&format!("{url}/redirect?to=/x"))).await;
        assert_eq!((done.status, done.success), (302, true));
    })
    .await;
}

#[tokio::test]
async fn hops_on_the_same_connection() {
    local(async {
        let (_target, url) = target(|_| {});
        let mut pool = pool(following(&format!("{url}/redirect?to=/status/404"), 1));
        for done in send(&mut pool, 3).await {
            assert_eq!((done.status, done.error), (404, ErrorKind::None));
        }
        let stats = stats(&url).await;
        assert_eq!((&stats["requests"], &stats["connections"], &stats["unmarked"]), (&6.into(), &2.into(), &0.into()));
    })
    .await;
}

#[tokio::test]
async fn the_limit_ends_a_circle() {
    local(async {
        let (_target, url) = target(|_| {});
        let circle = format!("{url}/redirect?to={}", "%2Fredirect%3Fto%3D%252Fredirect");
        let done = once(following(&circle, 1)).await;
        assert_eq!((done.status, done.error), (302, ErrorKind::None));
        assert_eq!(stats(&url).await["requests"], 2);
    })
    .await;
}

#[tokio::test]
async fn a_hop_to_a_forbidden_host_is_refused() {
    local(async {
        let (_target, url) = target(|_| {});
        for to in [
            "http://10.255.255.1/",
            "http://169.254.169.254/latest",
            "http://[::ffff:169.254.169.254]/",
            "http://user:secret@127.0.0.1/",
            "ftp://127.0.0.1/",
            "http://example.com/",
        ] {
            let to: String = url::form_urlencoded::byte_serialize(to.as_bytes()).collect();
            let done = once(following(&format!("{url}/redirect?to={to}"), 5)).await;
            assert_eq!((done.error, done.success, done.status), (ErrorKind::RefusedTarget, false, 302), "{to}");
        }
        // Another port of the same machine is another target.
        let (other, other_url) = target(|_| {});
        let to: String = url::form_urlencoded::byte_serialize(other_url.as_bytes()).collect();
        let mut narrow = following(&format!("{url}/redirect?to={to}"), 5);
        narrow.guard = narrow.guard.forbid_sockets([other.address()]);
        assert_eq!(once(narrow).await.error, ErrorKind::RefusedTarget);
        assert_eq!(stats(&other_url).await["requests"], 0);
    })
    .await;
}

#[tokio::test]
async fn a_hop_to_another_target_loses_body_and_credentials_but_not_the_marks() {
    local(async {
        let seen = Rc::new(RefCell::new(String::new()));
        let server_seen = Rc::clone(&seen);
        let (other, _server) = scripted(async move |_, mut stream: TcpStream| {
            *server_seen.borrow_mut() = read_request(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        })
        .await;
        let (_target, url) = target(|_| {});
        let to: String = url::form_urlencoded::byte_serialize(other.as_bytes()).collect();
        let mut spec = following(&format!("{url}/redirect?to={to}"), 1);
        spec.method = "POST".into();
        spec.body = Some("secret body".into());
        spec.headers = vec![("Authorization".into(), "Bearer x".into()), ("X-Own".into(), "kept".into())];
        assert_eq!(once(spec).await.status, 200);
        let request = seen.borrow();
        assert!(request.starts_with("GET / HTTP/1.1\r\n"), "{request}");
        assert!(
            request.contains("X-Synthetic-Traffic: campaign\r\nX-Synthetic-Id: run-3-7-0\r\nX-Own: kept\r\n"),
            "{request}"
        );
        assert!(!request.contains("Bearer") && !request.contains("secret"));
    })
    .await;
}
