//! The newer format: blocks in sections, each section with its own byte order and interfaces.

use super::buffer::Buffer;
use super::fault::{FileFault, FileFaultKind};
use super::interface::Interface;
use super::options;
use super::order::Order;
use super::reader::{Record, wire_len};
use crate::packet::link;
use crate::packet::raw::LinkType;

/// Longest block there may be.
const BLOCK_LIMIT: u32 = 32 + 128 * 1024 * 1024 + 131_072;

mod kind {
    pub(super) const SECTION: u32 = 0x0a0d_0d0a;
    pub(super) const INTERFACE: u32 = 1;
    pub(super) const OLD_PACKET: u32 = 2;
    pub(super) const SIMPLE_PACKET: u32 = 3;
    pub(super) const NAMES: u32 = 4;
    pub(super) const STATISTICS: u32 = 5;
    pub(super) const PACKET: u32 = 6;
    pub(super) const JOURNAL: u32 = 9;
    pub(super) const SECRETS: u32 = 10;
    pub(super) const SYSDIG: u32 = 0x204;
    pub(super) const SYSDIG_2: u32 = 0x216;
    pub(super) const SYSDIG_2_LARGE: u32 = 0x221;
    pub(super) const CUSTOM: u32 = 0xbad;
    pub(super) const CUSTOM_PRIVATE: u32 = 0x4000_0bad;
}

/// Reads the blocks of a pcapng file.
pub(super) struct Pcapng {
    order: Order,
    interfaces: Vec<Interface>,
}

/// A block that lies in the buffer whole, both lengths included.
#[derive(Clone, Copy)]
struct Block {
    kind: u32,
    length: usize,
    offset: u64,
}

impl Block {
    fn damaged(&self, message: impl Into<String>) -> FileFault {
        FileFault::new(FileFaultKind::Damaged, self.offset, message)
    }
}

impl Pcapng {
    /// The reader of this file, or none when its first bytes are not those of pcapng.
    pub(super) fn open(buffer: &mut Buffer) -> Result<Option<Self>, FileFault> {
        if !buffer.has(24)
            || buffer.array(0).map(u32::from_le_bytes) != Some(kind::SECTION)
            || section_order(buffer).is_none()
        {
            return Ok(None);
        }
        let mut reader = Self { order: Order::Little, interfaces: Vec::new() };
        reader.section(buffer)?;
        // A fault in the interfaces at the head of the file comes before any packet.
        while buffer.has(8) && buffer.array(0).map(|bytes| reader.order.u32(bytes)) == Some(kind::INTERFACE) {
            reader.block(buffer, &mut 0)?;
        }
        Ok(Some(reader))
    }

    /// The next packet. Blocks before it are read; those that tshark lists as frames are counted in `non_packets`.
    pub(super) fn next(&mut self, buffer: &mut Buffer, non_packets: &mut u64) -> Result<Option<Record>, FileFault> {
        loop {
            if !buffer.has(8) {
                return if buffer.is_at_end() { Ok(None) } else { Err(buffer.shortage(buffer.offset(), "a block")) };
            }
            if let Some(record) = self.block(buffer, non_packets)? {
                return Ok(Some(record));
            }
        }
    }

    /// Reads one block, of which eight bytes are known to be there.
    fn block(&mut self, buffer: &mut Buffer, non_packets: &mut u64) -> Result<Option<Record>, FileFault> {
        let offset = buffer.offset();
        let kind = buffer.array(0).map_or(0, |bytes| self.order.u32(bytes));
        if kind == kind::SECTION {
            self.section(buffer)?;
            return Ok(None);
        }
        let length = rounded(buffer.array(4).map_or(0, |bytes| self.order.u32(bytes)));
        if length > BLOCK_LIMIT || length < smallest(kind) {
            return Err(FileFault::new(
                FileFaultKind::Damaged,
                offset,
                format!("a block of kind {kind:#x} has {length} bytes"),
            ));
        }
        let block = Block { kind, length: usize::try_from(length).unwrap_or(usize::MAX), offset };
        match kind {
            kind::INTERFACE
            | kind::OLD_PACKET
            | kind::SIMPLE_PACKET
            | kind::NAMES
            | kind::STATISTICS
            | kind::PACKET => self.whole(buffer, block),
            kind::JOURNAL
            | kind::SYSDIG
            | kind::SYSDIG_2
            | kind::SYSDIG_2_LARGE
            | kind::CUSTOM
            | kind::CUSTOM_PRIVATE => {
                self.pass(buffer, block)?;
                *non_packets += 1;
                Ok(None)
            }
            _ => self.pass(buffer, block).map(|()| None),
        }
    }

