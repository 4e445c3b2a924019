//! Live captures on the loopback interface, of traffic this test sends.

use std::net::UdpSocket;
use std::time::Duration;

use trafficlab_engine::packet::file::CaptureReader;
use trafficlab_shared::model::capture::baseline::Baselines;
use trafficlab_shared::model::capture::settings::AnalysisSettings;
use trafficlab_shared::model::capture::summary::Summary;
use trafficlab_shared::model::capture::work::{KeepSpec, LiveSpec, Work};
use trafficlab_shared::protocol::capture::{CaptureEvent, CaptureRecord, Outcome};
use trafficlab_shared::protocol::control::DesiredState;
use trafficlab_shared::protocol::report::EndReason;

use super::can_capture;
use super::peer::{Peer, failure, host, outcome, windows};

/// Bytes of the UDP payload that is sent; no header is as long.
const SECRET: &[u8] = &[b'S'; 200];

/// Two sockets on the loopback interface, one of which sends to the other.
struct Pair {
    from: UdpSocket,
    to: UdpSocket,
}

impl Pair {
    fn new() -> Self {
        let to = UdpSocket::bind("127.0.0.1:0").unwrap();
        let from = UdpSocket::bind("127.0.0.1:0").unwrap();
        from.connect(to.local_addr().unwrap()).unwrap();
        Self { from, to }
    }

    fn filter(&self) -> String {
        format!("udp port {}", self.to.local_addr().unwrap().port())
    }

    fn send(&self, datagrams: u64) {
        let mut buffer = [0; 256];
        for _ in 0..datagrams {
            self.from.send(SECRET).unwrap();
            self.to.recv(&mut buffer).unwrap();
        }
    }
}

fn live(filter: &str, duration_ms: Option<u64>) -> LiveSpec {
    LiveSpec { interface: "lo".into(), filter: filter.into(), duration_ms, ..LiveSpec::default() }
}

fn work(live: LiveSpec) -> Work {
    let settings = AnalysisSettings { window_ns: 500_000_000, lateness_ns: 100_000_000, ..AnalysisSettings::default() };
    Work::Live { live, settings, baselines: Baselines::default() }
}

fn summary(log: &[CaptureRecord]) -> Summary {
    match outcome(log) {
        Outcome::Analysis { summary, .. } => *summary,
        other => panic!("no analysis: {other:?}"),
    }
}

async fn captures(peer: &Peer, job: &str) {
    let running = |record: &CaptureRecord| matches!(record.event, CaptureEvent::Start { .. });
    peer.log_with(job, "a started capture", running).await;
    peer.beat("w1", |beat| beat.captures > 0).await;
}

/// Sends datagrams one by one until the log tells of so many windows; says how many were sent.
async fn send_until_windows(peer: &Peer, pair: &Pair, job: &str, wanted: usize) -> u64 {
    let mut sent = 0;
    let look = async || {
        pair.send(10);
        sent += 10;
        (windows(&peer.log(job).await).len() >= wanted).then_some(())
    };
    crate::harness::soon("closed windows", look).await;
    sent
}

#[tokio::test]
async fn windows_of_a_live_capture_are_told_as_they_close_and_a_stop_tells_the_rest() {
    if !can_capture() {
        return;
    }
    let peer = Peer::with_worker().await;
    let pair = Pair::new();
    let beat = peer.beat("w1", |beat| !beat.interfaces.is_empty()).await;
    assert!(beat.interfaces.contains(&"lo".to_owned()), "{:?}", beat.interfaces);
    peer.ask("live-1", Some(&host()), work(live(&pair.filter(), None))).await;
    captures(&peer, "live-1").await;
    let mut sent = send_until_windows(&peer, &pair, "live-1", 3).await;
    pair.send(100);
    sent += 100;
    let before_stop = std::time::Instant::now();
    peer.want("live-1", DesiredState::Stop, 2).await;
    let log = peer.ended("live-1").await;
    assert!(before_stop.elapsed() < Duration::from_secs(10), "a stop does not wait for anything");
    assert!(matches!(log.last().unwrap().event, CaptureEvent::End { reason: EndReason::Stopped, .. }));
    assert_eq!(log.last().unwrap().revision, 2);
    let told = windows(&log);
    assert!(told.windows(2).all(|pair| pair[0].index < pair[1].index), "each window once, in order");
    // What was sent before the capture had opened its socket is not in it, and nothing else is missing.
    let captured: u64 = told.iter().map(|window| window.packets).sum();
    assert!(captured <= sent && captured >= 100, "{captured} of {sent}");
    let summary = summary(&log);
    assert_eq!((summary.packets, summary.windows), (captured, told.len() as u64));
    assert_eq!((summary.kernel_drops, summary.app_drops), (0, 0));
    assert_eq!(told[0].bytes, told[0].packets * (14 + 20 + 8 + 200), "{:?}", told[0]);
    assert!(told[0].captured_bytes < told[0].bytes, "headers only, unless payload is asked for");
    crate::harness::soon("an empty queue", async || (peer.queued().await == 0).then_some(())).await;
}

