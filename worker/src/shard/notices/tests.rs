//! What is requested, what is refused, and what is dropped.

#![allow(clippy::unwrap_used, reason = "test code")]
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::LocalSet;
use trafficlab_shared::allow::{AllowList, TargetGuard};

use super::*;
use crate::io::http::TlsRoots;
use crate::io::target::{Target, TargetArgs};

const AT: Cursor = Cursor { slot: 3, k: 4 };

fn notices() -> Notices {
    let list = AllowList::parse(&["127.0.0.1/32".to_owned()]).unwrap();
    let mut notices = Notices::new(&PlanSpec {
        version: HttpVersion::Http1,
        method: "POST".into(),
        url: TargetUrl::parse("http://127.0.0.1:1/bid").unwrap(),
        headers: Vec::new(),
        body: None,
        campaign_id: "campaign".into(),
        run_id: "run".into(),
        shard: 0,
        limits: Limits::default(),
        checks: ResponseChecks::default(),
        guard: TargetGuard::new(vec![list]),
        tls: TlsRoots::default(),
        keep_body: 9,
    });
    notices.set_send_deadline(u64::MAX);
    notices.allowance = QUEUE;
    notices
}

async fn ended(notices: &mut Notices) -> BidderCounters {
    let mut total = notices.collect();
    while !notices.is_idle() {
        notices.progressed().await;
        total.merge(&notices.collect());
    }
    total
}

async fn seen(address: std::net::SocketAddr) -> serde_json::Value {
    let mut text = String::new();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /stats HTTP/1.1\r\nConnection: close\r\n\r\n").await.unwrap();
    stream.read_to_string(&mut text).await.unwrap();
    serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap()
}

#[tokio::test]
async fn each_notice_has_its_own_path_and_the_marks() {
    let target = Target::start(TargetArgs::default()).unwrap();
    let address = target.address();
    let work = async {
        let mut notices = notices();
        for kind in ["win", "bill", "loss", "loss", "none"] {
            notices.offer(AT, &format!("http://{address}/notice/{kind}?q={{{{slot}}}}"));
        }
        let counted = ended(&mut notices).await;
        assert_eq!((counted.notices_sent, counted.notices_failed, counted.notices_dropped), (5, 0, 0));
        seen(address).await
    };
    let report = LocalSet::new().run_until(work).await;
    let auctions = report.get("auctions").unwrap();
    let count = |kind: &str| auctions.get(kind).and_then(serde_json::Value::as_u64).unwrap();
    assert_eq!((count("wins"), count("bills"), count("losses"), count("unmarked_notices")), (1, 1, 2, 0));
}

#[tokio::test]
async fn what_is_not_allowed_or_no_url_is_never_requested() {
    let listener = std::net::TcpListener::bind("127.0.0.2:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let forbidden = format!("http://{}/notice/win", listener.local_addr().unwrap());
    let work = async {
        let mut notices = notices();
        for url in [forbidden.as_str(), "http://10.0.0.1/", "ftp://127.0.0.1/", "nonsense", "http://a b/"] {
            notices.offer(AT, url);
        }
        let counted = ended(&mut notices).await;
        assert_eq!((counted.notices_sent, counted.notices_failed), (0, 5));
    };
    LocalSet::new().run_until(work).await;
    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[tokio::test]
async fn too_many_are_dropped_and_counted() {
    let work = async {
        let mut notices = notices();
        // Without the right to send everything waits.
        notices.set_send_deadline(0);
        notices.allowance = 2 * QUEUE;
        for _ in 0..QUEUE + 7 {
            notices.offer(AT, "http://127.0.0.1:9/notice/win");
        }
        assert_eq!(notices.collect().notices_dropped, 7);
        let left = notices.close(Instant::now()).await;
        assert_eq!(left.notices_dropped, QUEUE as u64);
    };
    LocalSet::new().run_until(work).await;
}

#[tokio::test]
async fn one_request_earns_a_few_notices_and_no_flood() {
    let work = async {
        let mut notices = notices();
        notices.set_send_deadline(0);
        notices.allowance = 0;
        notices.offer(AT, "http://127.0.0.1:9/early");
        notices.earn();
        for _ in 0..64 {
            notices.offer(AT, "http://127.0.0.1:9/notice/loss");
        }
        let earned = NOTICES_PER_REQUEST as u64;
        assert_eq!(notices.collect().notices_dropped, 65 - earned);
        assert_eq!(notices.close(Instant::now()).await.notices_dropped, earned);
    };
    LocalSet::new().run_until(work).await;
}

#[tokio::test]
async fn busy_hosts_leave_no_place_and_refused_ones_take_none() {
    let work = async {
        let mut notices = notices();
        notices.set_send_deadline(0);
        for port in 1..=MAX_ORIGINS {
            notices.offer(AT, &format!("http://127.0.0.1:{port}/"));
        }
        notices.offer(AT, "http://127.0.0.1:99/");
        notices.offer(AT, "http://10.0.0.1/");
        let counted = notices.collect();
        assert_eq!((counted.notices_dropped, counted.notices_failed), (1, 1));
        assert_eq!(notices.close(Instant::now()).await.notices_dropped, MAX_ORIGINS as u64);
    };
    LocalSet::new().run_until(work).await;
}
