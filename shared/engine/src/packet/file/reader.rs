//! Reads packets from a capture of either format.

use std::fmt;
use std::io::Read;
use std::ops::Range;

use super::buffer::Buffer;
use super::fault::{FileFault, FileFaultKind};
use super::pcap::Pcap;
use super::pcapng::Pcapng;
use super::source::{Source, SourceFault};
use crate::packet::link;
use crate::packet::raw::{LinkType, RawPacket};

/// Most bytes a packed capture may unpack to, unless the caller says otherwise.
const UNPACKED_LIMIT: u64 = 1 << 40;

/// The greatest length of a packet.
const LONGEST_PACKET: u32 = i32::MAX.unsigned_abs();

/// A packet by its place in the buffer.
pub(super) struct Record {
    pub(super) time_ns: Option<i64>,
    pub(super) wire_len: u32,
    pub(super) data: Range<usize>,
    pub(super) link: LinkType,
}

/// The length of a packet on the wire, of which `before` bytes are no part of it; lengths that lie are put at the greatest.
#[inline]
pub(super) fn wire_len(original: u32, before: u32) -> u32 {
    original.wrapping_sub(before).min(LONGEST_PACKET)
}

enum Format {
    Pcap(Pcap),
    Pcapng(Pcapng),
    /// No packets are left.
    Done,
}

/// Reads the packets of a capture one after the other: pcap and pcapng of either byte order, plain or gzip.
///
/// Nothing is allocated per packet; packets are handed out in place.
pub struct CaptureReader {
    buffer: Buffer,
    format: Format,
    name: &'static str,
    links: Vec<LinkType>,
    non_packets: u64,
}

impl fmt::Debug for CaptureReader {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("CaptureReader")
            .field("format", &self.name)
            .field("offset", &self.buffer.offset())
            .finish_non_exhaustive()
    }
}

impl CaptureReader {
    /// Recognises the format from the first bytes. Gzip is recognised as well, wherever it comes from.
    ///
    /// # Errors
    /// The file's fault, when no packet can be read at all.
    pub fn open(input: impl Read + Send + 'static) -> Result<Self, FileFault> {
        Self::open_limited(input, UNPACKED_LIMIT)
    }

    /// As `open`; a packed file that unpacks to more than `unpacked_limit` bytes ends with a fault.
    ///
    /// # Errors
    /// The file's fault, when no packet can be read at all.
    pub fn open_limited(input: impl Read + Send + 'static, unpacked_limit: u64) -> Result<Self, FileFault> {
        let source = Source::new(Box::new(input), unpacked_limit).map_err(|fault| match fault {
            SourceFault::Io(fault) => FileFault::new(FileFaultKind::Io, 0, format!("the file cannot be read: {fault}")),
            SourceFault::Packed(_) | SourceFault::TooLarge(_) => {
                FileFault::new(FileFaultKind::Damaged, 0, "the file does not unpack")
            }
        })?;
        let packed = source.is_packed();
        let mut buffer = Buffer::new(source);
        if buffer.is_at_end() {
            return Err(FileFault::new(FileFaultKind::Empty, 0, "the file is empty"));
        }
        let (format, name) = if let Some(pcap) = Pcap::open(&mut buffer)? {
            (Format::Pcap(pcap), if packed { "pcap (gzip)" } else { "pcap" })
        } else if let Some(pcapng) = Pcapng::open(&mut buffer)? {
            (Format::Pcapng(pcapng), if packed { "pcapng (gzip)" } else { "pcapng" })
        } else {
            return Err(buffer.fault_of_input().unwrap_or_else(|| {
                FileFault::new(FileFaultKind::NotACapture, 0, "the file is no pcap or pcapng capture")
            }));
        };
        Ok(Self { buffer, format, name, links: Vec::new(), non_packets: 0 })
    }

    /// The next packet, in place, or none at the end.
    ///
    /// # Errors
    /// The fault that ends the file; after it there are no more packets.
    #[inline]
    #[allow(clippy::should_implement_trait, reason = "the packet borrows the reader, which an iterator's cannot")]
    pub fn next(&mut self) -> Result<Option<RawPacket<'_>>, FileFault> {
        let record = match &mut self.format {
            Format::Pcap(pcap) => pcap.next(&mut self.buffer),
            Format::Pcapng(pcapng) => pcapng.next(&mut self.buffer, &mut self.non_packets),
            Format::Done => Ok(None),
        };
        match record {
            Ok(Some(record)) => {
                if self.links.last() != Some(&record.link) {
                    self.see(record.link);
                }
                let Record { time_ns, wire_len, data, link } = record;
                Ok(Some(RawPacket { time_ns, wire_len, data: self.buffer.slice(data), link }))
            }
            Ok(None) => {
                self.format = Format::Done;
                Ok(None)
            }
            Err(fault) => {
                self.format = Format::Done;
                Err(fault)
            }
        }
    }

    /// Bytes read of the input as it is stored, packed or not. The reader reads ahead by up to its buffer's size.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.buffer.source().stored_bytes()
    }

    /// `pcap` or `pcapng`, followed by ` (gzip)` when packed.
    #[must_use]
    pub fn format(&self) -> &str {
        self.name
    }

    /// Names of the link types of the packets so far.
    #[must_use]
    pub fn link_types(&self) -> Vec<&'static str> {
        let mut names: Vec<&'static str> = self.links.iter().map(|&link| link::name(link)).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Records of a pcapng file that tshark lists as frames though they hold no packet.
    #[must_use]
    pub fn non_packet_records(&self) -> u64 {
        self.non_packets
    }

    /// Keeps the link types seen, the last one at the end so that the common case is one comparison.
    #[cold]
    fn see(&mut self, link: LinkType) {
        self.links.retain(|&seen| seen != link);
        self.links.push(link);
    }
}
