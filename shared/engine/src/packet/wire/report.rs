//! Puts the object together from the summary, the windows, and what was counted beside them.

use std::collections::BTreeMap;

use trafficlab_shared::model::capture::counts::{Distribution, NetworkCounts, Talker, TransportCounts};
use trafficlab_shared::model::capture::summary::Summary;
use trafficlab_shared::model::capture::window::Window;

use super::rounded::places;
use super::tally::Tally;
use super::{AddressBytes, Counts, Figures, Slice, Tcp, Times, Wire};

/// Addresses of a window.
const TOP_OF_WINDOW: usize = 3;

/// The object `wire`. `tally` has taken all flows.
pub(crate) fn report(
    tally: Tally,
    summary: &Summary,
    windows: &[Window],
    window_ns: u64,
    non_packet_records: u64,
) -> Wire {
    let counted = tally.finish();
    Wire {
        packets: summary.packets,
        non_packet_records,
        wire_bytes: summary.wire_bytes,
        captured_bytes: summary.captured_bytes,
        truncated_packets: counted.truncated,
        encap_types: counted.encap_types,
        first_ts_ns: summary.first_ns,
        min_ts_ns: summary.min_ns,
        max_ts_ns: summary.max_ns,
        timestamps_backwards: counted.backwards,
        without_timestamp: summary.without_timestamp,
        outer_l3: network(&summary.network),
        outer_l4: transport(&summary.transport),
        top_src: addresses(&summary.top_src, usize::MAX),
        top_dst: addresses(&summary.top_dst, usize::MAX),
        distinct_src: summary.distinct_src,
        distinct_dst: summary.distinct_dst,
        conversations: counted.conversations,
        long_lived: counted.long_lived,
        tcp: Tcp {
            flags: summary.tcp,
            ack_rtt: counted.ack_rtt,
            frames_with_two_tcp_layers: counted.two_layers,
            streams_with_initial_rtt: counted.initial_rtts,
        },
        scan: counted.scan,
        window_ns,
        windows: windows.iter().map(|window| slice(window, window_ns, &counted.odd_windows)).collect(),
    }
}

fn slice(window: &Window, window_ns: u64, odd: &BTreeMap<i64, Figures>) -> Slice {
    let seconds = float(window_ns) / 1e9;
    Slice {
        index: window.index,
        start_ns: window.start_ns,
        packets: window.packets,
        bytes: window.bytes,
        bps: places(float(window.bytes.saturating_mul(8)) / seconds, 3),
        pps: places(float(window.packets) / seconds, 3),
        first_ns: window.first_ns,
        last_ns: window.last_ns,
        conversations: window.conversations,
        l4: transport(&window.transport),
        tcp: window.tcp,
        ack_rtt: odd.get(&window.index).copied().unwrap_or_else(|| figures(&window.rtt_wireshark)),
        top_src: addresses(&window.top_src, TOP_OF_WINDOW),
        top_dst: addresses(&window.top_dst, TOP_OF_WINDOW),
    }
}

fn figures(times: &Distribution) -> Figures {
    if times.count == 0 {
        return Figures::default();
    }
    let signed = |ns: u64| i64::try_from(ns).unwrap_or(i64::MAX);
    let told = Times {
        mean_ns: places(times.mean_ns, 1),
        p50_ns: signed(times.p50_ns),
        p95_ns: signed(times.p95_ns),
        max_ns: signed(times.max_ns),
    };
    Figures { count: times.count, times: Some(told) }
}

fn addresses(talkers: &[Talker], most: usize) -> Vec<AddressBytes> {
    let told = |talker: &Talker| AddressBytes { addr: talker.addr.clone(), bytes: talker.bytes };
    talkers.iter().take(most).map(told).collect()
}

fn network(counts: &NetworkCounts) -> Counts {
    without_zeros([("ipv4", counts.ipv4), ("ipv6", counts.ipv6), ("arp", counts.arp), ("other", counts.other)])
}

fn transport(counts: &TransportCounts) -> Counts {
    without_zeros([
        ("tcp", counts.tcp),
        ("udp", counts.udp),
        ("icmp", counts.icmp),
        ("icmpv6", counts.icmpv6),
        ("sctp", counts.sctp),
        ("gre", counts.gre),
        ("other", counts.other),
    ])
}

fn without_zeros<const N: usize>(counts: [(&'static str, u64); N]) -> Counts {
    counts.into_iter().filter(|(_, count)| *count > 0).collect()
}

#[allow(clippy::cast_precision_loss, reason = "bytes and packets of a window are far below 2^53")]
fn float(value: u64) -> f64 {
    value as f64
}
