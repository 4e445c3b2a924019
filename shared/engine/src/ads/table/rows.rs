//! One row of a file: whether it has figures, whose, of which day, and which.

use csv::ByteRecord;

use super::date;
use super::header::{Field, Format};
use super::layout::Layout;
use super::number::{self, NumberFault};
use super::style::Style;
use crate::ads::day::Day;
use crate::ads::figures::Figures;
use crate::ads::money::Currency;

/// Longest id or name of a campaign, in bytes.
const LONGEST_KEY: usize = 1000;

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Figures of a campaign.
    Figures,
    /// A sum of others.
    Total,
    /// No campaign: a sum when it is the first or the last row, else a mistake.
    Nobody,
    /// Nothing.
    Blank,
}

/// Whose figures a row has, as the file says it; empty texts where it says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Key<'a> {
    /// The number here or the id at the platform, of a plain file.
    pub campaign_id: &'a str,
    /// The id at the platform.
    pub external_id: &'a str,
    /// The name.
    pub name: &'a str,
    /// Where it runs.
    pub platform: &'a str,
}

/// What is wrong with a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellFault {
    /// The column, from 0.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

impl CellFault {
    fn new(column: usize, message: impl Into<String>) -> Self {
        Self { column, message: message.into() }
    }
}

/// A cell as text without blanks around it, when it is UTF-8.
pub(super) fn text(cell: &[u8]) -> Option<&str> {
    std::str::from_utf8(cell).ok().map(str::trim)
}

fn nothing(cell: &str) -> bool {
    matches!(cell, "" | "--" | "-")
}

impl Layout {
    fn cell<'r>(&self, row: &'r ByteRecord, field: Field) -> Option<(usize, &'r [u8])> {
        let place = self.place(field)?;
        Some((place, row.get(place).unwrap_or_default()))
    }

    /// What a row below the header is.
    #[must_use]
    pub fn kind(&self, row: &ByteRecord) -> Kind {
        if row.iter().all(|cell| cell.trim_ascii().is_empty()) {
            return Kind::Blank;
        }
        // Google Ads writes the mark into the first cell or into the campaign's.
        let begins =
            |cell: &[u8]| cell.trim_ascii().get(..6).is_some_and(|start| start.eq_ignore_ascii_case(b"total:"));
        if self.format == Format::Google && row.iter().take(3).any(begins) {
            return Kind::Total;
        }
        let named = [Field::CampaignId, Field::ExternalId, Field::Name].into_iter();
        let mut said = named.filter_map(|field| self.cell(row, field)).map(|(_, cell)| cell.trim_ascii());
        if said.all(|cell| cell.is_empty() || cell == b"--") { Kind::Nobody } else { Kind::Figures }
    }

    /// Whose row it is.
    ///
    /// # Errors
    /// The cell that is no text, or too long.
    pub fn key<'r>(&self, row: &'r ByteRecord) -> Result<Key<'r>, CellFault> {
        let read = |field| {
            let Some((place, cell)) = self.cell(row, field) else { return Ok("") };
            let text = text(cell).ok_or_else(|| CellFault::new(place, "is not UTF-8"))?;
            if text.len() > LONGEST_KEY {
                return Err(CellFault::new(place, format!("is longer than {LONGEST_KEY} bytes")));
            }
            Ok(if nothing(text) { "" } else { text })
        };
        Ok(Key {
            campaign_id: read(Field::CampaignId)?,
            external_id: read(Field::ExternalId)?,
            name: read(Field::Name)?,
            platform: read(Field::Platform)?,
        })
    }

    /// The currency of a row: its own cell, else the header's.
    ///
    /// # Errors
    /// A cell with no currency of ISO 4217.
    pub fn currency(&self, row: &ByteRecord) -> Result<Option<Currency>, CellFault> {
        let Some((place, cell)) = self.cell(row, Field::Currency) else { return Ok(self.currency) };
        let code = text(cell).filter(|code| !nothing(code));
        let Some(code) = code else { return Ok(self.currency) };
        let known = Currency::parse(code).ok_or_else(|| CellFault::new(place, "is no currency of ISO 4217"))?;
        Ok(Some(known))
    }

    /// The day of a row.
    ///
    /// # Errors
    /// No day, or several.
    pub fn day(&self, row: &ByteRecord, style: Style) -> Result<Day, CellFault> {
        let read = |(place, cell): (usize, &[u8])| {
            let day = text(cell).and_then(|cell| date::read(cell, style.dates));
            day.ok_or_else(|| CellFault::new(place, "is no date"))
        };
        let first = self.cell(row, Field::Date).ok_or_else(|| CellFault::new(0, "has no date"))?;
        let day = read(first)?;
        match self.cell(row, Field::Ends) {
            Some(ends) if read(ends)? != day => {
                Err(CellFault::new(ends.0, "the row covers more than one day; export with the breakdown by day"))
            }
            _ => Ok(day),
        }
    }
}

/// Reads the figures of rows, and holds what that needs.
#[derive(Debug)]
pub struct Numbers {
    places: [Option<usize>; 5],
    style: Style,
    room: String,
}

impl Numbers {
    /// A reader of a file's figures.
    #[must_use]
    pub fn new(layout: &Layout, style: Style) -> Self {
        Self { places: Field::FIGURES.map(|field| layout.place(field)), style, room: String::new() }
    }

    /// The figures of a row, money in `currency`. What the file has no column for is 0. Each wrong cell is told to `wrong`.
    pub fn read(&mut self, row: &ByteRecord, currency: Currency, mut wrong: impl FnMut(CellFault)) -> Figures {
        let decimals = currency.decimals();
        let mut values = [0; 5];
        for ((value, place), field) in values.iter_mut().zip(self.places).zip(Field::FIGURES) {
            let Some(place) = place else { continue };
            let read = row.get(place).and_then(text).map(|cell| match field {
                Field::Impressions | Field::Clicks => number::count(cell, self.style.decimal, &mut self.room),
                Field::Conversions => number::amount(cell, self.style.decimal, 3, &mut self.room),
                _ => number::amount(cell, self.style.decimal, decimals, &mut self.room),
            });
            match read {
                Some(Ok(read)) => *value = read,
                Some(Err(fault)) => wrong(CellFault::new(place, told(fault))),
                None if row.get(place).is_none() => wrong(CellFault::new(place, "is missing: the row is too short")),
                None => wrong(CellFault::new(place, "is not UTF-8")),
            }
        }
        let [impressions, clicks, conversions_milli, spend, revenue] = values;
        Figures { impressions, clicks, conversions_milli, spend, revenue }
    }
}

fn told(fault: NumberFault) -> String {
    fault.to_string()
}
