//! TCP, UDP and ICMP.

use etherparse::{TcpOptionElement, TcpOptionsIterator};

use super::tunnel;
use super::view::View;
use super::walk::{Next, Walk};
use crate::packet::decoded::{Segment, Transport};

const SYN: u16 = 2;

/// A TCP header; the end of every packet's headers.
#[inline]
pub(super) fn tcp<'a>(walk: &mut Walk<'_>, view: View<'a>) -> Option<Next<'a>> {
    let outer = walk.transport(Transport::Tcp);
    walk.into.tcp_layers = walk.into.tcp_layers.saturating_add(1);
    let (src_port, dst_port) = (view.u16(0)?, view.u16(2)?);
    if outer {
        walk.into.ports = Some((src_port, dst_port));
    }
    // Up to the window: what the sequence analysis needs, whether or not the rest was captured.
    let [s0, s1, s2, s3, a0, a1, a2, a3, f0, f1, w0, w1] = view.array::<12>(4)?;
    let head = u32::from(f0 >> 4) * 4;
    let flags = u16::from_be_bytes([f0, f1]) & 0x0fff;
    let payload = view.len.saturating_sub(head);
    if outer {
        walk.into.outer_tcp_flags = (head >= 20).then_some(flags);
        walk.into.payload_len = payload;
    }
    let (src, dst) = walk.hosts?;
    let captured = usize::try_from(head).ok()? <= view.data.len();
    let options = if head > 20 { view.data.get(20..usize::try_from(head).ok()?.min(view.data.len())) } else { None };
    let segment = Segment {
        src,
        dst,
        src_port,
        dst_port,
        seq: u32::from_be_bytes([s0, s1, s2, s3]),
        ack: u32::from_be_bytes([a0, a1, a2, a3]),
        flags,
        window: u16::from_be_bytes([w0, w1]),
        window_scale: if flags & SYN == 0 { None } else { options.and_then(window_scale) },
        len: payload,
        analysed: !walk.fragmented && view.len >= head,
        complete: captured && head >= 20 && !options.is_some_and(breaks_off),
    };
    walk.segment(segment);
    None
}

/// The shift of the window scale option, as far as the options can be read.
fn window_scale(options: &[u8]) -> Option<u8> {
    let mut all = TcpOptionsIterator::from_slice(options);
    all.find_map(|option| if let Ok(TcpOptionElement::WindowScale(shift)) = option { Some(shift) } else { None })
}

/// Whether tshark stops at these options as malformed: a selective acknowledgement without a single block.
fn breaks_off(options: &[u8]) -> bool {
    // Nearly every segment has nothing but timestamps.
    if options.starts_with(&[1, 1, 8, 10]) && options.len() == 12 {
        return false;
    }
    let mut rest = options;
    while let [kind, tail @ ..] = rest {
        rest = match (kind, tail) {
            (0 | 1, _) => tail,
            (5, [2..10, ..]) => return true,
            (_, [length, ..]) => match rest.get(usize::from((*length).max(2))..) {
                Some(rest) => rest,
                None => return false,
            },
            (_, []) => return false,
        };
    }
    false
}

/// A UDP header, and the tunnels that ports announce.
#[inline]
pub(super) fn udp<'a>(walk: &mut Walk<'_>, view: View<'a>) -> Option<Next<'a>> {
    let outer = walk.transport(Transport::Udp);
    let (src_port, dst_port) = (view.u16(0)?, view.u16(2)?);
    if outer {
        walk.into.ports = Some((src_port, dst_port));
    }
    let mut length = u32::from(view.u16(4)?);
    let (src, _) = walk.hosts?;
    if length == 0 && src.is_ipv6() {
        length = view.len;
    }
    if length < 8 {
        return None;
    }
    let rest = view.skip(8)?;
    walk.udp(src_port, dst_port);
    let rest = rest.limit(length - 8);
    if outer {
        walk.into.payload_len = rest.len;
    }
    tunnel::by_port(walk, src_port, dst_port, rest)
}

/// An ICMP or ICMPv6 message. Headers quoted in it are not traffic.
pub(super) fn icmp<'a>(walk: &mut Walk<'_>, transport: Transport, view: View<'a>) -> Option<Next<'a>> {
    if walk.transport(transport) {
        walk.into.icmp = Some((view.u8(0)?, view.u8(1)?));
    }
    None
}
