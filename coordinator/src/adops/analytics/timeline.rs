//! Figures by day, week or month over all campaigns.

use std::collections::BTreeMap;

use trafficlab_engine::ads::bucket::{Granularity, buckets};
use trafficlab_engine::ads::day::{Day, Days};
use trafficlab_engine::ads::exchange::Purse;
use trafficlab_engine::ads::figures::Figures;
use trafficlab_engine::ads::money::Currency;

use super::ground::Ground;
use crate::adops::book::Entry;

/// Figures of a day, week or month.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The day that names it.
    pub date: Day,
    /// The currency of the money.
    pub currency: Currency,
    /// The figures; zeros when there are none.
    pub figures: Figures,
}

/// All points in order: first those in the currency of totals, then those of each currency without a rate.
#[must_use]
pub fn timeline(ground: &Ground, granularity: Granularity) -> Vec<Point> {
    let buckets = buckets(granularity, ground.scope.days);
    let mut lines: BTreeMap<Currency, Vec<Purse>> = BTreeMap::new();
    lines.insert(ground.currency, vec![Purse::default(); buckets.len()]);
    for entry in &ground.entries {
        let Some(within) = spanned(ground, entry) else { continue };
        let line = lines.entry(ground.shown_in(entry)).or_insert_with(|| vec![Purse::default(); buckets.len()]);
        let touched =
            buckets.iter().zip(line).filter(|(days, _)| days.first <= within.last && within.first <= days.last);
        for (days, purse) in touched {
            purse.add(entry.campaign.currency, ground.sum(entry, *days));
        }
    }
    let mut points = Vec::with_capacity(lines.len() * buckets.len());
    let total = lines.remove_entry(&ground.currency);
    for (currency, line) in total.into_iter().chain(lines) {
        let point = |(days, purse): (&Days, Purse)| Point {
            date: granularity.label(days.first),
            currency,
            figures: purse.settle(&ground.exchange, currency).total,
        };
        points.extend(buckets.iter().zip(line).map(point));
    }
    points
}

/// The days between a campaign's first and last figures that were asked for.
fn spanned(ground: &Ground, entry: &Entry) -> Option<Days> {
    let (bounds, days) = (ground.bounds(entry)?, ground.scope.days);
    let within = Days { first: bounds.first.max(days.first), last: bounds.last.min(days.last) };
    (!within.is_empty()).then_some(within)
}
