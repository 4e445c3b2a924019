//! The time that a question is about: days of a zone, or the moments before now. Periods are Plausible's.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan, Unit};

use super::wrong;
use crate::systems::Outcome;

/// Names of all periods, for messages.
const PERIODS: &str = "30m, day, 24h, 7d, 28d, 30d, 91d, month, 6mo, 12mo, year, all, custom, realtime";
/// What realtime figures are of.
pub const REALTIME: SignedDuration = SignedDuration::from_mins(5);

/// The length of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// The last five minutes.
    Realtime,
    /// The last half hour.
    HalfHour,
    /// The last 24 hours.
    Hours24,
    /// One day.
    Day,
    /// So many days up to a date.
    Days(i32),
    /// A calendar month.
    Month,
    /// So many calendar months up to that of a date.
    Months(i32),
    /// A calendar year.
    Year,
    /// Two dates.
    Custom,
    /// Since the first visit.
    All,
}

/// A stretch of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// How it was asked for.
    pub period: Period,
    /// The first moment.
    pub from: Timestamp,
    /// The first moment behind it.
    pub until: Timestamp,
    /// Its first and last day, unless it is told by the hour.
    pub days: Option<(Date, Date)>,
}

/// With what a stretch is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// As many days right before.
    Previous,
    /// The same dates a year before.
    YearBefore,
}

/// What periods are reckoned from.
#[derive(Debug, Clone)]
pub struct Now<'a> {
    /// Now.
    pub at: Timestamp,
    /// Where days begin.
    pub zone: &'a TimeZone,
    /// The day of the first visit.
    pub first_day: Option<Date>,
}

impl Period {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "realtime" => Self::Realtime,
            "30m" => Self::HalfHour,
            "24h" => Self::Hours24,
            "day" => Self::Day,
            "7d" => Self::Days(7),
            "28d" => Self::Days(28),
            "30d" => Self::Days(30),
            "91d" => Self::Days(91),
            "month" => Self::Month,
            "6mo" => Self::Months(6),
            "12mo" => Self::Months(12),
            "year" => Self::Year,
            "custom" => Self::Custom,
            "all" => Self::All,
            _ => return None,
        })
    }
}

impl Compare {
    /// Reads the parameter.
    ///
    /// # Errors
    /// 422 for another word.
    pub fn read(text: Option<&str>) -> Outcome<Option<Self>> {
        match text {
            None | Some("") => Ok(None),
            Some("previous_period") => Ok(Some(Self::Previous)),
            Some("year_over_year") => Ok(Some(Self::YearBefore)),
            Some(_) => Err(wrong("compare", "must be `previous_period` or `year_over_year`")),
        }
    }
}

