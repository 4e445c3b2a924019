//! The whole way from packets to a report, on captures made here.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::net::SocketAddr;

use proptest::prelude::*;

use super::*;
use crate::packet::craft::{Capture, Conversation, Side, TcpHeader, arp, icmp, tcp, udp};

const MS: i64 = 1_000_000;
const START: i64 = 1_700_000_000_000_000_000;

fn end(host: u8, port: u16) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, host], port))
}

fn report_with(capture: &Capture, settings: AnalysisSettings) -> Report {
    let mut analyzer = Analyzer::new(settings, Mode::File);
    capture.raw().for_each(|packet| analyzer.packet(&packet));
    analyzer.finish()
}

fn report(capture: &Capture) -> Report {
    report_with(capture, AnalysisSettings::default())
}

fn talk(port: u16, start_ns: i64) -> Conversation {
    let mut talk = Conversation::new(end(1, port), end(2, 443), start_ns);
    talk.handshake().exchange(Side::Client, 100).exchange(Side::Server, 1_000).close();
    talk
}

#[test]
fn a_connection_is_told_from_every_side() {
    let mut capture = Capture::new();
    capture.conversation(&talk(40_000, START));
    let report = report(&capture);
    assert_eq!(report.windows.len(), 1);
    assert_eq!((report.summary.tcp_conversations, report.summary.tcp_streams), (1, 1));
    assert_eq!(report.wire.tcp.streams_with_initial_rtt, 1);
    assert_eq!(report.connections.len(), 1);
    let connection = &report.connections[0];
    assert_eq!((connection.state.as_str(), connection.service.as_deref()), ("SF", Some("https")));
    assert_eq!(report.windows[0].handshake_server.count, 1);
    assert_eq!(report.windows[0].handshake_client.count, 1);
    assert_eq!(report.wire.scan.src_dst_ports[0].answered, 1);
    assert_eq!(report.wire.long_lived[0].packets, report.summary.packets);
}

#[test]
fn reused_ports_are_two_streams_and_two_connections_of_one_conversation() {
    let mut capture = Capture::new();
    capture.conversation(&talk(40_000, START));
    let mut again = Conversation::new(end(1, 40_000), end(2, 443), START + 5_000 * MS).sequence(9_999_999, 77);
    again.handshake().exchange(Side::Client, 10);
    capture.conversation(&again);
    let report = report(&capture);
    assert_eq!((report.summary.tcp_conversations, report.summary.tcp_streams), (1, 2));
    assert_eq!(report.summary.tcp.reused_ports, 1);
    assert_eq!(report.connections.iter().map(|told| told.state.as_str()).collect::<Vec<_>>(), ["SF", "S1"]);
}

#[test]
fn a_stream_in_a_tunnel_is_analysed_and_the_tunnel_is_the_conversation() {
    let mut capture = Capture::new();
    let header = |flags, seq, ack| TcpHeader { seq, ack, flags, window: 1_000, ..TcpHeader::default() };
    let frames = [
        tcp(end(1, 5), end(2, 80), &header(SYN, 100, 0), &[]),
        tcp(end(2, 80), end(1, 5), &header(SYN | ACK, 900, 101), &[]),
        tcp(end(1, 5), end(2, 80), &header(ACK, 101, 901), &[]),
        tcp(end(1, 5), end(2, 80), &header(ACK, 101, 901), &[7; 10]),
        tcp(end(1, 5), end(2, 80), &header(ACK, 101, 901), &[7; 10]),
    ];
    for (place, frame) in (0..).zip(&frames) {
        capture.at(START + place * 100 * MS, &frame.vxlan(end(8, 50_000), end(9, 4_789), 1));
    }
    let report = report(&capture);
    let counted = report.wire.conversations;
    assert_eq!((counted.tcp, counted.udp, counted.tcp_streams, counted.udp_streams), (0, 1, 1, 1));
    assert_eq!(report.summary.tcp.retransmission, 1);
    assert_eq!(report.windows[0].latency.count, 2, "both halves of the handshake");
    assert_eq!(report.summary.top_src[0].addr, "10.0.0.8");
}

