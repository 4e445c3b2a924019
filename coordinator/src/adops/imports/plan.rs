//! What an import would do: each campaign's days, merged into those that are there, before anything is written.

use std::collections::HashMap;
use std::path::Path;

use trafficlab_engine::ads::day::{Day, Days};
use trafficlab_engine::ads::figures::Figures;
use trafficlab_engine::ads::money::Currency;
use trafficlab_engine::ads::series::MAX_DAYS;
use trafficlab_engine::ads::table::{Field, Format};

use super::Wishes;
use super::faults::Faults;
use super::file::{Facts, facts, unreadable};
use super::find::Finder;
use super::gather::{Gathered, Group, Row, Skipped, Target, gather};
use crate::adops::book::{Book, Prepared, Source, Upserted};
use crate::adops::campaign::Platform;
use crate::adops::ids::{CampaignId, TenantId};
use crate::adops::tenant::Tenant;
use crate::store::Store;
use crate::systems::{Code, Fault, Outcome};

/// Days by which a file may lengthen its campaigns' series; days between that are missing take memory as well.
const MOST_SPANNED: u64 = 10_000_000;

/// What an import would do.
#[derive(Debug)]
pub struct Plan {
    /// What the file is.
    pub facts: Facts,
    /// By campaign; their rows are sorted by day, each day once.
    pub groups: Vec<Group>,
    /// What would become of each group's days.
    pub outcomes: Vec<Upserted>,
    /// First and last day.
    pub days: Option<(Day, Day)>,
    /// Rows with figures, wrong ones too.
    pub rows: u64,
    /// Rows that would be written.
    pub good: u64,
    /// Rows without figures, the first of them.
    pub skipped: Vec<Skipped>,
    /// How many of them there are.
    pub skipped_total: u64,
    /// The first rows as they were understood, with the place of their group.
    pub sample: Vec<(usize, Row)>,
    /// What is wrong.
    pub faults: Faults,
    /// What is worth knowing.
    pub warnings: Vec<String>,
}

/// Reads a file and finds out what its import would do. Blocks.
///
/// # Errors
/// 422 when the file as a whole cannot be imported; wrong rows are in the plan.
pub fn plan(store: &Store, book: &Book, tenant: TenantId, path: &Path, wishes: &Wishes, now_ns: u64) -> Outcome<Plan> {
    let own = Tenant::get(store, tenant)?.ok_or_else(|| Fault::not_found("Tenant not found"))?;
    let facts = facts(path, wishes)?;
    of_platform(facts.found.layout.format, wishes)?;
    let finder = Finder::new(book, tenant, own.currency, wishes, facts.found.layout.format);
    let gathered = gather(path, &facts, wishes, finder, own.day_at(now_ns).plus(1))?;
    let Gathered { mut groups, rows, skipped, skipped_total, sample, mut faults } = gathered;
    let finer = facts.found.layout.place(Field::Finer).map(|place| facts.found.layout.name(place).to_owned());
    groups.iter_mut().for_each(|group| each_day_once(group, wishes, finer.as_deref(), &mut faults));
    keep_what_is_not_told(&facts, &mut groups);
    not_too_far(&groups)?;
    let good = groups.iter().map(|group| group.rows.len()).sum::<usize>();
    let edges = groups.iter().filter_map(|group| Some((group.rows.first()?.day, group.rows.last()?.day)));
    let days = edges.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)));
    let outcomes = outcomes(book, tenant, &groups)?;
    let warnings = warnings(&facts);
    let good = u64::try_from(good).unwrap_or(u64::MAX);
    Ok(Plan { facts, groups, outcomes, days, rows, good, skipped, skipped_total, sample, faults, warnings })
}

