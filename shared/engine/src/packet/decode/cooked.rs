//! Link types made up by systems: Linux cooked, BSD loopback, raw IP, NFLOG.

use super::view::View;
use super::walk::{Next, Walk};
use super::{ethernet, ppp, tunnel, wlan};

/// Protocol numbers up to this are kinds of frames of Linux, not EtherTypes.
const LONGEST: u16 = 1536;

/// Linux cooked capture, version 1.
pub(super) fn linux<'a>(walk: &mut Walk<'_>, view: View<'a>) -> Option<Next<'a>> {
    let (hardware, protocol) = (view.u16(2)?, view.u16(14)?);
    linux_payload(walk, hardware, protocol, view.skip(16)?)
}

/// Linux cooked capture, version 2.
pub(super) fn linux_2<'a>(walk: &mut Walk<'_>, view: View<'a>) -> Option<Next<'a>> {
    let (hardware, protocol) = (view.u16(8)?, view.u16(0)?);
    linux_payload(walk, hardware, protocol, view.skip(20)?)
}

fn linux_payload<'a>(walk: &mut Walk<'_>, hardware: u16, protocol: u16, rest: View<'a>) -> Option<Next<'a>> {
    match (protocol, hardware) {
        // Netlink.
        (_, 824) => None,
        (kind, 778) if kind > LONGEST => tunnel::gre_payload(walk, kind, 0, rest),
        (kind, _) if kind > LONGEST => Some(Next::EtherType(kind, rest)),
        // Frame Relay, and 802.11 with radiotap.
        (_, 770) => ppp::frame_relay(rest),
        (_, 803) => wlan::radiotap(rest),
        (0x0003, _) => Some(Next::Ethernet(rest)),
        (0x0004, _) => ethernet::llc(rest),
        (0x0007, _) => Some(Next::PppFramed(rest)),
        _ => None,
    }
}

/// BSD loopback: an address family in the byte order of whoever captured, which must be guessed.
pub(super) fn loopback(view: View<'_>) -> Option<Next<'_>> {
    if view.u16(0)? == 0xff03 {
        return Some(Next::PppFramed(view));
    }
    let mut family = u32::from_le_bytes(view.array(0)?);
    if family & 0xffff_0000 != 0 {
        let shifted = family & 0xff00_0000 == 0 && family & 0x00ff_0000 < 0x0006_0000;
        family = if shifted { family >> 16 } else { family.swap_bytes() };
    } else if family & 0xff == 0 && family & 0xff00 < 0x0600 {
        family >>= 8;
    }
    families(family, view.skip(4)?)
}

/// OpenBSD loopback: the same, in network byte order.
pub(super) fn loopback_network_order(view: View<'_>) -> Option<Next<'_>> {
    families(view.u32(0)?, view.skip(4)?)
}

fn families(family: u32, rest: View<'_>) -> Option<Next<'_>> {
    match family {
        2 => Some(Next::Ipv4(rest)),
        24 | 28 | 30 => Some(Next::Ipv6(rest)),
        family if family > 1500 => Some(Next::EtherType(u16::try_from(family & 0xffff).ok()?, rest)),
        _ => None,
    }
}

/// Raw IP, which some drivers precede with parts of other headers.
pub(super) fn raw(view: View<'_>) -> Option<Next<'_>> {
    for skipped in [0, 6, 1] {
        if view.u16(skipped)? == 0xff03 {
            return Some(Next::PppFramed(view.skip(skipped)?));
        }
    }
    if view.data.starts_with(&[0; 10]) {
        return Some(Next::Ipv4(view.skip(10)?));
    }
    match view.u8(0)? >> 4 {
        4 => Some(Next::Ipv4(view)),
        6 => Some(Next::Ipv6(view)),
        _ => None,
    }
}

/// Linux netfilter's log: a family, then attributes of which one is the packet.
pub(super) fn netfilter(view: View<'_>) -> Option<Next<'_>> {
    let family = view.u8(0)?;
    let mut rest = view.skip(4)?;
    loop {
        // Attributes are in the byte order of whoever captured: the one in which the length fits.
        let [a, b, c, d] = rest.array(0)?;
        let little = (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]));
        let big = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        let fits = |length: u16| length >= 4 && u32::from(length) <= rest.len;
        let (length, kind) = if fits(little.0) { little } else { big };
        if !fits(length) {
            return None;
        }
        let length = usize::from(length);
        if kind & 0x7fff == 9 {
            let packet = rest.skip(4)?.limit(u32::try_from(length - 4).ok()?);
            return match family {
                2 => Some(Next::Ipv4(packet)),
                10 => Some(Next::Ipv6(packet)),
                _ => None,
            };
        }
        rest = rest.skip(length.next_multiple_of(4))?;
    }
}
