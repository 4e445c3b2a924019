//! A slice of a part being read, column after column.

use std::io;

use super::footer::{Footer, SliceAt, Stored};
use super::{CHECKSUM, ReadAt, STORED};
use crate::visit::column::{ColumnSet, Traffic};
use crate::visit::data::{Columns, DataFault};
use crate::visit::wire;

/// A slice up to this long is read in one piece even where not all of it is wanted: a system call costs more.
const ONE_READ: u64 = 64 * 1024;

pub(super) struct Source<'p, R> {
    reader: &'p R,
    slice: SliceAt,
    rows: usize,
    /// Where the next column begins.
    offset: u64,
    /// What was read last, and where it begins.
    bytes: Vec<u8>,
    begin: u64,
}

impl<'p, R: ReadAt> Source<'p, R> {
    /// Reads what is wanted of a small slice at once; of a long one each column when it is asked for.
    pub(super) fn new(reader: &'p R, footer: &Footer, slice: SliceAt, want: ColumnSet) -> Result<Self, DataFault> {
        let rows = usize::try_from(slice.rows).map_err(io::Error::other)?;
        let (offset, begin) = (slice.offset, slice.offset);
        let mut source = Self { reader, slice, rows, offset, bytes: Vec::new(), begin };
        let wanted = wanted_bytes(footer, &slice, want);
        if wanted <= ONE_READ {
            source.read(wanted)?;
        }
        Ok(source)
    }

    /// Fills in visitors: each as often as it has rows.
    pub(super) fn visitors(&mut self, into: &mut Columns) -> Result<(), DataFault> {
        let (rows, width) = (self.rows, self.slice.count_width);
        let distinct = usize::try_from(self.slice.visitors).map_err(io::Error::other)?;
        let bytes = self.checked(Footer::visitor_bytes(&self.slice))?;
        let (visitors, counts) = bytes.split_at_checked(distinct * 8).ok_or_else(|| damaged("visitors"))?;
        into.visitor.reserve(rows);
        if width == 0 {
            wire::each(visitors, 8, distinct, |visitor| into.visitor.push(visitor));
        } else {
            let mut each = visitors.as_chunks().0.iter();
            wire::each(counts, width, distinct, |count| {
                let visitor = each.next().map_or(0, |visitor| u64::from_le_bytes(*visitor));
                // More than there are rows is damage, which is seen below; it must not fill the memory before.
                let count = usize::try_from(count).unwrap_or(usize::MAX).min(rows + 1);
                let length = into.visitor.len().saturating_add(count).min(rows + 1);
                into.visitor.resize(length, visitor);
            });
        }
        if into.visitor.len() == rows { Ok(()) } else { Err(damaged("row counts")) }
    }

    /// Fills in the traffic.
    pub(super) fn traffic(&mut self, stored: Stored, into: &mut Vec<Traffic>) -> Result<(), DataFault> {
        let rows = self.rows;
        if stored.width == 0 {
            let single = u8::try_from(stored.single).ok().and_then(Traffic::from_byte);
            into.resize(rows, single.ok_or_else(|| damaged("traffic"))?);
            return Ok(());
        }
        let bytes = self.column(stored.width)?;
        into.extend(bytes.iter().map_while(|byte| Traffic::from_byte(*byte)));
        if into.len() == rows { Ok(()) } else { Err(damaged("traffic")) }
    }

    /// Fills in codes of a dictionary of `texts` texts.
    pub(super) fn codes(&mut self, stored: Stored, texts: u32, into: &mut Vec<u32>) -> Result<(), DataFault> {
        let rows = self.rows;
        if stored.width == 0 {
            into.resize(rows, stored.single);
            return Ok(());
        }
        let bytes = self.column(stored.width)?;
        match stored.width {
            1 => into.extend(bytes.iter().map(|byte| u32::from(*byte))),
            2 => into.extend(bytes.as_chunks().0.iter().map(|two| u32::from(u16::from_le_bytes(*two)))),
            _ => into.extend(bytes.as_chunks().0.iter().map(|four| u32::from_le_bytes(*four))),
        }
        let known = into.iter().fold(0, |most, code| *code.max(&most)) < texts;
        if known && into.len() == rows { Ok(()) } else { Err(damaged("codes")) }
    }

    /// The values of the next column, verified.
    pub(super) fn column(&mut self, width: u8) -> Result<&[u8], DataFault> {
        self.checked(Footer::column_bytes(self.slice.rows, width))
    }

    /// Goes past a column that is not wanted.
    pub(super) fn pass(&mut self, width: u8) {
        self.offset += Footer::column_bytes(self.slice.rows, width);
    }

    fn checked(&mut self, length: u64) -> Result<&[u8], DataFault> {
        if length == 0 {
            return Ok(&[]);
        }
        let end = self.begin + u64::try_from(self.bytes.len()).unwrap_or(u64::MAX);
        if self.offset < self.begin || self.offset + length > end {
            self.read(length)?;
        }
        let begin = usize::try_from(self.offset - self.begin).map_err(io::Error::other)?;
        let length_here = usize::try_from(length).map_err(io::Error::other)?;
        self.offset += length;
        let bytes = self.bytes.get(begin..).and_then(|bytes| bytes.get(..length_here));
        let (values, sum) =
            bytes.and_then(|bytes| bytes.split_last_chunk::<CHECKSUM>()).ok_or_else(|| damaged("rows"))?;
        if crc32fast::hash(values) == u32::from_le_bytes(*sum) {
            return Ok(values);
        }
        Err(DataFault::Damaged(format!("a checksum of slice {} is wrong", self.slice.slice)))
    }

    fn read(&mut self, length: u64) -> Result<(), DataFault> {
        self.begin = self.offset;
        self.bytes.resize(usize::try_from(length).map_err(io::Error::other)?, 0);
        Ok(self.reader.read_at(self.begin, &mut self.bytes)?)
    }
}

/// Bytes from the beginning of a slice to the end of the last column that is wanted.
fn wanted_bytes(footer: &Footer, slice: &SliceAt, want: ColumnSet) -> u64 {
    let bytes = |width| Footer::column_bytes(slice.rows, width);
    let mut end = Footer::visitor_bytes(slice) + bytes(4) + bytes(footer.traffic.width);
    let mut wanted = end;
    for dict in STORED {
        end += footer.codes.get(dict.index()).map_or(0, |stored| bytes(stored.width));
        wanted = if want.has(dict) { end } else { wanted };
    }
    if want.has_revenue() { end + bytes(footer.revenue) } else { wanted }
}

fn damaged(what: &str) -> DataFault {
    DataFault::Damaged(format!("the {what} of a slice are not what the footer says"))
}
