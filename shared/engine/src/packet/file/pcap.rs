//! The classic format: a header, then records.

use super::buffer::Buffer;
use super::fault::{FileFault, FileFaultKind};
use super::order::Order;
use super::reader::{Record, wire_len};
use super::variant::{Layout, Lengths, Variant};
use crate::packet::link;
use crate::packet::raw::LinkType;

const NANOS: i64 = 1_000_000_000;

/// What the magic number says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Magic {
    Standard,
    Nanoseconds,
    Extended,
    Ixia,
}

/// Reads the records of a pcap file.
pub(super) struct Pcap {
    layout: Layout,
    link: LinkType,
    limit: u32,
    head: usize,
    /// Bytes at the start of each record's data that belong to no packet.
    pad: u32,
    pseudo: u32,
    /// Nanoseconds of a unit of a time's fraction.
    unit: u32,
}

struct FileHead {
    major: u16,
    minor: u16,
    snap_len: u32,
    network: u32,
}

impl Pcap {
    /// The reader of this file, or none when its first bytes are not those of pcap.
    pub(super) fn open(buffer: &mut Buffer) -> Result<Option<Self>, FileFault> {
        if !buffer.has(4) {
            return Ok(None);
        }
        let Some((magic, order)) = buffer.array(0).and_then(magic) else { return Ok(None) };
        let length = if magic == Magic::Ixia { 28 } else { 24 };
        if !buffer.has(length) {
            return Err(buffer.shortage(0, "its header"));
        }
        let head = FileHead {
            major: order.u16(buffer.array(4).unwrap_or_default()),
            minor: order.u16(buffer.array(6).unwrap_or_default()),
            snap_len: order.u32(buffer.array(16).unwrap_or_default()),
            network: order.u32(buffer.array(20).unwrap_or_default()),
        };
        let (variant, link) = check(magic, &head)?;
        buffer.consume(length);
        let lengths = match (head.major, head.minor) {
            (2, 0..3) | (543, _) => Lengths::OriginalFirst,
            (2, 3) => Lengths::Unclear,
            _ => Lengths::CapturedFirst,
        };
        let limit = link::record_limit(link);
        let mut layout = Layout { order, variant, lengths };
        layout.variant = match (magic, variant) {
            (Magic::Standard, Variant::Standard) => {
                let kinds = [Variant::Standard, Variant::Extended, Variant::Nokia];
                layout.guess(buffer, &kinds, limit, head.snap_len)
            }
            (Magic::Extended, _) => {
                let kinds = [Variant::Extended, Variant::ExtendedWithProcessor];
                layout.guess(buffer, &kinds, limit, head.snap_len)
            }
            (_, variant) => variant,
        };
        let pad = if layout.variant == Variant::Aix && link.0 == 10 { 3 } else { 0 };
        let (head, unit) = (layout.variant.head(), layout.variant.unit());
        Ok(Some(Self { layout, link, limit, head, pad, pseudo: link::pseudo_header(link), unit }))
    }

    /// The next record.
    #[inline]
    pub(super) fn next(&mut self, buffer: &mut Buffer) -> Result<Option<Record>, FileFault> {
        if !buffer.has(self.head) {
            return self.end(buffer);
        }
        let offset = buffer.offset();
        let Some(bytes) = buffer.ahead().first_chunk::<16>() else { return self.end(buffer) };
        let head = self.layout.read(bytes);
        if head.captured > self.limit {
            let message = format!("the file has a packet of {} bytes, more than {}", head.captured, self.limit);
            return Err(FileFault::new(FileFaultKind::Damaged, offset, message));
        }
        let captured = usize::try_from(head.captured).unwrap_or(usize::MAX);
        if !buffer.has(self.head + captured) {
            return Err(buffer.shortage(offset, "a packet"));
        }
        let before = self.pad + self.pseudo;
        if before > head.captured {
            let message = format!("the file has a packet of {} bytes, too short for its header", head.captured);
            return Err(FileFault::new(FileFaultKind::Damaged, offset, message));
        }
        let skipped = usize::try_from(before).unwrap_or(0);
        let data = buffer.range(self.head + skipped, captured - skipped);
        buffer.consume(self.head + captured);
        let time = time(head.seconds, head.fraction.wrapping_mul(self.unit));
        Ok(Some(Record { time_ns: Some(time), wire_len: wire_len(head.original, before), data, link: self.link }))
    }

    #[cold]
    fn end(&self, buffer: &mut Buffer) -> Result<Option<Record>, FileFault> {
        if buffer.is_at_end() { Ok(None) } else { Err(buffer.shortage(buffer.offset(), "a packet")) }
    }
}

/// Nanoseconds since 1970. A fraction of a second or more is damage, and is read like tshark shows it: as a signed number
/// whose first nine digits count.
#[inline]
fn time(seconds: u32, nanos: u32) -> i64 {
    let whole = i64::from(seconds) * NANOS;
    if nanos < 1_000_000_000 {
        return whole + i64::from(nanos);
    }
    let nanos = i64::from(nanos.cast_signed());
    let digits = if nanos.abs() < NANOS { nanos.abs() } else { nanos.abs() / 10 };
    if nanos < 0 { -(whole + digits) } else { whole + digits }
}

fn magic(bytes: [u8; 4]) -> Option<(Magic, Order)> {
    let kind = |number| match number {
        0xa1b2_c3d4 => Some(Magic::Standard),
        0xa1b2_3c4d => Some(Magic::Nanoseconds),
        0xa1b2_cd34 => Some(Magic::Extended),
        0x1c00_01ac | 0x1c00_01ab => Some(Magic::Ixia),
        _ => None,
    };
    let little = kind(u32::from_le_bytes(bytes)).map(|kind| (kind, Order::Little));
    little.or_else(|| kind(u32::from_be_bytes(bytes)).map(|kind| (kind, Order::Big)))
}

/// What kind of records follow, and of which link type, as far as the header alone tells.
fn check(magic: Magic, head: &FileHead) -> Result<(Variant, LinkType), FileFault> {
    if head.major < 2 {
        let message = format!("pcap version {}.{} is not supported", head.major, head.minor);
        return Err(FileFault::new(FileFaultKind::Damaged, 4, message));
    }
    // AIX writes version 2.2 and numbers of interface types instead of link types.
    let aix = match head.network {
        6 => Some(1),
        9 => Some(6),
        15 => Some(10),
        24 => Some(0),
        _ => None,
    };
    if let (Magic::Standard, (2, 2), Some(link)) = (magic, (head.major, head.minor), aix) {
        return Ok((Variant::Aix, LinkType(link)));
    }
    if head.network & 0x03ff_0000 != 0 {
        let message = format!("reserved bits of the link type {:#010x} are set", head.network);
        return Err(FileFault::new(FileFaultKind::Damaged, 20, message));
    }
    let link = LinkType(u16::try_from(head.network & 0xffff).unwrap_or(0));
    if !link::known(link) {
        let message = format!("link type {} is not supported", link.0);
        return Err(FileFault::new(FileFaultKind::UnsupportedLink, 20, message));
    }
    let variant = if magic == Magic::Nanoseconds { Variant::Nanoseconds } else { Variant::Standard };
    Ok((variant, link))
}
