//! Several parts of a site and day become one.

use std::io::{self, Write};

use super::recode::{Codes, Used, recode};
use super::write::{Shape, Writer, unknown};
use super::{Part, PartSummary, ReadAt};
use crate::visit::column::{ColumnSet, Row};
use crate::visit::data::{Columns, DataFault, SLICES, Slices as _};
use crate::visit::dictionary::Dictionaries;
use crate::visit::view::{RowView, dictionaries};

/// Writes a part of the rows of `parts`, which are of the same site and day, that `keep` keeps. Texts that no row has
/// any more are gone with the rows. Rows of the same visitor and millisecond keep the order of the parts.
///
/// Reads everything twice, first to see which texts stay, and holds one slice of all parts in memory, a 256th of the
/// rows, besides the dictionaries. `keep` must answer alike both times.
///
/// # Errors
/// `Damaged`, `Io`; `InvalidInput` without parts, or when they are of different days.
pub fn merge<R: ReadAt>(
    parts: &[&Part<R>],
    keep: impl Fn(&RowView<'_>) -> bool,
    out: &mut impl Write,
) -> Result<PartSummary, DataFault> {
    let day = parts.first().map(|part| part.summary().day);
    let Some(day) = day.filter(|day| parts.iter().all(|part| part.summary().day == *day)) else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "only parts of one day can be merged").into());
    };
    let mut sources = Vec::with_capacity(parts.len());
    for part in parts {
        sources.push(Merged { part, dictionaries: dictionaries(*part)?, columns: Columns::default() });
    }
    let mut shape = Shape::default();
    let mut used: Vec<Used> = sources.iter().map(|source| Used::new(&source.dictionaries)).collect();
    each_slice(|slice| {
        for (source, used) in sources.iter_mut().zip(&mut used) {
            for row in source.kept(slice, &keep)? {
                used.mark(&row).ok_or_else(unknown)?;
                shape.see(&row);
            }
        }
        Ok(())
    })?;
    let all: Vec<(&Dictionaries, Used)> = sources.iter().map(|source| &source.dictionaries).zip(used).collect();
    let (texts, codes) = recode(&all).map_err(io::Error::other)?;
    let mut writer = Writer::new(day, texts, &shape, out);
    let mut rows: Vec<(Row, &Codes)> = Vec::new();
    each_slice(|slice| {
        rows.clear();
        for (source, codes) in sources.iter_mut().zip(&codes) {
            rows.extend(source.kept(slice, &keep)?.map(|row| (row, codes)));
        }
        // Each part's rows are in order already, which this sort takes for granted and only merges.
        rows.sort_by_key(|(row, _)| (row.visitor, row.time_ms));
        writer.slice(&rows)
    })?;
    writer.finish()
}

fn each_slice(mut work: impl FnMut(u8) -> Result<(), DataFault>) -> Result<(), DataFault> {
    (0..SLICES).flat_map(u8::try_from).try_for_each(&mut work)
}

/// A part that is being merged, and its slice at hand.
struct Merged<'p, R> {
    part: &'p Part<R>,
    dictionaries: Dictionaries,
    columns: Columns,
}

impl<R: ReadAt> Merged<'_, R> {
    /// The rows of a slice that are kept.
    fn kept(&mut self, slice: u8, keep: impl Fn(&RowView<'_>) -> bool) -> Result<impl Iterator<Item = Row>, DataFault> {
        self.part.load(slice, ColumnSet::all(), &mut self.columns)?;
        let Self { columns, dictionaries, .. } = &*self;
        let views = (0..columns.len()).map(move |at| RowView::new(columns, at, dictionaries));
        Ok(views.filter(move |view| keep(view)).map(|view| view.row()))
    }
}
