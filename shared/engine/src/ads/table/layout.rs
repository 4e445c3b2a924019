//! Where in a file's rows its header is, and what its columns are.

use csv::ByteRecord;

use super::header::{Field, Format, field, format, normal};
use crate::ads::money::Currency;

/// The header is among so many first rows.
pub const HEADER_WITHIN: usize = 20;
/// Most columns.
const MOST_COLUMNS: usize = 500;
/// Longest name of a column that is told, in letters.
const LONGEST_NAME: usize = 80;

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Whose export.
    pub format: Format,
    /// The header's place among the rows, from 0.
    pub header: usize,
    /// The names of all columns as they stand there.
    pub columns: Vec<String>,
    /// What each column is; nothing when it is of no use to us.
    pub fields: Vec<Option<Field>>,
    /// The currency that the header names.
    pub currency: Option<Currency>,
}

/// Why a file is none of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unrecognised {
    /// There is nothing in it.
    #[error("the file is empty")]
    Empty,
    /// It is something packed.
    #[error("this is a packed file or a workbook; export it as CSV")]
    Packed,
    /// No row looks like a header.
    #[error(
        "no header was found in the first {HEADER_WITHIN} rows: a campaign and a date column are needed, in English"
    )]
    NoHeader,
    /// The header lacks something.
    #[error("the header of this {} file has no column for {}", format.as_str(), missing.join(" and "))]
    Missing {
        /// Whose export it looks like.
        format: Format,
        /// What is missing.
        missing: Vec<&'static str>,
    },
}

impl Layout {
    /// The column of a field.
    #[must_use]
    pub fn place(&self, field: Field) -> Option<usize> {
        self.fields.iter().position(|known| *known == Some(field))
    }

    /// The name of a column; empty beyond the last.
    #[must_use]
    pub fn name(&self, column: usize) -> &str {
        self.columns.get(column).map_or("", String::as_str)
    }
}

/// What the first rows of a file say it is.
///
/// # Errors
/// What is missing, of the row that looks most like a header.
pub fn recognise(rows: &[ByteRecord]) -> Result<Layout, Unrecognised> {
    let mut best = if rows.is_empty() { Unrecognised::Empty } else { Unrecognised::NoHeader };
    for (place, row) in rows.iter().enumerate().take(HEADER_WITHIN) {
        match header(place, row) {
            Some(Ok(layout)) => return Ok(layout),
            Some(Err(missing)) if best == Unrecognised::NoHeader => best = missing,
            Some(Err(_)) | None => {}
        }
    }
    Err(best)
}

/// The layout of a row that may be a header; nothing when it is none.
fn header(place: usize, row: &ByteRecord) -> Option<Result<Layout, Unrecognised>> {
    if row.len() < 2 || row.len() > MOST_COLUMNS {
        return None;
    }
    let columns: Vec<String> = row.iter().map(shown).collect();
    let names: Vec<(String, Option<Currency>)> = columns.iter().map(|name| normal(name)).collect();
    let bare: Vec<String> = names.iter().map(|(name, _)| name.clone()).collect();
    let underscored = columns.iter().any(|name| matches!(name.trim(), "campaign_id" | "external_id" | "campaign_name"));
    let format = format(&bare, underscored)?;
    let fields = assign(format, &bare);
    let has = |field| fields.contains(&Some(field));
    let mut missing = Vec::new();
    if ![Field::CampaignId, Field::ExternalId, Field::Name].into_iter().any(has) {
        missing.push("the campaign");
    }
    if !has(Field::Date) {
        missing.push("the day (add the breakdown by day)");
    }
    if !Field::FIGURES.into_iter().any(has) {
        missing.push("any figure");
    }
    if !missing.is_empty() {
        return Some(Err(Unrecognised::Missing { format, missing }));
    }
    let spend = fields.iter().position(|field| *field == Some(Field::Spend));
    let named = |place: usize| names.get(place).and_then(|(_, currency)| *currency);
    let currency = spend.and_then(named).or_else(|| names.iter().find_map(|(_, currency)| *currency));
    Some(Ok(Layout { format, header: place, columns, fields, currency }))
}

/// The field of each column. Of several columns for one field the one whose name stands first in the table is taken.
fn assign(format: Format, names: &[String]) -> Vec<Option<Field>> {
    let found: Vec<Option<(Field, usize)>> = names.iter().map(|name| field(format, name)).collect();
    let best = |place: usize, field: Field, rank: usize| {
        let others = found.iter().enumerate().filter_map(|(other, found)| found.map(|found| (other, found)));
        others.filter(|(_, (other, _))| *other == field).map(|(other, (_, rank))| (rank, other)).min()
            == Some((rank, place))
    };
    let mut fields: Vec<Option<Field>> = found
        .iter()
        .enumerate()
        .map(|(place, found)| {
            found.filter(|(field, rank)| *field == Field::Finer || best(place, *field, *rank)).map(|(field, _)| field)
        })
        .collect();
    // The two days of a period are needed only where no column has the day itself.
    let date = fields.iter().position(|field| *field == Some(Field::Date));
    if date.and_then(|date| names.get(date)).is_none_or(|name| name != "reporting starts") {
        fields.iter_mut().filter(|field| **field == Some(Field::Ends)).for_each(|field| *field = None);
    }
    fields
}

fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).trim().chars().filter(|letter| !letter.is_control()).take(LONGEST_NAME).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    fn row(cells: &str) -> ByteRecord {
        ByteRecord::from(cells.split(',').collect::<Vec<_>>())
    }

    fn fields(header: &str) -> Vec<&'static str> {
        let layout = recognise(&[row(header)]).unwrap();
        layout.fields.iter().map(|field| field.map_or("", Field::as_str)).collect()
    }

    #[test]
    fn the_best_column_of_a_field_is_taken() {
        assert_eq!(
            fields("Campaign name,Day,Results,Purchases,Clicks (all),Link clicks,Amount spent (EUR),Reporting ends"),
            ["campaign_name", "date", "", "conversions", "", "clicks", "spend", ""]
        );
        assert_eq!(
            fields("Reporting starts,Reporting ends,Campaign name,Ad set name,Impressions"),
            ["date", "date_to", "campaign_name", "breakdown", "impressions"]
        );
        assert_eq!(fields("campaign_id,date,spend,note,spend"), ["campaign_id", "date", "spend", "", ""]);
    }

    #[test]
    fn a_header_that_lacks_something_says_what() {
        let missing = |text| recognise(&[row("Campaign report"), row(text)]).unwrap_err().to_string();
        assert_eq!(
            missing("Campaign,Impr.,Cost"),
            "the header of this google file has no column for the day (add the breakdown by day)"
        );
        assert!(missing("campaign_id,date").contains("any figure"));
        assert!(missing("Campagne,Jour,Impr.").starts_with("no header"), "another language");
        assert_eq!(recognise(&[]), Err(Unrecognised::Empty));
    }
}
