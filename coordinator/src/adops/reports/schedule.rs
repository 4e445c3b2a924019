//! When reports are due, and which days they tell of.

use serde::{Deserialize, Serialize};
use trafficlab_engine::ads::day::{Day, Days};

use crate::adops::tenant::Tenant;

/// Words of the week's days, Monday first.
pub const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
/// Days to look through for the next or last one that fits; a month has at most 31.
const FAR: i32 = 40;

/// On which days a report is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Each day.
    Daily,
    /// One day of the week, 0 is Monday.
    Weekly(u8),
    /// One day of the month, 1 to 28.
    Monthly(u8),
}

impl Schedule {
    /// Its word in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::Weekly(_) => "weekly",
            Self::Monthly(_) => "monthly",
        }
    }

    fn fits(self, day: Day) -> bool {
        match self {
            Self::Daily => true,
            Self::Weekly(weekday) => day.0 - day.monday().0 == i32::from(weekday),
            Self::Monthly(number) => i16::from(day.date().day()) == i16::from(number),
        }
    }
}

/// The first due moment after `after_ns`. Where the clocks leave the hour out it is due as much later as they leave out,
/// where they repeat it the first time.
pub(super) fn next(schedule: Schedule, hour: u8, tenant: &Tenant, after_ns: u64) -> u64 {
    let today = tenant.day_at(after_ns);
    let mut moments =
        (0..=FAR).map(|days| today.plus(days)).filter(|day| schedule.fits(*day)).map(|day| at(tenant, day, hour));
    moments.find(|moment| *moment > after_ns).unwrap_or(u64::MAX)
}

/// The last due moment up to `now_ns`, when there was one in the last weeks.
pub(super) fn last(schedule: Schedule, hour: u8, tenant: &Tenant, now_ns: u64) -> Option<u64> {
    let today = tenant.day_at(now_ns);
    let mut moments =
        (0..=FAR).map(|days| today.plus(-days)).filter(|day| schedule.fits(*day)).map(|day| at(tenant, day, hour));
    moments.find(|moment| *moment <= now_ns)
}

fn at(tenant: &Tenant, day: Day, hour: u8) -> u64 {
    tenant.moment(day.date().at(i8::try_from(hour).unwrap_or(0), 0, 0, 0))
}

