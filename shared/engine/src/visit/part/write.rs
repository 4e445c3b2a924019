//! Writes parts, slice after slice.

use std::io::{self, Write};

use super::footer::{DictionaryAt, Footer, SliceAt, Stored};
use super::recode::{Codes, Used, recode};
use super::{MAGIC, PartSummary, STORED, dictionaries};
use crate::visit::column::{DICTS, Dict, Row, Traffic, field};
use crate::visit::data::{DAY_MS, DataFault, day_of, slice_of};
use crate::visit::dictionary::{Dictionaries, Dictionary};
use crate::visit::order::ordered;
use crate::visit::wire;

/// Writes the part of a UTC day. The rows may come in any order and are of one site; rows of the same visitor and
/// millisecond stay in the order in which they come. `out` need not be buffered: a slice is one write.
///
/// # Errors
/// What `out` says; `InvalidInput` when a row is of another day or there are more than the format can hold.
pub fn write<'r>(
    day: i64,
    rows: impl IntoIterator<Item = &'r Row>,
    dictionaries: &Dictionaries,
    out: &mut impl Write,
) -> Result<PartSummary, DataFault> {
    let rows: Vec<&Row> = rows.into_iter().collect();
    let mut used = Used::new(dictionaries);
    let mut shape = Shape::default();
    for row in &rows {
        used.mark(row).ok_or_else(unknown)?;
        shape.see(row);
    }
    let (texts, codes) = recode(&[(dictionaries, used)]).map_err(io::Error::other)?;
    let mut writer = Writer::new(day, texts, &shape, out);
    let mut slice: Vec<(Row, &Codes)> = Vec::new();
    for chunk in ordered(rows).chunk_by(|a, b| slice_of(a.visitor) == slice_of(b.visitor)) {
        slice.clear();
        slice.extend(chunk.iter().flat_map(|row| codes.first().map(|codes| (**row, codes))));
        writer.slice(&slice)?;
    }
    writer.finish()
}

/// Rows and dictionaries do not belong together.
pub(super) fn unknown() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "a visit has a code that no dictionary knows")
}

/// What all rows have in common.
#[derive(Debug, Default)]
pub(super) struct Shape {
    traffic: [bool; 3],
    revenue: bool,
    /// Whether a column has the empty text and others.
    empty: [bool; DICTS],
}

impl Shape {
    pub(super) fn see(&mut self, row: &Row) {
        self.traffic.iter_mut().skip(row.traffic as usize).take(1).for_each(|seen| *seen = true);
        self.revenue |= row.revenue_micros != 0;
        self.empty.iter_mut().zip(row.codes).for_each(|(empty, code)| *empty |= code == 0);
    }
}

/// A part being written.
pub(super) struct Writer<'w, W: Write> {
    out: &'w mut W,
    written: u64,
    footer: Footer,
    texts: [Dictionary; DICTS],
    /// By code of the agent.
    bots: Vec<bool>,
    times: Option<(i64, i64)>,
    buffer: Vec<u8>,
}

impl<'w, W: Write> Writer<'w, W> {
    /// `texts` are the part's dictionaries.
    pub(super) fn new(day: i64, texts: [Dictionary; DICTS], shape: &Shape, out: &'w mut W) -> Self {
        let mut footer = Footer { summary: PartSummary { day, ..PartSummary::default() }, ..Footer::default() };
        let kinds = shape.traffic.iter().filter(|seen| **seen).count();
        let single = shape.traffic.iter().zip(0..).find(|(seen, _)| **seen).map_or(0, |(_, kind)| kind);
        footer.traffic = Stored { width: u8::from(kinds > 1), single: if kinds > 1 { 0 } else { single } };
        footer.revenue = if shape.revenue { 8 } else { 0 };
        for ((stored, texts), empty) in footer.codes.iter_mut().zip(&texts).zip(shape.empty) {
            let most = u32::try_from(texts.len()).unwrap_or(u32::MAX).saturating_sub(1);
            *stored = match most {
                0 => Stored::default(),
                1 if !empty => Stored { width: 0, single: 1 },
                _ => Stored { width: wire::width(most.into()), single: 0 },
            };
        }
        let agents = texts.get(Dict::Agent.index());
        let bots = agents.iter().flat_map(|agents| agents.iter()).map(|agent| !field(agent, 5).is_empty()).collect();
        Self { out, written: 0, footer, texts, bots, times: None, buffer: Vec::new() }
    }

