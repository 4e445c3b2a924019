//! Tables of campaigns and their figures: the rows on their way to a worker, and the file it makes of them.
//!
//! Both sides hold one piece of at most 8 192 rows, and a file in Parquet one group of at most 32 768, however long the
//! table is.

mod csv;
pub mod input;
mod ndjson;
mod parquet;
mod row;
#[cfg(test)]
mod tests;

use std::io::{Read, Result, Write};

use trafficlab_shared::model::export::{ExportColumn, ExportFormat, ExportSpec};

use input::Pieces;
use row::Row;

/// Writes the rows of `from`, as [`input::Writer`] wrote them, to `out`. `told` learns after each piece how many rows
/// were written so far. Comes back with how many there were.
///
/// # Errors
/// What reader and writer say; input that is no rows is `InvalidData`.
pub fn write(spec: &ExportSpec, from: impl Read, out: impl Write + Send, mut told: impl FnMut(u64)) -> Result<u64> {
    let mut table = Table::new(spec, out)?;
    let mut rows = 0;
    for piece in Pieces::new(from) {
        let piece = piece?;
        for row in piece.rows() {
            table.push(&Row::of(row))?;
            rows += 1;
        }
        told(rows);
    }
    table.finish()?;
    Ok(rows)
}

/// A table being written.
enum Table<W: Write + Send> {
    Csv(csv::Table<W>),
    Ndjson(ndjson::Table<W>),
    Parquet(Box<parquet::Table<W>>),
}

impl<W: Write + Send> Table<W> {
    fn new(spec: &ExportSpec, out: W) -> Result<Self> {
        let columns: &[ExportColumn] = &spec.columns;
        Ok(match spec.format {
            ExportFormat::Csv => Self::Csv(csv::Table::new(columns, out)?),
            ExportFormat::Ndjson => Self::Ndjson(ndjson::Table::new(columns, out)),
            ExportFormat::Parquet => Self::Parquet(Box::new(parquet::Table::new(columns, out)?)),
        })
    }

    fn push(&mut self, row: &Row<'_>) -> Result<()> {
        match self {
            Self::Csv(table) => table.push(row),
            Self::Ndjson(table) => table.push(row),
            Self::Parquet(table) => table.push(row),
        }
    }

    fn finish(self) -> Result<()> {
        match self {
            Self::Csv(table) => table.finish(),
            Self::Ndjson(table) => table.finish(),
            Self::Parquet(table) => table.finish(),
        }
    }
}
