//! GTP: the tunnel of mobile networks' user data.

use super::view::View;
use super::walk::Next;

/// A user data message.
const USER_DATA: u8 = 255;

/// A GTP header of version 0 or 1; other messages than user data carry no packets.
pub(super) fn header(view: View<'_>) -> Option<Next<'_>> {
    let (flags, message) = (view.u8(0)?, view.u8(1)?);
    // The protocol type bit is clear in charging messages.
    if message != USER_DATA || flags & 0x10 == 0 {
        return None;
    }
    match flags >> 5 {
        0 => guess(view.skip(20)?),
        1 => {
            let mut rest = view.skip(8)?;
            if flags & 0x07 != 0 {
                let mut next = rest.u8(3)?;
                rest = rest.skip(4)?;
                if flags & 0x04 == 0 {
                    next = 0;
                }
                while next != 0 {
                    let length = usize::from(rest.u8(0)?) * 4;
                    next = rest.u8(length.checked_sub(1)?)?;
                    rest = rest.skip(length)?;
                }
            }
            guess(rest)
        }
        _ => None,
    }
}

/// What user data looks like by its first bytes.
fn guess(view: View<'_>) -> Option<Next<'_>> {
    match view.u8(0)? {
        0x45..=0x4e => Some(Next::Ipv4(view)),
        0x60..=0x6f => Some(Next::Ipv6(view)),
        _ if view.len > 14 && matches!(view.u16(12)?, 0x0800 | 0x0806 | 0x86dd) => Some(Next::Ethernet(view)),
        _ => None,
    }
}
