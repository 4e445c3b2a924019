//! Ethernet, its tags and its payloads; LLC and SNAP.

use super::ip;
use super::mpls;
use super::ppp;
use super::tunnel;
use super::view::View;
use super::walk::{Next, Walk};
use crate::packet::decoded::Network;

/// Values up to this are lengths, not EtherTypes.
const LONGEST: u16 = 1500;

/// An Ethernet header, with the ISL header of Cisco before it where there is one.
#[inline]
pub(super) fn ethernet<'a>(walk: &mut Walk<'_>, view: View<'a>) -> Option<Next<'a>> {
    let kind = view.u16(12)?;
    match kind {
        0x0800 => return ip::v4(walk, view.skip(14)?),
        0x86dd => return ip::v6(walk, view.skip(14)?),
        0x8100 => return tag(walk, view.skip(14)?),
        _ => {}
    }
    if kind <= LONGEST && matches!(view.data, [0x01 | 0x0c | 0x03, 0, 0x0c, 0, 0, ..]) {
        return Some(Next::Ethernet(view.skip(26)?));
    }
    typed(view.skip(14)?, kind)
}

/// What follows a field that is an EtherType or a length.
#[inline]
fn typed(rest: View<'_>, kind: u16) -> Option<Next<'_>> {
    if kind > LONGEST {
        return (kind >= 0x0600).then_some(Next::EtherType(kind, rest));
    }
    // IPX without LLC begins with ones.
    let raw_ipx = rest.data.starts_with(&[0xff, 0xff]);
    (!raw_ipx).then(|| Next::Llc(rest.limit(u32::from(kind))))
}

/// The payload of an EtherType.
#[inline]
pub(super) fn payload<'a>(walk: &mut Walk<'_>, kind: u16, view: View<'a>) -> Option<Next<'a>> {
    match kind {
        0x0800 => ip::v4(walk, view),
        0x86dd => ip::v6(walk, view),
        0x0806 | 0x8035 => {
            walk.network(Network::Arp);
            None
        }
        0x8100 | 0x88a8 | 0x9100 => tag(walk, view),
        0x8847 | 0x8848 => mpls::labels(view),
        0x8864 => ppp::session(view),
        _ => rarer(kind, view),
    }
}

/// One VLAN tag.
fn tag<'a>(walk: &mut Walk<'_>, view: View<'a>) -> Option<Next<'a>> {
    walk.vlan(view.u16(0)? & 0x0fff);
    match view.u16(2)? {
        0x0800 => ip::v4(walk, view.skip(4)?),
        kind => typed(view.skip(4)?, kind),
    }
}

fn rarer(kind: u16, view: View<'_>) -> Option<Next<'_>> {
    match kind {
        // Transparent Ethernet bridging.
        0x6558 => Some(Next::Ethernet(view)),
        0x8870 => Some(Next::Llc(view)),
        // Provider backbone bridging: a service tag, then a whole frame.
        0x88e7 => Some(Next::Ethernet(view.skip(4)?)),
        // Cisco FabricPath: what came before is the outer header, two bytes on follows a frame, then a checksum.
        0x8903 => Some(Next::Ethernet(view.skip(2)?.limit(view.len.saturating_sub(6)))),
        0x88e5 => secured(view),
        // VN-Tag.
        0x8926 => typed(view.skip(6)?, view.u16(4)?),
        // IEEE 802.1BR E-tag.
        0x893f => typed(view.skip(8)?, view.u16(6)?),
        // Cisco metadata, one option.
        0x8909 => {
            let length = usize::from(view.u8(1)?) * 4;
            let kind = view.u16(length.checked_add(2)?)?;
            typed(view.skip(length + 4)?, kind)
        }
        // HSR and IEEE 802.1CB tags of six bytes.
        0x892f => typed(view.skip(6)?, view.u16(4)?),
        0xf1c1 => typed(view.skip(6)?, view.u16(4)?),
        0x894f => tunnel::service_header(view),
        0x22f3 => {
            // TRILL: options in words of four bytes.
            let options = usize::from(view.u16(0)? >> 6 & 0x1f) * 4;
            Some(Next::Ethernet(view.skip(6 + options)?))
        }
        _ => None,
    }
}

/// MACsec (IEEE 802.1AE), when it protects but does not encrypt.
fn secured(view: View<'_>) -> Option<Next<'_>> {
    let control = view.u8(0)?;
    // An optional identifier of the channel, and the bits of changed text.
    let head = if control & 0x20 == 0 { 6 } else { 14 };
    (control & 0x8c == 0).then_some(())?;
    typed(view.skip(head + 2)?, view.u16(head)?)
}

/// An LLC header and SNAP behind it.
pub(super) fn llc(view: View<'_>) -> Option<Next<'_>> {
    let (dsap, ssap, control) = (view.u8(0)?, view.u8(1)?, view.u8(2)?);
    // Information and supervisory frames have two control bytes.
    let head = if control & 3 == 3 { 3 } else { 4 };
    if dsap == 0xaa && ssap == 0xaa {
        return snap(view.skip(head)?);
    }
    let rest = view.skip(head)?;
    (dsap == 0x06 && control & 3 == 3).then_some(Next::Ipv4(rest))
}

/// SNAP: an organisation and its protocol number.
pub(super) fn snap(view: View<'_>) -> Option<Next<'_>> {
    let organisation = [view.u8(0)?, view.u8(1)?, view.u8(2)?];
    let kind = view.u16(3)?;
    let rest = view.skip(5)?;
    match (organisation, kind) {
        ([0, 0, 0] | [0, 0, 0xf8], kind) => Some(Next::EtherType(kind, rest)),
        ([0x08, 0, 0x07], kind) => Some(Next::EtherType(kind, rest)),
        // IEEE 802.1 bridged frames.
        ([0, 0x80, 0xc2], 0x0001 | 0x0007) => Some(Next::Ethernet(rest)),
        _ => None,
    }
}
