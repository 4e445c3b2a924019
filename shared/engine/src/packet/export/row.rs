//! Records as flat rows of named, typed cells: what CSV, Parquet and the line protocol write, told once.

use std::borrow::Cow;

use trafficlab_shared::model::capture::anomaly::Anomaly;
use trafficlab_shared::model::capture::connection::{Connection, Direction};
use trafficlab_shared::model::capture::counts::Distribution;
use trafficlab_shared::model::capture::window::Window;

use super::figures::{
    bits_per_second, ends, loss_percent, millis, network, packets_per_second, rounded, seconds_between, tcp_flags,
    transport,
};

/// A value of a row. The kind of a column is the same in every row, with or without a value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell<'a> {
    /// A whole number.
    Whole(Option<i64>),
    /// A number.
    Real(Option<f64>),
    /// Nanoseconds since 1970.
    Time(i64),
    /// Text.
    Text(Option<Cow<'a, str>>),
}

/// Names and values in a fixed order.
pub(super) type Row<'a> = Vec<(&'static str, Cell<'a>)>;

fn whole<'a>(count: u64) -> Cell<'a> {
    Cell::Whole(Some(i64::try_from(count).unwrap_or(i64::MAX)))
}

const fn real<'a>(value: f64) -> Cell<'a> {
    Cell::Real(Some(value))
}

const fn text(value: &str) -> Cell<'_> {
    Cell::Text(Some(Cow::Borrowed(value)))
}

fn perhaps(value: Option<&str>) -> Cell<'_> {
    Cell::Text(value.map(Cow::Borrowed))
}

/// A window: its figures, and the first of its lists.
pub(super) fn window(id: u64, window: &Window) -> Row<'_> {
    let mut row = vec![
        ("window_id", whole(id)),
        ("window_index", Cell::Whole(Some(window.index))),
        ("window_start", Cell::Time(window.start_ns)),
        ("window_end", Cell::Time(window.end_ns)),
        ("first_packet", Cell::Time(window.first_ns)),
        ("last_packet", Cell::Time(window.last_ns)),
        ("packets", whole(window.packets)),
        ("bytes", whole(window.bytes)),
        ("captured_bytes", whole(window.captured_bytes)),
        ("avg_bps", real(bits_per_second(window))),
        ("avg_pps", real(packets_per_second(window))),
        ("duration_s", real(seconds_between(window.first_ns, window.last_ns))),
    ];
    row.extend(round_trips(&window.latency));
    row.extend([
        ("connections", whole(window.connections.total)),
        ("connections_opened", whole(window.connections.opened)),
        ("connections_closed", whole(window.connections.closed)),
        ("data_segments", whole(window.segments.data)),
        ("retransmitted", whole(window.segments.retransmitted)),
        ("loss_percent", Cell::Real(loss_percent(&window.segments))),
    ]);
    row.extend(protocols(window));
    row.extend(tcp_flags(&window.tcp).into_iter().zip(TCP_NAMES).map(|((_, count), name)| (name, whole(count))));
    row.extend(heads(window));
    row.extend([
        ("scans", whole(length(&window.scans))),
        ("long_lived", whole(length(&window.long_lived))),
        ("kernel_drops", whole(window.kernel_drops)),
        ("app_drops", whole(window.app_drops)),
        ("late_packets", whole(window.late_packets)),
        ("approximate", perhaps(window.approximate.as_deref())),
    ]);
    row
}

/// The verdicts of the sequence analysis as column names, in the order of `tcp_flags`.
const TCP_NAMES: [&str; 14] = [
    "tcp_retransmission",
    "tcp_fast_retransmission",
    "tcp_spurious_retransmission",
    "tcp_out_of_order",
    "tcp_duplicate_ack",
    "tcp_lost_segment",
    "tcp_ack_lost_segment",
    "tcp_zero_window",
    "tcp_zero_window_probe",
    "tcp_window_full",
    "tcp_window_update",
    "tcp_keep_alive",
    "tcp_keep_alive_ack",
    "tcp_reused_ports",
];

fn round_trips(of: &Distribution) -> [(&'static str, Cell<'_>); 7] {
    let shown = |ms: f64| Cell::Real((of.count > 0).then(|| rounded(ms, 6)));
    [
        ("rtt_samples", whole(of.count)),
        ("mean_rtt_ms", shown(of.mean_ns / 1e6)),
        ("min_rtt_ms", shown(millis(of.min_ns))),
        ("p50_rtt_ms", shown(millis(of.p50_ns))),
        ("p95_rtt_ms", shown(millis(of.p95_ns))),
        ("p99_rtt_ms", shown(millis(of.p99_ns))),
        ("max_rtt_ms", shown(millis(of.max_ns))),
    ]
}

