//! Lines of a file that may be gzipped: bounded in length, with their number, and how far in the file they end.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek as _};
use std::rc::Rc;

use flate2::read::MultiGzDecoder;

/// Longest line; the rest of a longer one is left out.
const MAX_LINE: usize = 64 * 1024;
const BUFFER: usize = 256 * 1024;

/// The lines of a log.
pub(super) struct Lines {
    from: BufReader<Box<dyn Read>>,
    consumed: Rc<Cell<u64>>,
    number: u64,
    line: Vec<u8>,
    left: u64,
    most: u64,
}

/// A line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// Without its line break.
    Whole(&'a [u8]),
    /// It is too long.
    TooLong,
}

impl Lines {
    /// Of a file from its beginning, of which at most `most` bytes are unpacked.
    pub(super) fn new(mut file: File, most: u64) -> io::Result<Self> {
        let mut begin = [0; 2];
        let packed = file.read_exact(&mut begin).is_ok() && begin == [0x1f, 0x8b];
        file.rewind()?;
        let consumed = Rc::new(Cell::new(0));
        let counted = Counted { from: file, consumed: Rc::clone(&consumed) };
        let from: Box<dyn Read> = if packed {
            Box::new(MultiGzDecoder::new(BufReader::with_capacity(BUFFER, counted)))
        } else {
            Box::new(counted)
        };
        let from = BufReader::with_capacity(BUFFER, from);
        Ok(Self { from, consumed, number: 0, line: Vec::new(), left: most, most })
    }

    /// The next line with its number from 1; nothing at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<(u64, Line<'_>)>> {
        self.line.clear();
        let mut long = false;
        loop {
            let room = u64::try_from(MAX_LINE.saturating_sub(self.line.len()) + 1).unwrap_or(1);
            let read = (&mut self.from).take(room).read_until(b'\n', &mut self.line)?;
            let over = || io::Error::other(format!("it holds more than {} bytes", self.most));
            self.left = self.left.checked_sub(u64::try_from(read).unwrap_or(u64::MAX)).ok_or_else(over)?;
            if read == 0 || self.line.last() == Some(&b'\n') {
                break;
            }
            if self.line.len() > MAX_LINE {
                long = true;
                self.line.clear();
            }
        }
        if self.line.is_empty() && !long {
            return Ok(None);
        }
        self.number += 1;
        if long {
            return Ok(Some((self.number, Line::TooLong)));
        }
        let bare = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        Ok(Some((self.number, Line::Whole(bare.strip_suffix(b"\r").unwrap_or(bare)))))
    }

    /// Bytes of the file that were read.
    pub(super) fn consumed(&self) -> u64 {
        self.consumed.get()
    }
}

struct Counted {
    from: File,
    consumed: Rc<Cell<u64>>,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(into)?;
        self.consumed.set(self.consumed.get() + u64::try_from(read).unwrap_or(0));
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn lines(bytes: &[u8], most: u64) -> io::Result<Vec<(u64, Option<Vec<u8>>)>> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        let mut lines = Lines::new(file, most)?;
        let mut found = Vec::new();
        while let Some((number, line)) = lines.next()? {
            found.push((
                number,
                match line {
                    Line::Whole(line) => Some(line.to_owned()),
                    Line::TooLong => None,
                },
            ));
        }
        assert_eq!(lines.consumed(), bytes.len() as u64);
        Ok(found)
    }

    #[test]
    fn lines_come_with_their_numbers_packed_or_not() {
        let long = "x".repeat(MAX_LINE * 3);
        let edge = "y".repeat(MAX_LINE);
        let text = format!("a\r\n\n{long}\n{edge}\nend");
        let whole = |text: &str| Some(text.as_bytes().to_vec());
        let expected = [(1, whole("a")), (2, whole("")), (3, None), (4, whole(&edge)), (5, whole("end"))];
        assert_eq!(lines(text.as_bytes(), 1 << 20).unwrap(), expected);
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(text.as_bytes()).unwrap();
        assert_eq!(lines(&packed.finish().unwrap(), 1 << 20).unwrap(), expected);
        assert_eq!(lines(b"", 9).unwrap(), []);
    }

    #[test]
    fn a_file_that_unpacks_to_too_much_is_refused() {
        assert!(lines(b"12345\n67890\n", 11).is_err());
        assert!(lines(b"12345\n67890\n", 12).is_ok());
    }
}
