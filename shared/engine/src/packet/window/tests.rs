//! Windows of captures made for them, through the whole analyzer.

use std::net::SocketAddr;

use proptest::prelude::*;
use trafficlab_shared::model::capture::counts::Talker;
use trafficlab_shared::model::capture::settings::AnalysisSettings;
use trafficlab_shared::model::capture::window::Window;

use crate::packet::analyzer::{Analyzer, Mode, Report};
use crate::packet::craft::{Capture, Conversation, Side, arp, icmp, udp};

const SECOND: i64 = 1_000_000_000;
const T0: i64 = 1_700_000_000 * SECOND;

fn end(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn report(capture: &Capture, settings: AnalysisSettings) -> Report {
    let mut analyzer = Analyzer::new(settings, Mode::File);
    for packet in capture.raw() {
        analyzer.packet(&packet);
    }
    analyzer.finish()
}

/// A whole connection: a request, a response of three segments, an orderly end.
fn conversation(client: &str, server: &str, start: i64) -> Conversation {
    let mut talk = Conversation::new(end(client), end(server), start);
    talk.handshake().exchange(Side::Client, 100);
    talk.exchange(Side::Server, 1_000).exchange(Side::Server, 1_000).exchange(Side::Server, 500).close();
    talk
}

fn mixed() -> Capture {
    let mut capture = Capture::new();
    capture.conversation(&conversation("10.0.0.1:40000", "192.0.2.1:443", T0));
    capture.conversation(&conversation("10.0.0.2:40001", "192.0.2.2:80", T0 + 3 * SECOND));
    capture.at(T0 + SECOND, &udp(end("10.0.0.1:5000"), end("192.0.2.9:53"), &[0; 30]));
    capture.at(T0 + SECOND + 1_000, &udp(end("192.0.2.9:53"), end("10.0.0.1:5000"), &[0; 300]));
    capture.at(T0 + 2 * SECOND, &icmp(end("10.0.0.1:1").ip(), end("192.0.2.1:1").ip(), 8, 0, &[0; 40]));
    capture.at(T0 + 2 * SECOND, &arp(end("10.0.0.1:1").ip(), end("10.0.0.2:1").ip()));
    capture.conversation(&conversation("10.0.0.1:40002", "192.0.2.1:443", T0 + 12 * SECOND));
    capture.sort();
    capture
}

#[test]
fn a_window_says_everything_once() {
    let told = report(&mixed(), AnalysisSettings::default());
    assert_eq!(told.windows.len(), 2);
    let window = &told.windows[0];
    assert_eq!((window.index, window.start_ns, window.end_ns), (0, T0, T0 + 10 * SECOND));
    assert_eq!((window.transport.udp, window.transport.icmp, window.network.arp), (2, 1, 1));
    assert_eq!(window.network.ipv4 + window.network.arp, window.packets);
    let connections = &window.connections;
    assert_eq!((connections.total, connections.opened, connections.closed), (3, 3, 2));
    assert_eq!((connections.protocols["tcp"], connections.protocols["udp"], connections.states["SF"]), (2, 1, 2));
    assert_eq!(window.segments.data, 8);
    assert_eq!((window.handshake_server.count, window.handshake_server.p50_ns), (2, 10_000_000));
    assert_eq!((window.handshake_client.count, window.handshake_client.max_ns), (2, 100_000));
    let services: Vec<&str> = window.services.iter().map(|service| service.name.as_str()).collect();
    assert_eq!(services, ["http", "https", "domain"]);
    let sums = |talkers: &[Talker]| talkers.iter().map(|talker| (talker.bytes, talker.packets)).fold((0, 0), add);
    assert_eq!(sums(&window.top_src), sums(&window.top_dst), "what is sent is received");
    assert_eq!(sums(&window.top_src).1, window.network.ipv4);
    assert_eq!(window.top_flows[0].flow.src, "10.0.0.1:40000");
    assert_eq!(told.windows[1].connections.opened, 1);
}

fn add(a: (u64, u64), b: (u64, u64)) -> (u64, u64) {
    (a.0 + b.0, a.1 + b.1)
}

#[test]
fn the_summary_is_the_sum_of_its_windows() {
    let told = report(&mixed(), AnalysisSettings::default());
    let sum = |of: fn(&Window) -> u64| told.windows.iter().map(of).sum::<u64>();
    let summary = &told.summary;
    assert_eq!(summary.packets, sum(|window| window.packets));
    assert_eq!(summary.wire_bytes, sum(|window| window.bytes));
    assert_eq!(summary.segments.data, sum(|window| window.segments.data));
    assert_eq!(summary.latency.count, sum(|window| window.latency.count));
    assert_eq!((summary.windows, summary.tcp_conversations, summary.udp_conversations), (2, 3, 1));
    assert_eq!(summary.connections.states["SF"], 3);
    assert_eq!(summary.approximate, None);
}

#[test]
fn connections_are_told_as_zeek_would() {
    let told = report(&mixed(), AnalysisSettings::default());
    let first = &told.connections.iter().find(|one| one.src_port == 40_000).unwrap();
    assert_eq!((first.state.as_str(), first.service.as_deref()), ("SF", Some("https")));
    assert!(first.history.starts_with("ShAD") && first.history.contains('d'), "{}", first.history);
    assert_eq!((first.sent.payload, first.received.payload, first.received.data_segments), (100, 2_500, 3));
    assert_eq!((first.sent.missed_bytes, first.received.missed_bytes), (0, 0));
    assert_eq!(first.initial_rtt_ns, Some(10_100_000));
    let mut ids: Vec<u64> = told.connections.iter().map(|one| one.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), told.connections.len());
}

