//! How a file writes its days and fractions, decided over all of its rows.

use csv::ByteRecord;

use super::date::{self, DateOrder, Hint};
use super::header::Field;
use super::layout::Layout;
use super::number::{self, Decimal};
use super::rows::text;

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Which number of `1/2/2024` is the month.
    pub dates: DateOrder,
    /// The sign before the fraction.
    pub decimal: Decimal,
}

/// Why nothing could be decided. Lines count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unclear {
    /// All dates can be read in both ways.
    #[error(
        "the dates of this file can be read in two ways (line {0}); say which with `date_format=mdy` or `date_format=dmy`"
    )]
    Dates(u64),
    /// Some have the month first and some the day.
    #[error("the month comes first in line {0} and the day first in line {1}")]
    MixedDates(u64, u64),
    /// Some fractions come after a point and some after a comma.
    #[error(
        "a fraction comes after a point in line {0} and after a comma in line {1}; say which with `decimal=point` or `decimal=comma`"
    )]
    MixedDecimals(u64, u64),
}

/// What the rows tell; each is the line that told it first.
#[derive(Debug, Clone, Copy, Default)]
pub struct Evidence {
    month_first: Option<u64>,
    day_first: Option<u64>,
    either: Option<u64>,
    point: Option<u64>,
    comma: Option<u64>,
}

impl Evidence {
    /// Looks at a row with figures.
    pub fn see(&mut self, layout: &Layout, row: &ByteRecord, line: u64) {
        for (field, cell) in layout.fields.iter().zip(row) {
            let (Some(field), Some(cell)) = (field, text(cell)) else { continue };
            let seen = match field {
                Field::Date | Field::Ends => match date::hint(cell) {
                    Hint::Only(DateOrder::MonthFirst) => &mut self.month_first,
                    Hint::Only(DateOrder::DayFirst) => &mut self.day_first,
                    Hint::Either => &mut self.either,
                    Hint::None => continue,
                },
                field if Field::FIGURES.contains(field) => match number::hint(cell) {
                    Some(Decimal::Point) => &mut self.point,
                    Some(Decimal::Comma) => &mut self.comma,
                    None => continue,
                },
                _ => continue,
            };
            seen.get_or_insert(line);
        }
    }

    /// Decides; what the sender says goes before what the rows tell. Without any fraction in the file the separator of its
    /// cells decides: where it is a semicolon the comma is before fractions.
    ///
    /// # Errors
    /// When the rows tell both, or leave the dates open.
    pub fn settle(self, dates: Option<DateOrder>, decimal: Option<Decimal>, separator: u8) -> Result<Style, Unclear> {
        let dates = match (dates, self.month_first, self.day_first, self.either) {
            (Some(told), ..) => told,
            (None, Some(one), Some(other), _) => return Err(Unclear::MixedDates(one, other)),
            (None, None, None, Some(line)) => return Err(Unclear::Dates(line)),
            (None, None, Some(_), _) => DateOrder::DayFirst,
            (None, _, None, _) => DateOrder::MonthFirst,
        };
        let decimal = match (decimal, self.point, self.comma) {
            (Some(told), ..) => told,
            (None, Some(one), Some(other)) => return Err(Unclear::MixedDecimals(one, other)),
            (None, Some(_), None) => Decimal::Point,
            (None, None, Some(_)) => Decimal::Comma,
            (None, None, None) if separator == b';' => Decimal::Comma,
            (None, None, None) => Decimal::Point,
        };
        Ok(Style { dates, decimal })
    }
}
