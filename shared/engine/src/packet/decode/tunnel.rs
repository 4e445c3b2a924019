//! Tunnels: GRE and what it carries, and those that UDP ports announce.

use super::gtp;
use super::mpls;
use super::ppp;
use super::view::View;
use super::walk::{Next, Walk};
use crate::packet::decoded::{Network, Transport};

/// A GRE header (RFC 2784, 2890), also that of PPTP (RFC 2637).
pub(super) fn gre<'a>(walk: &mut Walk<'_>, view: View<'a>) -> Option<Next<'a>> {
    walk.transport(Transport::Gre);
    gre_header(walk, view)
}

fn gre_header<'a>(walk: &mut Walk<'_>, view: View<'a>) -> Option<Next<'a>> {
    let (flags, kind) = (view.u16(0)?, view.u16(2)?);
    let is_ppp = matches!(kind, 0x8881 | 0x88d2) || (kind == 0x880b && flags & 7 != 0);
    let optional = [(0xc000, 4), (0x2000, 4), (0x1000, 4), (if is_ppp { 0x0080 } else { 0 }, 4)];
    let head: usize =
        4 + optional.iter().map(|&(bits, bytes)| if flags & bits == 0 { 0 } else { bytes }).sum::<usize>();
    let mut rest = view.skip(head)?;
    if flags & 0x4000 != 0 {
        // Source routes, until one of family and length zero.
        loop {
            let (family, length) = (rest.u16(0)?, rest.u8(3)?);
            rest = rest.skip(4)?;
            if family == 0 && length == 0 {
                break;
            }
            rest = rest.skip(usize::from(length))?;
        }
    }
    // WCCP version 2 puts four bytes before the packet.
    if kind == 0x883e && view.u8(4)? & 0xf0 != 0x40 {
        rest = rest.skip(4)?;
    }
    if flags & 0x1000 == 0 && rest.len == 0 {
        return None;
    }
    gre_payload(walk, kind, flags, rest)
}

/// What GRE carries under a protocol number.
pub(super) fn gre_payload<'a>(walk: &mut Walk<'_>, kind: u16, flags: u16, rest: View<'a>) -> Option<Next<'a>> {
    match kind {
        0x0800 | 0x883e => Some(Next::Ipv4(rest)),
        0x86dd => Some(Next::Ipv6(rest)),
        0x0806 => {
            walk.network(Network::Arp);
            None
        }
        0x6558 | 0x6400 => Some(Next::Ethernet(rest)),
        0x6559 => ppp::frame_relay(rest),
        0x8847 | 0x8848 => mpls::labels(rest),
        0x880b | 0x8881 | 0x88d2 => Some(Next::PppFramed(rest)),
        // ERSPAN of type I has no header of its own, and no sequence number.
        0x88be if flags & 0x1000 == 0 => Some(Next::Ethernet(rest)),
        0x88be | 0x22eb => mirrored(rest),
        0x894f => service_header(rest),
        0x8200..=0x8370 if kind & 0x0f == 0 => Some(Next::Wlan(rest)),
        _ => None,
    }
}