#[test]
fn flows_make_room_for_others_and_are_counted() {
    let mut capture = Capture::new();
    for port in 0..100_u16 {
        capture.conversation(&talk(40_000 + port, START + i64::from(port) * 500 * MS));
    }
    let all = report(&capture);
    let few = report_with(&capture, AnalysisSettings { flows: 4, ..AnalysisSettings::default() });
    assert_eq!((all.summary.evicted_flows, few.summary.evicted_flows), (0, 96));
    assert_eq!(few.summary.tcp_conversations, 100);
    assert_eq!(few.connections.len(), 100);
    assert_eq!(few.wire.scan, all.wire.scan);
    assert_eq!(few.wire.long_lived, all.wire.long_lived);
    assert!(few.summary.approximate.is_some() && all.summary.approximate.is_none());
    let figures = |report: &Report| report.windows.iter().map(|w| (w.packets, w.conversations)).collect::<Vec<_>>();
    assert_eq!(figures(&few), figures(&all));
}

#[test]
fn packets_without_ports_count_in_their_window() {
    let mut capture = Capture::new();
    let (client, server) = (end(1, 0).ip(), end(2, 0).ip());
    capture.at(START, &icmp(client, server, 8, 0, &[0; 8]));
    capture.at(START + MS, &icmp(server, client, 0, 0, &[0; 8]));
    capture.at(START + 2 * MS, &arp(client, server));
    capture.at(START + 3 * MS, &udp(end(1, 5_000), end(2, 53), &[0; 20]));
    let report = report(&capture);
    let window = &report.windows[0];
    assert_eq!((window.packets, window.transport.icmp, window.network.arp), (4, 2, 1));
    assert_eq!((window.conversations, report.wire.conversations.udp_streams), (1, 1));
    let protocols: Vec<&str> = report.connections.iter().map(|told| told.protocol.as_str()).collect();
    assert_eq!(protocols, ["icmp", "udp"]);
}

/// Conversations of random lengths and times, in the order of time.
fn any_capture() -> impl Strategy<Value = Capture> {
    let one = (0..20_u16, 0..60_000_i64, 0..6_usize, any::<bool>());
    proptest::collection::vec(one, 1..20).prop_map(|all| {
        let mut capture = Capture::new();
        for (port, start_ms, exchanges, lossy) in all {
            let mut talk = Conversation::new(end(1, 40_000 + port), end(2, 443), START + start_ms * MS);
            talk.handshake();
            for _ in 0..exchanges {
                talk.exchange(Side::Client, 200).exchange(Side::Server, 900).wait(1_500 * MS);
            }
            if lossy {
                talk.data(Side::Server, 500).wait(300 * MS).retransmit(Side::Server).ack(Side::Client);
            }
            talk.close();
            capture.conversation(&talk);
        }
        capture.sort();
        capture
    })
}

/// What of a window does not depend on how the capture is cut.
fn essence(windows: &[Window]) -> Vec<Window> {
    windows.iter().map(|window| Window { scans: Vec::new(), long_lived: Vec::new(), ..window.clone() }).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn windows_told_one_by_one_equal_those_told_at_the_end(capture in any_capture(), step in 1..40_usize) {
        let whole = report(&capture);
        let mut live = Analyzer::new(AnalysisSettings::default(), Mode::Live { origin: None, first_window: 0 });
        let mut windows = Vec::new();
        for (place, packet) in capture.raw().enumerate() {
            live.packet(&packet);
            if place % step == 0 {
                windows.extend(live.close_until(packet.time_ns.unwrap()));
            }
        }
        let rest = live.finish();
        windows.extend(rest.windows);
        prop_assert_eq!(essence(&windows), essence(&whole.windows));
        let (live, whole) = (rest.summary, whole.summary);
        prop_assert_eq!((live.packets, live.tcp, live.tcp_streams), (whole.packets, whole.tcp, whole.tcp_streams));
        prop_assert_eq!(live.latency, whole.latency);
    }

    #[test]
    fn counts_do_not_depend_on_the_order_of_packets(capture in any_capture(), shift in 0..1_000_usize) {
        let mut turned = capture.clone();
        let place = shift % turned.packets.len();
        turned.packets.rotate_left(place);
        let (one, other) = (report(&capture), report(&turned));
        let counts = |report: &Report| {
            let wire = &report.wire;
            let totals = (wire.packets, wire.wire_bytes, wire.outer_l4.clone(), wire.top_src.clone(), wire.top_dst.clone());
            (totals, wire.conversations.tcp, wire.conversations.udp, wire.scan.clone())
        };
        prop_assert_eq!(counts(&one), counts(&other));
    }

    #[test]
    fn any_bytes_are_counted(frames in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..120), 0..40)) {
        let mut capture = Capture::new();
        for bytes in frames {
            capture.packets.push(crate::packet::craft::Packet { time_ns: START, bytes });
        }
        let count = u64::try_from(capture.packets.len()).unwrap();
        prop_assert_eq!(report(&capture).wire.packets, count);
    }
}
