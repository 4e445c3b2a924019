//! Units of the exports, made from nanoseconds and counts in one place.

use trafficlab_shared::model::capture::anomaly::Anomaly;
use trafficlab_shared::model::capture::counts::{NetworkCounts, TcpFlags, TransportCounts};
use trafficlab_shared::model::capture::window::{Segments, Window};

/// A count to compute with; exact below 2^53.
#[allow(clippy::cast_precision_loss, reason = "figures to be shown; counts are far below 2^53")]
pub(super) const fn float(count: u64) -> f64 {
    count as f64
}

#[allow(clippy::cast_precision_loss, reason = "microseconds since 1970 stay below 2^53 for two centuries")]
const fn signed_float(value: i64) -> f64 {
    value as f64
}

/// Nanoseconds since 1970 as seconds, cut to the microsecond, which is what a double can hold.
pub(super) fn epoch_seconds(ns: i64) -> f64 {
    signed_float(ns.div_euclid(1_000)) / 1e6
}

/// Nanoseconds since 1970 as seconds with so many decimals (at most nine), the rest cut off.
pub(super) fn decimal_seconds(ns: i64, decimals: usize) -> String {
    let sign = if ns < 0 { "-" } else { "" };
    let (seconds, rest) = (ns.unsigned_abs() / 1_000_000_000, ns.unsigned_abs() % 1_000_000_000);
    let fraction: String = format!("{rest:09}").chars().take(decimals).collect();
    format!("{sign}{seconds}.{fraction}")
}

/// Nanoseconds as milliseconds.
pub(super) fn millis(ns: u64) -> f64 {
    float(ns) / 1e6
}

/// From one moment to another in seconds; 0 when they are the wrong way round.
pub(super) fn seconds_between(from_ns: i64, to_ns: i64) -> f64 {
    signed_float(to_ns.saturating_sub(from_ns).max(0)) / 1e9
}

/// Rounded to so many decimals.
pub(super) fn rounded(value: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    let scaled = value * scale;
    if scaled.is_finite() { scaled.round() / scale } else { value }
}

/// `part` of `whole` in percent, nothing of nothing.
pub(super) fn percent(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| rounded(float(part) * 100.0 / float(whole), 4))
}

/// Bits a second over the full window.
pub(super) fn bits_per_second(window: &Window) -> f64 {
    over_window(float(window.bytes) * 8.0, window)
}

/// Packets a second over the full window.
pub(super) fn packets_per_second(window: &Window) -> f64 {
    over_window(float(window.packets), window)
}

fn over_window(value: f64, window: &Window) -> f64 {
    let length = seconds_between(window.start_ns, window.end_ns);
    if length > 0.0 { rounded(value / length, 6) } else { 0.0 }
}

/// Retransmitted data segments in percent of all, nothing without data.
pub(super) fn loss_percent(segments: &Segments) -> Option<f64> {
    percent(segments.retransmitted, segments.data)
}

/// Names and counts, zeros included.
pub(super) fn network(counts: &NetworkCounts) -> [(&'static str, u64); 4] {
    [("ipv4", counts.ipv4), ("ipv6", counts.ipv6), ("arp", counts.arp), ("other", counts.other)]
}

/// Names and counts, zeros included.
pub(super) fn transport(counts: &TransportCounts) -> [(&'static str, u64); 7] {
    [
        ("tcp", counts.tcp),
        ("udp", counts.udp),
        ("icmp", counts.icmp),
        ("icmpv6", counts.icmpv6),
        ("sctp", counts.sctp),
        ("gre", counts.gre),
        ("other", counts.other),
    ]
}

/// Names and counts, zeros included, in the order of the analysis.
pub(super) fn tcp_flags(flags: &TcpFlags) -> [(&'static str, u64); 14] {
    [
        ("retransmission", flags.retransmission),
        ("fast_retransmission", flags.fast_retransmission),
        ("spurious_retransmission", flags.spurious_retransmission),
        ("out_of_order", flags.out_of_order),
        ("duplicate_ack", flags.duplicate_ack),
        ("lost_segment", flags.lost_segment),
        ("ack_lost_segment", flags.ack_lost_segment),
        ("zero_window", flags.zero_window),
        ("zero_window_probe", flags.zero_window_probe),
        ("window_full", flags.window_full),
        ("window_update", flags.window_update),
        ("keep_alive", flags.keep_alive),
        ("keep_alive_ack", flags.keep_alive_ack),
        ("reused_ports", flags.reused_ports),
    ]
}

/// An end of a flow, `address:port` or an address alone, as its parts.
pub(super) fn split_end(end: &str) -> (&str, Option<u16>) {
    if end.parse::<std::net::IpAddr>().is_ok() {
        return (end, None);
    }
    let Some((address, port)) = end.rsplit_once(':') else { return (end, None) };
    let Ok(port) = port.parse() else { return (end, None) };
    (address.trim_start_matches('[').trim_end_matches(']'), Some(port))
}

/// The ends of what an anomaly is about.
pub(super) fn ends(anomaly: &Anomaly) -> [Option<(&str, Option<u16>)>; 2] {
    [anomaly.flow_src.as_deref().map(split_end), anomaly.flow_dst.as_deref().map(split_end)]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::float_cmp, reason = "the values are exact")]
    use super::*;

    #[test]
    fn times_keep_a_microsecond() {
        assert_eq!(epoch_seconds(1_700_000_000_123_456_789), 1_700_000_000.123_456);
        assert_eq!(epoch_seconds(-1), -0.000_001);
        assert_eq!(seconds_between(5, 3), 0.0);
        assert_eq!(millis(45_200_000), 45.2);
        assert_eq!(decimal_seconds(1_700_000_000_000_456_789, 9), "1700000000.000456789");
        assert_eq!(decimal_seconds(1_700_000_000_000_456_789, 6), "1700000000.000456");
        assert_eq!(decimal_seconds(-1_500_000_000, 3), "-1.500");
    }

    #[test]
    fn shares_of_nothing_are_nothing() {
        assert_eq!(percent(0, 0), None);
        assert_eq!(loss_percent(&Segments { data: 6, retransmitted: 5 }), Some(83.3333));
    }

    #[test]
    fn ends_are_taken_apart() {
        assert_eq!(split_end("10.0.0.1:80"), ("10.0.0.1", Some(80)));
        assert_eq!(split_end("[2001:db8::1]:443"), ("2001:db8::1", Some(443)));
        assert_eq!(split_end("2001:db8::1"), ("2001:db8::1", None));
        assert_eq!(split_end("10.0.0.1"), ("10.0.0.1", None));
        assert_eq!(split_end("strange"), ("strange", None));
    }
}
