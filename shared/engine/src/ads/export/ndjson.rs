//! Rows as JSON objects, one a line. Money and conversions are numbers with exactly the digits they have.

use std::io::{Result, Write};

use trafficlab_shared::model::export::ExportColumn;

use super::row::{Cell, Row, decimal};
use crate::traffic::render::push_rfc3339;

pub(super) struct Table<W> {
    columns: Vec<ExportColumn>,
    out: W,
    line: Vec<u8>,
}

impl<W: Write> Table<W> {
    pub(super) fn new(columns: &[ExportColumn], out: W) -> Self {
        Self { columns: columns.to_vec(), out, line: Vec::new() }
    }

    pub(super) fn push(&mut self, row: &Row<'_>) -> Result<()> {
        self.line.clear();
        for (place, column) in self.columns.iter().enumerate() {
            write!(self.line, "{}\"{}\":", if place == 0 { '{' } else { ',' }, column.as_str())?;
            cell(&mut self.line, row.cell(*column))?;
        }
        self.line.extend_from_slice(b"}\n");
        self.out.write_all(&self.line)
    }

    pub(super) fn finish(mut self) -> Result<()> {
        self.out.flush()
    }
}

fn cell(line: &mut Vec<u8>, cell: Cell<'_>) -> Result<()> {
    match cell {
        Cell::Text(Some(value)) => serde_json::to_writer(line, value)?,
        Cell::List(values) => serde_json::to_writer(line, values)?,
        Cell::Whole(value) => write!(line, "{value}")?,
        Cell::Decimal { units: Some(units), digits, trimmed } => write!(line, "{}", decimal(units, digits, trimmed))?,
        Cell::Ratio(Some(value)) => serde_json::to_writer(line, &value)?,
        Cell::Date(Some(day)) => write!(line, "\"{day}\"")?,
        Cell::Time(time_ns) => {
            line.push(b'"');
            push_rfc3339(line, time_ns);
            line.push(b'"');
        }
        Cell::Text(None) | Cell::Decimal { units: None, .. } | Cell::Ratio(None) | Cell::Date(None) => {
            line.extend_from_slice(b"null");
        }
    }
    Ok(())
}
