//! IEEE 802.11 and the headers that capture drivers put before it.

use super::view::View;
use super::walk::Next;

/// A frame: data frames that are neither encrypted nor fragments carry LLC.
pub(super) fn frame(view: View<'_>) -> Option<Next<'_>> {
    framed(view, false)
}

fn framed(view: View<'_>, padded: bool) -> Option<Next<'_>> {
    let (control, flags) = (view.u8(0)?, view.u8(1)?);
    let (kind, subtype) = (control >> 2 & 3, control >> 4);
    // Data frames, but not those without data.
    if kind != 2 || subtype & 4 != 0 {
        return None;
    }
    let mut head = if flags & 3 == 3 { 30 } else { 24 };
    let mut aggregated = false;
    if subtype & 8 != 0 {
        aggregated = view.u8(head)? & 0x80 != 0;
        head += 2;
        if flags & 0x80 != 0 {
            head += 4;
        }
    }
    if padded {
        head = head.next_multiple_of(4);
    }
    let fragment = view.u16(22)?.swap_bytes();
    if flags & 0x44 != 0 || fragment & 0x0f != 0 {
        return None;
    }
    let rest = view.skip(head)?;
    if aggregated {
        // The first of the aggregated frames: two addresses and a length.
        let length = rest.u16(12)?;
        return Some(Next::Llc(rest.skip(14)?.limit(u32::from(length))));
    }
    Some(Next::Llc(rest))
}

/// The radiotap header; its length stands in it, and a flag tells of padding in the frame.
pub(super) fn radiotap(view: View<'_>) -> Option<Next<'_>> {
    let length = usize::from(u16::from_le_bytes(view.array(2)?));
    let present = u32::from_le_bytes(view.array(4)?);
    let rest = view.skip(length)?;
    framed(rest, radiotap_flags(view, present).is_some_and(|flags| flags & 0x20 != 0))
}

/// The flags field, when the first words of the header say it is there.
fn radiotap_flags(view: View<'_>, present: u32) -> Option<u8> {
    if present & 2 == 0 {
        return None;
    }
    let mut at = 8;
    let mut word = present;
    while word & 0x8000_0000 != 0 {
        word = u32::from_le_bytes(view.array(at)?);
        at += 4;
    }
    if present & 1 != 0 {
        at = at.next_multiple_of(8) + 8;
    }
    view.u8(at)
}

/// Per-packet information: a header with a link type of its own.
pub(super) fn per_packet(view: View<'_>) -> Option<Next<'_>> {
    let length = usize::from(u16::from_le_bytes(view.array(2)?));
    let link = u32::from_le_bytes(view.array(4)?);
    let rest = view.skip(length)?;
    match link {
        192 => None,
        link => Some(Next::Link(u16::try_from(link).ok()?, rest)),
    }
}

/// The header of Prism cards, of a fixed length, unless it is that of AVS.
pub(super) fn prism(view: View<'_>) -> Option<Next<'_>> {
    let code = view.u32(0)?;
    if code & 0xffff_f000 == 0x8021_1000 {
        return avs(view);
    }
    // Its length stands in it, in the byte order of the driver.
    let bytes: [u8; 4] = view.array(4)?;
    let length = u32::from_be_bytes(bytes).min(u32::from_le_bytes(bytes));
    Some(Next::Wlan(view.skip(usize::try_from(length).ok()?)?))
}

/// The AVS header, whose second word is its length.
pub(super) fn avs(view: View<'_>) -> Option<Next<'_>> {
    let length = view.u32(4)?;
    Some(Next::Wlan(view.skip(usize::try_from(length).ok()?)?))
}
