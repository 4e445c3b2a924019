//! Reading a CSV export of Plausible: a zip archive of tables, or one table.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek as _};

use jiff::civil::Date;
use trafficlab_engine::visit::enrich::text;

use super::answer::day;
use super::table::{NUMBER_COLUMNS, NUMBERS, TableKind};
use super::{Days, ImportedError, Writer};
use crate::store::visit_imports::ImportTally;

/// Longest line of a table. The reader keeps a line in memory.
const MAX_LINE: usize = 256 * 1024;
/// Rows between two looks at whether to go on.
const LOOK_EVERY: u64 = 1024;
/// Files of an archive, which holds ten tables.
const MOST_FILES: usize = 200;

/// Why an export cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExportFault {
    /// The file itself.
    #[error("the file cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// The archive.
    #[error("the archive cannot be read: {0}")]
    Zip(#[from] zip::result::ZipError),
    /// Nothing that is known.
    #[error("this is no CSV export of Plausible: {0}")]
    Unknown(String),
    /// The archive grows too large.
    #[error("the archive holds more than {0} bytes")]
    TooLarge(u64),
    /// What came out cannot be written.
    #[error(transparent)]
    Figures(#[from] ImportedError),
    /// Somebody said so.
    #[error("stopped")]
    Stopped,
}

/// Where rows go, and which ones count.
pub(crate) struct Taking<'a> {
    /// The file that is written; nothing when rows are only counted.
    pub(crate) writer: Option<Writer>,
    /// The first day with visits of the site's own; it and later ones do not count.
    pub(crate) until: Option<i32>,
    /// Days of tables that earlier imports brought.
    pub(crate) covered: HashMap<TableKind, Vec<Days>>,
    /// What was found.
    pub(crate) tally: ImportTally,
    /// Called now and then; false ends the import.
    pub(crate) go_on: &'a mut dyn FnMut(&ImportTally) -> bool,
    /// Most bytes that an archive may hold.
    pub(crate) most_bytes: u64,
}

/// Whether the file begins like an archive.
pub(crate) fn is_archive(file: &mut File) -> std::io::Result<bool> {
    let mut begin = [0; 4];
    let mut read = 0;
    while let Some(rest) = begin.get_mut(read..).filter(|rest| !rest.is_empty()) {
        match file.read(rest)? {
            0 => break,
            more => read += more,
        }
    }
    file.rewind()?;
    Ok(begin == *b"PK\x03\x04")
}

impl Taking<'_> {
    /// Reads an archive.
    ///
    /// # Errors
    /// Any.
    pub(crate) fn archive(&mut self, file: File) -> Result<(), ExportFault> {
        let mut archive = zip::ZipArchive::new(BufReader::new(file))?;
        let (mut left, mut tables) = (self.most_bytes, 0);
        for index in 0..archive.len().min(MOST_FILES) {
            let entry = archive.by_index(index)?;
            let (name, packed) = (entry.name()?.into_owned(), entry.compressed_size());
            let before = self.tally.bytes;
            if let Some(kind) = TableKind::of_file(&name) {
                let mut counted = entry.take(left.saturating_add(1));
                self.table(&name, Some(kind), &mut counted)?;
                left = counted.limit().checked_sub(1).ok_or(ExportFault::TooLarge(self.most_bytes))?;
                tables += 1;
            } else if entry.is_file() {
                self.tally.skip("unknown_file", &name, 0, &"its name is none of Plausible's tables");
            }
            self.tally.bytes = before.saturating_add(packed);
        }
        if tables == 0 {
            return Err(ExportFault::Unknown("no file in it is named like one of Plausible's tables".to_owned()));
        }
        Ok(())
    }

    /// Reads one table; without a kind its columns say which.
    ///
    /// # Errors
    /// Any.
    pub(crate) fn table(
        &mut self,
        name: &str,
        kind: Option<TableKind>,
        from: &mut dyn Read,
    ) -> Result<(), ExportFault> {
        let before = self.tally.bytes;
        let mut read = 0;
        let guarded = Guarded { from, line: 0, read: &mut read };
        let mut csv = csv::ReaderBuilder::new().flexible(true).from_reader(guarded);
        let head = csv.byte_headers().map_err(|error| unreadable(name, error))?.clone();
        let head: Vec<String> = head.iter().map(|name| String::from_utf8_lossy(name).trim().to_lowercase()).collect();
        let columns: Vec<&str> = head.iter().map(|name| name.trim_start_matches('\u{feff}')).collect();
        let kind = kind.or_else(|| TableKind::of_columns(&columns));
        let kind = kind.ok_or_else(|| ExportFault::Unknown(format!("the columns of `{name}` are not known")))?;
        let plan = Plan::new(name, kind, &columns)?;
        let mut record = csv::ByteRecord::new();
        loop {
            match csv.read_byte_record(&mut record) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => return Err(unreadable(name, error)),
            }
            let line = record.position().map_or(0, csv::Position::line);
            self.row(name, line, &plan, &record)?;
            if self.tally.lines.is_multiple_of(LOOK_EVERY) {
                self.tally.bytes = before.saturating_add(*csv.get_ref().read);
                if !(self.go_on)(&self.tally) {
                    return Err(ExportFault::Stopped);
                }
            }
        }
        self.tally.bytes = before.saturating_add(read);
        Ok(())
    }

    fn row(&mut self, name: &str, line: u64, plan: &Plan, record: &csv::ByteRecord) -> Result<(), ExportFault> {
        self.tally.lines += 1;
        let row = match plan.read(record) {
            Ok(row) => row,
            Err(message) => {
                self.tally.skip("unreadable", name, line, &message);
                return Ok(());
            }
        };
        if self.until.is_some_and(|until| row.day >= until) {
            let message = "visits of the site itself are counted from this day on";
            self.tally.skip("own_visits", name, line, &message);
            return Ok(());
        }
        if self.covered.get(&plan.kind).is_some_and(|known| known.iter().any(|days| days.has(row.day))) {
            self.tally.skip("imported_before", name, line, &"an earlier import covers this day");
            return Ok(());
        }
        self.tally.accepted += 1;
        if let Some(writer) = &mut self.writer {
            writer.row(plan.kind, row.day, row.texts.iter().map(String::as_str), row.numbers)?;
        }
        Ok(())
    }
}

