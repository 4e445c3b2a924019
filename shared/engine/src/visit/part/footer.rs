//! The footer of a part: where everything lies.
//!
//! day (signed), rows, first and last time in milliseconds of the day, rows by traffic, bots; width and single value of
//! traffic; width of revenue; for every stored dictionary: width and single value of its column, number of texts, bytes
//! before and after compression, and unless it holds the empty text alone the CRC-32 of the stored bytes; number of
//! slices, and for each its number, its rows, its visitors, and the width of its visitors' row counts.

use super::{CHECKSUM, PartSummary, STORED};
use crate::traffic::pack::varint::{fold, push};
use crate::visit::column::{DICTS, Dict, Traffic};
use crate::visit::data::DAY_MS;
use crate::visit::wire::Cursor;

/// How a column is stored: `width` bytes a row, or `single` for all rows when the width is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Stored {
    pub(super) width: u8,
    pub(super) single: u32,
}

/// A stored dictionary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct DictionaryAt {
    pub(super) offset: u64,
    /// Texts, the empty one counted.
    pub(super) texts: u32,
    pub(super) raw: u64,
    /// Equal to `raw` when it is not compressed.
    pub(super) stored: u64,
    pub(super) checksum: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct SliceAt {
    pub(super) offset: u64,
    pub(super) slice: u8,
    pub(super) rows: u32,
    pub(super) visitors: u32,
    pub(super) count_width: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Footer {
    /// Without its length in bytes.
    pub(super) summary: PartSummary,
    pub(super) traffic: Stored,
    pub(super) revenue: u8,
    pub(super) codes: [Stored; DICTS],
    pub(super) dictionaries: [DictionaryAt; DICTS],
    /// In the order of their numbers.
    pub(super) slices: Vec<SliceAt>,
}

impl Footer {
    /// Bytes of the visitors of a slice with their checksum.
    pub(super) fn visitor_bytes(slice: &SliceAt) -> u64 {
        u64::from(slice.visitors) * (8 + u64::from(slice.count_width)) + CHECKSUM as u64
    }

    /// Bytes of a column of `rows` rows with its checksum; 0 when nothing is stored.
    pub(super) fn column_bytes(rows: u32, width: u8) -> u64 {
        if width == 0 { 0 } else { u64::from(rows) * u64::from(width) + CHECKSUM as u64 }
    }

    /// Bytes of a slice.
    pub(super) fn slice_bytes(&self, slice: &SliceAt) -> u64 {
        let widths = self.codes.iter().map(|stored| stored.width).chain([4, self.traffic.width, self.revenue]);
        Self::visitor_bytes(slice) + widths.map(|width| Self::column_bytes(slice.rows, width)).sum::<u64>()
    }

    /// Bytes of slices and dictionaries; the footer lies behind them. Nothing when no file is so long.
    pub(super) fn body_bytes(&self) -> Option<u64> {
        let slices = self.slices.iter().map(|slice| self.slice_bytes(slice));
        let dictionaries = self.dictionaries.iter().map(|dictionary| dictionary.stored);
        slices.chain(dictionaries).try_fold(0u64, u64::checked_add)
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let Self { summary, .. } = self;
        let begin = summary.day.saturating_mul(DAY_MS);
        push(out, fold(summary.day));
        push(out, summary.rows);
        push(out, summary.first_ms.abs_diff(begin));
        push(out, summary.last_ms.abs_diff(begin));
        summary.traffic.iter().chain([&summary.bots]).for_each(|count| push(out, *count));
        out.push(self.traffic.width);
        push(out, self.traffic.single.into());
        out.push(self.revenue);
        for dict in STORED {
            let (stored, at) = self.column(dict);
            out.push(stored.width);
            [stored.single.into(), at.texts.into(), at.raw, at.stored].into_iter().for_each(|value| push(out, value));
            if at.stored > 0 {
                out.extend_from_slice(&at.checksum.to_le_bytes());
            }
        }
        push(out, u64::try_from(self.slices.len()).unwrap_or(u64::MAX));
        for slice in &self.slices {
            out.push(slice.slice);
            push(out, slice.rows.into());
            push(out, slice.visitors.into());
            out.push(slice.count_width);
        }
    }

    /// Nothing when the bytes are no footer.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let mut footer = Self { summary: summary(&mut cursor)?, ..Self::default() };
        footer.traffic = Stored { width: width(&mut cursor)?, single: cursor.number()? };
        Traffic::from_byte(u8::try_from(footer.traffic.single).ok()?)?;
        footer.revenue = width(&mut cursor)?;
        for dict in STORED {
            let (stored, at) = column(&mut cursor)?;
            *footer.codes.get_mut(dict.index())? = stored;
            *footer.dictionaries.get_mut(dict.index())? = at;
        }
        footer.slices = slices(&mut cursor)?;
        footer.place()?;
        let rows = footer.slices.iter().map(|slice| u64::from(slice.rows)).sum::<u64>();
        let traffic = footer.summary.traffic.iter().try_fold(0u64, |sum, rows| sum.checked_add(*rows))?;
        (cursor.left() == 0 && rows == footer.summary.rows && rows == traffic).then_some(footer)
    }

    /// Works out where slices and dictionaries begin.
    fn place(&mut self) -> Option<()> {
        let mut offset = 0u64;
        let mut slices = std::mem::take(&mut self.slices);
        for slice in &mut slices {
            slice.offset = offset;
            offset = offset.checked_add(self.slice_bytes(slice))?;
        }
        self.slices = slices;
        for dict in STORED {
            let at = self.dictionaries.get_mut(dict.index())?;
            at.offset = offset;
            offset = offset.checked_add(at.stored)?;
        }
        Some(())
    }

    fn column(&self, dict: Dict) -> (Stored, DictionaryAt) {
        let stored = self.codes.get(dict.index()).copied().unwrap_or_default();
        (stored, self.dictionaries.get(dict.index()).copied().unwrap_or_default())
    }
}

