//! Visits as CSV (RFC 4180): a header row, lines that end in CR LF, quotes where they are needed.

use std::io::{Result, Write};

use super::field::{Cell, Decimal, epoch_ns, fields};
use crate::packet::export::csv::text;
use crate::traffic::render::push_rfc3339;
use crate::visit::record::Visit;

#[derive(Debug)]
pub(super) struct Table<W> {
    out: W,
    line: Vec<u8>,
}

impl<W: Write> Table<W> {
    pub(super) fn new(mut out: W) -> Result<Self> {
        let names = fields(&Visit::default()).map(|(name, _)| name);
        write!(out, "{}\r\n", names.join(","))?;
        Ok(Self { out, line: Vec::new() })
    }

    pub(super) fn push(&mut self, visit: &Visit<'_>) -> Result<()> {
        self.line.clear();
        for (place, (_, cell)) in fields(visit).into_iter().enumerate() {
            if place > 0 {
                self.line.push(b',');
            }
            match cell {
                Cell::Time(time_ms) => push_rfc3339(&mut self.line, epoch_ns(time_ms)),
                Cell::Digits(value) => write!(self.line, "{value:016x}")?,
                Cell::Text(value) | Cell::Object(value) => text(&mut self.line, value)?,
                Cell::Money(Some(micros)) => write!(self.line, "{}", Decimal(micros))?,
                Cell::Money(None) => {}
            }
        }
        self.line.extend_from_slice(b"\r\n");
        self.out.write_all(&self.line)
    }

    pub(super) fn finish(mut self) -> Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}
