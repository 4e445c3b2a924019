//! A small capture with something of everything: 60 s of an office, then a scan, a lossy download and a long call.

use std::net::SocketAddr;

use trafficlab_engine::packet::craft::{Capture, Conversation, Frame, Side, udp};

/// When the sample begins, nanoseconds since 1970.
pub(super) const BEGIN_NS: i64 = 1_700_000_000_500_000_000;
/// Windows of 10 s with packets in the sample.
pub(super) const WINDOWS: u64 = 6;

const SECOND: i64 = 1_000_000_000;

fn client(host: u8, port: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, host], port))
}

fn server(host: u8, port: u16) -> SocketAddr {
    SocketAddr::from(([198, 51, 100, host], port))
}

/// Six windows of 10 s.
pub(super) fn office() -> Capture {
    let mut capture = Capture::new();
    for second in 0..60_u8 {
        let at = BEGIN_NS + i64::from(second) * SECOND;
        let mut page = Conversation::new(client(1 + second % 5, 40_000 + u16::from(second)), server(1, 443), at);
        page.handshake().exchange(Side::Client, 300).exchange(Side::Server, 1200).close();
        capture.conversation(&page);
        capture.at(at + 1_000_000, &question());
    }
    capture.conversation(&lossy());
    for attempt in scan() {
        capture.conversation(&attempt);
    }
    capture.sort();
    capture
}

/// In window 3: twelve segments of which six are sent twice.
fn lossy() -> Conversation {
    let mut download = Conversation::new(client(9, 51_148), server(9, 5228), BEGIN_NS + 31 * SECOND);
    download.handshake();
    for number in 0..12 {
        download.data(Side::Client, 500);
        if number % 2 == 0 {
            download.wait(300_000_000).retransmit(Side::Client);
        }
        download.ack(Side::Server).wait(50_000_000);
    }
    download
}

/// In window 4: forty refused ports of one host.
fn scan() -> impl Iterator<Item = Conversation> {
    (1..=40_u16).map(|port| {
        let at = BEGIN_NS + 41 * SECOND + i64::from(port) * 10_000_000;
        let mut attempt = Conversation::new(client(66, 33_000 + port), server(7, port), at);
        attempt.refused();
        attempt
    })
}

/// One small packet.
pub(super) fn question() -> Frame {
    udp(client(2, 5353), server(53, 53), b"question")
}
