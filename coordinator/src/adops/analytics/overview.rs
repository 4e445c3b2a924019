//! Key figures over all campaigns, and of an earlier period beside them.

use trafficlab_engine::ads::compare::{Changes, Earlier};
use trafficlab_engine::ads::day::Days;
use trafficlab_engine::ads::exchange::Purse;
use trafficlab_engine::ads::figures::Figures;
use trafficlab_engine::ads::money::Currency;

use super::ground::Ground;

/// Sums in one currency.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sums {
    /// The currency.
    pub currency: Currency,
    /// Over the days that were asked for.
    pub now: Figures,
    /// Over the earlier ones, when those were asked for too.
    pub before: Option<Figures>,
}

impl Sums {
    /// The changes since the earlier days.
    #[must_use]
    pub fn changes(&self) -> Option<Changes> {
        self.before.map(|before| Changes::of(&self.now, &before))
    }
}

/// Key figures.
#[derive(Debug, Clone, PartialEq)]
pub struct Overview {
    /// The earlier days.
    pub earlier: Option<Days>,
    /// In the currency of totals: its own campaigns and all that can be turned into it.
    pub total: Sums,
    /// Of campaigns in currencies without a rate.
    pub rest: Vec<Sums>,
}

/// Sums up everything.
#[must_use]
pub fn overview(ground: &Ground, compare: Option<Earlier>) -> Overview {
    let earlier = compare.map(|compare| compare.of(ground.scope.days));
    let (mut now, mut before) = (Purse::default(), Purse::default());
    for entry in &ground.entries {
        let currency = entry.campaign.currency;
        let sum = ground.sum(entry, ground.scope.days);
        let old = earlier.map(|days| ground.sum(entry, days)).unwrap_or_default();
        // A campaign without figures brings no currency of its own with it.
        if sum != Figures::default() || old != Figures::default() {
            now.add(currency, sum);
            before.add(currency, old);
        }
    }
    let now = now.settle(&ground.exchange, ground.currency);
    let before = before.settle(&ground.exchange, ground.currency);
    let sums = |currency, now, before| Sums { currency, now, before: earlier.map(|_| before) };
    // Both purses hold the same currencies, in the same order.
    let rest = now.rest.iter().zip(&before.rest).map(|((currency, now), (_, before))| sums(*currency, *now, *before));
    Overview { earlier, total: sums(ground.currency, now.total, before.total), rest: rest.collect() }
}
