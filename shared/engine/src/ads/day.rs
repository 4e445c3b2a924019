//! Civil days, counted since 1970-01-01, without a time zone: a campaign's day is the day of its tenant.

use std::fmt;

use jiff::Span;
use jiff::civil::{Date, Weekday};
use serde::{Deserialize, Serialize};

/// A day of the Gregorian calendar, as the number of days since 1970-01-01. From 1970-01-01 to 9999-12-31 when parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Day(pub i32);

const EPOCH: Date = jiff::civil::date(1970, 1, 1);

impl Day {
    /// Reads `YYYY-MM-DD`, and nothing else: a day that is not in the calendar is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let number = |range: std::ops::Range<usize>| {
            let digits = bytes.get(range)?;
            digits
                .iter()
                .all(u8::is_ascii_digit)
                .then(|| digits.iter().fold(0, |sum, d| sum * 10 + i16::from(d - b'0')))
        };
        if bytes.len() != 10 || bytes.get(4) != Some(&b'-') || bytes.get(7) != Some(&b'-') {
            return None;
        }
        let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
        let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
        (year >= 1970).then(|| Self::of(date))
    }

    /// The day of a date.
    #[must_use]
    pub fn of(date: Date) -> Self {
        Self(date.since(EPOCH).map_or(0, |span| span.get_days()))
    }

    /// The date; the nearest one that there is when the number is beyond the calendar.
    #[must_use]
    pub fn date(self) -> Date {
        let edge = if self.0 < 0 { Date::MIN } else { Date::MAX };
        let days = Span::new().try_days(self.0);
        days.and_then(|days| EPOCH.checked_add(days)).unwrap_or(edge)
    }

    /// `days` later, or earlier when negative.
    #[must_use]
    pub const fn plus(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// The Monday of its week (ISO 8601).
    #[must_use]
    pub fn monday(self) -> Self {
        self.plus(-i32::from(self.date().weekday().since(Weekday::Monday)))
    }

    /// The first day of its month.
    #[must_use]
    pub fn first_of_month(self) -> Self {
        Self::of(self.date().first_of_month())
    }

    /// The last day of its month.
    #[must_use]
    pub fn last_of_month(self) -> Self {
        Self::of(self.date().last_of_month())
    }
}

impl fmt::Display for Day {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = self.date();
        write!(to, "{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
    }
}

/// Days from `first` to `last`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Days {
    /// The first.
    pub first: Day,
    /// The last; before `first` when there is none.
    pub last: Day,
}

impl Days {
    /// How many.
    #[must_use]
    pub fn len(self) -> u32 {
        u32::try_from(i64::from(self.last.0) - i64::from(self.first.0) + 1).unwrap_or(0)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.last < self.first
    }

    /// Whether `day` is one of them.
    #[must_use]
    pub fn contains(self, day: Day) -> bool {
        (self.first..=self.last).contains(&day)
    }

    /// Each of them.
    pub fn each(self) -> impl DoubleEndedIterator<Item = Day> {
        (self.first.0..=self.last.0).map(Day)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn days_are_read_strictly() {
        assert_eq!(Day::parse("1970-01-01"), Some(Day(0)));
        assert_eq!(Day::parse("2024-02-29").unwrap().to_string(), "2024-02-29");
        for wrong in ["2023-02-29", "2024-13-01", "2024-1-01", "24-01-01", "2024-01-01T00", "1969-12-31", "+024-01-01"]
        {
            assert_eq!(Day::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn weeks_begin_on_monday() {
        let day = |text| Day::parse(text).unwrap();
        assert_eq!(day("2024-06-09").monday(), day("2024-06-03"));
        assert_eq!(day("2024-06-10").monday(), day("2024-06-10"));
        assert_eq!(
            (day("2024-02-10").first_of_month(), day("2024-02-10").last_of_month()),
            (day("2024-02-01"), day("2024-02-29"))
        );
    }

    proptest! {
        #[test]
        fn a_day_comes_back(number in 0..2_932_896_i32) {
            prop_assert_eq!(Day::parse(&Day(number).to_string()), Some(Day(number)));
        }

        #[test]
        fn no_number_is_too_large(number in any::<i32>()) {
            prop_assert!(!Day(number).to_string().is_empty());
        }
    }
}