#[test]
fn refusals_holes_and_repeats_show_in_the_connection() {
    let mut capture = Capture::new();
    let mut refused = Conversation::new(end("10.0.0.1:1000"), end("192.0.2.1:81"), T0);
    refused.refused();
    let mut lossy = Conversation::new(end("10.0.0.1:1001"), end("192.0.2.1:443"), T0 + SECOND);
    lossy.handshake().data(Side::Client, 100).unseen(Side::Client, 300).data(Side::Client, 50);
    lossy.wait(SECOND).retransmit(Side::Client).reset(Side::Server);
    capture.conversation(&refused).conversation(&lossy);
    let told = report(&capture, AnalysisSettings::default());
    let of = |port: u16| told.connections.iter().find(|one| one.src_port == port).unwrap();
    assert_eq!((of(1000).state.as_str(), of(1000).history.as_str()), ("REJ", "Sr"));
    let lossy = of(1001);
    assert_eq!((lossy.state.as_str(), lossy.sent.missed_bytes, lossy.sent.retransmitted), ("RSTR", 300, 1));
    assert!(["G", "T", "r"].iter().all(|letter| lossy.history.contains(letter)), "{}", lossy.history);
}

#[test]
fn ports_used_again_are_another_connection_of_the_same_conversation() {
    let mut capture = Capture::new();
    capture.conversation(&conversation("10.0.0.1:40000", "192.0.2.1:443", T0));
    let (client, server) = (end("10.0.0.1:40000"), end("192.0.2.1:443"));
    let mut again = Conversation::new(client, server, T0 + 5 * SECOND).sequence(777_777, 5);
    again.handshake();
    capture.conversation(&again);
    let told = report(&capture, AnalysisSettings::default());
    let connections = &told.windows[0].connections;
    assert_eq!((connections.total, connections.opened, connections.closed), (1, 2, 1));
    assert_eq!((connections.states["SF"], connections.states["S1"]), (1, 1));
    assert_eq!(told.connections.len(), 2);
}

#[test]
fn windows_years_apart_and_before_the_first_packet_are_only_those_with_packets() {
    let mut capture = Capture::new();
    for time in [T0, T0 - 25 * SECOND, T0 + 40_000_000 * SECOND, T0 - 1] {
        capture.at(time, &udp(end("10.0.0.1:5000"), end("192.0.2.9:53"), &[0; 30]));
    }
    let told = report(&capture, AnalysisSettings::default());
    let indices: Vec<i64> = told.windows.iter().map(|window| window.index).collect();
    assert_eq!(indices, [-3, -1, 0, 4_000_000]);
    assert_eq!((told.summary.min_ns, told.summary.first_ns), (Some(T0 - 25 * SECOND), Some(T0)));
    assert!(told.windows.iter().all(|window| window.connections.total == 1));
}

#[test]
fn a_long_connection_is_told_at_its_milestones() {
    let mut capture = Capture::new();
    let mut talk = Conversation::new(end("10.0.0.1:50000"), end("192.0.2.1:5228"), T0);
    talk.handshake();
    for _ in 0..40 {
        talk.wait(60 * SECOND).exchange(Side::Client, 10);
    }
    capture.conversation(&talk);
    let told = report(&capture, AnalysisSettings::default());
    let long: Vec<(i64, u64)> = told
        .windows
        .iter()
        .flat_map(|window| window.long_lived.iter().map(|long| (window.index, long.milestone_ns / 1_000_000_000)))
        .collect();
    assert_eq!(long, [(60, 600), (180, 1_800)]);
}

