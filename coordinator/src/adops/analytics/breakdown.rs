//! Figures by platform, by label and by campaign.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use trafficlab_engine::ads::figures::Figures;
use trafficlab_engine::ads::money::Currency;

use super::ground::Ground;
use crate::adops::book::Entry;
use crate::adops::campaign::Platform;

/// Figures of campaigns that share something.
#[derive(Debug, Clone, PartialEq)]
pub struct Row<K> {
    /// What they share.
    pub key: K,
    /// The currency of the money.
    pub currency: Currency,
    /// How many of them have figures on a day that was asked for.
    pub campaigns: u64,
    /// Their figures.
    pub figures: Figures,
}

/// By platform, in the order of their words. A currency without a rate has a row of its own.
#[must_use]
pub fn platforms(ground: &Ground) -> Vec<Row<Platform>> {
    rows(ground, |entry, add| add(entry.campaign.platform))
}

/// By label, in alphabetical order; a campaign counts for each of its labels.
#[must_use]
pub fn labels(ground: &Ground) -> Vec<Row<String>> {
    let rows = rows(ground, |entry, add: &mut dyn FnMut(String)| entry.campaign.labels.iter().cloned().for_each(add));
    match &ground.scope.label {
        Some(label) => rows.into_iter().filter(|row| row.key == *label).collect(),
        None => rows,
    }
}

fn rows<K: Ord + Clone>(ground: &Ground, keys: impl Fn(&Entry, &mut dyn FnMut(K))) -> Vec<Row<K>> {
    // By each campaign's own currency first: money is turned once, when it is summed.
    let mut own: BTreeMap<(K, Currency), (Figures, u64)> = BTreeMap::new();
    for entry in &ground.entries {
        let Some(figures) = ground.figures(entry) else { continue };
        keys(entry, &mut |key| {
            let (sum, campaigns) = own.entry((key, entry.campaign.currency)).or_default();
            *sum += figures;
            *campaigns += 1;
        });
    }
    let mut shown: BTreeMap<(K, Currency), (Figures, u64)> = BTreeMap::new();
    for ((key, currency), (figures, campaigns)) in own {
        let turned = ground.exchange.factor(currency, ground.currency);
        let (currency, figures) = turned.map_or((currency, figures), |by| (ground.currency, by.figures(figures)));
        let (sum, all) = shown.entry((key, currency)).or_default();
        *sum += figures;
        *all += campaigns;
    }
    let row = |((key, currency), (figures, campaigns))| Row { key, currency, campaigns, figures };
    shown.into_iter().map(row).collect()
}

/// What campaigns are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Their names, without regard to case.
    Name,
    /// Money spent, in the currency of totals; without a rate they come last. So does revenue.
    Spend,
    /// Revenue.
    Revenue,
    /// Impressions.
    Impressions,
    /// Clicks.
    Clicks,
    /// Conversions.
    Conversions,
    /// Clicks an impression; those without a value come last, as with all ratios.
    Ctr,
    /// Money a click.
    Cpc,
    /// Money an impression.
    Cpm,
    /// Money a conversion.
    Cpa,
    /// Revenue for a unit of money.
    Roas,
}

impl By {
    /// All, with their words in the API.
    pub const ALL: [(&'static str, Self); 11] = [
        ("name", Self::Name),
        ("spend", Self::Spend),
        ("revenue", Self::Revenue),
        ("impressions", Self::Impressions),
        ("clicks", Self::Clicks),
        ("conversions", Self::Conversions),
        ("ctr", Self::Ctr),
        ("cpc", Self::Cpc),
        ("cpm", Self::Cpm),
        ("cpa", Self::Cpa),
        ("roas", Self::Roas),
    ];

    /// The number that orders; none is last.
    fn key(self, ground: &Ground, entry: &Entry, figures: &Figures) -> Option<f64> {
        let whole = crate::systems::time::float;
        let turned = || {
            let money = ground.exchange.factor(entry.campaign.currency, ground.currency)?;
            Some(money.figures(*figures))
        };
        let ratio = |above: u64, below: u64| (below > 0).then(|| whole(above) / whole(below));
        match self {
            Self::Name => None,
            Self::Spend => turned().map(|turned| whole(turned.spend)),
            Self::Revenue => turned().map(|turned| whole(turned.revenue)),
            Self::Impressions => Some(whole(figures.impressions)),
            Self::Clicks => Some(whole(figures.clicks)),
            Self::Conversions => Some(whole(figures.conversions_milli)),
            Self::Ctr => ratio(figures.clicks, figures.impressions),
            Self::Cpc => turned().and_then(|turned| ratio(turned.spend, turned.clicks)),
            Self::Cpm => turned().and_then(|turned| ratio(turned.spend, turned.impressions)),
            Self::Cpa => turned().and_then(|turned| ratio(turned.spend, turned.conversions_milli)),
            Self::Roas => ratio(figures.revenue, figures.spend),
        }
    }
}

/// Campaigns that have figures on a day that was asked for, each in its own currency, in order.
#[must_use]
pub fn campaigns(ground: &Ground, by: By, descending: bool) -> Vec<Row<Arc<Entry>>> {
    let row = |entry: &Arc<Entry>| {
        let figures = ground.figures(entry)?;
        let key = by.key(ground, entry, &figures);
        Some((key, Row { key: Arc::clone(entry), currency: entry.campaign.currency, campaigns: 1, figures }))
    };
    let mut rows: Vec<_> = ground.entries.iter().filter_map(row).collect();
    let turn = |order: Ordering| if descending { order.reverse() } else { order };
    // Stable, and the campaigns come by id.
    rows.sort_by(|(one, first), (other, second)| match (one, other) {
        (Some(one), Some(other)) => turn(one.total_cmp(other)),
        (None, None) if by == By::Name => turn(first.key.folded.cmp(&second.key.folded)),
        _ => other.is_some().cmp(&one.is_some()),
    });
    rows.into_iter().map(|(_, row)| row).collect()
}
