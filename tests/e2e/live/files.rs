//! File jobs, baselines and detection, asked for by a scripted coordinator.

use std::net::SocketAddr;

use trafficlab_engine::packet::craft::{Capture, Conversation, Side};
use trafficlab_engine::packet::pack;
use trafficlab_shared::model::capture::baseline::{BaselineKind, Baselines};
use trafficlab_shared::model::capture::settings::AnalysisSettings;
use trafficlab_shared::model::capture::window::Window;
use trafficlab_shared::model::capture::work::Work;
use trafficlab_shared::protocol::capture::{CaptureEvent, CaptureRecord, Outcome};
use trafficlab_shared::protocol::control::DesiredState;
use trafficlab_shared::protocol::report::EndReason;

use super::peer::{Peer, failure, outcome, windows};
use crate::harness::soon;

const SECOND: i64 = 1_000_000_000;
const START: i64 = 1_767_225_600 * SECOND;

/// Packets of each connection below: handshake, two answered exchanges, close.
const EACH: u64 = 10;

/// A connection each second, for so many seconds.
fn capture(seconds: u16) -> Vec<u8> {
    let mut capture = Capture::new();
    let server: SocketAddr = "192.0.2.1:443".parse().unwrap();
    for second in 0..seconds {
        let client = SocketAddr::from(([198, 51, 100, 7], 20_000 + second));
        let mut talk = Conversation::new(client, server, START + i64::from(second) * SECOND);
        talk.handshake().exchange(Side::Client, 100).exchange(Side::Server, 1000).close();
        capture.conversation(&talk);
    }
    capture.sort().pcap()
}

fn file(path: &str, bytes: usize) -> Work {
    Work::File {
        path: path.into(),
        bytes: bytes as u64,
        max_decompressed: 1 << 30,
        settings: AnalysisSettings::default(),
        baselines: Baselines::default(),
    }
}

fn completed(log: &[CaptureRecord]) -> bool {
    matches!(log.last().unwrap().event, CaptureEvent::End { reason: EndReason::Completed, .. })
}

fn wanted(log: &[CaptureRecord]) -> bool {
    log.iter().any(|record| record.event == CaptureEvent::FileWanted)
}

#[tokio::test]
async fn a_file_is_read_from_the_shared_folder_or_comes_through_the_object_store() {
    let peer = Peer::with_worker().await;
    let bytes = capture(35);
    let path = peer.folder.path().join("a.pcap");
    std::fs::write(&path, &bytes).unwrap();
    peer.ask("file-1", None, file(path.to_str().unwrap(), bytes.len())).await;
    let shared = peer.ended("file-1").await;
    assert!(completed(&shared) && !wanted(&shared), "{:?}", shared.last());

    // Another length means another file, so it is asked for; it is larger than a chunk of the store.
    let large = [bytes.as_slice(), &capture(2000)[24..]].concat();
    peer.ask("file-2", None, file(path.to_str().unwrap(), large.len())).await;
    peer.log_with("file-2", "the file being wanted", |record| record.event == CaptureEvent::FileWanted).await;
    peer.put("file-2", &large).await;
    let fetched = peer.ended("file-2").await;
    assert!(completed(&fetched), "{:?}", fetched.last());
    for (log, packets) in [(&shared, 35 * EACH), (&fetched, 2035 * EACH)] {
        let Outcome::Analysis { summary, wire } = outcome(log) else { panic!("no analysis") };
        let told = windows(log);
        let counted: u64 = told.iter().map(|window| window.packets).sum();
        assert_eq!((summary.packets, counted), (packets, packets));
        assert_eq!(wire["packets"], packets);
        let last = log.last().unwrap();
        assert_eq!((last.next, last.origin_ns), (told.len() as u64, Some(START)));
        assert_eq!(last.connections_told, summary.connections.opened, "each connection is told");
        assert_eq!(last.progress.packets, packets);
    }
    soon("an empty queue", async || (peer.queued().await == 0).then_some(())).await;
}