#[test]
fn sketches_take_over_and_say_so() {
    let exact = report(&mixed(), AnalysisSettings::default());
    let rough = report(&mixed(), AnalysisSettings { exact: 4, ..AnalysisSettings::default() });
    assert!(rough.summary.approximate.is_some());
    assert!(rough.windows.iter().any(|window| window.approximate.is_some()));
    assert_eq!(rough.summary.latency.count, exact.summary.latency.count);
    let (told, right) = (rough.summary.latency.p95_ns, exact.summary.latency.p95_ns);
    assert!(told.abs_diff(right) <= right / 100, "{told} for {right}");
    assert_eq!(rough.windows[0].packets, exact.windows[0].packets);
}

#[test]
fn windows_that_had_to_make_room_count_on_and_say_what_they_miss() {
    let mut capture = Capture::new();
    // Three flows come back in every second window, which moves what they did before into its window.
    for (flow, second) in (0_u16..30).zip((0..).step_by(4)) {
        let client = SocketAddr::new(end("10.0.0.1:1").ip(), 1_000 + flow % 3);
        capture.at(T0 + second * SECOND, &udp(client, end("192.0.2.9:53"), &[0; 30]));
    }
    capture.at(T0 + SECOND, &udp(end("10.0.0.7:7"), end("192.0.2.9:53"), &[0; 30]));
    let told = report(&capture, AnalysisSettings { exact: 6, ..AnalysisSettings::default() });
    let first = &told.windows[0];
    assert_eq!((first.packets, first.connections.total), (4, 3), "the late one is counted, its flow is not");
    assert!(first.approximate.as_ref().unwrap().contains("talkers"));
    assert_eq!(told.windows.iter().map(|window| window.packets).sum::<u64>(), 31);
    assert_eq!(told.windows.last().unwrap().approximate, None);
    assert_eq!(told.summary.top_dst[0].packets, 31, "the whole capture knows them all");
}

#[test]
fn live_windows_are_those_of_the_file() {
    let capture = mixed();
    let settings = AnalysisSettings::default();
    let file = report(&capture, settings.clone());
    let mut live = Analyzer::new(settings, Mode::Live { origin: None, first_window: 0 });
    let mut told = Vec::new();
    for packet in capture.raw() {
        told.extend(live.close_until(packet.time_ns.unwrap()));
        live.packet(&packet);
    }
    let rest = live.finish();
    assert_eq!(told.len(), 1, "the first window closes while packets of the second arrive");
    told.extend(rest.windows);
    assert_eq!(told, file.windows);
    assert_eq!(rest.summary.connections, file.summary.connections);
    assert_eq!(rest.summary.top_src, file.summary.top_src);
}

#[test]
fn a_packet_for_a_closed_window_is_late() {
    let mut live = Analyzer::new(AnalysisSettings::default(), Mode::Live { origin: None, first_window: 0 });
    let mut capture = Capture::new();
    for time in [T0, T0 + 11 * SECOND, T0 + SECOND, T0 + 12 * SECOND] {
        capture.at(time, &udp(end("10.0.0.1:5000"), end("192.0.2.9:53"), &[0; 30]));
    }
    let mut told = Vec::new();
    live.drops(3, 2);
    for packet in capture.raw() {
        live.packet(&packet);
        told.extend(live.close_until(packet.time_ns.unwrap()));
    }
    let rest = live.finish();
    assert_eq!((told.len(), told[0].packets), (1, 1));
    assert_eq!((told[0].kernel_drops, told[0].app_drops, rest.windows[0].kernel_drops), (3, 2, 0));
    assert_eq!((rest.windows[0].packets, rest.windows[0].late_packets), (2, 1));
    assert_eq!(rest.summary.packets, 4);
}

proptest! {
    #[test]
    fn sums_do_not_depend_on_the_order_of_packets(seed in any::<u64>()) {
        let capture = mixed();
        let mut packets: Vec<_> = capture.raw().collect();
        let first = packets.remove(0);
        // The first packet settles where windows begin; the others come in any order.
        let mut state = seed | 1;
        for place in (1..packets.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            packets.swap(place, usize::try_from(state >> 33).unwrap() % (place + 1));
        }
        let mut analyzer = Analyzer::new(AnalysisSettings::default(), Mode::File);
        analyzer.packet(&first);
        packets.iter().for_each(|packet| analyzer.packet(packet));
        let (told, right) = (analyzer.finish(), report(&capture, AnalysisSettings::default()));
        prop_assert_eq!(told.windows.len(), right.windows.len());
        for (told, right) in told.windows.iter().zip(&right.windows) {
            prop_assert_eq!((told.packets, told.bytes), (right.packets, right.bytes));
            prop_assert_eq!((&told.top_src, &told.top_dst), (&right.top_src, &right.top_dst));
            prop_assert_eq!(&told.services, &right.services);
            prop_assert_eq!(told.connections.total, right.connections.total);
            prop_assert_eq!(told.transport_bytes, right.transport_bytes);
        }
    }
}
