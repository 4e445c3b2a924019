//! Figures of days, inserted where there were none and put in the place of others.
//!
//! What can be done before the store's lock is taken is done there ([`Book::prepare`]): a million days take a second,
//! for which nobody else should wait.

use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use trafficlab_engine::ads::day::{Day, Days};
use trafficlab_engine::ads::figures::Figures;
use trafficlab_engine::ads::series::{Series, Set};

use super::load::EVER;
use super::packed::Packed;
use super::records::{DAYS, RESTATEMENTS, Restatement, YearBlock};
use super::{Book, Entry, Source};
use crate::adops::campaign::CAMPAIGNS;
use crate::adops::change::Change;
use crate::adops::ids::{CampaignId, TenantId};
use crate::systems::{Code, Fault, Outcome};

/// Days in one record of a restatement; its rows stay far below what the store takes.
const RESTATED_DAYS: usize = 366;

/// What became of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Upserted {
    /// Days that had no figures.
    pub inserted: u64,
    /// Days that had others.
    pub updated: u64,
    /// Days that had the same.
    pub unchanged: u64,
}

impl AddAssign for Upserted {
    fn add_assign(&mut self, other: Self) {
        self.inserted += other.inserted;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
    }
}

/// Days of many campaigns, ready to be written.
#[derive(Debug)]
pub struct Prepared {
    tenant: TenantId,
    source: Source,
    campaigns: Vec<Merged>,
}

impl Prepared {
    /// What will become of them, as long as nobody else changes the same campaigns.
    #[must_use]
    pub fn outcome(&self) -> Upserted {
        let mut sum = Upserted::default();
        self.campaigns.iter().for_each(|merged| sum += merged.outcome);
        sum
    }

    /// The same for each campaign.
    pub fn outcomes(&self) -> impl Iterator<Item = (CampaignId, Upserted)> + '_ {
        self.campaigns.iter().map(|merged| (merged.id, merged.outcome))
    }
}

/// The days of one campaign, merged into those it has.
#[derive(Debug)]
struct Merged {
    id: CampaignId,
    /// The entry that they were merged into; none when the campaign is made by the same change.
    base: Option<Arc<Entry>>,
    /// As they came, for when the entry is another by then.
    given: Vec<(Day, Figures)>,
    series: Series,
    /// Over all days of the series.
    totals: Figures,
    blocks: Vec<(u16, YearBlock)>,
    /// Day, old and new figures.
    restated: Vec<(Day, Figures, Figures)>,
    outcome: Upserted,
}

/// The days of one campaign, on their way into memory.
struct Fresh {
    id: CampaignId,
    series: Arc<Series>,
    totals: Figures,
    synced_ns: Option<u64>,
}

impl Book {
    /// Merges days of campaigns of a tenant, without changing anything yet. Each campaign may be named once, each of its
    /// days once. Takes a second for a million days.
    ///
    /// # Errors
    /// `Unprocessable` when a campaign's days would span more than twenty years.
    pub fn prepare(
        &self,
        tenant: TenantId,
        source: Source,
        campaigns: Vec<(CampaignId, Vec<(Day, Figures)>)>,
    ) -> Outcome<Prepared> {
        let merged = campaigns.into_iter().map(|(id, days)| merge(self.get_any(tenant, id), id, source, days));
        Ok(Prepared { tenant, source, campaigns: merged.collect::<Outcome<_>>()? })
    }

    /// Writes what was prepared. Campaigns that were changed since are merged again. The campaigns of real days are noted
    /// as told about now; so a campaign that is put by the same change must be a new one, and be put before.
    ///
    /// # Errors
    /// As `prepare`, and when the store cannot be read.
    pub fn commit(&self, change: &mut Change<'_>, prepared: Prepared) -> Outcome<Upserted> {
        let Prepared { tenant, source, campaigns } = prepared;
        if tenant != change.actor.tenant {
            return Err(Fault::internal("days", &"they were prepared for another tenant"));
        }
        let (mut sum, mut fresh) = (Upserted::default(), Vec::with_capacity(campaigns.len()));
        for mut merged in campaigns {
            let now = self.get_any(tenant, merged.id);
            let same = match (&now, &merged.base) {
                (Some(now), Some(base)) => Arc::ptr_eq(now, base),
                (None, None) => true,
                _ => false,
            };
            if !same {
                merged = merge(now, merged.id, source, merged.given)?;
            }
            sum += merged.outcome;
            fresh.push(write(change, source, merged)?);
        }
        let book = self.clone();
        change.then(move || book.refresh(tenant, source, fresh));
        Ok(sum)
    }

    /// Puts days in the place of those that were there, all at once: no question sees some of them.
    fn refresh(&self, tenant: TenantId, source: Source, fresh: Vec<Fresh>) {
        let mut entries = Vec::with_capacity(fresh.len());
        for Fresh { id, series, totals, synced_ns } in fresh {
            let Some(before) = self.get_any(tenant, id) else { continue };
            let mut entry = Entry::clone(&before);
            entry.campaign.synced_ns = synced_ns.or(entry.campaign.synced_ns);
            match source {
                Source::Real => (entry.real, entry.totals) = (series, totals),
                Source::Synthetic => entry.synthetic = series,
            }
            entries.push(entry);
        }
        let mut shelves = self.write();
        let shelf = shelves.entry(tenant).or_default();
        entries.into_iter().for_each(|entry| shelf.put(entry));
    }

