//! Rows of imported tables as bytes: columns of numbers with variable length against a dictionary of the chunk's own
//! texts, compressed, with a checksum over everything.
//!
//! ```text
//! "TLIM" | version u8 | kind u8 | 0 u16 | length u32 | first day i32 | last day i32 | rows u32 | crc32 u32 | zstd
//! ```
//! Integers are little endian; the checksum covers the header before it and the compressed bytes. Days count from
//! 1970-01-01. A kind of 255 is the file's head, whose bytes are the site's domain.

use std::collections::HashMap;

use super::table::{NUMBERS, Numbers, TableKind};

pub(super) const HEADER_BYTES: usize = 28;
/// Longest compressed chunk that is believed.
pub(super) const MAX_BYTES: u32 = 256 << 20;
/// Rows of a chunk, which bounds the memory that import and questions take.
pub(super) const ROWS: usize = 128 * 1024;
/// The kind of the file's head.
pub(super) const HEAD: u8 = 255;
const MAGIC: [u8; 4] = *b"TLIM";
const VERSION: u8 = 1;
const LEVEL: i32 = 3;
/// Longest content of a chunk: its rows with texts of the longest kind, far above what occurs.
const MAX_CONTENT: usize = 512 << 20;

/// Why bytes are no chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("imported figures are damaged: {0}")]
pub(crate) struct Damaged(pub(super) &'static str);

/// What a chunk says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: u8,
    pub(super) length: u32,
    pub(super) first_day: i32,
    pub(super) last_day: i32,
    pub(super) rows: u32,
    crc: u32,
}

impl Header {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Damaged> {
        let short = Damaged("a header is cut off");
        let word = |at: usize| bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes);
        let signed = |at: usize| bytes.get(at..at + 4)?.try_into().ok().map(i32::from_le_bytes);
        if bytes.get(..4) != Some(&MAGIC) || bytes.get(4) != Some(&VERSION) {
            return Err(Damaged("a chunk does not begin where it should"));
        }
        let header = Self {
            kind: *bytes.get(5).ok_or(short)?,
            length: word(8).ok_or(short)?,
            first_day: signed(12).ok_or(short)?,
            last_day: signed(16).ok_or(short)?,
            rows: word(20).ok_or(short)?,
            crc: word(24).ok_or(short)?,
        };
        if header.length > MAX_BYTES {
            return Err(Damaged("a chunk says that it is too long"));
        }
        Ok(header)
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&[VERSION, self.kind, 0, 0]);
        out.extend_from_slice(&self.length.to_le_bytes());
        out.extend_from_slice(&self.first_day.to_le_bytes());
        out.extend_from_slice(&self.last_day.to_le_bytes());
        out.extend_from_slice(&self.rows.to_le_bytes());
    }

    /// Checks the bytes behind the header, which was read from `head`.
    pub(super) fn check(&self, head: &[u8], packed: &[u8]) -> Result<(), Damaged> {
        let mut crc = crc32fast::Hasher::new();
        crc.update(head.get(..HEADER_BYTES - 4).unwrap_or_default());
        crc.update(packed);
        if crc.finalize() == self.crc { Ok(()) } else { Err(Damaged("a checksum does not match")) }
    }
}

/// A header and its bytes, as they are written.
pub(super) fn frame(kind: u8, days: (i32, i32), rows: u32, packed: &[u8]) -> Result<Vec<u8>, Damaged> {
    let length = u32::try_from(packed.len()).ok().filter(|length| *length <= MAX_BYTES);
    let length = length.ok_or(Damaged("a chunk would be too long"))?;
    let header = Header { kind, length, first_day: days.0, last_day: days.1, rows, crc: 0 };
    let mut out = Vec::with_capacity(HEADER_BYTES + packed.len());
    header.write(&mut out);
    let mut crc = crc32fast::Hasher::new();
    crc.update(&out);
    crc.update(packed);
    out.extend_from_slice(&crc.finalize().to_le_bytes());
    out.extend_from_slice(packed);
    Ok(out)
}

/// Rows of one table, column by column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) kind: TableKind,
    pub(super) days: Vec<i32>,
    /// Codes by column of text.
    pub(super) codes: Vec<Vec<u32>>,
    pub(super) numbers: [Vec<u64>; NUMBERS],
    pub(super) texts: Vec<String>,
    found: HashMap<String, u32>,
}

impl Chunk {
    pub(super) fn new(kind: TableKind) -> Self {
        let codes = vec![Vec::new(); kind.texts().len()];
        let (texts, found) = (vec![String::new()], HashMap::from([(String::new(), 0)]));
        Self { kind, days: Vec::new(), codes, numbers: Default::default(), texts, found }
    }

