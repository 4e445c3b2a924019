//! Periods and intervals as calendars and clocks have them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "test code")]

use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::interval::{Bucket, Interval};
use super::period::{Compare, Now, Stretch};

const NOW: &str = "2026-11-18T10:20:30Z";

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

fn now(zone: &TimeZone) -> Now<'_> {
    Now { at: NOW.parse().unwrap(), zone, first_day: Some(date(2026, 2, 3)) }
}

fn shown(stretch: &Stretch) -> String {
    format!("{} {}", stretch.from, stretch.until)
}

#[test]
fn periods_are_days_of_the_zone() {
    let berlin = zone("Europe/Berlin");
    let table = [
        ("day", None, "2026-11-17T23:00:00Z 2026-11-18T23:00:00Z"),
        ("day", Some("2026-03-29"), "2026-03-28T23:00:00Z 2026-03-29T22:00:00Z"),
        ("7d", None, "2026-11-11T23:00:00Z 2026-11-18T23:00:00Z"),
        ("30d", Some("today"), "2026-10-19T22:00:00Z 2026-11-18T23:00:00Z"),
        ("month", None, "2026-10-31T23:00:00Z 2026-11-30T23:00:00Z"),
        ("6mo", None, "2026-05-31T22:00:00Z 2026-11-30T23:00:00Z"),
        ("12mo", Some("2024-02-29"), "2023-02-28T23:00:00Z 2024-02-29T23:00:00Z"),
        ("year", None, "2025-12-31T23:00:00Z 2026-12-31T23:00:00Z"),
        ("all", None, "2026-02-02T23:00:00Z 2026-11-18T23:00:00Z"),
        ("custom", Some("2026-01-01, 2026-01-02"), "2025-12-31T23:00:00Z 2026-01-02T23:00:00Z"),
        ("24h", None, "2026-11-17T10:20:30Z 2026-11-18T10:20:30.001Z"),
        ("30m", None, "2026-11-18T09:50:30Z 2026-11-18T10:20:30.001Z"),
        ("realtime", None, "2026-11-18T10:15:30Z 2026-11-18T10:20:30.001Z"),
    ];
    for (period, date, expected) in table {
        assert_eq!(shown(&now(&berlin).stretch(Some(period), date).unwrap()), expected, "{period} {date:?}");
    }
    let pair = now(&berlin).stretch(None, Some("2026-01-01,2026-01-02")).unwrap();
    assert_eq!(pair.days, Some((date(2026, 1, 1), date(2026, 1, 2))));
    assert_eq!(now(&berlin).stretch(None, None).unwrap(), now(&berlin).stretch(Some("30d"), None).unwrap());
}

#[test]
fn what_is_no_time_is_refused_with_its_parameter() {
    let utc = TimeZone::UTC;
    let table = [
        (Some("week"), None, "period"),
        (Some("custom"), None, "date"),
        (Some("custom"), Some("2026-01-01"), "date"),
        (Some("custom"), Some("2026-01-02,2026-01-01"), "date"),
        (Some("day"), Some("2026-02-30"), "date"),
        (Some("day"), Some("20260201"), "date"),
        (Some("day"), Some("0001-01-01"), "date"),
        (Some("day"), Some("'; drop"), "date"),
        (None, Some("2026-01-01,2026-01-02,2026-01-03"), "date"),
    ];
    for (period, date, field) in table {
        let fault = now(&utc).stretch(period, date).unwrap_err();
        assert_eq!(fault.details[0].field, field, "{period:?} {date:?}");
        assert_eq!(fault.code, crate::systems::Code::Unprocessable);
    }
}

#[test]
fn what_came_before_has_as_many_days() {
    let utc = TimeZone::UTC;
    let before = |period, date, compare| {
        let now = now(&utc);
        now.before(&now.stretch(Some(period), date).unwrap(), compare).unwrap().days
    };
    assert_eq!(before("7d", None, Compare::Previous), Some((date(2026, 11, 5), date(2026, 11, 11))));
    // Of a month that is not over only the days so far are compared.
    assert_eq!(before("month", None, Compare::Previous), Some((date(2026, 10, 14), date(2026, 10, 31))));
    assert_eq!(before("month", Some("2026-10-01"), Compare::YearBefore), Some((date(2025, 10, 1), date(2025, 10, 31))));
    assert_eq!(before("day", Some("2024-02-29"), Compare::YearBefore), Some((date(2023, 2, 28), date(2023, 2, 28))));
    let hours = now(&utc).stretch(Some("24h"), None).unwrap();
    let hours = now(&utc).before(&hours, Compare::Previous).unwrap();
    assert_eq!(shown(&hours), "2026-11-16T10:20:29.999Z 2026-11-17T10:20:30Z");
}

fn split(period: &str, date: &str, interval: Interval, zone: &TimeZone) -> Vec<Bucket> {
    let stretch = now(zone).stretch(Some(period), Some(date)).unwrap();
    interval.buckets(&stretch, zone).unwrap()
}

