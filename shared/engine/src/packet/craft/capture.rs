//! Packets with their times, put together to a capture: in memory, as pcap, or as pcapng.

use std::io::Cursor;

use super::conversation::Conversation;
use super::frame::Frame;
use crate::packet::file::{CaptureReader, FileFault, PcapWriter};
use crate::packet::raw::{LinkType, RawPacket};

/// One packet of a capture, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// Nanoseconds since 1970.
    pub time_ns: i64,
    /// From the link header on.
    pub bytes: Vec<u8>,
}

/// A capture of one link type.
#[derive(Debug, Clone)]
pub struct Capture {
    /// What its packets begin with.
    pub link: LinkType,
    /// In file order.
    pub packets: Vec<Packet>,
}

impl Default for Capture {
    fn default() -> Self {
        Self { link: LinkType(1), packets: Vec::new() }
    }
}

impl Capture {
    /// An empty Ethernet capture.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a frame as Ethernet.
    pub fn at(&mut self, time_ns: i64, frame: &Frame) -> &mut Self {
        self.packets.push(Packet { time_ns, bytes: frame.ethernet() });
        self
    }

    /// Adds all packets of a conversation.
    pub fn conversation(&mut self, conversation: &Conversation) -> &mut Self {
        self.packets.extend_from_slice(conversation.packets());
        self
    }

    /// Puts the packets in the order of their times; equal times keep their order.
    pub fn sort(&mut self) -> &mut Self {
        self.packets.sort_by_key(|packet| packet.time_ns);
        self
    }

    /// The packets as a reader would hand them out.
    pub fn raw(&self) -> impl Iterator<Item = RawPacket<'_>> {
        self.packets.iter().map(|packet| RawPacket {
            time_ns: Some(packet.time_ns),
            wire_len: wire_len(packet),
            data: &packet.bytes,
            link: self.link,
        })
    }

    /// As a pcap file with nanoseconds.
    #[must_use]
    pub fn pcap(&self) -> Vec<u8> {
        self.cut(262_144)
    }

    /// As a pcap file that keeps at most `snap_len` bytes of each packet.
    #[must_use]
    pub fn cut(&self, snap_len: u32) -> Vec<u8> {
        const MEMORY: &str = "writing to memory does not fail";
        let mut file = PcapWriter::new(Vec::new(), self.link, snap_len).expect(MEMORY);
        for packet in &self.packets {
            file.packet(packet.time_ns, wire_len(packet), &packet.bytes).expect(MEMORY);
        }
        file.finish().expect(MEMORY)
    }

    /// As a pcapng file, little-endian: one section, one interface with nanoseconds, enhanced packet blocks.
    #[must_use]
    pub fn pcapng(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut section = Vec::from(0x1a2b_3c4d_u32.to_le_bytes());
        section.extend([1, 0, 0, 0]);
        section.extend([0xff; 8]);
        block(&mut out, 0x0a0d_0d0a, &section);
        let mut interface = Vec::from(self.link.0.to_le_bytes());
        interface.extend([0; 6]);
        interface.extend([9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0]);
        block(&mut out, 1, &interface);
        for packet in &self.packets {
            let time = packet.time_ns.cast_unsigned();
            let mut body = vec![0; 4];
            body.extend(u32::try_from(time >> 32).unwrap_or(0).to_le_bytes());
            body.extend(u32::try_from(time & 0xffff_ffff).unwrap_or(0).to_le_bytes());
            body.extend(wire_len(packet).to_le_bytes());
            body.extend(wire_len(packet).to_le_bytes());
            body.extend(&packet.bytes);
            block(&mut out, 6, &body);
        }
        out
    }

    /// A reader over the pcap file.
    ///
    /// # Errors
    /// The file's fault; there is none in a file made here.
    pub fn reader(&self) -> Result<CaptureReader, FileFault> {
        CaptureReader::open(Cursor::new(self.pcap()))
    }
}

fn wire_len(packet: &Packet) -> u32 {
    u32::try_from(packet.bytes.len()).unwrap_or(u32::MAX)
}

fn block(out: &mut Vec<u8>, kind: u32, body: &[u8]) {
    let padded = body.len().next_multiple_of(4);
    let length = u32::try_from(padded + 12).unwrap_or(u32::MAX);
    out.extend(kind.to_le_bytes());
    out.extend(length.to_le_bytes());
    out.extend(body);
    out.resize(out.len() + padded - body.len(), 0);
    out.extend(length.to_le_bytes());
}