    /// Adds a row; texts that are missing are empty.
    pub(super) fn push<'a>(&mut self, day: i32, texts: impl IntoIterator<Item = &'a str>, numbers: Numbers) {
        self.days.push(day);
        let mut texts = texts.into_iter();
        for column in 0..self.codes.len() {
            let code = self.code(texts.next().unwrap_or_default());
            if let Some(column) = self.codes.get_mut(column) {
                column.push(code);
            }
        }
        self.numbers.iter_mut().zip(numbers).for_each(|(column, number)| column.push(number));
    }

    fn code(&mut self, text: &str) -> u32 {
        if let Some(code) = self.found.get(text) {
            return *code;
        }
        // A chunk has at most `ROWS` rows of seven texts, so its codes fit.
        let code = u32::try_from(self.texts.len()).unwrap_or(0);
        self.texts.push(text.to_owned());
        self.found.insert(text.to_owned(), code);
        code
    }

    pub(super) fn is_full(&self) -> bool {
        self.days.len() >= ROWS
    }

    /// The whole chunk as it is written.
    pub(super) fn encode(&self) -> Result<Vec<u8>, Damaged> {
        let mut content = Vec::new();
        let mut before = 0;
        for day in &self.days {
            put(&mut content, zigzag(i64::from(*day) - before));
            before = i64::from(*day);
        }
        put(&mut content, wide(self.texts.len()));
        for text in &self.texts {
            put(&mut content, wide(text.len()));
            content.extend_from_slice(text.as_bytes());
        }
        self.codes.iter().flatten().for_each(|code| put(&mut content, u64::from(*code)));
        self.numbers.iter().flatten().for_each(|number| put(&mut content, *number));
        let packed = zstd::bulk::compress(&content, LEVEL).or(Err(Damaged("a chunk cannot be compressed")))?;
        let days = (self.days.iter().min().copied().unwrap_or(0), self.days.iter().max().copied().unwrap_or(-1));
        frame(self.kind as u8, days, u32::try_from(self.days.len()).unwrap_or(u32::MAX), &packed)
    }

    /// The rows of a chunk whose checksum was right.
    pub(super) fn decode(header: &Header, packed: &[u8]) -> Result<Self, Damaged> {
        let kind = TableKind::from_byte(header.kind).ok_or(Damaged("a table is not known"))?;
        let content = unpack(packed)?;
        let mut reader = Reader(&content);
        let rows = usize::try_from(header.rows).unwrap_or(usize::MAX);
        if rows > content.len() {
            return Err(Damaged("a chunk has fewer rows than it says"));
        }
        let mut before = 0_i64;
        let mut day = || {
            before = before.wrapping_add(unzigzag(reader.number()?));
            i32::try_from(before).or(Err(Damaged("a day is out of range")))
        };
        let days = (0..rows).map(|_| day()).collect::<Result<_, _>>()?;
        let texts = reader.texts()?;
        let mut column = || (0..rows).map(|_| reader.number()).collect::<Result<Vec<u64>, _>>();
        let codes = kind.texts().iter().map(|_| Ok(column()?.into_iter().map(narrow).collect()));
        let codes = codes.collect::<Result<_, Damaged>>()?;
        let mut numbers: [Vec<u64>; NUMBERS] = Default::default();
        for into in &mut numbers {
            *into = column()?;
        }
        Ok(Self { kind, days, codes, numbers, texts, found: HashMap::new() })
    }

    /// The texts of a row, in the order of the table's columns.
    pub(super) fn texts_of(&self, row: usize) -> impl Iterator<Item = &str> {
        let code = move |column: &Vec<u32>| column.get(row).and_then(|code| usize::try_from(*code).ok());
        self.codes
            .iter()
            .map(move |column| code(column).and_then(|code| self.texts.get(code)).map_or("", String::as_str))
    }

    /// Day, text of a column and figures of each row.
    pub(super) fn rows(&self, column: Option<usize>) -> impl Iterator<Item = (i32, &str, Numbers)> {
        let codes = column.and_then(|column| self.codes.get(column));
        self.days.iter().enumerate().map(move |(row, day)| {
            let code = codes.and_then(|codes| codes.get(row)).and_then(|code| usize::try_from(*code).ok());
            let text = code.and_then(|code| self.texts.get(code)).map_or("", String::as_str);
            let numbers = self.numbers.each_ref().map(|column| column.get(row).copied().unwrap_or(0));
            (*day, text, numbers)
        })
    }
}

