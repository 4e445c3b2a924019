//! Where a packet begins: the link types that are read.

use super::view::View;
use super::walk::{Next, Walk};
use super::{cooked, ethernet, ppp, wlan};
use crate::packet::decoded::Network;

/// The first header of a packet of this link type.
pub(super) fn start<'a>(walk: &mut Walk<'_>, link: u16, view: View<'a>) -> Option<Next<'a>> {
    match link {
        0 => cooked::loopback(view),
        1 => ethernet::ethernet(walk, view),
        6 => token_ring(view),
        7 => attached(walk, view, 2),
        129 => attached(walk, view, 4),
        9 | 50 => Some(Next::PppFramed(view)),
        10 => fiber(view),
        11 | 100 => ethernet::llc(view),
        12 | 14 | 101 => cooked::raw(view),
        16 | 18 | 19 | 106 => cooked_atm(view),
        51 => ppp::session(view),
        104 | 112 => ppp::cisco(view),
        105 => Some(Next::Wlan(view)),
        107 => ppp::frame_relay(view),
        108 => cooked::loopback_network_order(view),
        113 => cooked::linux(walk, view),
        119 => wlan::prism(view),
        127 => wlan::radiotap(view),
        163 => wlan::avs(view),
        192 => wlan::per_packet(view),
        204 => Some(Next::PppFramed(view)),
        228 => Some(Next::Ipv4(view)),
        229 => Some(Next::Ipv6(view)),
        239 => cooked::netfilter(view),
        226 => solaris(view),
        // Private use 2 is what Apple's tools wrote before they had a number.
        149 | 258 => tapped(view),
        276 => cooked::linux_2(walk, view),
        // IP over Fibre Channel, IEEE 1394, InfiniBand: addresses, then an EtherType or LLC.
        122 => Some(Next::Llc(view.skip(16)?)),
        138 => Some(Next::EtherType(view.u16(16)?, view.skip(18)?)),
        242 => Some(Next::EtherType(view.u16(40)?, view.skip(44)?)),
        109 | 13 => openbsd(view),
        117 => packet_filter(view),
        _ => None,
    }
}

/// IP behind LLC, or without it.
fn cooked_atm(view: View<'_>) -> Option<Next<'_>> {
    if view.data.starts_with(&[0xaa, 0xaa, 0x03]) { ethernet::llc(view) } else { Some(Next::Ipv4(view)) }
}

/// FDDI: frames of the LLC kinds.
fn fiber(view: View<'_>) -> Option<Next<'_>> {
    let control = view.u8(0)?;
    (control & 0xc8 == 0x40 || (0x50..0x60).contains(&control)).then_some(())?;
    Some(Next::Llc(view.skip(13)?))
}

/// Token Ring, with the route that the first bit of the source address announces.
fn token_ring(view: View<'_>) -> Option<Next<'_>> {
    let is_data = view.u8(1)? >> 6 == 1;
    let route = if view.u8(8)? & 0x80 == 0 { 0 } else { usize::from(view.u8(14)? & 0x1f) };
    let rest = view.skip(14 + route)?;
    is_data.then_some(Next::Llc(rest))
}

/// ARCnet (RFC 1201, RFC 1051): a protocol number behind the addresses, and for most protocols a split flag and a number.
fn attached<'a>(walk: &mut Walk<'_>, view: View<'a>, head: usize) -> Option<Next<'a>> {
    let protocol = view.u8(head)?;
    let split = match (protocol, view.u8(head + 1)?) {
        (240 | 241, _) => 0,
        // An exception packet repeats the protocol and has the flag behind that.
        (_, 0xff) if head == 2 => 7,
        _ => 3,
    };
    let rest = view.skip(head + 1 + split)?;
    match protocol {
        212 | 240 => Some(Next::Ipv4(rest)),
        213 | 214 | 241 => {
            walk.network(Network::Arp);
            None
        }
        196 => Some(Next::Ipv6(rest)),
        _ => None,
    }
}

/// Solaris's ipnet: a version, an address family, and more, 24 bytes in all.
fn solaris(view: View<'_>) -> Option<Next<'_>> {
    let rest = view.skip(24)?;
    match view.u8(1)? {
        2 => Some(Next::Ipv4(rest)),
        26 => Some(Next::Ipv6(rest)),
        _ => None,
    }
}

/// Apple's PKTAP: its length and the link type of what follows stand in it.
fn tapped(view: View<'_>) -> Option<Next<'_>> {
    let length = u32::from_le_bytes(view.array(0)?);
    let link = u32::from_le_bytes(view.array(8)?);
    let rest = view.skip(usize::try_from(length.max(1)).ok()?)?;
    Some(Next::Link(u16::try_from(link).ok()?, rest))
}

/// OpenBSD's view into IPsec: an address family and twelve bytes.
fn openbsd(view: View<'_>) -> Option<Next<'_>> {
    let bytes: [u8; 4] = view.array(0)?;
    let family = u32::from_be_bytes(bytes).min(u32::from_le_bytes(bytes));
    let rest = view.skip(12)?;
    match family {
        2 => Some(Next::Ipv4(rest)),
        24 => Some(Next::Ipv6(rest)),
        _ => None,
    }
}

/// OpenBSD's packet filter log, whose first byte is its length.
fn packet_filter(view: View<'_>) -> Option<Next<'_>> {
    let length = usize::from(view.u8(0)?).next_multiple_of(4);
    let family = view.u8(1)?;
    let rest = view.skip(length)?;
    match family {
        2 => Some(Next::Ipv4(rest)),
        24 | 28 | 30 => Some(Next::Ipv6(rest)),
        _ => None,
    }
}
