//! Cohorts of new campaigns: those whose first figures lie in the same week or month, and what they did since.

use std::collections::BTreeMap;

use super::bucket::{Granularity, buckets};
use super::day::{Day, Days};
use super::exchange::Purse;
use super::figures::Figures;
use super::money::Currency;

/// Campaigns that began together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cohort {
    /// How many.
    pub campaigns: u64,
    /// Their figures by interval since the one they began in, which is the first.
    pub intervals: Vec<Purse>,
}

/// Cohorts by the day that names their interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cohorts {
    granularity: Granularity,
    days: Days,
    cohorts: BTreeMap<Day, Cohort>,
}

impl Cohorts {
    /// No cohorts yet, of campaigns that began in `days`; their figures count until its last day.
    #[must_use]
    pub const fn new(granularity: Granularity, days: Days) -> Self {
        Self { granularity, days, cohorts: BTreeMap::new() }
    }

    /// Adds a campaign whose first figures are of day `began`. `sum` gives its figures of a range of days.
    pub fn add(&mut self, began: Day, currency: Currency, sum: impl Fn(Days) -> Figures) {
        if !self.days.contains(began) {
            return;
        }
        let cohort = self.cohorts.entry(self.granularity.label(began)).or_default();
        cohort.campaigns += 1;
        let since = buckets(self.granularity, Days { first: began, last: self.days.last });
        cohort.intervals.resize(since.len().max(cohort.intervals.len()), Purse::default());
        for (interval, days) in cohort.intervals.iter_mut().zip(since) {
            interval.add(currency, sum(days));
        }
    }

    /// The cohorts in order, by the day that names each.
    #[must_use]
    pub fn finish(self) -> BTreeMap<Day, Cohort> {
        self.cohorts
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use super::super::exchange::Exchange;
    use super::*;
    use proptest::prelude::*;

    fn spend(purse: &Purse) -> u64 {
        purse.settle(&Exchange::default(), Currency::USD).total.spend
    }

    #[test]
    fn campaigns_of_a_week_are_counted_together() {
        let day = |text| Day::parse(text).unwrap();
        let mut cohorts = Cohorts::new(Granularity::Weekly, Days { first: day("2024-06-03"), last: day("2024-06-18") });
        // Each spends 1 a day from its first day on.
        for began in ["2024-06-03", "2024-06-09", "2024-06-12", "2024-06-02"] {
            let began = day(began);
            let sum = |days: Days| Figures {
                spend: days.each().filter(|day| *day >= began).count() as u64,
                ..Figures::default()
            };
            cohorts.add(began, Currency::USD, sum);
        }
        let found = cohorts.finish();
        let shown: Vec<_> = found
            .iter()
            .map(|(name, cohort)| {
                (name.to_string(), cohort.campaigns, cohort.intervals.iter().map(spend).collect::<Vec<_>>())
            })
            .collect();
        assert_eq!(shown, [("2024-06-03".into(), 2, vec![7 + 1, 14, 4]), ("2024-06-10".into(), 1, vec![5, 2])]);
    }

    proptest! {
        #[test]
        fn every_figure_of_a_cohorts_campaigns_is_counted_once(began in prop::collection::vec(0..200_i32, 0..20), monthly: bool) {
            let days = Days { first: Day(20), last: Day(180) };
            let granularity = if monthly { Granularity::Monthly } else { Granularity::Weekly };
            let mut cohorts = Cohorts::new(granularity, days);
            let mut expected = 0;
            for first in began.iter().map(|day| Day(*day)) {
                cohorts.add(first, Currency::USD, |days| Figures { spend: days.len().into(), ..Figures::default() });
                expected += if days.contains(first) { u64::from(Days { first, last: days.last }.len()) } else { 0 };
            }
            let found = cohorts.finish();
            let all: u64 = found.values().flat_map(|cohort| &cohort.intervals).map(spend).sum();
            prop_assert_eq!(all, expected);
            let counted: u64 = found.values().map(|cohort| cohort.campaigns).sum();
            prop_assert_eq!(counted, began.iter().filter(|day| days.contains(Day(**day))).count() as u64);
        }
    }
}