/// ERSPAN of types II and III.
fn mirrored(view: View<'_>) -> Option<Next<'_>> {
    match view.u8(0)? >> 4 {
        1 => Some(Next::Ethernet(view.skip(8)?)),
        2 => {
            let last = view.u16(10)?;
            let rest = view.skip(if last & 1 == 0 { 12 } else { 20 })?;
            // Frame types: Ethernet, or IP.
            match last >> 10 & 0x1f {
                0 => Some(Next::Ethernet(rest)),
                2 => Some(Next::Ipv4(rest)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Network service header (RFC 8300). Headers in headers are passed in a loop: a packet may hold as many as fit, and a
/// call for each would use up the stack.
pub(super) fn service_header(view: View<'_>) -> Option<Next<'_>> {
    let mut header = view;
    loop {
        let length = usize::from(header.u8(1)? & 0x3f) * 4;
        let rest = header.skip(length.max(4))?;
        match header.u8(3)? {
            1 => return Some(Next::Ipv4(rest)),
            2 => return Some(Next::Ipv6(rest)),
            3 => return Some(Next::Ethernet(rest)),
            4 => header = rest,
            5 => return mpls::labels(rest),
            _ => return None,
        }
    }
}

/// Services on well-known ports whose packets are never taken for tunnels, whatever the other port.
const TAKEN: [u16; 16] = [53, 67, 68, 69, 88, 123, 137, 138, 161, 162, 389, 500, 514, 520, 1812, 1900];

/// The tunnel that one of the two ports announces, the lower one first.
#[inline]
pub(super) fn by_port<'a>(walk: &mut Walk<'_>, src: u16, dst: u16, view: View<'a>) -> Option<Next<'a>> {
    if !is_tunnel(src) && !is_tunnel(dst) {
        return None;
    }
    let (low, high) = if src < dst { (src, dst) } else { (dst, src) };
    if TAKEN.contains(&low) || view.len == 0 {
        return None;
    }
    if is_tunnel(low) { open(walk, low, view).or_else(|| open(walk, high, view)) } else { open(walk, high, view) }
}

#[inline]
fn is_tunnel(port: u16) -> bool {
    matches!(port, 1701 | 2123 | 2152 | 2268 | 3386 | 3544 | 4341 | 4754 | 4789 | 4790 | 5072 | 6081 | 6635 | 37008)
}

fn open<'a>(walk: &mut Walk<'_>, port: u16, view: View<'a>) -> Option<Next<'a>> {
    match port {
        1701 => layer_2(view),
        2123 | 2152 | 3386 => gtp::header(view),
        2268 => multicast(view),
        3544 => teredo(view),
        4341 => by_version(view.skip(8)?),
        4754 => gre(walk, view),
        4789 => Some(Next::Ethernet(view.skip(8)?)),
        4790 => generic_vxlan(view),
        5072 => anything_in_anything(view),
        6081 => geneve(view),
        6635 => mpls::labels(view),
        37008 => sniffer(view),
        _ => None,
    }
}

fn by_version(view: View<'_>) -> Option<Next<'_>> {
    match view.u8(0)? >> 4 {
        4 => Some(Next::Ipv4(view)),
        6 => Some(Next::Ipv6(view)),
        _ => None,
    }
}

/// VXLAN with a protocol number.
fn generic_vxlan(view: View<'_>) -> Option<Next<'_>> {
    let has_protocol = view.u8(0)? & 0x04 != 0;
    let rest = view.skip(8)?;
    match view.u8(3)? {
        _ if !has_protocol => Some(Next::Ethernet(rest)),
        1 => Some(Next::Ipv4(rest)),
        2 => Some(Next::Ipv6(rest)),
        3 => Some(Next::Ethernet(rest)),
        4 => service_header(rest),
        5 => mpls::labels(rest),
        _ => None,
    }
}

/// Geneve (RFC 8926): options in words of four bytes, then an EtherType.
fn geneve(view: View<'_>) -> Option<Next<'_>> {
    let start = view.u8(0)?;
    if start >> 6 != 0 {
        return None;
    }
    let options = usize::from(start & 0x3f) * 4;
    Some(Next::EtherType(view.u16(2)?, view.skip(8 + options)?))
}

/// Teredo (RFC 4380): authentication and origin may stand before the packet.
fn teredo(view: View<'_>) -> Option<Next<'_>> {
    let mut rest = view;
    if rest.u16(0)? == 1 {
        let (client, value) = (usize::from(rest.u8(2)?), usize::from(rest.u8(3)?));
        rest = rest.skip(4 + client + value + 9)?;
    }
    if rest.u16(0)? == 0 {
        rest = rest.skip(8)?;
    }
    (rest.u8(0)? >> 4 == 6).then_some(Next::Ipv6(rest))
}

/// L2TP version 2 (RFC 2661); only data messages carry packets.
fn layer_2(view: View<'_>) -> Option<Next<'_>> {
    let flags = view.u16(0)?;
    if flags & 0x8000 != 0 || flags & 0x000f != 2 {
        return None;
    }
    let mut head = 6;
    for (bit, bytes) in [(0x4000, 2), (0x0800, 4)] {
        if flags & bit != 0 {
            head += bytes;
        }
    }
    if flags & 0x0200 != 0 {
        head += 2 + usize::from(view.u16(head)?);
    }
    Some(Next::PppFramed(view.skip(head)?))
}

/// Automatic multicast tunneling (RFC 7450): data messages.
fn multicast(view: View<'_>) -> Option<Next<'_>> {
    match view.u8(0)? & 0x0f {
        6 => by_version(view.skip(2)?),
        5 => by_version(view.skip(8)?),
        _ => None,
    }
}

/// AYIYA: an identity, a signature, then a packet under its IP protocol number.
fn anything_in_anything(view: View<'_>) -> Option<Next<'_>> {
    let identity = 1_usize << (view.u8(0)? >> 4).min(15);
    let signature = usize::from(view.u8(1)? >> 4) * 4;
    let forward = view.u8(2)? & 0x0f == 1;
    let rest = view.skip(8 + identity + signature)?;
    forward.then_some(Next::IpPayload(view.u8(3)?, rest))
}

/// TaZmen sniffer protocol: tags, then a frame of a kind told in the header.
fn sniffer(view: View<'_>) -> Option<Next<'_>> {
    let kind = view.u16(2)?;
    let mut rest = view.skip(4)?;
    loop {
        match rest.u8(0)? {
            0 => rest = rest.skip(1)?,
            1 => {
                rest = rest.skip(1)?;
                break;
            }
            _ => rest = rest.skip(2 + usize::from(rest.u8(1)?))?,
        }
    }
    match kind {
        1 => Some(Next::Ethernet(rest)),
        18 => Some(Next::Wlan(rest)),
        _ => None,
    }
}
