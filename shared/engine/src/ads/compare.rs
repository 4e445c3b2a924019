//! A period beside an earlier one.

use jiff::ToSpan;

use super::day::{Day, Days};
use super::figures::Figures;
use super::ratio::change_percent;

/// Which earlier period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Earlier {
    /// As many days, ending the day before.
    Period,
    /// The same dates a year before; 29 February has 28 February for it.
    Year,
}

impl Earlier {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Period, Self::Year];

    /// Its word in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Period => "previous_period",
            Self::Year => "previous_year",
        }
    }

    /// The one of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }

    /// The days that `days` are compared with.
    #[must_use]
    pub fn of(self, days: Days) -> Days {
        match self {
            Self::Period => {
                let length = i32::try_from(days.len()).unwrap_or(i32::MAX);
                Days { first: days.first.plus(-length), last: days.first.plus(-1) }
            }
            Self::Year => Days { first: a_year_before(days.first), last: a_year_before(days.last) },
        }
    }
}

/// The same date a year before, the last of its month when that has fewer days.
fn a_year_before(day: Day) -> Day {
    let date = day.date();
    Day::of(date.checked_sub(1.year()).unwrap_or(date))
}

/// Relative changes in percent with one digit; nothing when the earlier value is 0 or missing, or there is no later one.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Changes {
    /// Of the money spent.
    pub spend: Option<f64>,
    /// Of the revenue.
    pub revenue: Option<f64>,
    /// Of the impressions.
    pub impressions: Option<f64>,
    /// Of the clicks.
    pub clicks: Option<f64>,
    /// Of the conversions.
    pub conversions: Option<f64>,
    /// Of revenue for a unit of money.
    pub roas: Option<f64>,
    /// Of clicks an impression.
    pub ctr: Option<f64>,
    /// Of money a click.
    pub cpc: Option<f64>,
    /// Of money an impression.
    pub cpm: Option<f64>,
    /// Of money a conversion.
    pub cpa: Option<f64>,
}

impl Changes {
    /// From `before` to `now`, both in the same currency. Ratios are compared as exact fractions, not as they are shown.
    #[must_use]
    pub fn of(now: &Figures, before: &Figures) -> Self {
        let count = |of: fn(&Figures) -> u64| change_percent(of(now).into(), of(before).into());
        let ratio = |above: fn(&Figures) -> u64, below: fn(&Figures) -> u64| {
            fraction_change((above(now), below(now)), (above(before), below(before)))
        };
        Self {
            spend: count(|figures| figures.spend),
            revenue: count(|figures| figures.revenue),
            impressions: count(|figures| figures.impressions),
            clicks: count(|figures| figures.clicks),
            conversions: count(|figures| figures.conversions_milli),
            roas: ratio(|figures| figures.revenue, |figures| figures.spend),
            ctr: ratio(|figures| figures.clicks, |figures| figures.impressions),
            cpc: ratio(|figures| figures.spend, |figures| figures.clicks),
            cpm: ratio(|figures| figures.spend, |figures| figures.impressions),
            cpa: ratio(|figures| figures.spend, |figures| figures.conversions_milli),
        }
    }
}

/// The change between two fractions; nothing when either has no value or the earlier one is 0.
fn fraction_change(now: (u64, u64), before: (u64, u64)) -> Option<f64> {
    if now.1 == 0 || before.1 == 0 {
        return None;
    }
    change_percent(u128::from(now.0) * u128::from(before.1), u128::from(before.0) * u128::from(now.1))
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
    fn earlier_periods() {
        assert_eq!(Earlier::Period.of(days("2024-07-01", "2024-07-31")), days("2024-05-31", "2024-06-30"));
        assert_eq!(Earlier::Period.of(days("2024-08-15", "2024-08-15")), days("2024-08-14", "2024-08-14"));
        assert_eq!(Earlier::Year.of(days("2024-02-29", "2024-03-02")), days("2023-02-28", "2023-03-02"));
        assert_eq!(Earlier::Year.of(days("2025-02-01", "2025-02-28")), days("2024-02-01", "2024-02-28"));
    }

    #[test]
    fn ratios_without_a_value_have_no_change() {
        let spent = Figures { spend: 100, revenue: 200, ..Figures::default() };
        let earned_nothing = Figures { spend: 100, ..Figures::default() };
        let changes = Changes::of(&spent, &spent);
        assert_eq!((changes.roas, changes.spend, changes.clicks, changes.cpc), (Some(0.0), Some(0.0), None, None));
        assert_eq!(Changes::of(&spent, &Figures::default()), Changes::default());
        assert_eq!(Changes::of(&spent, &earned_nothing).roas, None, "the earlier ratio is 0");
        assert_eq!(Changes::of(&earned_nothing, &spent).roas, Some(-100.0));
        let stopped = Changes::of(&Figures::default(), &spent);
        assert_eq!((stopped.spend, stopped.roas), (Some(-100.0), None));
    }

    proptest! {
        #[test]
        fn the_earlier_period_is_as_long_and_ends_the_day_before(first in 0..40_000_i32, len in 1..732_i32) {
            let range = Days { first: Day(first), last: Day(first + len - 1) };
            let earlier = Earlier::Period.of(range);
            prop_assert_eq!((earlier.len(), earlier.last.plus(1)), (range.len(), range.first));
            let year = Earlier::Year.of(range);
            prop_assert!(year.first <= year.last && (365..=366).contains(&(range.first.0 - year.first.0)));
        }

        #[test]
        fn a_ratios_change_is_that_of_exact_fractions(
            now in (0..1_000_000_u64, 1..1_000_000_u64), before in (1..1_000_000_u64, 1..1_000_000_u64),
        ) {
            let money = |(revenue, spend)| Figures { spend, revenue, ..Figures::default() };
            let shown = Changes::of(&money(now), &money(before)).roas.unwrap();
            let (above, below) = (i128::from(now.0) * i128::from(before.1), i128::from(before.0) * i128::from(now.1));
            // Rounded half away from zero, in tenths of a percent.
            let naive = ((above - below).abs() * 2000 + below) / (below * 2);
            prop_assert_eq!(format!("{:.1}", shown.abs()).replace('.', "").parse::<i128>().unwrap(), naive);
            prop_assert_eq!(shown < 0.0, above < below && naive > 0);
        }
    }
}
