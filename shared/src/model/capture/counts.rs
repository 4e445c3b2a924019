//! Small figures that windows and summaries share.

use serde::{Deserialize, Serialize};

/// Packets by network protocol of the outermost header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkCounts {
    /// IPv4.
    pub ipv4: u64,
    /// IPv6.
    pub ipv6: u64,
    /// ARP.
    pub arp: u64,
    /// Everything else.
    pub other: u64,
}

/// Packets, or bytes, by what follows the outermost IP header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TransportCounts {
    /// TCP.
    pub tcp: u64,
    /// UDP.
    pub udp: u64,
    /// ICMP.
    pub icmp: u64,
    /// ICMPv6.
    pub icmpv6: u64,
    /// SCTP.
    pub sctp: u64,
    /// GRE.
    pub gre: u64,
    /// Fragments behind the first, IP in IP, ESP, no IP at all.
    pub other: u64,
}

/// Segments by what the TCP sequence analysis says of them; one may count in several fields.
/// `retransmission` includes the fast and the spurious ones, `out_of_order` is apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs, reason = "the names are those of the analysis, told in the engine")]
pub struct TcpFlags {
    #[serde(skip_serializing_if = "is_zero")]
    pub retransmission: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub fast_retransmission: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub spurious_retransmission: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub out_of_order: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub duplicate_ack: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub lost_segment: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub ack_lost_segment: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub zero_window: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub zero_window_probe: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub window_full: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub window_update: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub keep_alive: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub keep_alive_ack: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub reused_ports: u64,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Figures of a set of times in nanoseconds. Percentiles by nearest rank: the ceil(p·n)-th smallest.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Distribution {
    /// How many.
    pub count: u64,
    /// Mean, to a tenth of a nanosecond.
    pub mean_ns: f64,
    /// Smallest.
    pub min_ns: u64,
    /// Median.
    pub p50_ns: u64,
    /// 95th percentile.
    pub p95_ns: u64,
    /// 99th percentile.
    pub p99_ns: u64,
    /// Greatest.
    pub max_ns: u64,
}

/// An address and what it sent or received.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Talker {
    /// The address as text.
    pub addr: String,
    /// Frame bytes.
    pub bytes: u64,
    /// Packets.
    pub packets: u64,
}

/// One direction of a flow by its ends, `address:port` as text (IPv6 in brackets).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FlowEnds {
    /// `tcp` or `udp`.
    pub protocol: String,
    /// Who sends.
    pub src: String,
    /// Who receives.
    pub dst: String,
    /// The outermost VLAN tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vlan: Option<u16>,
}
