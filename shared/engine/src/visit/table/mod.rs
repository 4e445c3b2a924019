//! Raw visits in the formats of other programs, visit by visit.
//!
//! Texts that are empty are empty in CSV and null elsewhere. A visitor is 16 hexadecimal digits, revenue a decimal number
//! of the currency's unit, and a moment is in UTC.

mod csv;
mod field;
mod ndjson;
mod parquet;
#[cfg(test)]
mod tests;

use std::io::{Result, Write};

use super::record::Visit;

/// A format of raw visits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// RFC 4180 with a header row. A text that a spreadsheet would compute, since it begins with `=`, `+`, `-`, `@`, a
    /// tab or a carriage return, gets a `'` before it.
    Csv,
    /// One JSON object a line, with the properties as an object within.
    Ndjson,
    /// Typed columns, zstd.
    Parquet,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Csv, Self::Ndjson, Self::Parquet];

    /// The word of the API and the command line, which is also how the names of its files end.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Parquet => "parquet",
        }
    }

    /// The one of a word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == word)
    }

    /// Its media type.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Ndjson => "application/x-ndjson",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }
}

/// A table being written. Holds one visit at a time, or with Parquet one group of at most 8 192 of them and some
/// megabytes.
#[derive(Debug)]
pub struct Table<W: Write + Send>(Writer<W>);

#[derive(Debug)]
enum Writer<W: Write + Send> {
    Csv(csv::Table<W>),
    Ndjson(ndjson::Table<W>),
    Parquet(Box<parquet::Table<W>>),
}

impl<W: Write + Send> Table<W> {
    /// Begins a table.
    ///
    /// # Errors
    /// What the writer says.
    pub fn new(format: Format, out: W) -> Result<Self> {
        Ok(Self(match format {
            Format::Csv => Writer::Csv(csv::Table::new(out)?),
            Format::Ndjson => Writer::Ndjson(ndjson::Table::new(out)),
            Format::Parquet => Writer::Parquet(Box::new(parquet::Table::new(out)?)),
        }))
    }

    /// Writes a visit.
    ///
    /// # Errors
    /// What the writer says.
    pub fn push(&mut self, visit: &Visit<'_>) -> Result<()> {
        match &mut self.0 {
            Writer::Csv(table) => table.push(visit),
            Writer::Ndjson(table) => table.push(visit),
            Writer::Parquet(table) => table.push(visit),
        }
    }

    /// Ends the table; without this it is not whole. Gives the writer back, with nothing held back.
    ///
    /// # Errors
    /// What the writer says.
    pub fn finish(self) -> Result<W> {
        match self.0 {
            Writer::Csv(table) => table.finish(),
            Writer::Ndjson(table) => table.finish(),
            Writer::Parquet(table) => table.finish(),
        }
    }
}