    /// Reads a block that must be looked at as a whole.
    fn whole(&mut self, buffer: &mut Buffer, block: Block) -> Result<Option<Record>, FileFault> {
        if !buffer.has(block.length) {
            return Err(buffer.shortage(block.offset, "a block"));
        }
        let record = match block.kind {
            kind::PACKET => Some(self.packet(buffer, block)?),
            kind::OLD_PACKET => Some(self.old_packet(buffer, block)?),
            kind::SIMPLE_PACKET => Some(self.simple_packet(buffer, block)?),
            kind::INTERFACE => {
                self.interfaces
                    .push(Interface::read(body(buffer, block), self.order).map_err(|message| block.damaged(message))?);
                None
            }
            kind::NAMES => {
                super::names::check(body(buffer, block), self.order).map_err(|message| block.damaged(message))?;
                None
            }
            _ => {
                let options = body(buffer, block).get(12..).unwrap_or_default();
                options::walk(options, self.order, |_, _| Ok(())).map_err(|message| block.damaged(message))?;
                None
            }
        };
        let trailer = buffer.array(block.length - 4).map(|bytes| self.order.u32(bytes));
        check_trailer(block, trailer)?;
        buffer.consume(block.length);
        Ok(record)
    }

    /// Passes over a block that holds nothing of ours, without keeping it.
    fn pass(&self, buffer: &mut Buffer, block: Block) -> Result<(), FileFault> {
        if block.kind == kind::SECRETS {
            if !buffer.has(16) {
                return Err(buffer.shortage(block.offset, "a block"));
            }
            let secrets = buffer.array(12).map_or(0, |bytes| self.order.u32(bytes));
            if usize::try_from(secrets).unwrap_or(usize::MAX) > block.length - 20 {
                return Err(block.damaged(format!("a block's secrets of {secrets} bytes are longer than the block")));
            }
        }
        let before = u64::try_from(block.length - 4).unwrap_or(0);
        if !buffer.skip(before) || !buffer.has(4) {
            return Err(buffer.shortage(block.offset, "a block"));
        }
        check_trailer(block, buffer.array(0).map(|bytes| self.order.u32(bytes)))?;
        buffer.consume(4);
        Ok(())
    }

    /// A section's head, which begins a new list of interfaces.
    fn section(&mut self, buffer: &mut Buffer) -> Result<(), FileFault> {
        let offset = buffer.offset();
        let damaged = |message: String| FileFault::new(FileFaultKind::Damaged, offset, message);
        if !buffer.has(24) {
            return Err(buffer.shortage(offset, "a section's head"));
        }
        let Some(order) = section_order(buffer) else {
            return Err(damaged("a section has an unknown byte order".to_owned()));
        };
        let number = |at: usize| buffer.array(at).map_or(0, |bytes| order.u32(bytes));
        let length = rounded(number(4));
        if !(28..=BLOCK_LIMIT).contains(&length) {
            return Err(damaged(format!("a section's head has {length} bytes")));
        }
        let version = |at: usize| buffer.array(at).map_or(0, |bytes| order.u16(bytes));
        let (major, minor) = (version(12), version(14));
        if major != 1 || !(minor == 0 || minor == 2) {
            return Err(damaged(format!("pcapng version {major}.{minor} is not supported")));
        }
        let block = Block { kind: kind::SECTION, length: usize::try_from(length).unwrap_or(usize::MAX), offset };
        if !buffer.has(block.length) {
            return Err(buffer.shortage(offset, "a section's head"));
        }
        let options = body(buffer, block).get(16..).unwrap_or_default();
        options::walk(options, order, |_, _| Ok(())).map_err(damaged)?;
        check_trailer(block, buffer.array(block.length - 4).map(|bytes| order.u32(bytes)))?;
        buffer.consume(block.length);
        self.order = order;
        self.interfaces.clear();
        Ok(())
    }

    fn packet(&self, buffer: &Buffer, block: Block) -> Result<Record, FileFault> {
        let word = |at: usize| buffer.array(at).map_or(0, |bytes| self.order.u32(bytes));
        let stamp = u64::from(word(12)) << 32 | u64::from(word(16));
        self.stamped(buffer, block, word(8), stamp, 28)
    }

    /// The obsolete packet block, whose interface has two bytes.
    fn old_packet(&self, buffer: &Buffer, block: Block) -> Result<Record, FileFault> {
        let word = |at: usize| buffer.array(at).map_or(0, |bytes| self.order.u32(bytes));
        let interface = buffer.array(8).map_or(0, |bytes| self.order.u16(bytes));
        let stamp = u64::from(word(12)) << 32 | u64::from(word(16));
        self.stamped(buffer, block, u32::from(interface), stamp, 28)
    }

