//! PPP and what uses its framing: PPPoE, Cisco HDLC, Frame Relay.

use super::ethernet;
use super::mpls;
use super::view::View;
use super::walk::Next;

/// PPP from its address byte, which may be left out.
pub(super) fn framed(view: View<'_>) -> Option<Next<'_>> {
    match (view.u8(0)?, view.u8(1)) {
        // Cisco HDLC, unicast and multicast.
        (0x0f | 0x8f, Some(0)) => cisco(view),
        (0xff, Some(0x03)) => Some(Next::Ppp(view.skip(2)?)),
        _ => Some(Next::Ppp(view)),
    }
}

/// PPP from its protocol number on, which has one byte when that is odd.
pub(super) fn protocol(view: View<'_>) -> Option<Next<'_>> {
    let first = view.u8(0)?;
    let (protocol, rest) =
        if first & 1 == 1 { (u16::from(first), view.skip(1)?) } else { (view.u16(0)?, view.skip(2)?) };
    match protocol {
        0x0021 | 0x0800 => Some(Next::Ipv4(rest)),
        0x0057 => Some(Next::Ipv6(rest)),
        0x0281 | 0x0283 => mpls::labels(rest),
        0x0031 => bridged(rest),
        0x003d => multilink(rest),
        _ => None,
    }
}

/// A bridged frame (RFC 3518); only the kinds of Ethernet are read.
fn bridged(view: View<'_>) -> Option<Next<'_>> {
    let flags = view.u8(0)?;
    let rest = view.skip(2)?;
    match view.u8(1)? {
        // Bit 0x20 says there is a LAN identifier.
        1 if flags & 0x20 != 0 => Some(Next::Ethernet(rest.skip(4)?)),
        1 => Some(Next::Ethernet(rest)),
        _ => None,
    }
}

/// A fragment of multilink PPP; a whole packet in one fragment is read.
fn multilink(view: View<'_>) -> Option<Next<'_>> {
    let whole = view.u8(0)? & 0xc0 == 0xc0;
    if whole { Some(Next::Ppp(view.skip(4)?)) } else { None }
}

/// A PPPoE session packet.
pub(super) fn session(view: View<'_>) -> Option<Next<'_>> {
    let length = view.u16(4)?;
    Some(Next::Ppp(view.skip(6)?.limit(u32::from(length))))
}

/// Cisco HDLC: an address, a control byte, an EtherType.
pub(super) fn cisco(view: View<'_>) -> Option<Next<'_>> {
    let kind = view.u16(2)?;
    let rest = view.skip(4)?;
    match kind {
        0x0800 => Some(Next::Ipv4(rest)),
        0x86dd => Some(Next::Ipv6(rest)),
        0x8847 | 0x8848 => mpls::labels(rest),
        0x6558 => Some(Next::Ethernet(rest)),
        _ => None,
    }
}

/// Frame Relay: an address of two to four bytes or more, then RFC 2427 or, failing that, an EtherType.
pub(super) fn frame_relay(view: View<'_>) -> Option<Next<'_>> {
    let mut head = 1;
    let mut address = u32::from(view.u8(0)?);
    if address & 1 == 0 {
        while view.u8(head)? & 1 == 0 {
            head += 1;
        }
        address = address >> 2 << 4 | u32::from(view.u8(1)? >> 4);
        head += 1;
    } else {
        address = 0;
    }
    let rest = view.skip(head)?;
    if rest.u8(0)? != 0x03 {
        // Signalling has the address 0; everything else is the encapsulation of Cisco.
        let kind = rest.u16(0)?;
        return (address != 0).then_some(Next::EtherType(kind, rest.skip(2)?));
    }
    let padded = rest.u8(1)? == 0;
    let rest = rest.skip(if padded { 2 } else { 1 })?;
    let payload = rest.skip(1)?;
    match rest.u8(0)? {
        0x80 => ethernet::snap(payload),
        0xcc => Some(Next::Ipv4(payload)),
        0x8e => Some(Next::Ipv6(payload)),
        0xcf => Some(Next::Ppp(payload)),
        _ => None,
    }
}