    /// Sets the figures of days of one campaign. See [`Book::commit`] for what else a change may do to it.
    ///
    /// # Errors
    /// As `prepare` and `commit`.
    pub fn upsert(
        &self,
        change: &mut Change<'_>,
        id: CampaignId,
        source: Source,
        days: &[(Day, Figures)],
    ) -> Outcome<Upserted> {
        let prepared = self.prepare(change.actor.tenant, source, vec![(id, days.to_vec())])?;
        self.commit(change, prepared)
    }

    /// Sets the real figures of days of many campaigns, as one change.
    ///
    /// # Errors
    /// As `prepare` and `commit`.
    pub fn upsert_many(
        &self,
        change: &mut Change<'_>,
        campaigns: Vec<(CampaignId, Vec<(Day, Figures)>)>,
    ) -> Outcome<Upserted> {
        let prepared = self.prepare(change.actor.tenant, Source::Real, campaigns)?;
        self.commit(change, prepared)
    }
}

/// Adds the records of one campaign to a change.
fn write(change: &mut Change<'_>, source: Source, merged: Merged) -> Outcome<Fresh> {
    let (id, at_ns) = (merged.id, change.at_ns);
    for (year, block) in &merged.blocks {
        change.put(&DAYS, (id, source, *year), block)?;
    }
    if source == Source::Real {
        restate(change, id, &merged.restated)?;
    }
    let synced = merged.base.filter(|_| source == Source::Real);
    if let Some(base) = &synced {
        let mut campaign = base.campaign.clone();
        campaign.synced_ns = Some(at_ns);
        change.put(&CAMPAIGNS, id, &campaign)?;
    }
    let (series, totals) = (Arc::new(merged.series), merged.totals);
    Ok(Fresh { id, series, totals, synced_ns: synced.map(|_| at_ns) })
}

fn merge(base: Option<Arc<Entry>>, id: CampaignId, source: Source, mut given: Vec<(Day, Figures)>) -> Outcome<Merged> {
    given.sort_unstable_by_key(|(day, _)| *day);
    let mut series = base.as_ref().map(|entry| Series::clone(entry.series(source))).unwrap_or_default();
    let (mut outcome, mut restated, mut years) = (Upserted::default(), Vec::new(), BTreeMap::new());
    for (day, figures) in &given {
        match series.set(*day, *figures) {
            Set::Inserted => outcome.inserted += 1,
            Set::Updated(before) => {
                outcome.updated += 1;
                restated.push((*day, before, *figures));
            }
            Set::Unchanged => {
                outcome.unchanged += 1;
                continue;
            }
            Set::TooFar => return Err(too_far(*day)),
        }
        let known = years.last_key_value().is_some_and(|(_, days): (&u16, &Days)| days.contains(*day));
        if !known {
            let (year, days) = year_of(*day).ok_or_else(|| too_far(*day))?;
            years.insert(year, days);
        }
    }
    series.shrink();
    let block = |days: Days| YearBlock { days: Packed::of(series.days(days)) };
    let blocks = years.into_iter().map(|(year, days)| (year, block(days))).collect();
    let totals = series.sum(EVER);
    Ok(Merged { id, base, given, series, totals, blocks, restated, outcome })
}

/// The year of a day, with all its days; none before 1970.
fn year_of(day: Day) -> Option<(u16, Days)> {
    let year = day.date().year();
    let edge = |month, of_month| jiff::civil::Date::new(year, month, of_month).ok().map(Day::of);
    let days = Days { first: edge(1, 1)?, last: edge(12, 31)? };
    Some((u16::try_from(year).ok().filter(|year| *year >= 1970)?, days))
}

fn restate(change: &mut Change<'_>, id: CampaignId, restated: &[(Day, Figures, Figures)]) -> Outcome<()> {
    if restated.is_empty() {
        return Ok(());
    }
    // Two changes of the same nanosecond would otherwise write over each other.
    let at_ns = change.moment();
    for (part, days) in (0_u16..).zip(restated.chunks(RESTATED_DAYS)) {
        let record = Restatement {
            who: change.actor.who,
            request_id: change.actor.request_id.clone(),
            old: Packed::of(days.iter().map(|(day, old, _)| (*day, *old))),
            new: Packed::of(days.iter().map(|(day, _, new)| (*day, *new))),
        };
        change.put(&RESTATEMENTS, (id, at_ns, part), &record)?;
    }
    Ok(())
}

fn too_far(day: Day) -> Fault {
    let message = "The days of a campaign may span at most twenty years";
    Fault::new(Code::Unprocessable, message).detail("date", format!("{day} is too far from its other days"))
}
