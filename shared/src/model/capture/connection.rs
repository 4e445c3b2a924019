//! One connection as it was seen from its first to its last packet; the source of conn.log and EVE exports.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// A TCP stream, or a UDP or ICMP conversation, of the outermost headers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Connection {
    /// Counts them within a capture, from 0, in the order of their first packets.
    pub id: u64,
    /// `tcp`, `udp` or `icmp`.
    pub protocol: String,
    /// Who began.
    pub src: IpAddr,
    /// Their port.
    pub src_port: u16,
    /// The other end.
    pub dst: IpAddr,
    /// Its port.
    pub dst_port: u16,
    /// The outermost VLAN tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vlan: Option<u16>,
    /// First packet, nanoseconds since 1970.
    pub first_ns: i64,
    /// Last packet.
    pub last_ns: i64,
    /// Name of the well-known service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Zeek's name of its state, such as `SF`.
    pub state: String,
    /// Zeek's history letters.
    pub history: String,
    /// From who began to the other.
    pub sent: Direction,
    /// Back.
    pub received: Direction,
    /// First ACK minus SYN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial_rtt_ns: Option<u64>,
}

/// One direction of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Direction {
    /// Packets.
    pub packets: u64,
    /// Bytes from the IP header on.
    pub ip_bytes: u64,
    /// Payload bytes.
    pub payload: u64,
    /// Data segments.
    pub data_segments: u64,
    /// Retransmitted ones, without spurious.
    pub retransmitted: u64,
    /// Bytes of holes that were never filled.
    pub missed_bytes: u64,
}
