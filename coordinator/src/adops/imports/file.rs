//! A file on the disk: what it is, and its rows below the header one after another.

use std::fs::File;
use std::path::Path;

use csv::ByteRecord;
use trafficlab_engine::ads::table::{Evidence, Found, Kind, Style, Table, sniff, text};

use super::{MOST_ROWS, Wishes};
use crate::systems::{Code, Fault, Outcome};

/// What a file is and how it is written.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Columns, separator, encoding.
    pub found: Found,
    /// Its dates and fractions.
    pub style: Style,
}

/// Finds out what a file is, by its head and then over all its rows.
///
/// # Errors
/// 422 when it is none of ours, or leaves open how it is to be read.
pub(super) fn facts(path: &Path, wishes: &Wishes) -> Outcome<Facts> {
    let found = sniff(open(path)?).map_err(|error| unreadable(&error))?;
    let (mut evidence, mut rows) = (Evidence::default(), 0_u64);
    each(path, &found, |row, kind| {
        if kind == Kind::Figures {
            rows += 1;
            evidence.see(&found.layout, row, text::line(row));
        }
        if rows <= MOST_ROWS { Ok(()) } else { Err(too_many()) }
    })?;
    let settled = evidence.settle(wishes.dates, wishes.decimal, found.separator);
    let style = settled.map_err(|error| unreadable(&error))?;
    Ok(Facts { found, style })
}

/// Shows every row below the header.
///
/// # Errors
/// When a row is too long, and what `see` answers.
pub(super) fn each(path: &Path, found: &Found, mut see: impl FnMut(&ByteRecord, Kind) -> Outcome<()>) -> Outcome<()> {
    let mut table = Table::open(open(path)?, found.separator).map_err(|error| unreadable(&error))?;
    let (mut row, mut place) = (ByteRecord::new(), 0_usize);
    while table.next(&mut row).map_err(|error| unreadable(&error))? {
        if place > found.layout.header {
            see(&row, found.layout.kind(&row))?;
        }
        place += 1;
    }
    Ok(())
}

fn open(path: &Path) -> Outcome<File> {
    File::open(path).map_err(|error| Fault::internal("import", &error))
}

/// A file that cannot be imported as a whole, and why.
pub(super) fn unreadable(error: &dyn std::fmt::Display) -> Fault {
    let reason = error.to_string();
    Fault::new(Code::Unprocessable, format!("The file cannot be imported: {reason}")).detail("file", reason)
}

fn too_many() -> Fault {
    unreadable(&format!("it has more than {MOST_ROWS} rows; send it in parts"))
}
