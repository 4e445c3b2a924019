//! What one core analyses of a capture: `cargo bench -p trafficlab-engine --bench analyze -- FILE` prints one JSON
//! object. Without a file it makes its own capture in memory.
//!
//! A second argument names the only figure wanted, for profilers.
//!
//! Each figure is the median of several rounds, in packets a second of CPU time of a single thread (of wall time where
//! the system does not tell that): reading alone, reading and decoding, and the whole analysis with everything on.

#![allow(clippy::print_stdout, clippy::expect_used, reason = "a program for people who measure")]

use std::fs::File;
use std::hint::black_box;
use std::io::{Cursor, Read};
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use trafficlab_engine::packet::analyze;
use trafficlab_engine::packet::craft::{Capture, Conversation, Side};
use trafficlab_engine::packet::decode::Decoder;
use trafficlab_engine::packet::decoded::Decoded;
use trafficlab_engine::packet::file::CaptureReader;
use trafficlab_shared::model::capture::settings::AnalysisSettings;

const ROUNDS: usize = 5;

/// One way through a capture; comes back with the packets it saw.
type Measured = fn(CaptureReader) -> u64;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let (path, only) = (arguments.next(), arguments.next());
    let made = if path.is_none() { made() } else { Vec::new() };
    let input = || -> Box<dyn Read + Send> {
        match &path {
            Some(path) => Box::new(File::open(path).expect("the capture can be opened")),
            None => Box::new(Cursor::new(made.clone())),
        }
    };
    let reader = || CaptureReader::open(input()).expect("the input is a capture");
    let figures: [(&str, Measured); 3] = [("read", read), ("read_and_decoded", decoded), ("analyzed", analyzed)];
    let wanted = figures.iter().filter(|(name, _)| only.as_deref().is_none_or(|only| only == *name));
    let members: Vec<String> =
        wanted.map(|(name, work)| format!("\"{name}\":{:.0}", rate(|| work(reader())))).collect();
    println!("{{{}}}", members.join(","));
}

/// Median packets a second of `work`, which tells how many it handled.
fn rate(work: impl Fn() -> u64) -> f64 {
    let mut rates: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let (began, busy) = (Instant::now(), cpu_time());
            let count = work();
            let count = u32::try_from(count).expect("a capture to measure with has fewer than 2^32 packets");
            let spent = cpu_time().zip(busy).map_or_else(|| began.elapsed(), |(now, before)| now - before);
            f64::from(count) / spent.as_secs_f64()
        })
        .collect();
    rates.sort_by(f64::total_cmp);
    rates.get(ROUNDS / 2).copied().unwrap_or(0.0)
}

/// CPU time of this thread so far, as Linux tells it.
fn cpu_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

fn read(mut reader: CaptureReader) -> u64 {
    let mut count = 0;
    while let Some(packet) = reader.next().expect("the capture is whole") {
        black_box(packet);
        count += 1;
    }
    count
}

fn decoded(mut reader: CaptureReader) -> u64 {
    let (decoder, mut into, mut count) = (Decoder::new(), Decoded::default(), 0);
    while let Some(packet) = reader.next().expect("the capture is whole") {
        decoder.decode(&packet, &mut into);
        black_box(&into);
        count += 1;
    }
    count
}

fn analyzed(reader: CaptureReader) -> u64 {
    let report = analyze(reader, AnalysisSettings::default(), &mut |_| ControlFlow::Continue(()));
    black_box(&report);
    report.summary.packets
}

/// A capture of many conversations, one after another.
fn made() -> Vec<u8> {
    let mut capture = Capture::new();
    for number in 0..5_000_u16 {
        let client = SocketAddr::from(([10, 0, 0, 1], 10_000 + number));
        let server = SocketAddr::from(([192, 0, 2, 1], 443));
        let mut talk = Conversation::new(client, server, i64::from(number) * 1_000_000);
        talk.handshake();
        for _ in 0..20 {
            talk.exchange(Side::Client, 100).exchange(Side::Server, 1_400);
        }
        talk.close();
        capture.conversation(&talk);
    }
    capture.pcap()
}
