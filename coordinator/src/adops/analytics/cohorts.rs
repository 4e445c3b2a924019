//! New campaigns by the week or month in which their figures began, and what they did since.

use std::collections::BTreeMap;

use trafficlab_engine::ads::bucket::Granularity;
use trafficlab_engine::ads::cohort::Cohorts;
use trafficlab_engine::ads::day::Day;
use trafficlab_engine::ads::figures::Figures;
use trafficlab_engine::ads::money::Currency;

use super::ground::Ground;

/// Campaigns that began together, in one currency.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The day that names the week or month they began in.
    pub cohort: Day,
    /// The currency of the money.
    pub currency: Currency,
    /// How many.
    pub campaigns: u64,
    /// Their figures by week or month since, from the one they began in.
    pub intervals: Vec<Figures>,
}

/// Cohorts of campaigns that began on a day that was asked for, in order of their days.
#[must_use]
pub fn cohorts(ground: &Ground, granularity: Granularity) -> Vec<Row> {
    let mut by_currency: BTreeMap<Currency, Cohorts> = BTreeMap::new();
    for entry in &ground.entries {
        let Some(began) = ground.began(entry) else { continue };
        let cohorts =
            by_currency.entry(ground.shown_in(entry)).or_insert_with(|| Cohorts::new(granularity, ground.scope.days));
        cohorts.add(began, entry.campaign.currency, |days| ground.sum(entry, days));
    }
    let mut rows: Vec<Row> = Vec::new();
    for (currency, cohorts) in by_currency {
        rows.extend(cohorts.finish().into_iter().map(|(cohort, found)| {
            let settled = found.intervals.iter().map(|purse| purse.settle(&ground.exchange, currency).total);
            Row { cohort, currency, campaigns: found.campaigns, intervals: settled.collect() }
        }));
    }
    rows.sort_by_key(|row| (row.cohort, row.currency != ground.currency, row.currency));
    rows
}
