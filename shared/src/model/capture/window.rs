//! One window of a capture: everything the product says of it, computed once when it closes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::counts::{Distribution, FlowEnds, NetworkCounts, Talker, TcpFlags, TransportCounts};

/// A closed window. Times are nanoseconds since 1970; the window is half open.
/// Only windows with packets exist. Lists are cut to their greatest members, ties by address as text.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Window {
    /// Place in time: 0 holds the capture's first packet, negative ones earlier packets.
    pub index: i64,
    /// Its beginning.
    pub start_ns: i64,
    /// Its end.
    pub end_ns: i64,
    /// The first packet in it.
    pub first_ns: i64,
    /// The last packet in it.
    pub last_ns: i64,
    /// Packets.
    pub packets: u64,
    /// Frame bytes on the wire.
    pub bytes: u64,
    /// Frame bytes that were stored.
    pub captured_bytes: u64,
    /// Packets by network protocol.
    pub network: NetworkCounts,
    /// Packets by transport protocol.
    pub transport: TransportCounts,
    /// Frame bytes by transport protocol.
    pub transport_bytes: TransportCounts,
    /// Well-known services by bytes, at most 20.
    pub services: Vec<Service>,
    /// Senders by bytes, at most 10.
    pub top_src: Vec<Talker>,
    /// Receivers by bytes, at most 10.
    pub top_dst: Vec<Talker>,
    /// Flows by bytes of both directions, at most 10.
    pub top_flows: Vec<FlowBytes>,
    /// Distinct outermost TCP and UDP conversations with a packet in it.
    pub conversations: u64,
    /// TCP connections.
    pub connections: Connections,
    /// Verdicts of the sequence analysis.
    pub tcp: TcpFlags,
    /// Data segments and how many of them were repeated.
    pub segments: Segments,
    /// Directions with the highest loss, at most 10.
    pub lossy: Vec<FlowLoss>,
    /// Round trips: ACKs by Karn's rule and both handshake halves.
    pub latency: Distribution,
    /// SYN to SYN/ACK: the server's side of the tap.
    pub handshake_server: Distribution,
    /// SYN/ACK to ACK: the client's side of the tap.
    pub handshake_client: Distribution,
    /// ACK round trips as Wireshark counts them, for checking against it.
    pub rtt_wireshark: Distribution,
    /// Flows with the greatest 95th percentile of round trips, at most 10.
    pub slow: Vec<FlowLatency>,
    /// Scans that crossed a threshold in this window.
    pub scans: Vec<Scan>,
    /// Connections that crossed a length in this window while still open.
    pub long_lived: Vec<LongLived>,
    /// Live: packets whose own window had closed when they came, since the window before.
    pub late_packets: u64,
    /// Live: packets the kernel dropped since the window before.
    pub kernel_drops: u64,
    /// Live: packets this program refused since the window before.
    pub app_drops: u64,
    /// What is not exact, and by how much; absent when everything is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approximate: Option<String>,
}

/// Traffic of a well-known service.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Service {
    /// Its name, such as `https`; `tcp` or `udp` with the lower port where it has none.
    pub name: String,
    /// Packets.
    pub packets: u64,
    /// Frame bytes.
    pub bytes: u64,
}

/// Traffic of a flow.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FlowBytes {
    /// Its ends; `src` is who sent first.
    #[serde(flatten)]
    pub flow: FlowEnds,
    /// Frame bytes of both directions.
    pub bytes: u64,
    /// Packets of both directions.
    pub packets: u64,
}

/// TCP connections of a window.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Connections {
    /// TCP and UDP conversations with a packet in it.
    pub total: u64,
    /// First seen in it.
    pub opened: u64,
    /// Ended in it by FIN or RST.
    pub closed: u64,
    /// `total` by transport protocol, `tcp` and `udp`; zeros left out.
    pub protocols: BTreeMap<String, u64>,
    /// By Zeek's 13 names, those with a packet in it, as of its end.
    pub states: BTreeMap<String, u64>,
}

/// Data segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Segments {
    /// Segments that carry data.
    pub data: u64,
    /// Of these retransmitted: plain and fast ones, not the spurious.
    pub retransmitted: u64,
}

/// Loss of one direction.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FlowLoss {
    /// The direction.
    #[serde(flatten)]
    pub flow: FlowEnds,
    /// Its data segments.
    pub sent: u64,
    /// Retransmitted ones, without spurious.
    pub retransmitted: u64,
}

/// Round trips of one flow.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FlowLatency {
    /// `src` is who sent the data that was acknowledged.
    #[serde(flatten)]
    pub flow: FlowEnds,
    /// Samples.
    pub count: u64,
    /// Their 95th percentile.
    pub p95_ns: u64,
}

/// What a scan looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScanKind {
    /// Many ports of one host.
    Ports,
    /// One port of many hosts.
    Hosts,
    /// Pairs of host and port without such a pattern.
    Pairs,
}

/// A source whose distinct failed attempts crossed a threshold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scan {
    /// Its pattern.
    pub kind: ScanKind,
    /// Who.
    pub src: String,
    /// The victim: a host for ports, a port for hosts, nothing for pairs.
    pub victim: Option<String>,
    /// Distinct failed targets within the sliding time, as of the window's end.
    pub failed: u64,
    /// Some of them, at most 10, `address:port`.
    pub examples: Vec<String>,
}

/// A connection that has been open for long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LongLived {
    /// Its ends.
    #[serde(flatten)]
    pub flow: FlowEnds,
    /// The length it crossed.
    pub milestone_ns: u64,
    /// How long it has been open at the window's end.
    pub open_ns: u64,
    /// Frame bytes so far.
    pub bytes: u64,
}