impl Now<'_> {
    /// The day it is in the zone.
    #[must_use]
    pub fn today(&self) -> Date {
        self.at.to_zoned(self.zone.clone()).date()
    }

    /// The stretch that `period` and `date` ask for; the last 30 days when nothing is asked.
    ///
    /// # Errors
    /// 422 naming the parameter.
    pub fn stretch(&self, period: Option<&str>, date: Option<&str>) -> Outcome<Stretch> {
        let pair = date.is_some_and(|date| date.contains(','));
        let period = match period {
            None | Some("") if pair => Period::Custom,
            None | Some("") => Period::Days(30),
            Some(text) => Period::parse(text).ok_or_else(|| wrong("period", format!("must be one of {PERIODS}")))?,
        };
        match (period, date) {
            (Period::Realtime, _) => self.moments(period, REALTIME),
            (Period::HalfHour, _) => self.moments(period, SignedDuration::from_mins(30)),
            (Period::Hours24, _) => self.moments(period, SignedDuration::from_hours(24)),
            (Period::Custom, Some(dates)) => self.custom(dates),
            (Period::Custom, None) => {
                Err(wrong("date", "is needed with `period=custom`: two dates, such as 2026-01-01,2026-01-31"))
            }
            (period, date) => {
                let date = date.map(|date| self.date(date)).transpose()?;
                let (first, last) = self.days(period, date.unwrap_or_else(|| self.today()))?;
                self.of_days(period, first, last)
            }
        }
    }

    /// What a stretch is compared with: up to today, since the rest of it is still to come.
    ///
    /// # Errors
    /// 422 when there is nothing before.
    pub fn before(&self, stretch: &Stretch, compare: Compare) -> Outcome<Stretch> {
        let out_of_range = |_| wrong("compare", "lies before all time that can be reckoned with");
        let Some((first, last)) = stretch.days else {
            let back = match compare {
                Compare::Previous => stretch.until.duration_since(stretch.from),
                Compare::YearBefore => SignedDuration::from_hours(365 * 24),
            };
            let from = stretch.from.checked_sub(back).map_err(out_of_range)?;
            let until = stretch.until.checked_sub(back).map_err(out_of_range)?;
            return Ok(Stretch { from, until, ..stretch.clone() });
        };
        let last = last.min(self.today()).max(first);
        let (first, last) = match compare {
            Compare::YearBefore => (first.checked_sub(1.year()), last.checked_sub(1.year())),
            Compare::Previous => {
                let days = first.until((Unit::Day, last)).map_err(out_of_range)?.get_days() + 1;
                (first.checked_sub(days.days()), last.checked_sub(days.days()))
            }
        };
        self.of_days(stretch.period, first.map_err(out_of_range)?, last.map_err(out_of_range)?)
    }

    fn days(&self, period: Period, date: Date) -> Outcome<(Date, Date)> {
        let range: (Result<_, jiff::Error>, Result<_, jiff::Error>) = match period {
            Period::Days(days) => (date.checked_sub((days - 1).days()), Ok(date)),
            Period::Month => (Ok(date.first_of_month()), Ok(date.last_of_month())),
            Period::Months(months) => {
                (date.first_of_month().checked_sub((months - 1).months()), Ok(date.last_of_month()))
            }
            Period::Year => (Ok(date.first_of_year()), Ok(date.last_of_year())),
            Period::All => (Ok(self.first_day.unwrap_or(date).min(self.today())), Ok(self.today())),
            Period::Day | Period::Custom | Period::Realtime | Period::HalfHour | Period::Hours24 => {
                (Ok(date), Ok(date))
            }
        };
        match range {
            (Ok(first), Ok(last)) => Ok((first, last)),
            _ => Err(wrong("date", "is too early")),
        }
    }

    fn custom(&self, dates: &str) -> Outcome<Stretch> {
        let Some((first, last)) = dates.split_once(',') else {
            return Err(wrong("date", "must be two dates with a comma between them, such as 2026-01-01,2026-01-31"));
        };
        let (first, last) = (self.date(first)?, self.date(last)?);
        if last < first {
            return Err(wrong("date", "must begin before it ends"));
        }
        self.of_days(Period::Custom, first, last)
    }

    fn of_days(&self, period: Period, first: Date, last: Date) -> Outcome<Stretch> {
        let out_of_range = |_| wrong("date", "is out of range");
        let from = first.to_zoned(self.zone.clone()).map_err(out_of_range)?.timestamp();
        let behind = last.tomorrow().and_then(|day| day.to_zoned(self.zone.clone())).map_err(out_of_range)?;
        Ok(Stretch { period, from, until: behind.timestamp(), days: Some((first, last)) })
    }

    fn moments(&self, period: Period, length: SignedDuration) -> Outcome<Stretch> {
        let out_of_range = |_| wrong("period", "is out of range");
        let from = self.at.checked_sub(length).map_err(out_of_range)?;
        // A visit of this very millisecond belongs to it.
        let until = self.at.checked_add(SignedDuration::from_millis(1)).map_err(out_of_range)?;
        Ok(Stretch { period, from, until, days: None })
    }

    fn date(&self, text: &str) -> Outcome<Date> {
        match text.trim() {
            "today" => Ok(self.today()),
            text => {
                let date = text.parse::<Date>().ok().filter(|date| (1971..=9000).contains(&date.year()));
                date.filter(|_| text.len() == 10).ok_or_else(|| wrong("date", "must be a date such as 2026-01-31"))
            }
        }
    }
}
