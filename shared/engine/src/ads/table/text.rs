//! Bytes of a file as records: UTF-8 or UTF-16 by its mark, comma, semicolon or tab between the cells, and no row so long
//! that it would fill the memory.

use std::io::{self, Read};

use csv::{ByteRecord, Reader, ReaderBuilder};

/// Longest row in bytes of UTF-8.
pub const LONGEST_ROW: usize = 64 * 1024;
/// What is read at once.
const BLOCK: usize = 64 * 1024;

/// How the letters of a file are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, with or without a mark.
    Utf8,
    /// UTF-16, the low byte first, as spreadsheets write it.
    Utf16Le,
    /// UTF-16, the high byte first.
    Utf16Be,
}

impl Encoding {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
        }
    }

    /// The encoding of a file and the length of its mark. Without a mark a zero byte in the first letter tells.
    fn of(start: &[u8]) -> (Self, usize) {
        match start {
            [0xEF, 0xBB, 0xBF, ..] => (Self::Utf8, 3),
            [0xFF, 0xFE, ..] => (Self::Utf16Le, 2),
            [0xFE, 0xFF, ..] => (Self::Utf16Be, 2),
            [0, low, ..] if *low != 0 => (Self::Utf16Be, 0),
            [low, 0, ..] if *low != 0 => (Self::Utf16Le, 0),
            _ => (Self::Utf8, 0),
        }
    }
}

/// Why a file cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// A row, or a quoted cell that is never closed.
    #[error("a row is longer than {LONGEST_ROW} bytes; a quotation mark may be missing")]
    RowTooLong,
    /// The file.
    #[error("the file cannot be read: {0}")]
    Io(io::Error),
}

/// The mark of [`Broken::RowTooLong`] on its way through the table reader.
#[derive(Debug, thiserror::Error)]
#[error("row too long")]
struct TooLong;

/// A file as UTF-8.
struct Text<R> {
    from: R,
    encoding: Encoding,
    /// Bytes that were read and not decoded: the start, then half a letter at most.
    raw: Vec<u8>,
    out: Vec<u8>,
    given: usize,
    /// How much may be given until somebody allows more.
    allowed: usize,
    ended: bool,
    /// Whether the last block ended in the middle of a line's end.
    held: bool,
}

impl<R: Read> Text<R> {
    fn new(from: R) -> io::Result<Self> {
        let mut text = Self {
            from,
            encoding: Encoding::Utf8,
            raw: Vec::new(),
            out: Vec::new(),
            given: 0,
            allowed: usize::MAX,
            ended: false,
            held: false,
        };
        while text.raw.len() < 4 && !text.ended {
            text.fill()?;
        }
        let (encoding, mark) = Encoding::of(&text.raw);
        text.encoding = encoding;
        text.raw.drain(..mark);
        text.decode();
        Ok(text)
    }

    fn fill(&mut self) -> io::Result<()> {
        let most = u64::try_from(BLOCK).unwrap_or(u64::MAX);
        self.ended = self.from.by_ref().take(most).read_to_end(&mut self.raw)? == 0;
        Ok(())
    }

    fn decode(&mut self) {
        self.out.clear();
        self.given = 0;
        let unit = |pair: &[u8; 2]| match self.encoding {
            Encoding::Utf16Be => u16::from_be_bytes(*pair),
            Encoding::Utf8 | Encoding::Utf16Le => u16::from_le_bytes(*pair),
        };
        if self.encoding == Encoding::Utf8 {
            std::mem::swap(&mut self.out, &mut self.raw);
            return self.end_lines();
        }
        let (pairs, _) = self.raw.as_chunks::<2>();
        let halved = pairs.last().is_some_and(|pair| (0xD800..0xDC00).contains(&unit(pair))) && !self.ended;
        let whole = pairs.len() - usize::from(halved);
        let units = pairs.iter().take(whole).map(unit);
        let letters = char::decode_utf16(units).map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER));
        let mut utf8 = [0; 4];
        for letter in letters {
            self.out.extend_from_slice(letter.encode_utf8(&mut utf8).as_bytes());
        }
        self.raw.drain(..whole * 2);
        self.end_lines();
    }

    /// Makes `\r\n` a `\n`: the reader of tables counts lines by that, and would be one behind.
    fn end_lines(&mut self) {
        if self.held {
            self.out.insert(0, b'\r');
        }
        self.held = !self.ended && self.out.last() == Some(&b'\r');
        if self.held {
            self.out.pop();
        }
        if memchr::memchr(b'\r', &self.out).is_some() {
            self.out.dedup_by(|next, before| {
                let both = *next == b'\n' && *before == b'\r';
                if both {
                    *before = b'\n';
                }
                both
            });
        }
    }
}

