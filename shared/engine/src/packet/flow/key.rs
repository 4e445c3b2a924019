//! Which flow a packet belongs to: protocol, addresses and ports, whoever sends.

use std::hash::{BuildHasher, Hasher};
use std::net::{IpAddr, Ipv4Addr};

use crate::packet::decoded::{Decoded, Segment, Transport, UdpEnds};
use crate::packet::window::{Ends, Protocol};

/// Sender and receiver of one packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) protocol: Protocol,
    pub(crate) src: IpAddr,
    pub(crate) src_port: u16,
    pub(crate) dst: IpAddr,
    pub(crate) dst_port: u16,
}

impl Key {
    /// The conversation of the outermost headers, when they have ports, or are ICMP.
    #[inline]
    pub(crate) fn outermost(decoded: &Decoded) -> Option<Self> {
        let (src, dst) = decoded.hosts?;
        let protocol = match decoded.transport {
            Transport::Tcp => Protocol::Tcp,
            Transport::Udp => Protocol::Udp,
            Transport::Icmp | Transport::Icmpv6 => return Self::icmp(decoded, src, dst),
            _ => return None,
        };
        let (src_port, dst_port) = decoded.ports?;
        Some(Self { protocol, src, src_port, dst, dst_port })
    }

    /// The stream of the innermost TCP header.
    pub(crate) const fn stream(segment: &Segment) -> Self {
        Self {
            protocol: Protocol::Tcp,
            src: segment.src,
            src_port: segment.src_port,
            dst: segment.dst,
            dst_port: segment.dst_port,
        }
    }

    /// The stream of a UDP header.
    pub(crate) const fn udp((src, src_port, dst, dst_port): UdpEnds) -> Self {
        Self { protocol: Protocol::Udp, src, src_port, dst, dst_port }
    }

    /// Who asks has the type for a port, who answers the code, so that requests and replies meet.
    fn icmp(decoded: &Decoded, src: IpAddr, dst: IpAddr) -> Option<Self> {
        let (kind, code) = decoded.icmp?;
        let request: Option<u8> = match (decoded.transport, kind) {
            (Transport::Icmp, 0) => Some(8),
            (Transport::Icmp, 14 | 16 | 18) => Some(kind - 1),
            (Transport::Icmpv6, 129) => Some(128),
            _ => None,
        };
        let (src_port, dst_port) = match request {
            Some(asked) => (u16::from(code), u16::from(asked)),
            None => (u16::from(kind), u16::from(code)),
        };
        Some(Self { protocol: Protocol::Icmp, src, src_port, dst, dst_port })
    }

    /// The same number for both ways.
    #[inline]
    pub(super) fn hash(&self, state: &impl BuildHasher) -> u64 {
        let mut hasher = state.build_hasher();
        let protocol = u64::from(self.protocol as u8) << 48;
        match (self.src, self.dst) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => {
                let (src, dst) = (narrow(src, self.src_port), narrow(dst, self.dst_port));
                hasher.write_u64(src.min(dst) | protocol);
                hasher.write_u64(src.max(dst));
            }
            (src, dst) => {
                let src = (wide(src), self.src_port);
                let dst = (wide(dst), self.dst_port);
                let (low, high) = (src.min(dst), src.max(dst));
                hasher.write_u128(low.0);
                hasher.write_u128(high.0);
                hasher.write_u64(u64::from(low.1) << 16 | u64::from(high.1) | protocol);
            }
        }
        hasher.finish()
    }

    /// Whether this packet goes the way of the flow's first one, or the other way, or elsewhere.
    #[inline]
    pub(super) fn way(&self, ends: &Ends) -> Option<Way> {
        if self.protocol != ends.protocol {
            return None;
        }
        // Without branches between the two ways: nobody can foresee which end sends next.
        let (forward, back) = match (self.src, self.dst, ends.src, ends.dst) {
            (IpAddr::V4(src), IpAddr::V4(dst), IpAddr::V4(first), IpAddr::V4(second)) => {
                let (src, dst) = (narrow(src, self.src_port), narrow(dst, self.dst_port));
                let (first, second) = (narrow(first, ends.src_port), narrow(second, ends.dst_port));
                ((src == first) & (dst == second), (src == second) & (dst == first))
            }
            _ => {
                let (src, dst) = ((self.src, self.src_port), (self.dst, self.dst_port));
                let (first, second) = ((ends.src, ends.src_port), (ends.dst, ends.dst_port));
                (src == first && dst == second, src == second && dst == first)
            }
        };
        (forward | back).then_some(if forward { Way::Forward } else { Way::Back })
    }
}

/// Direction of a packet in its flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Forward,
    Back,
}

/// Address and port in one number.
#[inline]
fn narrow(addr: Ipv4Addr, port: u16) -> u64 {
    u64::from(addr.to_bits()) << 16 | u64::from(port)
}

fn wide(addr: IpAddr) -> u128 {
    match addr {
        IpAddr::V4(addr) => u128::from(addr.to_bits()),
        IpAddr::V6(addr) => addr.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::decoded::Network;

    #[test]
    fn both_ways_have_one_hash() {
        let state = foldhash::fast::FixedState::with_seed(1);
        for (src, dst) in [([10, 0, 0, 1], [10, 0, 0, 2]), ([10, 0, 0, 9], [10, 0, 0, 2])] {
            let there = Key { protocol: Protocol::Tcp, src: src.into(), src_port: 7, dst: dst.into(), dst_port: 80 };
            let back = Key { protocol: Protocol::Tcp, src: dst.into(), src_port: 80, dst: src.into(), dst_port: 7 };
            assert_eq!(there.hash(&state), back.hash(&state));
            let other = Key { protocol: Protocol::Udp, ..there };
            assert_ne!(there.hash(&state), other.hash(&state));
        }
    }

    #[test]
    fn an_echo_and_its_reply_are_one_flow() {
        let client = IpAddr::from([10, 0, 0, 1]);
        let server = IpAddr::from([10, 0, 0, 2]);
        let mut decoded = Decoded { network: Network::Ipv4, transport: Transport::Icmp, ..Decoded::default() };
        decoded.hosts = Some((client, server));
        decoded.icmp = Some((8, 0));
        let request = Key::outermost(&decoded);
        decoded.hosts = Some((server, client));
        decoded.icmp = Some((0, 0));
        let reply = Key::outermost(&decoded);
        let turned =
            reply.map(|key| Key { src: key.dst, src_port: key.dst_port, dst: key.src, dst_port: key.src_port, ..key });
        assert_eq!(request, turned);
    }
}