fn unpack(packed: &[u8]) -> Result<Vec<u8>, Damaged> {
    let unreadable = Damaged("a chunk cannot be unpacked");
    let size = zstd::zstd_safe::get_frame_content_size(packed).ok().flatten().ok_or(unreadable)?;
    let size = usize::try_from(size).ok().filter(|size| *size <= MAX_CONTENT).ok_or(unreadable)?;
    zstd::bulk::decompress(packed, size).or(Err(unreadable))
}

/// Seven bits a byte, the lowest first, as in LEB128.
fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(low(value) | 0x80);
        value >>= 7;
    }
    out.push(low(value));
}

fn low(value: u64) -> u8 {
    u8::try_from(value & 0x7f).unwrap_or(0)
}

const fn zigzag(value: i64) -> u64 {
    (value.cast_unsigned() << 1) ^ (value >> 63).cast_unsigned()
}

const fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

fn wide(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// A code that does not fit stands for no text.
fn narrow(code: u64) -> u32 {
    u32::try_from(code).unwrap_or(u32::MAX)
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn number(&mut self) -> Result<u64, Damaged> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first().ok_or(Damaged("a chunk is cut off"))?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Damaged("a number is too long"))
    }

    fn texts(&mut self) -> Result<Vec<String>, Damaged> {
        let count = self.number()?;
        let mut texts = Vec::new();
        for _ in 0..count {
            let length = usize::try_from(self.number()?).unwrap_or(usize::MAX);
            let (text, rest) = self.0.split_at_checked(length).ok_or(Damaged("a text is cut off"))?;
            self.0 = rest;
            texts.push(std::str::from_utf8(text).or(Err(Damaged("a text is not UTF-8")))?.to_owned());
        }
        Ok(texts)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> Result<Chunk, Damaged> {
        let header = Header::read(bytes)?;
        let packed = bytes.get(HEADER_BYTES..).unwrap_or_default();
        if packed.len() != usize::try_from(header.length).unwrap() {
            return Err(Damaged("cut"));
        }
        header.check(bytes, packed)?;
        Chunk::decode(&header, packed)
    }

    fn chunk(rows: &[(i32, String, [u64; 6])]) -> Chunk {
        let mut chunk = Chunk::new(TableKind::Browsers);
        rows.iter().for_each(|(day, text, numbers)| chunk.push(*day, [text.as_str(), "1"], *numbers));
        chunk
    }

    #[test]
    fn the_first_version_keeps_its_bytes() {
        let chunk = chunk(&[(19_397, "Firefox".into(), [5, 6, 10, 2, 512, 0])]);
        let bytes = chunk.encode().unwrap();
        let header: String = bytes[..24].iter().map(|byte| format!("{byte:02x}")).collect();
        let length = u32::try_from(bytes.len() - HEADER_BYTES).unwrap();
        let length: String = length.to_le_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(header, format!("544c494d01070000{length}c54b0000c54b000001000000"));
        let content = unpack(&bytes[HEADER_BYTES..]).unwrap();
        let content: String = content.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(content, "8aaf0203000746697265666f780131010205060a02800400");
    }

    proptest! {
        #[test]
        fn rows_come_back(rows in prop::collection::vec((any::<i32>(), "[a-c]{0,3}", any::<[u64; 6]>()), 0..40)) {
            let chunk = chunk(&rows);
            let read = read(&chunk.encode().unwrap()).unwrap();
            let found: Vec<_> = read.rows(Some(0)).map(|(day, text, numbers)| (day, text.to_owned(), numbers)).collect();
            prop_assert_eq!(found, rows);
        }

        #[test]
        fn damage_is_noticed(at in any::<prop::sample::Index>(), flip in 1..=255_u8, cut in any::<prop::sample::Index>()) {
            let mut bytes = chunk(&[(1, "a".into(), [1; 6]), (2, "b".into(), [2; 6])]).encode().unwrap();
            prop_assert!(read(&bytes[..cut.index(bytes.len())]).is_err());
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            // The two bytes that are kept for later are covered by the checksum as well.
            prop_assert!(read(&bytes).is_err(), "byte {}", at);
        }

        #[test]
        fn any_content_is_refused_or_read(content in prop::collection::vec(any::<u8>(), 0..60), rows in 0..9_u32) {
            let packed = zstd::bulk::compress(&content, 1).unwrap();
            let bytes = frame(1, (0, 0), rows, &packed).unwrap();
            drop(read(&bytes));
        }
    }
}