impl<R: Read> Read for Text<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.given == self.out.len() {
            if self.ended {
                return Ok(0);
            }
            self.fill()?;
            self.decode();
        }
        if self.allowed == 0 {
            return Err(io::Error::other(TooLong));
        }
        let rest = self.out.get(self.given..).unwrap_or_default();
        let length = rest.len().min(into.len()).min(self.allowed);
        for (to, from) in into.iter_mut().zip(rest.iter().take(length)) {
            *to = *from;
        }
        self.given += length;
        self.allowed -= length;
        Ok(length)
    }
}

/// The rows of a file.
pub struct Table<R> {
    reader: Reader<Text<R>>,
}

impl<R: Read> Table<R> {
    /// The rows of `from`, whose cells `separator` stands between.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn open(from: R, separator: u8) -> Result<Self, Broken> {
        let text = Text::new(from).map_err(Broken::Io)?;
        // The reader's own buffer takes letters of later rows; it must not be counted for long rows too soon.
        let reader = ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(text);
        Ok(Self { reader })
    }

    /// How its letters are written.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.reader.get_ref().encoding
    }

    /// Reads the next row into `row`; false when there is none. Rows without any letter are passed over.
    ///
    /// # Errors
    /// When a row is too long or the file cannot be read.
    pub fn next(&mut self, row: &mut ByteRecord) -> Result<bool, Broken> {
        self.reader.get_mut().allowed = LONGEST_ROW;
        self.reader.read_byte_record(row).map_err(|error| match error.into_kind() {
            csv::ErrorKind::Io(error) if error.get_ref().is_some_and(|inner| inner.is::<TooLong>()) => {
                Broken::RowTooLong
            }
            csv::ErrorKind::Io(error) => Broken::Io(error),
            other => Broken::Io(io::Error::other(format!("{other:?}"))),
        })
    }
}

/// The line of the file where a row begins, from 1.
#[must_use]
pub fn line(row: &ByteRecord) -> u64 {
    row.position().map_or(0, csv::Position::line)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use super::*;

    fn rows(bytes: &[u8], separator: u8) -> Vec<Vec<String>> {
        let (mut table, mut row, mut all) = (Table::open(bytes, separator).unwrap(), ByteRecord::new(), Vec::new());
        while table.next(&mut row).unwrap() {
            all.push(row.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect());
        }
        all
    }

    fn utf16(text: &str, little: bool) -> Vec<u8> {
        let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
        units.flat_map(|unit: u16| if little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
    }

    #[test]
    fn letters_come_in_each_encoding() {
        let text = "a\tÄ🦀\r\n\"1\n2\"\tc\r\n";
        let expected = [["a", "Ä🦀"], ["1\n2", "c"]];
        assert_eq!(rows(text.as_bytes(), b'\t'), expected);
        assert_eq!(rows(format!("\u{FEFF}{text}").as_bytes(), b'\t'), expected);
        for little in [true, false] {
            let bytes = utf16(text, little);
            assert_eq!(rows(&bytes, b'\t'), expected);
            assert_eq!(rows(&bytes[2..], b'\t'), expected, "without a mark");
        }
    }

    #[test]
    fn a_letter_may_lie_across_two_blocks() {
        let text = format!("x,{}\n", "🦀".repeat(BLOCK / 8)).repeat(3);
        for shift in ["", "y"] {
            let text = format!("{shift}{text}");
            assert_eq!(rows(&utf16(&text, true), b','), rows(text.as_bytes(), b','));
        }
    }

    #[test]
    fn lines_are_counted_as_they_are() {
        let text = format!("{}\r\n", "x".repeat(9)).repeat(3 * BLOCK / 11);
        let (mut table, mut row, mut expected) = (Table::open(text.as_bytes(), b',').unwrap(), ByteRecord::new(), 0);
        while table.next(&mut row).unwrap() {
            expected += 1;
            assert_eq!((line(&row), row.get(0).unwrap().len()), (expected, 9));
        }
        assert_eq!(expected, 3 * u64::try_from(BLOCK).unwrap() / 11);
    }

    #[test]
    fn a_row_without_end_is_refused() {
        let long = format!("a,b\n\"{}", "x,\n".repeat(LONGEST_ROW));
        let (mut table, mut row) = (Table::open(long.as_bytes(), b',').unwrap(), ByteRecord::new());
        assert!(table.next(&mut row).unwrap());
        assert!(matches!(table.next(&mut row), Err(Broken::RowTooLong)));
        assert!(row.as_slice().len() <= 2 * LONGEST_ROW);
    }
}
