//! Rows that are in no sealed part yet, as slices.

use std::sync::Arc;

use super::column::{ColumnSet, DICTS, Dict, Row};
use super::data::{Columns, DataFault, Slices, slice_of};
use super::dictionary::{Dictionaries, Dictionary};
use super::order::ordered;

/// Rows whose columns are filled in before the next ones are fetched: so many stay in the processor's cache.
const BLOCK: usize = 1024;

/// The rows of one site of an open log, as they were at a moment. Takes some 20 bytes a row and 4 for every column that
/// holds anything.
#[derive(Debug)]
pub struct Memory {
    dictionaries: Dictionaries,
    /// All rows in the order of slices. Columns of codes that are 0 everywhere are empty, and so is revenue.
    columns: Columns,
    /// Where each slice ends.
    ends: Vec<usize>,
    time_range: Option<(i64, i64)>,
}

impl Memory {
    /// The rows whose site has the code `site` in `dictionaries`, in any order. Rows of the same visitor and
    /// millisecond stay in the order in which they come.
    #[must_use]
    pub fn new<'r>(rows: impl IntoIterator<Item = &'r Row>, site: u32, dictionaries: Dictionaries) -> Self {
        let of_site = |row: &&Row| row.codes.first() == Some(&site);
        let rows: Vec<&Row> = rows.into_iter().filter(of_site).collect();
        let mut columns = shape(&rows);
        for rows in ordered(rows).chunks(BLOCK) {
            columns.visitor.extend(rows.iter().map(|row| row.visitor));
            columns.time_ms.extend(rows.iter().map(|row| row.time_ms));
            columns.traffic.extend(rows.iter().map(|row| row.traffic));
            if columns.revenue_micros.capacity() > 0 {
                columns.revenue_micros.extend(rows.iter().map(|row| row.revenue_micros));
            }
            for (at, column) in columns.codes.iter_mut().enumerate().filter(|(_, column)| column.capacity() > 0) {
                column.extend(rows.iter().map(|row| row.codes.get(at).copied().unwrap_or_default()));
            }
        }
        let end = |slice| columns.visitor.partition_point(|visitor| slice_of(*visitor) <= slice);
        let ends = (0..=u8::MAX).map(end).collect();
        let times = columns.time_ms.iter();
        let time_range = times.clone().min().copied().zip(times.max().copied());
        Self { dictionaries, columns, ends, time_range }
    }
}

impl Slices for Memory {
    fn rows(&self) -> u64 {
        u64::try_from(self.columns.len()).unwrap_or(u64::MAX)
    }

    fn time_range(&self) -> Option<(i64, i64)> {
        self.time_range
    }

    fn dictionary(&self, dict: Dict) -> Result<Arc<Dictionary>, DataFault> {
        Ok(self.dictionaries.get(dict.index()).map(Arc::clone).unwrap_or_default())
    }

    fn load(&self, slice: u8, want: ColumnSet, into: &mut Columns) -> Result<(), DataFault> {
        into.clear();
        let at = usize::from(slice);
        let begin = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or_default();
        let end = self.ends.get(at).copied().unwrap_or_default();
        into.visitor.extend_from_slice(self.columns.visitor.get(begin..end).unwrap_or_default());
        into.time_ms.extend_from_slice(self.columns.time_ms.get(begin..end).unwrap_or_default());
        into.traffic.extend_from_slice(self.columns.traffic.get(begin..end).unwrap_or_default());
        let rows = into.len();
        let columns = into.codes.iter_mut().zip(&self.columns.codes).zip(Dict::ALL);
        for ((into, codes), _) in columns.filter(|(_, dict)| want.has(*dict)) {
            into.extend_from_slice(codes.get(begin..end).unwrap_or_default());
            into.resize(rows, 0);
        }
        if want.has_revenue() {
            into.revenue_micros.extend_from_slice(self.columns.revenue_micros.get(begin..end).unwrap_or_default());
            into.revenue_micros.resize(rows, 0);
        }
        Ok(())
    }
}

/// Room for the columns of `rows` that hold anything.
fn shape(rows: &[&Row]) -> Columns {
    let mut any = (false, [false; DICTS]);
    for row in rows {
        any.0 |= row.revenue_micros != 0;
        any.1.iter_mut().zip(row.codes).for_each(|(any, code)| *any |= code != 0);
    }
    let room = |any: bool| if any { rows.len() } else { 0 };
    Columns {
        visitor: Vec::with_capacity(rows.len()),
        time_ms: Vec::with_capacity(rows.len()),
        traffic: Vec::with_capacity(rows.len()),
        codes: any.1.map(|any| Vec::with_capacity(room(any))),
        revenue_micros: Vec::with_capacity(room(any.0)),
    }
}
