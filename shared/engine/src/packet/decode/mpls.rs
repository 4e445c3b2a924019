//! MPLS: the label stack, and the guess of what it carries.

use super::view::View;
use super::walk::Next;

/// Labels of operation and maintenance: the generic associated channel and the alert.
const MAINTENANCE: [u32; 2] = [13, 14];

/// Reads labels to the bottom of the stack; what follows is guessed by its first four bits (RFC 4928, RFC 4385).
pub(super) fn labels(view: View<'_>) -> Option<Next<'_>> {
    let mut rest = view;
    loop {
        let label = rest.u32(0)?;
        rest = rest.skip(4)?;
        if label & 0x100 != 0 {
            if MAINTENANCE.contains(&(label >> 12)) {
                return None;
            }
            break;
        }
        if rest.len == 0 {
            break;
        }
    }
    match rest.u8(0)? >> 4 {
        4 => Some(Next::Ipv4(rest)),
        6 => Some(Next::Ipv6(rest)),
        0 => pseudo_wire(rest),
        _ => None,
    }
}

/// Ethernet in a pseudo-wire: with a control word, unless the addresses look like those of Ethernet at once.
fn pseudo_wire(view: View<'_>) -> Option<Next<'_>> {
    if plain(view) { Some(Next::Ethernet(view)) } else { Some(Next::Ethernet(view.skip(4)?)) }
}

/// Whether the bytes begin like an Ethernet header without a control word: an EtherType or length that makes sense,
/// and addresses of makers that exist, of which the most common are known here.
fn plain(view: View<'_>) -> bool {
    let Some(kind) = view.u16(12) else { return false };
    let known =
        |at: usize| view.array::<3>(at).is_some_and(|maker| matches!(maker, [0, 0..=0x60, _]) && maker != [0, 0, 0]);
    matches!(kind, 0x0800 | 0x0806 | 0x86dd | 0x8100 | 0x88a8 | 0x8847) && known(0) && known(6)
}
