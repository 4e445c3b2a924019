//! The figures that can be held against tshark's, under the names and definitions of the capture set's `EXPECTED.md`.

mod attempts;
mod encap;
mod longest;
mod report;
mod rounded;
mod rtts;
mod tally;

pub(crate) use report::report;
pub(crate) use tally::Tally;

use std::collections::BTreeMap;

use serde::Serialize;
use trafficlab_shared::model::capture::counts::TcpFlags;

/// Counts by name, zeros left out.
pub type Counts = BTreeMap<&'static str, u64>;

/// The object `wire`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Wire {
    /// Packet records.
    pub packets: u64,
    /// Records of a pcapng file that tshark lists as frames though they hold no packet.
    pub non_packet_records: u64,
    /// Original lengths.
    pub wire_bytes: u64,
    /// Stored lengths.
    pub captured_bytes: u64,
    /// Packets stored shorter than they were.
    pub truncated_packets: u64,
    /// Packets by Wireshark's number of their encapsulation; link types without one are under `-1`.
    pub encap_types: BTreeMap<i32, u64>,
    /// First packet in file order, nanoseconds since 1970.
    pub first_ts_ns: Option<i64>,
    /// Earliest packet.
    pub min_ts_ns: Option<i64>,
    /// Latest packet.
    pub max_ts_ns: Option<i64>,
    /// Packets earlier than the one before them.
    pub timestamps_backwards: u64,
    /// Packets without a time.
    pub without_timestamp: u64,
    /// By the first of IPv4, IPv6, ARP.
    pub outer_l3: Counts,
    /// By what follows the outermost IP header.
    pub outer_l4: Counts,
    /// Senders of most bytes.
    pub top_src: Vec<AddressBytes>,
    /// Receivers of most bytes.
    pub top_dst: Vec<AddressBytes>,
    /// Addresses that sent.
    pub distinct_src: u64,
    /// Addresses that received.
    pub distinct_dst: u64,
    /// How many conversations and streams.
    pub conversations: Conversations,
    /// Conversations from their first to their last packet, the longest first.
    pub long_lived: Vec<Lasting>,
    /// Sequence analysis.
    pub tcp: Tcp,
    /// Connection attempts.
    pub scan: Scan,
    /// Length of a window.
    pub window_ns: u64,
    /// Windows with packets.
    pub windows: Vec<Slice>,
}

/// An address with frame bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AddressBytes {
    /// Its text.
    pub addr: String,
    /// Frame bytes.
    pub bytes: u64,
}

/// Distinct conversations of the outermost headers, and streams of all that are not quoted in ICMP errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Conversations {
    /// TCP address and port pairs.
    pub tcp: u64,
    /// UDP ones.
    pub udp: u64,
    /// TCP streams; a new SYN on a known pair begins another.
    pub tcp_streams: u64,
    /// UDP streams.
    pub udp_streams: u64,
}

/// A conversation that lasted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lasting {
    /// `tcp` or `udp`.
    pub proto: &'static str,
    /// `address|port` of the end whose text comes first.
    pub a: String,
    /// The other.
    pub b: String,
    /// Packets both ways.
    pub packets: u64,
    /// Frame bytes both ways.
    pub bytes: u64,
    /// From the earliest packet to the latest.
    pub duration_ns: i64,
}

/// Sequence analysis of the whole capture.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tcp {
    /// Segments by mark, zeros left out.
    pub flags: TcpFlags,
    /// Round trips as Wireshark counts them.
    pub ack_rtt: Figures,
    /// Frames with more than one TCP header that is not quoted.
    pub frames_with_two_tcp_layers: u64,
    /// Streams whose initial round trip is shown.
    pub streams_with_initial_rtt: u64,
}

/// Figures of times; nothing but the count where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Figures {
    /// How many.
    pub count: u64,
    /// The rest.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub times: Option<Times>,
}

/// Times in nanoseconds; percentiles by nearest rank. They are negative where time went back.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Times {
    pub mean_ns: f64,
    pub p50_ns: i64,
    pub p95_ns: i64,
    pub max_ns: i64,
}

/// Who tried to connect to many.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Scan {
    /// By ports of one destination.
    pub src_dst_ports: Vec<PortsTried>,
    /// By hosts on one port.
    pub src_port_hosts: Vec<HostsTried>,
}

/// Distinct ports that got a SYN.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct PortsTried {
    pub src: String,
    pub dst: String,
    pub syn_ports: u64,
    /// Those that answered with SYN/ACK.
    pub answered: u64,
}

/// Distinct hosts that got a SYN.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct HostsTried {
    pub src: String,
    pub port: u16,
    pub hosts: u64,
}

/// One window.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the names are those of the whole")]
pub struct Slice {
    pub index: i64,
    pub start_ns: i64,
    pub packets: u64,
    pub bytes: u64,
    /// Over the whole window, to three places.
    pub bps: f64,
    /// Over the whole window, to three places.
    pub pps: f64,
    pub first_ns: i64,
    pub last_ns: i64,
    pub conversations: u64,
    pub l4: Counts,
    pub tcp: TcpFlags,
    pub ack_rtt: Figures,
    pub top_src: Vec<AddressBytes>,
    pub top_dst: Vec<AddressBytes>,
}