impl Plan {
    /// All currencies of the campaigns.
    #[must_use]
    pub fn currencies(&self) -> Vec<Currency> {
        let mut all: Vec<Currency> = self.groups.iter().map(|group| group.currency).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Whether the file has a column for every figure. Where it has not, figures were taken from the days that were there.
    #[must_use]
    pub fn tells_all(&self) -> bool {
        Field::FIGURES.into_iter().all(|field| self.facts.found.layout.place(field).is_some())
    }

    /// What would become of all days.
    #[must_use]
    pub fn outcome(&self) -> Upserted {
        let mut sum = Upserted::default();
        self.outcomes.iter().for_each(|outcome| sum += *outcome);
        sum
    }

    /// Campaigns that would be made.
    pub fn new_campaigns(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter().filter(|group| matches!(group.target, Target::New) && !group.rows.is_empty())
    }

    /// Merges the days into those that are there; `made` are the numbers of the campaigns that will be made, in order.
    ///
    /// # Errors
    /// 422 when a campaign's days would span more than twenty years.
    pub fn prepare(&self, book: &Book, tenant: TenantId, made: &[CampaignId]) -> Outcome<Prepared> {
        let mut made = made.iter().copied();
        let numbered = self.groups.iter().filter(|group| !group.rows.is_empty()).filter_map(|group| {
            let id = match &group.target {
                Target::Known(entry, _) => entry.campaign.id,
                Target::New => made.next()?,
                Target::Missing(_) => return None,
            };
            Some((id, days_of(group)))
        });
        book.prepare(tenant, Source::Real, numbered.collect())
    }
}

fn days_of(group: &Group) -> Vec<(Day, Figures)> {
    group.rows.iter().map(|row| (row.day, row.figures)).collect()
}

/// An export of one platform is not imported for another.
fn of_platform(format: Format, wishes: &Wishes) -> Outcome<()> {
    let own = match format {
        Format::Meta => Platform::Meta,
        Format::Google => Platform::Google,
        Format::Plain => return Ok(()),
    };
    match wishes.platform {
        Some(told) if told != own => {
            let message = format!("The file is an export of {}, not of {}", own.as_str(), told.as_str());
            Err(Fault::new(Code::Unprocessable, message).detail("platform", "is another than the file's"))
        }
        _ => Ok(()),
    }
}

/// Sorts a campaign's rows. Two of a day are added up or both left out, with a mistake that names them.
fn each_day_once(group: &mut Group, wishes: &Wishes, finer: Option<&str>, faults: &mut Faults) {
    if !group.rows.is_sorted_by(|one, other| one.day < other.day) {
        group.rows.sort_unstable_by_key(|row| (row.day, row.line));
    }
    let mut kept: Vec<Row> = Vec::new();
    for same in group.rows.chunk_by(|one, other| one.day == other.day) {
        let Some((first, others)) = same.split_first() else { continue };
        if others.is_empty() || wishes.sum {
            let figures = same.iter().map(|row| row.figures).sum();
            kept.push(Row { figures, ..*first });
            continue;
        }
        let why = finer.map_or_else(String::new, |finer| {
            format!(
                "; the file has a row for each `{finer}`: export it by campaign, or add them up with `duplicates=sum`"
            )
        });
        for other in others {
            let message = format!("the same campaign and day as row {}{why}", first.line);
            faults.add(other.line.into(), "", &first.day.to_string(), &message);
        }
    }
    group.rows = kept;
}

/// Figures that the file has no column for stay as they are.
fn keep_what_is_not_told(facts: &Facts, groups: &mut [Group]) {
    let told = Field::FIGURES.map(|field| facts.found.layout.place(field).is_some());
    if told.iter().all(|told| *told) {
        return;
    }
    let [impressions, clicks, conversions, spend, revenue] = told;
    for group in groups {
        let Target::Known(entry, _) = &group.target else { continue };
        for row in &mut group.rows {
            let Some(old) = entry.real.get(row.day) else { continue };
            let new = row.figures;
            row.figures = Figures {
                impressions: if impressions { new.impressions } else { old.impressions },
                clicks: if clicks { new.clicks } else { old.clicks },
                conversions_milli: if conversions { new.conversions_milli } else { old.conversions_milli },
                spend: if spend { new.spend } else { old.spend },
                revenue: if revenue { new.revenue } else { old.revenue },
            };
        }
    }
}

/// Refuses days that are so far apart that their campaigns' series could not be held. Those of campaigns that are here
/// are looked at once more when they are merged.
fn not_too_far(groups: &[Group]) -> Outcome<()> {
    let lengthened = |group: &Group| {
        let Some(days) = group.rows.first().zip(group.rows.last()) else { return (0, 0) };
        let days = Days { first: days.0.day, last: days.1.day };
        let known = match &group.target {
            Target::Known(entry, _) => entry.real.first().zip(entry.real.last()),
            Target::New | Target::Missing(_) => None,
        };
        let Some((first, last)) = known else { return (days.len(), days.len()) };
        let whole = Days { first: days.first.min(first), last: days.last.max(last) };
        (whole.len(), whole.len() - Days { first, last }.len())
    };
    let mut sum = 0;
    for group in groups {
        let (length, more) = lengthened(group);
        sum += u64::from(more);
        if length > MAX_DAYS {
            let name = group.external_id.as_deref().unwrap_or(&group.name);
            return Err(unreadable(&format!("the days of campaign `{name}` span more than twenty years")));
        }
    }
    if sum > MOST_SPANNED {
        return Err(unreadable(&"the days of its campaigns are too far apart; send it in parts"));
    }
    Ok(())
}

fn warnings(facts: &Facts) -> Vec<String> {
    let missing = Field::FIGURES.into_iter().filter(|field| facts.found.layout.place(*field).is_none());
    let missing: Vec<&str> = missing.map(Field::as_str).collect();
    if missing.is_empty() {
        return Vec::new();
    }
    vec![format!("The file has no column for {}: they stay as they are, and 0 for new days", missing.join(", "))]
}

fn outcomes(book: &Book, tenant: TenantId, groups: &[Group]) -> Outcome<Vec<Upserted>> {
    let mut known = HashMap::new();
    let mut days = Vec::new();
    for group in groups {
        if let Target::Known(entry, _) = &group.target {
            days.push((entry.campaign.id, days_of(group)));
        }
    }
    known.extend(book.prepare(tenant, Source::Real, days)?.outcomes());
    let outcome = |group: &Group| match &group.target {
        Target::Known(entry, _) => known.get(&entry.campaign.id).copied().unwrap_or_default(),
        Target::New => {
            Upserted { inserted: u64::try_from(group.rows.len()).unwrap_or(u64::MAX), ..Upserted::default() }
        }
        Target::Missing(_) => Upserted::default(),
    };
    Ok(groups.iter().map(outcome).collect())
}
