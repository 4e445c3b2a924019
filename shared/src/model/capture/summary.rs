//! What is said of a whole capture.

use serde::{Deserialize, Serialize};

use super::counts::{Distribution, NetworkCounts, Talker, TcpFlags, TransportCounts};
use super::window::{Connections, Segments, Service};

/// Figures of a capture from its first packet to its last.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Summary {
    /// `pcap`, `pcapng`, with ` (gzip)` where it was packed, or `live`.
    pub format: String,
    /// Names of the link types seen.
    pub link_types: Vec<String>,
    /// Packets.
    pub packets: u64,
    /// Frame bytes on the wire.
    pub wire_bytes: u64,
    /// Frame bytes stored.
    pub captured_bytes: u64,
    /// First packet in the order of the file, nanoseconds since 1970.
    pub first_ns: Option<i64>,
    /// Earliest packet.
    pub min_ns: Option<i64>,
    /// Latest packet.
    pub max_ns: Option<i64>,
    /// Packets without a time.
    pub without_timestamp: u64,
    /// Windows with packets.
    pub windows: u64,
    /// Packets by network protocol.
    pub network: NetworkCounts,
    /// Packets by transport protocol.
    pub transport: TransportCounts,
    /// Services by bytes, at most 20.
    pub services: Vec<Service>,
    /// Senders by bytes, at most 10.
    pub top_src: Vec<Talker>,
    /// Receivers by bytes, at most 10.
    pub top_dst: Vec<Talker>,
    /// Addresses that sent.
    pub distinct_src: u64,
    /// Addresses that received.
    pub distinct_dst: u64,
    /// Verdicts of the sequence analysis.
    pub tcp: TcpFlags,
    /// Data segments.
    pub segments: Segments,
    /// Round trips, as in windows.
    pub latency: Distribution,
    /// Connections; `states` as of the end.
    pub connections: Connections,
    /// Distinct TCP conversations, UDP conversations, TCP streams.
    pub tcp_conversations: u64,
    /// See `tcp_conversations`.
    pub udp_conversations: u64,
    /// See `tcp_conversations`.
    pub tcp_streams: u64,
    /// Flows that were given up because too many were open.
    pub evicted_flows: u64,
    /// Connections beyond those told one by one.
    pub connections_untold: u64,
    /// Live: packets the kernel dropped.
    pub kernel_drops: u64,
    /// Live: packets this program refused.
    pub app_drops: u64,
    /// Damage of the file; the packets before it are analysed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<FileDamage>,
    /// What is not exact, and by how much.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approximate: Option<String>,
}

/// Where and how a file is damaged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileDamage {
    /// First byte that makes no sense, in the (unpacked) file.
    pub offset: u64,
    /// What is wrong there.
    pub message: String,
}
