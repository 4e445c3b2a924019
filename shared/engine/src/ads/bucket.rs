//! Days by day, week and month.

use super::day::{Day, Days};

/// How long the parts of a time series are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Granularity {
    /// Days.
    Daily,
    /// Weeks from Monday to Sunday (ISO 8601).
    Weekly,
    /// Calendar months.
    Monthly,
}

impl Granularity {
    /// All.
    pub const ALL: [Self; 3] = [Self::Daily, Self::Weekly, Self::Monthly];

    /// Its word in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
        }
    }

    /// The one of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }

    /// The day that names the bucket `day` lies in: itself, its Monday, the first of its month.
    #[must_use]
    pub fn label(self, day: Day) -> Day {
        match self {
            Self::Daily => day,
            Self::Weekly => day.monday(),
            Self::Monthly => day.first_of_month(),
        }
    }

    /// The last day of the bucket that `day` lies in.
    #[must_use]
    pub fn last(self, day: Day) -> Day {
        match self {
            Self::Daily => day,
            Self::Weekly => day.monday().plus(6),
            Self::Monthly => day.last_of_month(),
        }
    }
}

/// `days` cut into buckets, in order. The first and the last hold only what lies in `days`; their names
/// ([`Granularity::label`]) may lie before it.
#[must_use]
pub fn buckets(granularity: Granularity, days: Days) -> Vec<Days> {
    let mut buckets = Vec::new();
    let mut first = days.first;
    while first <= days.last {
        let last = granularity.last(first).clamp(first, days.last);
        buckets.push(Days { first, last });
        if last == days.last {
            break;
        }
        first = last.plus(1);
    }
    buckets
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use proptest::prelude::*;

    fn days(first: &str, last: &str) -> Days {
        Days { first: Day::parse(first).unwrap(), last: Day::parse(last).unwrap() }
    }

    #[test]
    fn weeks_and_months_are_cut_at_the_edges() {
        let range = days("2024-02-27", "2024-03-05");
        assert_eq!(
            buckets(Granularity::Weekly, range),
            [days("2024-02-27", "2024-03-03"), days("2024-03-04", "2024-03-05")]
        );
        assert_eq!(
            buckets(Granularity::Monthly, range),
            [days("2024-02-27", "2024-02-29"), days("2024-03-01", "2024-03-05")]
        );
        assert_eq!(Granularity::Weekly.label(range.first).to_string(), "2024-02-26");
        assert_eq!(Granularity::Monthly.label(range.first).to_string(), "2024-02-01");
        assert_eq!(buckets(Granularity::Daily, days("2024-03-02", "2024-03-01")), []);
    }

    #[test]
    fn words_are_read_strictly() {
        for granularity in Granularity::ALL {
            assert_eq!(Granularity::parse(granularity.as_str()), Some(granularity));
        }
        assert_eq!((Granularity::parse("Daily"), Granularity::parse("")), (None, None));
    }

    proptest! {
        #[test]
        fn every_day_lies_in_exactly_one_bucket_of_its_name(first in 0..40_000_i32, len in 0..800_i32) {
            let range = Days { first: Day(first), last: Day(first).plus(len - 1) };
            for granularity in Granularity::ALL {
                let found = buckets(granularity, range);
                let all: Vec<Day> = found.iter().flat_map(|bucket| bucket.each()).collect();
                prop_assert_eq!(all, range.each().collect::<Vec<_>>());
                for bucket in &found {
                    let name = granularity.label(bucket.first);
                    prop_assert!(bucket.each().all(|day| granularity.label(day) == name));
                }
                let mut names: Vec<Day> = found.iter().map(|bucket| granularity.label(bucket.first)).collect();
                let count = names.len();
                names.dedup();
                prop_assert_eq!(names.len(), count, "no two buckets share a name");
            }
        }
    }
}
