//! One frame from the inside out: a transport header and its payload, the IP header before it, then what carries that.

use std::net::{IpAddr, SocketAddr};

/// TCP flag bits.
pub mod tcp_flags {
    /// The sender is done.
    pub const FIN: u16 = 0x01;
    /// Sequence numbers start here.
    pub const SYN: u16 = 0x02;
    /// The connection is refused or broken off.
    pub const RST: u16 = 0x04;
    /// Hand the data on at once.
    pub const PSH: u16 = 0x08;
    /// The acknowledgement number counts.
    pub const ACK: u16 = 0x10;
}

/// The fields of a TCP header that tests choose.
#[derive(Debug, Clone, Default)]
pub struct TcpHeader {
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgement number.
    pub ack: u32,
    /// Flag bits, see [`tcp_flags`].
    pub flags: u16,
    /// Window, unscaled.
    pub window: u16,
    /// Options; padded to a multiple of four bytes, at most 40.
    pub options: Vec<u8>,
}

/// A packet and the EtherType that announces it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The EtherType, 0x0800 for IPv4.
    pub ethertype: u16,
    /// The bytes from that header on.
    pub bytes: Vec<u8>,
}

/// A TCP segment with its IP header. Both addresses are of the same family.
#[must_use]
pub fn tcp(src: SocketAddr, dst: SocketAddr, header: &TcpHeader, payload: &[u8]) -> Frame {
    let mut options = header.options.clone();
    options.truncate(40);
    options.resize(options.len().next_multiple_of(4), 0);
    let words = u16::try_from(5 + options.len() / 4).unwrap_or(15);
    let mut bytes = Vec::with_capacity(20 + options.len() + payload.len());
    bytes.extend(src.port().to_be_bytes());
    bytes.extend(dst.port().to_be_bytes());
    bytes.extend(header.seq.to_be_bytes());
    bytes.extend(header.ack.to_be_bytes());
    bytes.extend((words << 12 | (header.flags & 0x0fff)).to_be_bytes());
    bytes.extend(header.window.to_be_bytes());
    bytes.extend([0; 4]);
    bytes.extend(options);
    bytes.extend(payload);
    ip(src.ip(), dst.ip(), 6, &bytes)
}

/// A UDP datagram with its IP header. Both addresses are of the same family.
#[must_use]
pub fn udp(src: SocketAddr, dst: SocketAddr, payload: &[u8]) -> Frame {
    let mut bytes = Vec::with_capacity(8 + payload.len());
    bytes.extend(src.port().to_be_bytes());
    bytes.extend(dst.port().to_be_bytes());
    bytes.extend(short(8 + payload.len()).to_be_bytes());
    bytes.extend([0; 2]);
    bytes.extend(payload);
    ip(src.ip(), dst.ip(), 17, &bytes)
}

/// An ICMP message, or ICMPv6 between IPv6 addresses. `rest` follows the checksum.
#[must_use]
pub fn icmp(src: IpAddr, dst: IpAddr, kind: u8, code: u8, rest: &[u8]) -> Frame {
    let mut bytes = vec![kind, code, 0, 0];
    bytes.extend(rest);
    ip(src, dst, if src.is_ipv4() { 1 } else { 58 }, &bytes)
}

/// An ARP request of IPv4: who has `wanted`, tell `asking`. Addresses of IPv6 count as 0.0.0.0.
#[must_use]
pub fn arp(asking: IpAddr, wanted: IpAddr) -> Frame {
    let four = |address: IpAddr| match address {
        IpAddr::V4(address) => address.octets(),
        IpAddr::V6(_) => [0; 4],
    };
    let mut bytes = vec![0, 1, 8, 0, 6, 4, 0, 1];
    bytes.extend([2, 0, 0, 0, 0, 1]);
    bytes.extend(four(asking));
    bytes.extend([0; 6]);
    bytes.extend(four(wanted));
    Frame { ethertype: 0x0806, bytes }
}

/// An IP packet of the addresses' family with any protocol number. An IPv4 source with an IPv6 destination is sent as
/// IPv6 with the mapped address.
#[must_use]
pub fn ip(src: IpAddr, dst: IpAddr, protocol: u8, payload: &[u8]) -> Frame {
    if let (IpAddr::V4(src), IpAddr::V4(dst)) = (src, dst) {
        let mut bytes = vec![0x45, 0];
        bytes.extend(short(20 + payload.len()).to_be_bytes());
        bytes.extend([0, 1, 0x40, 0, 64, protocol, 0, 0]);
        bytes.extend(src.octets());
        bytes.extend(dst.octets());
        bytes.extend(payload);
        return Frame { ethertype: 0x0800, bytes };
    }
    let mapped = |address: IpAddr| match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    };
    let mut bytes = vec![0x60, 0, 0, 0];
    bytes.extend(short(payload.len()).to_be_bytes());
    bytes.extend([protocol, 64]);
    bytes.extend(mapped(src));
    bytes.extend(mapped(dst));
    bytes.extend(payload);
    Frame { ethertype: 0x86dd, bytes }
}

/// A length as headers carry it; too great a one becomes the greatest there is.
pub(super) fn short(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}
