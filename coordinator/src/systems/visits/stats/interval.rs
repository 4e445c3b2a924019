//! Splitting a stretch of time into minutes, hours, days, weeks or months of a zone. Where clocks change, hours are what a
//! clock on the wall shows: the doubled hour is two intervals, the left-out one is none.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan, Unit};

use super::period::{Period, Stretch};
use super::wrong;
use crate::systems::Outcome;

/// Intervals of one answer at the most: a week of minutes.
const MOST: usize = 10_080;

/// The length of intervals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interval {
    /// Minutes.
    Minute,
    /// Hours.
    Hour,
    /// Days.
    Day,
    /// Weeks from Monday on; the first one may be shorter.
    Week,
    /// Calendar months; the first one may be shorter.
    Month,
}

/// One interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Its first moment.
    pub start: Timestamp,
    /// What Plausible calls it: a date, or a date and a time of the zone.
    pub label: String,
}

impl Interval {
    /// Reads the parameter, or takes the period's own as Plausible does.
    ///
    /// # Errors
    /// 422 for another word.
    pub fn read(text: Option<&str>, stretch: &Stretch) -> Outcome<Self> {
        Ok(match text {
            None | Some("") => Self::default_of(stretch),
            Some("minute") => Self::Minute,
            Some("hour") => Self::Hour,
            Some("date" | "day") => Self::Day,
            Some("week") => Self::Week,
            Some("month") => Self::Month,
            Some(_) => return Err(wrong("interval", "must be one of minute, hour, date, week, month")),
        })
    }

    fn default_of(stretch: &Stretch) -> Self {
        match stretch.period {
            Period::Realtime | Period::HalfHour => Self::Minute,
            Period::Day | Period::Hours24 => Self::Hour,
            Period::Days(_) | Period::Month | Period::Custom => Self::Day,
            Period::Months(_) | Period::Year => Self::Month,
            Period::All => match stretch.days {
                Some((first, last)) if first == last => Self::Hour,
                Some((first, last)) if first.until((Unit::Month, last)).is_ok_and(|span| span.get_months() > 0) => {
                    Self::Month
                }
                _ => Self::Day,
            },
        }
    }

    /// The intervals of a stretch, all of them.
    ///
    /// # Errors
    /// 422 when there are too many.
    pub fn buckets(self, stretch: &Stretch, zone: &TimeZone) -> Outcome<Vec<Bucket>> {
        let mut buckets = Vec::new();
        let mut start = stretch.from;
        while start < stretch.until {
            if buckets.len() >= MOST {
                return Err(wrong("interval", format!("is too short: the time would have more than {MOST} of them")));
            }
            buckets.push(Bucket { start, label: self.label(start, zone) });
            start = self.next(start, zone).filter(|next| *next > start).unwrap_or(stretch.until);
        }
        Ok(buckets)
    }

    pub(super) fn label(self, start: Timestamp, zone: &TimeZone) -> String {
        let local = start.to_zoned(zone.clone()).datetime();
        match self {
            Self::Minute => local.strftime("%Y-%m-%d %H:%M:00").to_string(),
            Self::Hour => local.strftime("%Y-%m-%d %H:00:00").to_string(),
            Self::Day | Self::Week => local.date().to_string(),
            Self::Month => local.date().first_of_month().to_string(),
        }
    }

    /// The first moment of the next interval.
    fn next(self, start: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let day = |date: Date| Some(date.to_zoned(zone.clone()).ok()?.timestamp());
        let today = || start.to_zoned(zone.clone()).date();
        match self {
            Self::Minute => start
                .checked_add(SignedDuration::from_secs(60 - start.as_second().rem_euclid(60)))
                .ok()
                .map(whole_second),
            Self::Hour => {
                let local = start.to_zoned(zone.clone());
                let passed = i64::from(local.minute()) * 60 + i64::from(local.second());
                let full = whole_second(start.checked_add(SignedDuration::from_secs(3600 - passed)).ok()?);
                // Where clocks change within the hour, another hour of the wall clock begins right there.
                let change = zone.following(start).next().map(|change| change.timestamp());
                Some(change.filter(|change| *change > start).map_or(full, |change| change.min(full)))
            }
            Self::Day => day(today().tomorrow().ok()?),
            Self::Week => day(today().nth_weekday(1, Weekday::Monday).ok()?),
            Self::Month => day(today().first_of_month().checked_add(1.month()).ok()?),
        }
    }
}

fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}