fn unreadable(name: &str, error: csv::Error) -> ExportFault {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => ExportFault::Io(error),
        other => ExportFault::Unknown(format!("`{name}` is no CSV table: {other:?}")),
    }
}

/// Where in a record each value stands.
struct Plan {
    kind: TableKind,
    date: usize,
    texts: Vec<Option<usize>>,
    numbers: [Option<usize>; NUMBERS],
}

struct Row {
    day: i32,
    texts: Vec<String>,
    numbers: [u64; NUMBERS],
}

impl Plan {
    fn new(name: &str, kind: TableKind, columns: &[&str]) -> Result<Self, ExportFault> {
        let place = |wanted: &str| columns.iter().position(|column| *column == wanted);
        let missing = |what: &str| ExportFault::Unknown(format!("`{name}` has no column `{what}`"));
        let date = place("date").ok_or_else(|| missing("date"))?;
        let texts: Vec<Option<usize>> = kind.texts().iter().map(|text| place(text)).collect();
        if let (Some(None), Some(first)) = (texts.first(), kind.texts().first()) {
            // A page's host may be missing, and its path not.
            if kind != TableKind::Pages || texts.get(1) == Some(&None) {
                return Err(missing(first));
            }
        }
        let numbers = NUMBER_COLUMNS.map(|names| names.iter().find_map(|wanted| place(wanted)));
        if numbers.iter().all(Option::is_none) {
            return Err(missing("visitors"));
        }
        Ok(Self { kind, date, texts, numbers })
    }

    fn read(&self, record: &csv::ByteRecord) -> Result<Row, String> {
        let field = |place: usize| {
            let bytes = record.get(place).unwrap_or_default();
            std::str::from_utf8(bytes).or(Err("a value is not UTF-8".to_owned()))
        };
        let date = field(self.date)?;
        let shown = || date.chars().take(40).collect::<String>();
        let parsed = date.parse::<Date>().ok().and_then(day);
        let day = parsed.ok_or_else(|| format!("`{}` is no date", shown()))?;
        let mut texts = Vec::with_capacity(self.texts.len());
        for place in &self.texts {
            texts.push(place.map_or(Ok(String::new()), |place| field(place).map(tidy))?);
        }
        let mut numbers = [0; NUMBERS];
        for (into, place) in numbers.iter_mut().zip(&self.numbers) {
            let Some(place) = place else { continue };
            let text = field(*place)?.trim();
            let number = if text.is_empty() { Ok(0) } else { text.parse() };
            *into = number.map_err(|_bad: std::num::ParseIntError| {
                format!("`{}` is no count", text.chars().take(40).collect::<String>())
            })?;
        }
        Ok(Row { day, texts, numbers })
    }
}

/// Without control characters, and not longer than the values of visits.
fn tidy(value: &str) -> String {
    let clean = text::clean(value);
    let mut end = clean.len().min(text::MAX_BYTES);
    while !clean.is_char_boundary(end) {
        end -= 1;
    }
    clean.get(..end).unwrap_or_default().to_owned()
}

/// Refuses lines without end, which the reader would keep in memory, and counts what was read.
struct Guarded<'a> {
    from: &'a mut dyn Read,
    line: usize,
    read: &'a mut u64,
}

impl Read for Guarded<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let read = self.from.read(into)?;
        *self.read += u64::try_from(read).unwrap_or(0);
        let part = into.get(..read).unwrap_or_default();
        match part.iter().rposition(|byte| *byte == b'\n') {
            Some(last) => self.line = read - last,
            None => self.line += read,
        }
        if self.line > MAX_LINE {
            return Err(std::io::Error::new(
                std::io::ErrorKind::InvalidData,
                format!("a line is longer than {MAX_LINE} bytes"),
            ));
        }
        Ok(read)
    }
}