fn summary(cursor: &mut Cursor<'_>) -> Option<PartSummary> {
    let day = cursor.signed()?;
    let begin = day.checked_mul(DAY_MS)?;
    begin.checked_add(DAY_MS)?;
    let rows = cursor.number()?;
    let mut of_day = || cursor.number::<i64>().filter(|time| *time < DAY_MS).map(|time| begin + time);
    let (first_ms, last_ms) = (of_day()?, of_day()?);
    let traffic = [cursor.number()?, cursor.number()?, cursor.number()?];
    Some(PartSummary { day, rows, first_ms, last_ms, traffic, bots: cursor.number()?, bytes: 0 })
}

fn column(cursor: &mut Cursor<'_>) -> Option<(Stored, DictionaryAt)> {
    let stored = Stored { width: width(cursor)?, single: cursor.number()? };
    let (texts, raw, bytes) = (cursor.number()?, cursor.number()?, cursor.number()?);
    let checksum = if bytes > 0 { cursor.fixed32()? } else { 0 };
    let fine = stored.single < texts && bytes <= raw && stored.width <= 4;
    fine.then_some((stored, DictionaryAt { offset: 0, texts, raw, stored: bytes, checksum }))
}

fn slices(cursor: &mut Cursor<'_>) -> Option<Vec<SliceAt>> {
    let count: u16 = cursor.number()?;
    let mut slices: Vec<SliceAt> = Vec::with_capacity(usize::from(count.min(256)));
    for _ in 0..count {
        let (slice, rows, visitors) = (cursor.byte()?, cursor.number()?, cursor.number()?);
        let fine = visitors > 0 && visitors <= rows && slices.last().is_none_or(|before| before.slice < slice);
        slices.push(SliceAt { offset: 0, slice, rows, visitors, count_width: width(cursor).filter(|_| fine)? });
    }
    Some(slices)
}

fn width(cursor: &mut Cursor<'_>) -> Option<u8> {
    cursor.byte().filter(|width| matches!(width, 0 | 1 | 2 | 4 | 8))
}