#[tokio::test]
async fn damage_is_told_where_it_is_and_what_is_no_capture_fails() {
    let peer = Peer::with_worker().await;
    let whole = capture(20);
    let cut = &whole[..whole.len() - 7];
    for (job, bytes) in [("cut", cut), ("text", b"this is not a capture at all".as_slice()), ("none", b"")] {
        let path = peer.folder.path().join(job);
        std::fs::write(&path, bytes).unwrap();
        peer.ask(job, None, file(path.to_str().unwrap(), bytes.len())).await;
    }
    let log = peer.ended("cut").await;
    let Outcome::Analysis { summary, .. } = outcome(&log) else { panic!("no analysis") };
    let fault = summary.fault.expect("the damage is told");
    assert!(fault.offset > whole.len() as u64 - 200 && fault.offset < whole.len() as u64, "{fault:?}");
    assert_eq!(summary.packets, 20 * EACH - 1, "the packets before it are analysed");
    let reason = failure(&peer.ended("text").await);
    assert!(!reason.is_empty() && !reason.contains("restarted"), "{reason}");
    failure(&peer.ended("none").await);
}

#[tokio::test]
async fn a_job_that_is_stopped_ends_whatever_it_waits_for() {
    let peer = Peer::with_worker().await;
    peer.ask("wait", None, file("nowhere/to/be/found", 100)).await;
    peer.log_with("wait", "the file being wanted", |record| record.event == CaptureEvent::FileWanted).await;
    peer.want("wait", DesiredState::Stop, 2).await;
    let log = peer.ended("wait").await;
    assert!(matches!(log.last().unwrap().event, CaptureEvent::End { reason: EndReason::Stopped, .. }));
    soon("an empty queue", async || (peer.queued().await == 0).then_some(())).await;
}

#[tokio::test]
async fn a_worker_that_leaves_gives_its_job_back_and_the_next_one_tells_everything_once() {
    let mut peer = Peer::with_worker().await;
    let bytes = capture(300);
    peer.ask("moved", None, file("nowhere/to/be/found", bytes.len())).await;
    peer.log_with("moved", "the file being wanted", |record| record.event == CaptureEvent::FileWanted).await;
    assert!(peer.workers[0].terminate().await.success());
    let log = peer.log("moved").await;
    assert_eq!(log.last().unwrap().event, CaptureEvent::Yield);
    peer.put("moved", &bytes).await;
    peer.add_worker(&[], &[]);
    let log = peer.ended("moved").await;
    assert!(completed(&log));
    assert_eq!(log.last().unwrap().epoch, 2);
    let told = windows(&log);
    assert_eq!(told.len(), 30, "of ten seconds each");
    assert!(told.windows(2).all(|pair| pair[0].index + 1 == pair[1].index));
}

#[tokio::test]
async fn stored_windows_are_judged_from_the_object_store() {
    let peer = Peer::with_worker().await;
    let path = peer.folder.path().join("a.pcap");
    let bytes = capture(100);
    std::fs::write(&path, &bytes).unwrap();
    peer.ask("source", None, file(path.to_str().unwrap(), bytes.len())).await;
    let all = windows(&peer.ended("source").await);
    let object: Vec<u8> = all.chunks(4).flat_map(framed).collect();
    peer.put("usual", &object).await;
    peer.ask("usual", None, Work::Baseline { kinds: BaselineKind::ALL.to_vec() }).await;
    let Outcome::Baselines { baselines } = outcome(&peer.ended("usual").await) else { panic!("no baselines") };
    let bandwidth = baselines.of(BaselineKind::Bandwidth).expect("a baseline of the bandwidth");
    assert_eq!(bandwidth.main.windows, all.len() as u64);
    let mut strange = all.clone();
    let loud = strange.get_mut(5).unwrap();
    (loud.bytes, loud.packets) = (loud.bytes * 100, loud.packets * 100);
    peer.put("strange", &strange.chunks(4).flat_map(framed).collect::<Vec<u8>>()).await;
    let settings = AnalysisSettings::default();
    peer.ask("strange", None, Work::Detect { settings, baselines }).await;
    let log = peer.ended("strange").await;
    let Outcome::Detection { anomalies } = outcome(&log) else { panic!("no detection") };
    let told = super::peer::anomalies(&log);
    assert_eq!(told.len() as u64, anomalies);
    assert!(told.iter().any(|anomaly| anomaly.window_index == 5), "{told:?}");
    assert_eq!(log.last().unwrap().anomalies_told, anomalies);
}

/// A pack behind its length.
fn framed(windows: &[Window]) -> Vec<u8> {
    let pack = pack::windows(windows);
    [&u32::try_from(pack.len()).unwrap().to_be_bytes()[..], &pack].concat()
}
