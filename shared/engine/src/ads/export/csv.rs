//! Rows as CSV (RFC 4180): a header row, lines that end in CR LF, quotes where they are needed. A text that a spreadsheet
//! would compute gets a `'` before it; numbers are ours and stay numbers. Labels are joined with `;`.

use std::io::{Result, Write};

use trafficlab_shared::model::export::ExportColumn;

use super::row::{Cell, Row, decimal};
use crate::packet::export::csv::text;
use crate::traffic::render::push_rfc3339;

pub(super) struct Table<W> {
    columns: Vec<ExportColumn>,
    out: W,
    line: Vec<u8>,
}

impl<W: Write> Table<W> {
    pub(super) fn new(columns: &[ExportColumn], mut out: W) -> Result<Self> {
        let names: Vec<&str> = columns.iter().map(|column| column.as_str()).collect();
        write!(out, "{}\r\n", names.join(","))?;
        Ok(Self { columns: columns.to_vec(), out, line: Vec::new() })
    }

    pub(super) fn push(&mut self, row: &Row<'_>) -> Result<()> {
        self.line.clear();
        for (place, column) in self.columns.iter().enumerate() {
            if place > 0 {
                self.line.push(b',');
            }
            cell(&mut self.line, row.cell(*column))?;
        }
        self.line.extend_from_slice(b"\r\n");
        self.out.write_all(&self.line)
    }

    pub(super) fn finish(mut self) -> Result<()> {
        self.out.flush()
    }
}

fn cell(line: &mut Vec<u8>, cell: Cell<'_>) -> Result<()> {
    match cell {
        Cell::Text(Some(value)) => text(line, value),
        Cell::List(values) => text(line, &values.join(";")),
        Cell::Whole(value) => write!(line, "{value}"),
        Cell::Decimal { units: Some(units), digits, trimmed } => write!(line, "{}", decimal(units, digits, trimmed)),
        Cell::Ratio(Some(value)) => write!(line, "{value}"),
        Cell::Date(Some(day)) => write!(line, "{day}"),
        Cell::Time(time_ns) => {
            push_rfc3339(line, time_ns);
            Ok(())
        }
        Cell::Text(None) | Cell::Decimal { units: None, .. } | Cell::Ratio(None) | Cell::Date(None) => Ok(()),
    }
}