#[tokio::test]
async fn a_capture_ends_by_itself_and_keeps_headers_in_a_ring_of_files() {
    if !can_capture() {
        return;
    }
    let peer = Peer::with_worker().await;
    let pair = Pair::new();
    let keep = Some(KeepSpec { file_bytes: 2000, files: 3 });
    let spec = LiveSpec { keep, ..live(&pair.filter(), Some(2500)) };
    peer.ask("live-2", Some(&host()), work(spec)).await;
    captures(&peer, "live-2").await;
    let mut over = Box::pin(peer.ended("live-2"));
    let log = loop {
        tokio::select! {
            log = &mut over => break log,
            () = tokio::time::sleep(Duration::from_millis(20)) => pair.send(5),
        }
    };
    assert!(matches!(log.last().unwrap().event, CaptureEvent::End { reason: EndReason::Completed, .. }));
    let captured = summary(&log).packets;
    let mut files: Vec<_> = std::fs::read_dir(peer.kept()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert_eq!(files.len(), 3, "{captured} packets in {files:?}");
    let mut kept = 0;
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        assert!(bytes.len() <= 2000 + 16 + 64 && !bytes.windows(4).any(|four| four == b"SSSS"), "no payload");
        let mut reader = CaptureReader::open(std::io::Cursor::new(bytes)).unwrap();
        while let Some(packet) = reader.next().unwrap() {
            assert_eq!((packet.wire_len, packet.data.len()), (14 + 20 + 8 + 200, 42));
            kept += 1;
        }
    }
    assert!(kept > 0 && kept <= captured, "{kept} of {captured}");
}

#[tokio::test]
async fn another_worker_of_the_host_goes_on_behind_a_gap() {
    if !can_capture() {
        return;
    }
    let mut peer = Peer::with_worker().await;
    let pair = Pair::new();
    peer.ask("live-3", Some(&host()), work(live(&pair.filter(), None))).await;
    captures(&peer, "live-3").await;
    send_until_windows(&peer, &pair, "live-3", 2).await;
    let before = peer.log("live-3").await;
    peer.workers[0].kill();
    peer.add_worker(&[], &[]);
    let resumed = |record: &CaptureRecord| record.worker == "w2" && record.next > record.from;
    let look = async || {
        pair.send(10);
        let log = peer.log("live-3").await;
        log.iter().any(resumed).then_some(())
    };
    crate::harness::soon("windows of the second worker", look).await;
    peer.want("live-3", DesiredState::Stop, 2).await;
    let log = peer.ended("live-3").await;
    let gap = log.iter().find_map(|record| match &record.event {
        CaptureEvent::Gap { from_ns, to_ns, reason } => Some((*from_ns, *to_ns, reason.clone())),
        _ => None,
    });
    let (from_ns, to_ns, reason) = gap.expect("a gap is said");
    assert!(from_ns < to_ns && reason.contains("`w1`") && reason.contains("`w2`"), "{reason}");
    let told = windows(&log);
    assert!(told.windows(2).all(|pair| pair[0].index < pair[1].index && pair[0].end_ns <= pair[1].start_ns));
    assert_eq!((told[0].start_ns - told.last().unwrap().start_ns) % 500_000_000, 0, "one origin");
    assert!(windows(&before).iter().all(|window| window.end_ns <= from_ns), "what was told lies before the gap");
    assert!(told.iter().filter(|window| window.end_ns > from_ns).all(|window| window.last_ns >= to_ns));
}

#[tokio::test]
async fn captures_that_cannot_be_say_why() {
    if !can_capture() {
        return;
    }
    let peer = Peer::with_worker().await;
    let wrong = live("udp port port", None);
    peer.ask("live-4", Some(&host()), work(wrong)).await;
    let reason = failure(&peer.ended("live-4").await);
    assert!(reason.starts_with("filter `udp port port` is wrong"), "{reason}");
    let unknown = LiveSpec { interface: "tl-none-7".into(), ..LiveSpec::default() };
    peer.ask("live-5", Some(&host()), work(unknown)).await;
    let reason = failure(&peer.ended("live-5").await);
    assert_eq!(reason, "interface `tl-none-7` does not exist on the worker's host");
    crate::harness::soon("an empty queue", async || (peer.queued().await == 0).then_some(())).await;
}

#[tokio::test]
async fn a_worker_without_the_right_to_capture_names_the_line_that_gives_it() {
    if !can_capture() || !super::runs("setpriv", &["--version"]) {
        return;
    }
    let mut peer = Peer::start().await;
    peer.add_worker(&["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"], &[]);
    let beat = peer.beat("w1", |_| true).await;
    assert!(beat.interfaces.is_empty(), "{:?}", beat.interfaces);
    peer.ask("live-6", None, work(live("", None))).await;
    let reason = failure(&peer.ended("live-6").await);
    assert!(reason.starts_with("Operation not permitted"), "{reason}");
    assert!(reason.contains("setcap cap_net_raw+ep /"), "{reason}");
}