/// Packets by protocol, and bytes by transport.
fn protocols(window: &Window) -> impl Iterator<Item = (&'static str, Cell<'_>)> {
    const NETWORK: [&str; 4] = ["ipv4_packets", "ipv6_packets", "arp_packets", "other_network_packets"];
    const PACKETS: [&str; 7] = [
        "tcp_packets",
        "udp_packets",
        "icmp_packets",
        "icmpv6_packets",
        "sctp_packets",
        "gre_packets",
        "other_transport_packets",
    ];
    const BYTES: [&str; 7] =
        ["tcp_bytes", "udp_bytes", "icmp_bytes", "icmpv6_bytes", "sctp_bytes", "gre_bytes", "other_transport_bytes"];
    let named = |names: &'static [&'static str], counts: Vec<(&str, u64)>| {
        names.iter().zip(counts).map(|(name, (_, count))| (*name, whole(count))).collect::<Vec<_>>()
    };
    let network = named(&NETWORK, network(&window.network).to_vec());
    let packets = named(&PACKETS, transport(&window.transport).to_vec());
    let bytes = named(&BYTES, transport(&window.transport_bytes).to_vec());
    network.into_iter().chain(packets).chain(bytes)
}

/// The greatest talkers and the greatest service.
fn heads(window: &Window) -> [(&'static str, Cell<'_>); 6] {
    let (src, dst, service) = (window.top_src.first(), window.top_dst.first(), window.services.first());
    let count = |value: Option<u64>| Cell::Whole(value.and_then(|value| i64::try_from(value).ok()));
    [
        ("top_src", perhaps(src.map(|of| of.addr.as_str()))),
        ("top_src_bytes", count(src.map(|of| of.bytes))),
        ("top_dst", perhaps(dst.map(|of| of.addr.as_str()))),
        ("top_dst_bytes", count(dst.map(|of| of.bytes))),
        ("top_service", perhaps(service.map(|of| of.name.as_str()))),
        ("top_service_bytes", count(service.map(|of| of.bytes))),
    ]
}

fn length<T>(list: &[T]) -> u64 {
    u64::try_from(list.len()).unwrap_or(u64::MAX)
}

/// An anomaly, its flow taken apart.
pub(super) fn anomaly(anomaly: &Anomaly) -> Row<'_> {
    let [src, dst] = ends(anomaly);
    let address = |end: Option<(&'_ str, Option<u16>)>| end.map(|(address, _)| address.to_owned());
    let port = |end: Option<(&'_ str, Option<u16>)>| Cell::Whole(end.and_then(|(_, port)| port).map(i64::from));
    let used = &anomaly.baseline;
    vec![
        ("type", text(anomaly.kind.as_str())),
        ("severity", text(anomaly.severity.as_str())),
        ("window_index", Cell::Whole(Some(anomaly.window_index))),
        ("window_start", Cell::Time(anomaly.start_ns)),
        ("window_end", Cell::Time(anomaly.end_ns)),
        ("metric", text(&anomaly.metric)),
        ("current_value", real(rounded(anomaly.current_value, 6))),
        ("threshold", real(rounded(anomaly.threshold, 6))),
        ("message", text(&anomaly.message)),
        ("flow_src", Cell::Text(address(src).map(Cow::Owned))),
        ("flow_src_port", port(src)),
        ("flow_dst", Cell::Text(address(dst).map(Cow::Owned))),
        ("flow_dst_port", port(dst)),
        ("protocol", perhaps(anomaly.protocol.as_deref())),
        ("baseline_source", text(&used.source)),
        ("baseline_median", Cell::Real(used.median)),
        ("baseline_mad", Cell::Real(used.mad)),
        ("baseline_windows", Cell::Whole(used.windows.and_then(|count| i64::try_from(count).ok()))),
    ]
}

/// A connection, both directions.
pub(super) fn connection(of: &Connection) -> Row<'_> {
    let mut row = vec![
        ("connection_id", whole(of.id)),
        ("protocol", text(&of.protocol)),
        ("src", Cell::Text(Some(of.src.to_string().into()))),
        ("src_port", whole(of.src_port.into())),
        ("dst", Cell::Text(Some(of.dst.to_string().into()))),
        ("dst_port", whole(of.dst_port.into())),
        ("vlan", Cell::Whole(of.vlan.map(i64::from))),
        ("service", perhaps(of.service.as_deref())),
        ("start", Cell::Time(of.first_ns)),
        ("end", Cell::Time(of.last_ns)),
        ("duration_s", real(seconds_between(of.first_ns, of.last_ns))),
        ("state", text(&of.state)),
        ("history", text(&of.history)),
        ("initial_rtt_ms", Cell::Real(of.initial_rtt_ns.map(|ns| rounded(millis(ns), 6)))),
    ];
    row.extend(direction(&of.sent, SENT));
    row.extend(direction(&of.received, RECEIVED));
    row
}

const SENT: [&str; 6] =
    ["sent_packets", "sent_ip_bytes", "sent_payload", "sent_data_segments", "sent_retransmitted", "sent_missed_bytes"];
const RECEIVED: [&str; 6] = [
    "received_packets",
    "received_ip_bytes",
    "received_payload",
    "received_data_segments",
    "received_retransmitted",
    "received_missed_bytes",
];

fn direction<'a>(
    of: &'a Direction,
    names: [&'static str; 6],
) -> impl Iterator<Item = (&'static str, Cell<'a>)> + use<'a> {
    let counts = [of.packets, of.ip_bytes, of.payload, of.data_segments, of.retransmitted, of.missed_bytes];
    names.into_iter().zip(counts.map(whole))
}
