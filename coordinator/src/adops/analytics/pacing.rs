//! The pace of every campaign that has a budget, and of all together.

use std::collections::BTreeMap;
use std::sync::Arc;

use trafficlab_engine::ads::day::{Day, Days};
use trafficlab_engine::ads::money::Currency;
use trafficlab_engine::ads::pacing::{Done, Pacing, Period, Plan, RECENT_DAYS};

use super::ground::Ground;
use crate::adops::book::Entry;
use crate::adops::campaign::{Campaign, Status};
use crate::adops::tenant::Tenant;

/// A campaign beside its plan.
#[derive(Debug, Clone)]
pub struct Item {
    /// The campaign.
    pub entry: Arc<Entry>,
    /// The days of the period in which it is to run.
    pub days: Option<Days>,
    /// Its pace, or why there is none.
    pub pacing: Result<Pacing, Unknown>,
}

/// Why nothing can be projected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// Its flight has no last day.
    NoEnd,
    /// It has not begun.
    NotBegun,
}

impl Unknown {
    /// Its word in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoEnd => "no_end_date",
            Self::NotBegun => "not_started",
        }
    }
}

/// All paces.
#[derive(Debug, Clone)]
pub struct Paces {
    /// The last full day.
    pub as_of: Day,
    /// Campaigns by id.
    pub items: Vec<Item>,
    /// All that have a pace, in the currency of totals.
    pub total: Pacing,
    /// Those in currencies without a rate.
    pub rest: Vec<(Currency, Pacing)>,
}

/// Looks at every campaign that runs or ran, has a budget, and lies in the period.
#[must_use]
pub fn paces(ground: &Ground, tenant: &Tenant, month: bool, now_ns: u64) -> Paces {
    let today = tenant.day_at(now_ns);
    let period = if month { Period::Month(today) } else { Period::Flight };
    let as_of = today.plus(-1);
    let item = |entry: &Arc<Entry>| item(ground, tenant, entry, period, as_of);
    let items: Vec<Item> = ground.entries.iter().filter_map(item).collect();
    let mut sums: BTreeMap<Currency, Pacing> = BTreeMap::new();
    for item in &items {
        if let Ok(pacing) = item.pacing {
            let sum = sums.entry(item.entry.campaign.currency).or_default();
            *sum = sum.plus(pacing);
        }
    }
    let mut paces = Paces { as_of, items, total: Pacing::default(), rest: Vec::new() };
    for (currency, sum) in sums {
        match ground.exchange.factor(currency, ground.currency) {
            Some(factor) => paces.total = paces.total.plus(sum.each(|minor| factor.money(minor))),
            None => paces.rest.push((currency, sum)),
        }
    }
    paces
}

fn item(ground: &Ground, tenant: &Tenant, entry: &Arc<Entry>, period: Period, as_of: Day) -> Option<Item> {
    let campaign = &entry.campaign;
    let runs = matches!(campaign.status, Status::Active | Status::Paused | Status::Completed);
    let plan = plan(ground, tenant, entry).filter(|_| runs)?;
    let days = plan.days(period);
    let pacing = match days {
        Some(days) => {
            let spent = ground.sum(entry, Days { first: days.first, last: days.last.min(as_of) }).spend;
            let recent = ground.sum(entry, recent(&plan, as_of)).spend;
            let done = Done { as_of, spent, recent, running: campaign.status == Status::Active };
            let unknown = if as_of < plan.start { Unknown::NotBegun } else { Unknown::NoEnd };
            Pacing::of(&plan, period, &done).ok_or(unknown)
        }
        None if period == Period::Flight && plan.end.is_none() => Err(Unknown::NoEnd),
        None => return None,
    };
    Some(Item { entry: Arc::clone(entry), days, pacing })
}

/// The days whose mean is projected.
fn recent(plan: &Plan, as_of: Day) -> Days {
    Days { first: as_of.plus(1 - RECENT_DAYS).max(plan.start), last: as_of }
}

/// The plan of a campaign with a budget. Without a first day it begins with its figures, else on the day it was made.
fn plan(ground: &Ground, tenant: &Tenant, entry: &Entry) -> Option<Plan> {
    let Campaign { daily_budget: daily, lifetime_budget: lifetime, start, end, created_ns, .. } = entry.campaign;
    if daily.is_none() && lifetime.is_none() {
        return None;
    }
    let start = start.or_else(|| ground.began(entry)).unwrap_or_else(|| tenant.day_at(created_ns));
    Some(Plan { daily, lifetime, start, end })
}
