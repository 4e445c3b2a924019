//! IPv4 and IPv6 with its extension headers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use etherparse::IpNumber;

use super::view::View;
use super::walk::{Next, Walk};
use super::{mpls, transport, tunnel};
use crate::packet::decoded::{Network, Transport};

/// IP protocol numbers.
mod number {
    use super::IpNumber;

    pub(super) const ICMP: u8 = IpNumber::ICMP.0;
    pub(super) const IPV4: u8 = IpNumber::IPV4.0;
    pub(super) const TCP: u8 = IpNumber::TCP.0;
    pub(super) const UDP: u8 = IpNumber::UDP.0;
    pub(super) const IPV6: u8 = IpNumber::IPV6.0;
    pub(super) const GRE: u8 = IpNumber::GRE.0;
    pub(super) const AUTHENTICATION_HEADER: u8 = IpNumber::AUTHENTICATION_HEADER.0;
    pub(super) const IPV6_ICMP: u8 = IpNumber::IPV6_ICMP.0;
    pub(super) const SCTP: u8 = IpNumber::SCTP.0;
}

/// An IPv4 header.
#[inline]
pub(super) fn v4<'a>(walk: &mut Walk<'_>, view: View<'a>) -> Option<Next<'a>> {
    let first = walk.network(Network::Ipv4);
    let start = view.u8(0)?;
    let head = u32::from(start & 0x0f) * 4;
    match start >> 4 {
        4 => {}
        6 => return Some(Next::Ipv6(view)),
        _ => return None,
    }
    let total = u32::from(view.u16(2)?);
    // A total length of zero is that of segments cut by the network card behind the capture.
    let bogus = head < 20 || (total < head && total != 0);
    let fragment = view.u16(6)?;
    let protocol = view.u8(9)?;
    if bogus {
        return None;
    }
    let view = if total == 0 { view } else { view.limit(total) };
    let src = Ipv4Addr::from(view.array::<4>(12)?);
    let routed = if head > 20 { last_stop(view, usize::try_from(head).ok()?)? } else { 16 };
    let dst = Ipv4Addr::from(view.array::<4>(routed)?);
    walk.addresses(first, IpAddr::V4(src), IpAddr::V4(dst));
    if first {
        walk.into.ip_len = view.len;
    }
    if fragment & 0x1fff != 0 {
        return None;
    }
    walk.fragmented = fragment & 0x2000 != 0;
    let rest = view.skip(usize::try_from(head).ok()?)?;
    if rest.len == 0 { None } else { payload(walk, protocol, rest) }
}

/// Where the final destination stands in an IPv4 header of `head` bytes: at 16, or at the end of a source route among
/// its options. None when the options were not captured that far.
fn last_stop(view: View<'_>, head: usize) -> Option<usize> {
    let mut at = 20;
    while at < head {
        let kind = view.u8(at)?;
        if kind == 0 {
            break;
        }
        if kind == 1 {
            at += 1;
            continue;
        }
        if at + 1 == head {
            break;
        }
        let length = usize::from(view.u8(at + 1)?);
        if length < 2 || at + length > head {
            break;
        }
        if matches!(kind, 131 | 137) {
            let pointer = usize::from(view.u8(at + 2)?);
            let sound = pointer >= 4 && pointer.is_multiple_of(4) && pointer <= length;
            return Some(if sound { at - 4 + length } else { 16 });
        }
        at += length;
    }
    Some(16)
}

/// An IPv6 header.
#[inline]
pub(super) fn v6<'a>(walk: &mut Walk<'_>, view: View<'a>) -> Option<Next<'a>> {
    if view.u8(0).is_some_and(|start| start >> 4 != 6) {
        return None;
    }
    let first = walk.network(Network::Ipv6);
    let length = u32::from(view.u16(4)?);
    let protocol = view.u8(6)?;
    let src = Ipv6Addr::from(view.array::<16>(8)?);
    let dst = Ipv6Addr::from(view.array::<16>(24)?);
    walk.addresses(first, IpAddr::V6(src), IpAddr::V6(dst));
    let rest = view.skip(40)?;
    let jumbo = if length == 0 && protocol == 0 { jumbo_length(rest) } else { None };
    let rest = rest.limit(jumbo.unwrap_or(length));
    if first {
        walk.into.ip_len = rest.len + 40;
    }
    payload(walk, protocol, rest)
}

/// The length that a hop-by-hop option gives a packet too long for its header.
fn jumbo_length(options: View<'_>) -> Option<u32> {
    let end = (usize::from(options.u8(1)?) + 1) * 8;
    let mut at = 2;
    while at < end {
        match options.u8(at)? {
            0 => at += 1,
            0xc2 if options.u8(at + 1)? == 4 => return options.u32(at + 2),
            _ => at += 2 + usize::from(options.u8(at + 1)?),
        }
    }
    None
}

/// The payload of an IP protocol number, extension headers of IPv6 among them.
#[inline]
pub(super) fn payload<'a>(walk: &mut Walk<'_>, protocol: u8, view: View<'a>) -> Option<Next<'a>> {
    match protocol {
        number::TCP => transport::tcp(walk, view),
        number::UDP => transport::udp(walk, view),
        number::ICMP => transport::icmp(walk, Transport::Icmp, view),
        number::IPV6_ICMP => transport::icmp(walk, Transport::Icmpv6, view),
        number::SCTP => {
            walk.transport(Transport::Sctp);
            None
        }
        number::GRE => tunnel::gre(walk, view),
        number::IPV4 => Some(Next::Ipv4(view)),
        number::IPV6 => Some(Next::Ipv6(view)),
        _ => rarer(walk, protocol, view),
    }
}

fn rarer<'a>(walk: &mut Walk<'_>, protocol: u8, view: View<'a>) -> Option<Next<'a>> {
    match protocol {
        // Hop-by-hop, routing, destination options, mobility.
        0 | 43 | 60 | 135 => {
            let length = (usize::from(view.u8(1)?) + 1) * 8;
            Some(Next::IpPayload(view.u8(0)?, view.skip(length)?))
        }
        44 => fragment(walk, view),
        number::AUTHENTICATION_HEADER => {
            let length = (usize::from(view.u8(1)?) + 2) * 4;
            Some(Next::IpPayload(view.u8(0)?, view.skip(length)?))
        }
        97 => Some(Next::Ethernet(view.skip(2)?)),
        103 => register(view),
        137 => mpls::labels(view),
        143 => Some(Next::Ethernet(view)),
        _ => None,
    }
}

/// The fragment header of IPv6. Fragments behind the first are not looked into.
fn fragment<'a>(walk: &mut Walk<'_>, view: View<'a>) -> Option<Next<'a>> {
    let (protocol, place) = (view.u8(0)?, view.u16(2)?);
    let rest = view.skip(8)?;
    if place & 0xfff8 != 0 {
        return None;
    }
    walk.fragmented |= place & 1 != 0;
    Some(Next::IpPayload(protocol, rest))
}

/// A register message of PIM version 2, which carries a packet.
fn register(view: View<'_>) -> Option<Next<'_>> {
    (view.u8(0)? == 0x21).then_some(())?;
    let rest = view.skip(8)?;
    match rest.u8(0)? >> 4 {
        4 => Some(Next::Ipv4(rest)),
        6 => Some(Next::Ipv6(rest)),
        _ => None,
    }
}