macro_rules! periods {
    ($($(#[$doc:meta])* $name:ident = $word:literal),* $(,)?) => {
        /// The days a report tells of: full ones, before the day it is due on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Period { $($(#[$doc])* $name),* }

        impl Period {
            /// All.
            pub const ALL: [Self; 6] = [$(Self::$name),*];

            /// Its word in the API.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),* }
            }
        }
    };
}

periods! {
    /// The day before.
    Yesterday = "yesterday",
    /// A week.
    Last7Days = "last_7_days",
    /// Thirty days.
    Last30Days = "last_30_days",
    /// Ninety days.
    Last90Days = "last_90_days",
    /// The last full week from Monday.
    LastWeek = "last_week",
    /// The last full month.
    LastMonth = "last_month",
}

impl Period {
    /// The period of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|period| period.as_str() == word)
    }

    /// Its days for a report that is due on `today`.
    #[must_use]
    pub fn days(self, today: Day) -> Days {
        let yesterday = today.plus(-1);
        let back = |days: i32| Days { first: today.plus(-days), last: yesterday };
        match self {
            Self::Yesterday => back(1),
            Self::Last7Days => back(7),
            Self::Last30Days => back(30),
            Self::Last90Days => back(90),
            Self::LastWeek => Days { first: today.monday().plus(-7), last: today.monday().plus(-1) },
            Self::LastMonth => {
                let last = today.first_of_month().plus(-1);
                Days { first: last.first_of_month(), last }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use proptest::prelude::*;
    use trafficlab_engine::ads::money::Currency;

    use super::*;

    fn tenant(timezone: &str) -> Tenant {
        let (name, timezone) = ("Acme".to_owned(), timezone.to_owned());
        Tenant { name, timezone, currency: Currency::USD, created_ns: 0, keep_personal_days: None }
    }

    fn ns(text: &str) -> u64 {
        u64::try_from(text.parse::<jiff::Timestamp>().unwrap().as_nanosecond()).unwrap()
    }

    fn text(ns: u64) -> String {
        jiff::Timestamp::from_nanosecond(ns.into()).unwrap().to_string()
    }

    /// checklist 92: due moments across the changes of Berlin's clocks.
    #[test]
    fn the_hour_is_the_tenants_also_when_clocks_change() {
        let berlin = tenant("Europe/Berlin");
        let table = [
            (8, "2024-03-30T12:00:00Z", "2024-03-31T06:00:00Z"),
            (8, "2024-03-29T12:00:00Z", "2024-03-30T07:00:00Z"),
            // 02:00 is left out on that day; it is due at 03:00 summer time.
            (2, "2024-03-30T12:00:00Z", "2024-03-31T01:00:00Z"),
            // 02:00 comes twice; it is due the first time, and once.
            (2, "2024-10-26T12:00:00Z", "2024-10-27T00:00:00Z"),
            (2, "2024-10-27T00:00:00Z", "2024-10-28T01:00:00Z"),
        ];
        for (hour, after, due) in table {
            assert_eq!(text(next(Schedule::Daily, hour, &berlin, ns(after))), due, "{hour} {after}");
        }
    }

    #[test]
    fn weeks_and_months() {
        let utc = tenant("UTC");
        let due = |schedule, after| text(next(schedule, 0, &utc, ns(after)));
        assert_eq!(due(Schedule::Weekly(0), "2024-06-10T00:00:00Z"), "2024-06-17T00:00:00Z");
        assert_eq!(due(Schedule::Weekly(6), "2024-06-10T00:00:00Z"), "2024-06-16T00:00:00Z");
        assert_eq!(due(Schedule::Monthly(28), "2024-02-28T00:00:00Z"), "2024-03-28T00:00:00Z");
        let missed = last(Schedule::Weekly(0), 9, &utc, ns("2024-06-10T08:59:59Z"));
        assert_eq!(missed.map(text).as_deref(), Some("2024-06-03T09:00:00Z"));
    }

    #[test]
    fn periods_are_full_days() {
        let days = |period: Period, today| {
            let days = period.days(Day::parse(today).unwrap());
            format!("{} {}", days.first, days.last)
        };
        assert_eq!(days(Period::Yesterday, "2024-03-01"), "2024-02-29 2024-02-29");
        assert_eq!(days(Period::Last7Days, "2024-03-01"), "2024-02-23 2024-02-29");
        assert_eq!(days(Period::LastWeek, "2024-06-16"), "2024-06-03 2024-06-09");
        assert_eq!(days(Period::LastMonth, "2024-03-31"), "2024-02-01 2024-02-29");
    }

    proptest! {
        #[test]
        fn each_due_moment_is_the_last_until_the_next(
            zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "Pacific/Chatham", "America/New_York"]),
            hour in 0..24_u8,
            after in 1_600_000_000_u64..1_900_000_000,
            schedule in prop_oneof![
                Just(Schedule::Daily), (0..7_u8).prop_map(Schedule::Weekly), (1..29_u8).prop_map(Schedule::Monthly)
            ],
        ) {
            let (tenant, after) = (tenant(zone), after * 1_000_000_000);
            let due = next(schedule, hour, &tenant, after);
            prop_assert!(due > after && due - after < 32 * 86_400 * 1_000_000_000);
            prop_assert_eq!(last(schedule, hour, &tenant, due), Some(due));
            prop_assert_eq!(last(schedule, hour, &tenant, next(schedule, hour, &tenant, due) - 1), Some(due));
            prop_assert!(last(schedule, hour, &tenant, after).is_none_or(|before| before <= after));
        }
    }
}
