//! Adds what linked sessions generated since the last look.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use trafficlab_engine::ads::figures::{Figures, MILLI};
use trafficlab_engine::ads::money::Currency;
use trafficlab_engine::traffic::counters::RtbCounters;

use super::{LINKS, Link};
use crate::adops::actor::Actor;
use crate::adops::book::{Book, Source};
use crate::adops::change::change;
use crate::adops::tenant::Tenant;
use crate::store::campaigns::CAMPAIGNS as SESSIONS;
use crate::store::runs::{RUNS_OF, TOTALS};
use crate::store::{FirstVersion, Store, StoreError, Table};
use crate::systems::Outcome;

/// Between two looks.
const ROUND: Duration = Duration::from_secs(2);
/// What was added of each run, by session and job.
const ADDED: Table<(String, String), Added> = Table::new("ads_link_added");

/// What was added of a run so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Added {
    /// Its figures, as far as they were added to a day.
    pub figures: Figures,
}

impl FirstVersion for Added {}

/// Follows linked sessions until the server stops.
pub async fn run(store: &Store, book: &Book) {
    let mut rounds = tokio::time::interval(ROUND);
    rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        if let Err(error) = round(store, book).await {
            tracing::warn!(%error, "figures of linked sessions were not added, it is tried again");
        }
    }
}

/// One look at all linked sessions. One that fails does not keep the others from being looked at.
pub(super) async fn round(store: &Store, book: &Book) -> Outcome<()> {
    let links: Vec<(String, Link)> = LINKS.scan(store, false).collect::<Result<_, StoreError>>()?;
    let mut failed = None;
    for (session, link) in links {
        if let Err(fault) = look(store, book, &session, link).await {
            tracing::warn!(session, %fault, "figures of a linked session were not added");
            failed = Some(fault);
        }
    }
    failed.map_or(Ok(()), Err)
}

async fn look(store: &Store, book: &Book, session: &str, link: Link) -> Outcome<()> {
    let key = session.to_owned();
    if !SESSIONS.contains(store, &key)? || book.get_any(link.tenant, link.campaign).is_none() {
        return forget(store, link, session).await;
    }
    let jobs: Vec<_> = RUNS_OF.scan_prefix(store, &key, false).collect::<Result<_, StoreError>>()?;
    for ((_, job), ()) in jobs {
        if grown(store, book, link, &(key.clone(), job.clone()))? {
            add(store, book, session, &job).await?;
        }
    }
    Ok(())
}

/// Whether a run has figures that were not added.
fn grown(store: &Store, book: &Book, link: Link, key: &(String, String)) -> Result<bool, StoreError> {
    let Some(entry) = book.get(link.tenant, link.campaign) else { return Ok(false) };
    let Some(totals) = TOTALS.get(store, &key.1)? else { return Ok(false) };
    let added = ADDED.get(store, key)?.unwrap_or_default().figures;
    Ok(figures(&totals.counters.rtb, entry.campaign.currency) != added)
}

/// Adds the new figures of a run to the day on which they came, and notes that they were added.
async fn add(store: &Store, book: &Book, session: &str, job: &str) -> Outcome<()> {
    let Some(link) = LINKS.get(store, &session.to_owned())? else { return Ok(()) };
    let actor = Actor::system(link.tenant, "linked traffic");
    change(store, &actor, |change| {
        let key = (session.to_owned(), job.to_owned());
        // The link, the campaign and the run may have gone since.
        let (Some(now), Some(entry)) = (LINKS.get(store, &key.0)?, book.get(link.tenant, link.campaign)) else {
            return Ok(());
        };
        let (Some(totals), Some(tenant)) = (TOTALS.get(store, &key.1)?, Tenant::get(store, link.tenant)?) else {
            return Ok(());
        };
        if now != link {
            return Ok(());
        }
        let whole = figures(&totals.counters.rtb, entry.campaign.currency);
        let before = ADDED.get(store, &key)?.unwrap_or_default().figures;
        let day = tenant.day_at(totals.updated_ns);
        let sum = entry.synthetic.get(day).unwrap_or_default() + less(whole, before);
        book.upsert(change, link.campaign, Source::Synthetic, &[(day, sum)])?;
        ADDED.put(change.batch(), &key, &Added { figures: whole })?;
        Ok(())
    })
    .await
}

/// A link whose session or campaign is gone, with what was noted of it.
async fn forget(store: &Store, link: Link, session: &str) -> Outcome<()> {
    let actor = Actor::system(link.tenant, "linked traffic");
    change(store, &actor, |change| {
        let key = session.to_owned();
        // It may have been ended and made anew for another campaign since.
        if LINKS.get(store, &key)? != Some(link) {
            return Ok(());
        }
        for row in ADDED.scan_prefix(store, &key, false) {
            ADDED.delete(change.batch(), &row?.0);
        }
        LINKS.delete(change.batch(), &key);
        Ok(())
    })
    .await
}

/// Simulated auctions as figures of a campaign. A unit of the auction's money is one of the campaign's currency; what is
/// below its smallest coin is kept for later, since it is the whole run that is rounded down.
fn figures(rtb: &RtbCounters, currency: Currency) -> Figures {
    let minor = 10_u128.pow(currency.decimals());
    let spend = u128::from(rtb.spend_nanos) * minor / 1_000_000_000;
    Figures {
        impressions: rtb.impressions,
        clicks: rtb.clicks,
        conversions_milli: rtb.conversions.saturating_mul(MILLI),
        spend: u64::try_from(spend).unwrap_or(u64::MAX),
        revenue: 0,
    }
}

fn less(whole: Figures, before: Figures) -> Figures {
    Figures {
        impressions: whole.impressions.saturating_sub(before.impressions),
        clicks: whole.clicks.saturating_sub(before.clicks),
        conversions_milli: whole.conversions_milli.saturating_sub(before.conversions_milli),
        spend: whole.spend.saturating_sub(before.spend),
        revenue: whole.revenue.saturating_sub(before.revenue),
    }
}
