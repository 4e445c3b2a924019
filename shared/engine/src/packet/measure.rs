//! The figures by which windows are compared.

use trafficlab_shared::model::capture::window::Window;

/// One figure of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Metric {
    /// Bits per second over the whole window.
    Bps,
    /// Packets per second.
    Pps,
    /// Mean round trip in milliseconds.
    MeanRtt,
    /// 95th percentile of round trips.
    P95Rtt,
    /// Median time from SYN to SYN/ACK, which no delayed ACK blurs.
    HandshakeRtt,
    /// Connections with a packet in the window.
    Connections,
    /// Connections that began in it.
    Opened,
    /// Retransmitted data segments in percent.
    Loss,
    /// Share of the greatest protocol, in percent of packets.
    Greatest,
    /// Share of one protocol.
    Share(Share),
}

/// Protocols whose shares are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Share {
    Tcp,
    Udp,
    Icmp,
    Icmpv6,
    Sctp,
    Gre,
    Arp,
    Other,
}

impl Share {
    pub(crate) const ALL: [Self; 8] =
        [Self::Tcp, Self::Udp, Self::Icmp, Self::Icmpv6, Self::Sctp, Self::Gre, Self::Arp, Self::Other];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Icmp => "icmp",
            Self::Icmpv6 => "icmpv6",
            Self::Sctp => "sctp",
            Self::Gre => "gre",
            Self::Arp => "arp",
            Self::Other => "other",
        }
    }

    fn packets(self, window: &Window) -> u64 {
        let transport = &window.transport;
        match self {
            Self::Tcp => transport.tcp,
            Self::Udp => transport.udp,
            Self::Icmp => transport.icmp,
            Self::Icmpv6 => transport.icmpv6,
            Self::Sctp => transport.sctp,
            Self::Gre => transport.gre,
            Self::Arp => window.network.arp,
            Self::Other => transport.other.saturating_sub(window.network.arp),
        }
    }
}

impl Metric {
    /// Everything a detector compares.
    pub(crate) const COMPARED: [Self; 14] = [
        Self::Bps,
        Self::Pps,
        Self::MeanRtt,
        Self::P95Rtt,
        Self::HandshakeRtt,
        Self::Loss,
        Self::Share(Share::Tcp),
        Self::Share(Share::Udp),
        Self::Share(Share::Icmp),
        Self::Share(Share::Icmpv6),
        Self::Share(Share::Sctp),
        Self::Share(Share::Gre),
        Self::Share(Share::Arp),
        Self::Share(Share::Other),
    ];

    /// Its name in baselines and anomalies.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Bps => "bps",
            Self::Pps => "pps",
            Self::MeanRtt => "mean_rtt",
            Self::P95Rtt => "p95_rtt",
            Self::HandshakeRtt => "handshake_rtt",
            Self::Connections => "connections",
            Self::Opened => "opened",
            Self::Loss => "loss_percent",
            Self::Greatest => "greatest_share",
            Self::Share(share) => share.as_str(),
        }
    }

    /// Its value, if the window has one.
    pub(crate) fn of(self, window: &Window) -> Option<f64> {
        match self {
            Self::Bps => Some(per_second(window, window.bytes.saturating_mul(8))),
            Self::Pps => Some(per_second(window, window.packets)),
            Self::MeanRtt => (window.latency.count > 0).then(|| window.latency.mean_ns / 1e6),
            Self::P95Rtt => (window.latency.count > 0).then(|| millis(window.latency.p95_ns)),
            Self::HandshakeRtt => (window.handshake_server.count > 0).then(|| millis(window.handshake_server.p50_ns)),
            Self::Connections => Some(float(window.connections.total)),
            Self::Opened => Some(float(window.connections.opened)),
            Self::Loss => percent(window.segments.retransmitted, window.segments.data),
            Self::Greatest => {
                let greatest = Share::ALL.into_iter().map(|share| share.packets(window)).max();
                percent(greatest?, window.packets)
            }
            Self::Share(share) => percent(share.packets(window), window.packets),
        }
    }
}

/// A part in percent; nothing of nothing.
pub(crate) fn percent(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| float(part) * 100.0 / float(whole))
}

/// Counts as floats, for ratios.
#[allow(clippy::cast_precision_loss, reason = "counts beyond 2^53 are rounded, which no ratio shows")]
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}

/// Nanoseconds as milliseconds.
pub(crate) fn millis(ns: u64) -> f64 {
    float(ns) / 1e6
}

fn per_second(window: &Window, count: u64) -> f64 {
    let length = u64::try_from(window.end_ns.saturating_sub(window.start_ns)).unwrap_or(0);
    float(count) * 1e9 / float(length.max(1))
}
