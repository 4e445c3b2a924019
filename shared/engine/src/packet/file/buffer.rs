//! One large buffer over the input, so that packets are handed out where they lie.

use std::ops::Range;

use super::fault::{FileFault, FileFaultKind};
use super::source::{Source, SourceFault};

/// Bytes of the buffer; it grows for records that are longer. More would push the flows out of a core's own cache with
/// each filling, less would cost more calls of the system.
const SIZE: usize = 256 * 1024;

/// Reads ahead and gives the bytes at the reading position.
pub(super) struct Buffer {
    source: Source,
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// Place of `bytes[0]` in the unpacked file.
    base: u64,
    /// What ended the input, told once the bytes before it are used up.
    fault: Option<SourceFault>,
    ended: bool,
}

impl Buffer {
    pub(super) fn new(source: Source) -> Self {
        Self { source, bytes: vec![0; SIZE], start: 0, end: 0, base: 0, fault: None, ended: false }
    }

    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    /// The reading position in the unpacked file.
    pub(super) fn offset(&self) -> u64 {
        self.base + u64::try_from(self.start).unwrap_or(0)
    }

    /// Whether at least `bytes` lie ahead; reads as far as that takes.
    #[inline]
    pub(super) fn has(&mut self, bytes: usize) -> bool {
        self.end - self.start >= bytes || self.fill(bytes)
    }

    /// The bytes ahead that are in the buffer already, at least as many as `has` was asked for.
    #[inline]
    pub(super) fn ahead(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// The `N` bytes at `at` ahead, when they are in the buffer.
    #[inline]
    pub(super) fn array<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.ahead().get(at..)?.first_chunk().copied()
    }

    /// Where `length` bytes at `at` ahead lie, for `slice`; good until the next `has`.
    #[inline]
    pub(super) fn range(&self, at: usize, length: usize) -> Range<usize> {
        self.start + at..self.start + at + length
    }

    /// The bytes of a range.
    #[inline]
    pub(super) fn slice(&self, range: Range<usize>) -> &[u8] {
        self.bytes.get(range).unwrap_or_default()
    }

    /// Moves the reading position over bytes that are in the buffer.
    #[inline]
    pub(super) fn consume(&mut self, bytes: usize) {
        self.start = (self.start + bytes).min(self.end);
    }

    /// Moves the reading position over any number of bytes; false when the input has fewer.
    pub(super) fn skip(&mut self, mut bytes: u64) -> bool {
        while bytes > 0 {
            let step = usize::try_from(bytes).unwrap_or(SIZE).min(SIZE);
            if !self.has(step) {
                return false;
            }
            self.consume(step);
            bytes -= u64::try_from(step).unwrap_or(0);
        }
        true
    }

    /// What kept `has` from getting enough, as a fault of the record that begins at `offset`.
    pub(super) fn shortage(&self, offset: u64, what: &str) -> FileFault {
        let (kind, message) = match &self.fault {
            None => (FileFaultKind::Damaged, format!("the file is cut short in the middle of {what}")),
            Some(SourceFault::Packed(message)) => (FileFaultKind::Damaged, (*message).to_owned()),
            Some(SourceFault::TooLarge(limit)) => {
                (FileFaultKind::TooLarge, format!("the file unpacks to more than {limit} bytes"))
            }
            Some(SourceFault::Io(fault)) => (FileFaultKind::Io, format!("the file cannot be read: {fault}")),
        };
        FileFault::new(kind, offset, message)
    }

    /// What cut the input off, if anything did.
    pub(super) fn fault_of_input(&self) -> Option<FileFault> {
        self.fault.as_ref().map(|_| self.shortage(self.offset(), "its header"))
    }

    /// Whether the input ended well: no bytes ahead, and nothing that cut it off.
    pub(super) fn is_at_end(&mut self) -> bool {
        !self.has(1) && self.fault.is_none()
    }

    #[cold]
    fn fill(&mut self, bytes: usize) -> bool {
        self.bytes.copy_within(self.start..self.end, 0);
        self.base = self.offset();
        self.end -= self.start;
        self.start = 0;
        while self.end < bytes && !self.ended {
            if self.end == self.bytes.len() {
                // Doubled only when full, so that a length that lies does not take memory.
                self.bytes.resize(self.bytes.len() * 2, 0);
            }
            let Some(free) = self.bytes.get_mut(self.end..) else { return false };
            match self.source.read(free) {
                Ok(0) => self.ended = true,
                Ok(got) => self.end += got,
                Err(fault) => {
                    self.fault = Some(fault);
                    self.ended = true;
                }
            }
        }
        self.end >= bytes
    }
}