#[test]
fn hours_follow_the_clock_on_the_wall() {
    let berlin = zone("Europe/Berlin");
    let spring = split("day", "2026-03-29", Interval::Hour, &berlin);
    assert_eq!(spring.len(), 23);
    assert_eq!((spring[1].label.as_str(), spring[2].label.as_str()), ("2026-03-29 01:00:00", "2026-03-29 03:00:00"));
    let autumn = split("day", "2026-10-25", Interval::Hour, &berlin);
    assert_eq!(autumn.len(), 25);
    assert_eq!((autumn[2].label.as_str(), autumn[3].label.as_str()), ("2026-10-25 02:00:00", "2026-10-25 02:00:00"));
    assert_eq!(autumn[3].start.to_string(), "2026-10-25T01:00:00Z");
    // Clocks of the Chatham Islands go forward at 02:45 and back at 03:45, 12:45 or 13:45 ahead of UTC.
    let chatham = zone("Pacific/Chatham");
    let spring = split("day", "2026-09-27", Interval::Hour, &chatham);
    let labels: Vec<&str> = spring.iter().map(|bucket| &bucket.label[11..16]).collect();
    assert_eq!(labels[..5], ["00:00", "01:00", "02:00", "03:00", "04:00"]);
    assert_eq!(spring[2].start.to_string(), "2026-09-26T13:15:00Z");
    assert_eq!(spring[3].start.to_string(), "2026-09-26T14:00:00Z");
    assert_eq!(spring[4].start.to_string(), "2026-09-26T14:15:00Z");
    let autumn = split("day", "2026-04-05", Interval::Hour, &chatham);
    let labels: Vec<&str> = autumn.iter().map(|bucket| &bucket.label[11..16]).collect();
    assert_eq!(labels[1..7], ["01:00", "02:00", "03:00", "02:00", "03:00", "04:00"]);
}

#[test]
fn weeks_begin_on_monday_and_months_on_the_first() {
    let utc = TimeZone::UTC;
    let labels = |buckets: Vec<Bucket>| buckets.into_iter().map(|bucket| bucket.label).collect::<Vec<_>>();
    // The first of November 2026 is a Sunday.
    let weeks = labels(split("custom", "2026-11-01,2026-11-16", Interval::Week, &utc));
    assert_eq!(weeks, ["2026-11-01", "2026-11-02", "2026-11-09", "2026-11-16"]);
    let months = labels(split("custom", "2026-10-15,2026-12-01", Interval::Month, &utc));
    assert_eq!(months, ["2026-10-01", "2026-11-01", "2026-12-01"]);
    assert_eq!(split("7d", "2026-11-18", Interval::Minute, &utc).len(), 7 * 24 * 60);
    let year = now(&utc).stretch(Some("year"), None).unwrap();
    assert_eq!(Interval::Minute.buckets(&year, &utc).unwrap_err().details[0].field, "interval");
}

#[test]
fn a_period_has_its_own_interval() {
    let utc = TimeZone::UTC;
    let default = |period| Interval::read(None, &now(&utc).stretch(Some(period), None).unwrap()).unwrap();
    assert_eq!([default("day"), default("24h")], [Interval::Hour; 2]);
    assert_eq!([default("7d"), default("91d"), default("month")], [Interval::Day; 3]);
    assert_eq!([default("6mo"), default("year"), default("all")], [Interval::Month; 3]);
    assert_eq!(default("realtime"), Interval::Minute);
    let day = now(&utc).stretch(Some("day"), None).unwrap();
    assert_eq!(Interval::read(Some("date"), &day).unwrap(), Interval::Day);
    assert!(Interval::read(Some("fortnight"), &day).is_err());
}

proptest! {
    /// Whatever the zone and the days: intervals begin with the stretch, ascend, and cover it.
    #[test]
    fn intervals_cover_the_stretch(
        name in prop::sample::select(vec!["UTC", "Europe/Berlin", "Pacific/Chatham", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia"]),
        day in 0_i64..25_000,
        days in 0_i64..400,
        interval in prop::sample::select(vec![Interval::Hour, Interval::Day, Interval::Week, Interval::Month]),
    ) {
        let zone = zone(name);
        let date = |day: i64| Timestamp::from_second((day + 400) * 86_400).unwrap().to_zoned(TimeZone::UTC).date();
        let pair = format!("{},{}", date(day), date(day + days));
        let stretch = now(&zone).stretch(None, Some(&pair)).unwrap();
        let buckets = interval.buckets(&stretch, &zone).unwrap();
        prop_assert_eq!(buckets[0].start, stretch.from);
        prop_assert!(buckets.windows(2).all(|pair| pair[0].start < pair[1].start));
        prop_assert!(buckets.last().unwrap().start < stretch.until);
        if interval == Interval::Day {
            // Apia had no 30 December 2011: that day is empty and takes no place.
            let gone = i64::from(name == "Pacific/Apia");
            let found = i64::try_from(buckets.len()).unwrap();
            prop_assert!((days + 1 - gone..=days + 1).contains(&found), "{} days, {} intervals", days + 1, found);
        }
    }
}
