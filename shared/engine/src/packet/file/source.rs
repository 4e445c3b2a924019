//! The input of a reader: counted as it is stored, unpacked when it is gzip, and no longer than allowed.

use std::io::{self, Chain, Cursor, Read};

use super::gzip::Gzip;

/// Why the input gives no more bytes.
#[derive(Debug)]
pub(super) enum SourceFault {
    /// It cannot be read.
    Io(io::Error),
    /// It does not unpack.
    Packed(&'static str),
    /// It unpacks to more than this many bytes.
    TooLarge(u64),
}

impl From<io::Error> for SourceFault {
    fn from(fault: io::Error) -> Self {
        Self::Io(fault)
    }
}

type Input = Box<dyn Read + Send>;
type Stored = Counted<Chain<Cursor<Vec<u8>>, Input>>;

/// Counts what goes through it.
struct Counted<R> {
    input: R,
    bytes: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.input.read(out) {
                Err(fault) if fault.kind() == io::ErrorKind::Interrupted => {}
                Err(fault) => return Err(fault),
                Ok(got) => {
                    self.bytes += u64::try_from(got).unwrap_or(0);
                    return Ok(got);
                }
            }
        }
    }
}

enum Form {
    Plain(Stored),
    Gzip(Box<Gzip<Stored>>),
}

/// Unpacked bytes, and how many stored ones they took.
pub(super) struct Source {
    form: Form,
    limit: u64,
    given: u64,
}

impl Source {
    /// Looks at the first bytes to see whether the input is packed. `limit` is the most unpacked bytes of a packed input.
    pub(super) fn new(mut input: Input, limit: u64) -> Result<Self, SourceFault> {
        let mut start = Vec::new();
        input.by_ref().take(2).read_to_end(&mut start)?;
        let packed = start == [0x1f, 0x8b];
        let stored = Counted { input: Cursor::new(start).chain(input), bytes: 0 };
        let form = if packed { Form::Gzip(Box::new(Gzip::new(stored))) } else { Form::Plain(stored) };
        Ok(Self { form, limit, given: 0 })
    }

    pub(super) fn is_packed(&self) -> bool {
        matches!(self.form, Form::Gzip(_))
    }

    pub(super) fn stored_bytes(&self) -> u64 {
        match &self.form {
            Form::Plain(stored) => stored.bytes,
            Form::Gzip(gzip) => gzip.get_ref().bytes,
        }
    }

    /// Fills a part of `out`; 0 at the end.
    pub(super) fn read(&mut self, out: &mut [u8]) -> Result<usize, SourceFault> {
        let gzip = match &mut self.form {
            Form::Plain(stored) => return Ok(stored.read(out)?),
            Form::Gzip(gzip) => gzip,
        };
        let left = usize::try_from(self.limit.saturating_sub(self.given)).unwrap_or(usize::MAX);
        if left == 0 {
            // Exactly the limit is allowed.
            return if gzip.read(&mut [0])? == 0 { Ok(0) } else { Err(SourceFault::TooLarge(self.limit)) };
        }
        let part = out.len().min(left);
        let got = gzip.read(out.get_mut(..part).unwrap_or_default())?;
        self.given += u64::try_from(got).unwrap_or(0);
        Ok(got)
    }
}
