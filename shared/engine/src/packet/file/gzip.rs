//! Unpacks gzip (RFC 1952) member by member, keeping every byte that came out before the first damaged one.

use std::io::{self, BufRead, BufReader, Read};

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::source::SourceFault;

/// Packed bytes read at once.
const CHUNK: usize = 64 * 1024;

/// What comes next in the packed input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The head of a member, or, behind the first member, bytes that are not packed.
    Head,
    /// Packed data.
    Body,
    /// Bytes as they are: whatever follows the members, which tshark reads like that as well.
    Plain,
    /// Nothing.
    End,
}

/// Reads the unpacked bytes of one or several members.
pub(super) struct Gzip<R> {
    input: BufReader<R>,
    stage: Stage,
    members: u32,
    inflate: Decompress,
    check: Crc,
}

impl<R: Read> Gzip<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input: BufReader::with_capacity(CHUNK, input),
            stage: Stage::Head,
            members: 0,
            inflate: Decompress::new(false),
            check: Crc::new(),
        }
    }

    pub(super) fn get_ref(&self) -> &R {
        self.input.get_ref()
    }

    /// Fills a part of `out`; 0 at the end.
    pub(super) fn read(&mut self, out: &mut [u8]) -> Result<usize, SourceFault> {
        loop {
            match self.stage {
                Stage::Head => self.head()?,
                Stage::Body => {
                    let got = self.body(out)?;
                    if got > 0 {
                        return Ok(got);
                    }
                }
                Stage::Plain => return Ok(self.input.read(out)?),
                Stage::End => return Ok(0),
            }
        }
    }

    fn body(&mut self, out: &mut [u8]) -> Result<usize, SourceFault> {
        let packed = self.input.fill_buf()?;
        if packed.is_empty() {
            return Err(SourceFault::Packed("the gzip data is cut short"));
        }
        let (taken, given) = (self.inflate.total_in(), self.inflate.total_out());
        let status = self.inflate.decompress(packed, out, FlushDecompress::None);
        let taken = difference(taken, self.inflate.total_in());
        let given = difference(given, self.inflate.total_out());
        self.input.consume(taken);
        self.check.update(out.get(..given).unwrap_or_default());
        match status {
            Ok(Status::StreamEnd) => {
                self.trailer()?;
                self.stage = Stage::Head;
            }
            Ok(_) if taken == 0 && given == 0 => return Err(SourceFault::Packed("the gzip data is damaged")),
            Ok(_) => {}
            // What came out before the damage is good; the next call finds the damage again.
            Err(_) if given > 0 => {}
            Err(_) => return Err(SourceFault::Packed("the gzip data is damaged")),
        }
        Ok(given)
    }

    fn trailer(&mut self) -> Result<(), SourceFault> {
        let mut trailer = [0; 8];
        self.exact(&mut trailer)?;
        let [a, b, c, d, e, f, g, h] = trailer;
        if u32::from_le_bytes([a, b, c, d]) != self.check.sum()
            || u32::from_le_bytes([e, f, g, h]) != self.check.amount()
        {
            return Err(SourceFault::Packed("the gzip data does not match its checksum"));
        }
        Ok(())
    }

    fn head(&mut self) -> Result<(), SourceFault> {
        let start = self.input.fill_buf()?;
        if start.is_empty() {
            self.stage = Stage::End;
            return Ok(());
        }
        if self.members > 0 && start.first() != Some(&0x1f) {
            self.stage = Stage::Plain;
            return Ok(());
        }
        let mut head = [0; 10];
        self.exact(&mut head)?;
        let [0x1f, 0x8b, 8, flags, ..] = head else { return Err(SourceFault::Packed("the gzip header is damaged")) };
        if flags & 0x04 != 0 {
            let mut length = [0; 2];
            self.exact(&mut length)?;
            self.pass(u64::from(u16::from_le_bytes(length)))?;
        }
        for flag in [0x08, 0x10] {
            if flags & flag != 0 {
                self.text()?;
            }
        }
        if flags & 0x02 != 0 {
            self.pass(2)?;
        }
        self.inflate.reset(false);
        self.check.reset();
        self.members += 1;
        self.stage = Stage::Body;
        Ok(())
    }

    /// Passes over a text that ends with a zero byte.
    fn text(&mut self) -> Result<(), SourceFault> {
        loop {
            let mut byte = [0];
            self.exact(&mut byte)?;
            if byte == [0] {
                return Ok(());
            }
        }
    }

    fn pass(&mut self, mut bytes: u64) -> Result<(), SourceFault> {
        while bytes > 0 {
            self.exact(&mut [0])?;
            bytes -= 1;
        }
        Ok(())
    }

    fn exact(&mut self, out: &mut [u8]) -> Result<(), SourceFault> {
        self.input.read_exact(out).map_err(|fault| match fault.kind() {
            io::ErrorKind::UnexpectedEof => SourceFault::Packed("the gzip data is cut short"),
            _ => SourceFault::Io(fault),
        })
    }
}

fn difference(before: u64, after: u64) -> usize {
    usize::try_from(after.saturating_sub(before)).unwrap_or(0)
}