    /// Writes the rows of the next slice, ordered by visitor and time, each with the way to the part's codes.
    pub(super) fn slice(&mut self, rows: &[(Row, &Codes)]) -> Result<(), DataFault> {
        let Some((first, _)) = rows.first() else { return Ok(()) };
        if rows.iter().any(|(row, _)| day_of(row.time_ms) != self.footer.summary.day) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a visit is not of its part's day").into());
        }
        self.buffer.clear();
        let mut at = SliceAt { offset: self.written, slice: slice_of(first.visitor), ..SliceAt::default() };
        at.rows = u32::try_from(rows.len()).map_err(io::Error::other)?;
        self.visitors(rows, &mut at);
        let begin = self.footer.summary.day.saturating_mul(DAY_MS);
        self.column(4, rows.iter().map(|(row, _)| row.time_ms.abs_diff(begin)));
        self.column(self.footer.traffic.width, rows.iter().map(|(row, _)| u64::from(row.traffic as u8)));
        for dict in STORED {
            let width = self.footer.codes.get(dict.index()).map_or(0, |stored| stored.width);
            let code = |(row, codes): &(Row, &Codes)| codes.get(dict, *row.codes.get(dict.index()).unwrap_or(&0));
            self.column(width, rows.iter().map(|row| u64::from(code(row))));
        }
        self.column(self.footer.revenue, rows.iter().map(|(row, _)| row.revenue_micros.cast_unsigned()));
        self.count(rows);
        self.footer.slices.push(at);
        self.emit()
    }

    /// Distinct visitors and how many rows each has.
    fn visitors(&mut self, rows: &[(Row, &Codes)], at: &mut SliceAt) {
        let runs = || rows.chunk_by(|(a, _), (b, _)| a.visitor == b.visitor);
        let length = |run: &[_]| u64::try_from(run.len()).unwrap_or(u64::MAX);
        at.visitors = u32::try_from(runs().count()).unwrap_or(u32::MAX);
        at.count_width = if at.visitors == at.rows { 0 } else { wire::width(runs().map(length).max().unwrap_or(0)) };
        wire::put(&mut self.buffer, 8, runs().flat_map(|run| run.first()).map(|(row, _)| row.visitor));
        wire::put(&mut self.buffer, at.count_width, runs().map(length));
        self.checksum(0);
    }

    fn column(&mut self, width: u8, values: impl Iterator<Item = u64>) {
        if width > 0 {
            let begin = self.buffer.len();
            wire::put(&mut self.buffer, width, values);
            self.checksum(begin);
        }
    }

    fn checksum(&mut self, begin: usize) {
        let sum = crc32fast::hash(self.buffer.get(begin..).unwrap_or_default());
        self.buffer.extend_from_slice(&sum.to_le_bytes());
    }

    fn count(&mut self, rows: &[(Row, &Codes)]) {
        let summary = &mut self.footer.summary;
        for (row, codes) in rows {
            summary.rows += 1;
            summary.traffic.iter_mut().skip(row.traffic as usize).take(1).for_each(|count| *count += 1);
            let agent = codes.get(Dict::Agent, *row.codes.get(Dict::Agent.index()).unwrap_or(&0));
            let bot = usize::try_from(agent).ok().and_then(|agent| self.bots.get(agent)).copied().unwrap_or(false);
            summary.bots += u64::from(bot && row.traffic == Traffic::Real);
            let (first, last) = self.times.unwrap_or((row.time_ms, row.time_ms));
            self.times = Some((first.min(row.time_ms), last.max(row.time_ms)));
        }
    }

    /// Writes the buffer.
    fn emit(&mut self) -> Result<(), DataFault> {
        self.out.write_all(&self.buffer)?;
        self.written += u64::try_from(self.buffer.len()).unwrap_or(u64::MAX);
        Ok(())
    }

    /// Writes dictionaries and footer.
    pub(super) fn finish(mut self) -> Result<PartSummary, DataFault> {
        for dict in STORED {
            let Some(texts) = self.texts.get(dict.index()) else { continue };
            let raw = dictionaries::raw(texts);
            let mut at = DictionaryAt { offset: self.written, ..DictionaryAt::default() };
            at.texts = u32::try_from(texts.len()).map_err(io::Error::other)?;
            at.raw = u64::try_from(raw.len()).unwrap_or(u64::MAX);
            self.buffer = if raw.is_empty() { raw } else { dictionaries::stored(raw)? };
            at.stored = u64::try_from(self.buffer.len()).unwrap_or(u64::MAX);
            at.checksum = crc32fast::hash(&self.buffer);
            self.footer.dictionaries.iter_mut().skip(dict.index()).take(1).for_each(|place| *place = at);
            self.emit()?;
        }
        let begin = self.footer.summary.day.saturating_mul(DAY_MS);
        (self.footer.summary.first_ms, self.footer.summary.last_ms) = self.times.unwrap_or((begin, begin));
        self.buffer.clear();
        self.footer.encode(&mut self.buffer);
        let length = u32::try_from(self.buffer.len()).map_err(io::Error::other)?;
        self.buffer.extend_from_slice(&length.to_le_bytes());
        self.checksum(0);
        self.buffer.extend_from_slice(&MAGIC);
        self.emit()?;
        self.out.flush()?;
        Ok(PartSummary { bytes: self.written, ..self.footer.summary })
    }
}
