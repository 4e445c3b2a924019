//! What a question is about: which campaigns, which days, in which currency.

use std::collections::BTreeSet;
use std::sync::Arc;

use trafficlab_engine::ads::day::{Day, Days};
use trafficlab_engine::ads::exchange::Exchange;
use trafficlab_engine::ads::figures::Figures;
use trafficlab_engine::ads::money::Currency;
use trafficlab_engine::ads::series::Series;

use crate::adops::book::{Book, Entry};
use crate::adops::campaign::Platform;
use crate::adops::ids::{CampaignId, TenantId};

/// The campaigns and days that are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The days.
    pub days: Days,
    /// Of this platform only.
    pub platform: Option<Platform>,
    /// With this label only.
    pub label: Option<String>,
    /// These only.
    pub campaigns: Option<BTreeSet<CampaignId>>,
    /// Whether figures of generated traffic count too.
    pub synthetic: bool,
}

impl Scope {
    fn holds(&self, entry: &Entry) -> bool {
        let campaign = &entry.campaign;
        self.platform.is_none_or(|platform| platform == campaign.platform)
            && self.label.as_ref().is_none_or(|label| campaign.labels.contains(label))
            && self.campaigns.as_ref().is_none_or(|ids| ids.contains(&campaign.id))
    }
}

/// A tenant's campaigns within a scope, as they were when the question was asked.
#[derive(Debug, Clone)]
pub struct Ground {
    /// The campaigns, by id.
    pub entries: Vec<Arc<Entry>>,
    /// What is asked for.
    pub scope: Scope,
    /// The currency of totals.
    pub currency: Currency,
    /// Rates.
    pub exchange: Arc<Exchange>,
}

impl Ground {
    /// Reads the tenant's campaigns.
    #[must_use]
    pub fn new(book: &Book, tenant: TenantId, scope: Scope, currency: Currency, exchange: Arc<Exchange>) -> Self {
        let mut entries = book.all(tenant);
        entries.retain(|entry| scope.holds(entry));
        Self { entries, scope, currency, exchange }
    }

    fn sources<'e>(&self, entry: &'e Entry) -> impl Iterator<Item = &'e Series> + use<'e> {
        let synthetic = self.scope.synthetic.then_some(&*entry.synthetic);
        std::iter::once(&*entry.real).chain(synthetic)
    }

    /// A campaign's figures over some days.
    #[must_use]
    pub fn sum(&self, entry: &Entry, days: Days) -> Figures {
        self.sources(entry).map(|series| series.sum(days)).sum()
    }

    /// A campaign's figures over the days that are asked for; nothing when no day of them has any.
    #[must_use]
    pub fn figures(&self, entry: &Entry) -> Option<Figures> {
        let days = self.scope.days;
        let sum = self.sum(entry, days);
        let any = sum != Figures::default() || self.sources(entry).any(|series| series.days(days).next().is_some());
        any.then_some(sum)
    }

    /// The first day on which a campaign has figures.
    #[must_use]
    pub fn began(&self, entry: &Entry) -> Option<Day> {
        self.sources(entry).filter_map(Series::first).min()
    }

    /// The first and the last day on which a campaign has figures.
    #[must_use]
    pub fn bounds(&self, entry: &Entry) -> Option<Days> {
        let last = self.sources(entry).filter_map(Series::last).max()?;
        Some(Days { first: self.began(entry)?, last })
    }

    /// The currency a campaign's figures are shown in: that of totals where there is a rate, else its own.
    #[must_use]
    pub fn shown_in(&self, entry: &Entry) -> Currency {
        let own = entry.campaign.currency;
        self.exchange.factor(own, self.currency).map_or(own, |_| self.currency)
    }
}
