//! Visits as JSON objects, one a line.

use std::io::{Result, Write};

use serde_json::value::RawValue;

use super::field::{Cell, Decimal, epoch_ns, fields};
use crate::traffic::render::push_rfc3339;
use crate::visit::record::Visit;

#[derive(Debug)]
pub(super) struct Table<W> {
    out: W,
    line: Vec<u8>,
}

impl<W: Write> Table<W> {
    pub(super) const fn new(out: W) -> Self {
        Self { out, line: Vec::new() }
    }

    pub(super) fn push(&mut self, visit: &Visit<'_>) -> Result<()> {
        self.line.clear();
        for (place, (name, cell)) in fields(visit).into_iter().enumerate() {
            write!(self.line, "{}\"{name}\":", if place == 0 { '{' } else { ',' })?;
            value(&mut self.line, cell)?;
        }
        self.line.extend_from_slice(b"}\n");
        self.out.write_all(&self.line)
    }

    pub(super) fn finish(mut self) -> Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}

fn value(line: &mut Vec<u8>, cell: Cell<'_>) -> Result<()> {
    match cell {
        Cell::Text("") | Cell::Object("") | Cell::Money(None) => line.extend_from_slice(b"null"),
        Cell::Time(time_ms) => {
            line.push(b'"');
            push_rfc3339(line, epoch_ns(time_ms));
            line.push(b'"');
        }
        Cell::Digits(digits) => write!(line, "\"{digits:016x}\"")?,
        Cell::Money(Some(micros)) => write!(line, "{}", Decimal(micros))?,
        // Should it be no JSON after all, the line still is: then the properties are a text.
        Cell::Object(object) if serde_json::from_str::<&RawValue>(object).is_ok() => {
            line.extend_from_slice(object.as_bytes());
        }
        Cell::Object(text) | Cell::Text(text) => serde_json::to_writer(line, text)?,
    }
    Ok(())
}