    /// A packet with a time; its lengths stand in the eight bytes before `data`.
    fn stamped(
        &self,
        buffer: &Buffer,
        block: Block,
        interface: u32,
        stamp: u64,
        data: usize,
    ) -> Result<Record, FileFault> {
        let word = |at: usize| buffer.array(at).map_or(0, |bytes| self.order.u32(bytes));
        let (captured, original) = (word(data - 8), word(data - 4));
        let after = self.fits(block, captured, data)?;
        let interface = self.interface(block, interface)?;
        check_limit(block, captured, interface.link)?;
        let end = block.length - 4;
        let options = buffer.ahead().get(after..end).unwrap_or_default();
        options::walk(options, self.order, options::of_packet).map_err(|message| block.damaged(message))?;
        let time = interface.time(stamp);
        cut(buffer, block, &Span { at: data, captured, original }, interface.link, Some(time))
    }

    fn simple_packet(&self, buffer: &Buffer, block: Block) -> Result<Record, FileFault> {
        let original = buffer.array(8).map_or(0, |bytes| self.order.u32(bytes));
        let interface = self.interface(block, 0)?;
        let captured = if interface.snap_len == 0 { original } else { original.min(interface.snap_len) };
        self.fits(block, captured, 12)?;
        check_limit(block, captured, interface.link)?;
        cut(buffer, block, &Span { at: 12, captured, original }, interface.link, None)
    }

    /// Where the options begin, if `captured` bytes at `data` and their padding fit into the block.
    fn fits(&self, block: Block, captured: u32, data: usize) -> Result<usize, FileFault> {
        let padded = usize::try_from(captured).ok().and_then(|captured| captured.checked_next_multiple_of(4));
        let after = padded.and_then(|padded| padded.checked_add(data));
        match after {
            Some(after) if after + 4 <= block.length => Ok(after),
            _ => {
                Err(block.damaged(format!("a packet of {captured} bytes is longer than its block of {}", block.length)))
            }
        }
    }

    fn interface(&self, block: Block, index: u32) -> Result<&Interface, FileFault> {
        let interface = usize::try_from(index).ok().and_then(|index| self.interfaces.get(index));
        interface.ok_or_else(|| {
            block.damaged(format!("interface {index} is not one of the section's {}", self.interfaces.len()))
        })
    }
}

/// Where a packet's bytes lie in its block, and how many there were.
struct Span {
    at: usize,
    captured: u32,
    original: u32,
}

fn cut(buffer: &Buffer, block: Block, span: &Span, link: LinkType, time_ns: Option<i64>) -> Result<Record, FileFault> {
    let before = link::pseudo_header(link);
    let Some(length) = span.captured.checked_sub(before).and_then(|length| usize::try_from(length).ok()) else {
        return Err(block.damaged(format!("a packet of {} bytes is too short for its header", span.captured)));
    };
    let data = buffer.range(span.at + usize::try_from(before).unwrap_or(0), length);
    Ok(Record { time_ns, wire_len: wire_len(span.original, before), data, link })
}

fn check_limit(block: Block, captured: u32, link: LinkType) -> Result<(), FileFault> {
    let limit = link::record_limit(link);
    if captured > limit {
        Err(block.damaged(format!("a packet has {captured} bytes, more than {limit}")))
    } else {
        Ok(())
    }
}

fn check_trailer(block: Block, trailer: Option<u32>) -> Result<(), FileFault> {
    let second = trailer.map_or(0, rounded);
    if usize::try_from(second).ok() == Some(block.length) {
        return Ok(());
    }
    Err(block.damaged(format!("a block's two lengths differ: {} and {second}", block.length)))
}

/// A block without its head and its second length.
fn body(buffer: &Buffer, block: Block) -> &[u8] {
    buffer.ahead().get(8..block.length - 4).unwrap_or_default()
}

fn section_order(buffer: &Buffer) -> Option<Order> {
    match buffer.array(8)? {
        [0x4d, 0x3c, 0x2b, 0x1a] => Some(Order::Little),
        [0x1a, 0x2b, 0x3c, 0x4d] => Some(Order::Big),
        _ => None,
    }
}

/// Lengths of blocks are multiples of four; others are taken for the next one.
fn rounded(length: u32) -> u32 {
    length.checked_next_multiple_of(4).unwrap_or(u32::MAX)
}

/// The shortest block of a kind.
fn smallest(kind: u32) -> u32 {
    match kind {
        kind::INTERFACE | kind::SECRETS => 20,
        kind::OLD_PACKET | kind::PACKET => 32,
        kind::SIMPLE_PACKET | kind::CUSTOM | kind::CUSTOM_PRIVATE => 16,
        kind::STATISTICS => 24,
        kind::JOURNAL => 35,
        kind::SYSDIG => 36,
        kind::SYSDIG_2 | kind::SYSDIG_2_LARGE => 40,
        _ => 12,
    }
}
