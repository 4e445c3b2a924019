//! The one change of an import: new campaigns, all days, the record and the audit entry.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::json;

use super::find::{By, LONGEST_NAME};
use super::gather::{Group, Target};
use super::plan::Plan;
use super::record::{AdsImport, IMPORTS};
use crate::adops::Actor;
use crate::adops::audit::AuditEntry;
use crate::adops::book::{Book, Upserted};
use crate::adops::campaign::{Campaign, Platform, Status, Targeting};
use crate::adops::change::{Change, change};
use crate::adops::ids::CampaignId;
use crate::store::Store;
use crate::systems::{Fault, Outcome};

/// Does what a plan says, wholly or not at all. Comes back with the number of the import and its record.
///
/// # Errors
/// When the store fails, or a campaign of the plan is no more what it was.
pub async fn write(store: &Store, book: &Book, actor: &Actor, plan: &Plan) -> Outcome<(u64, AdsImport)> {
    let new: Vec<&Group> = plan.new_campaigns().collect();
    let made = reserve(store, actor, new.len()).await?;
    // The long part is done before the store's lock is taken.
    let prepared = plan.prepare(book, actor.tenant, &made)?;
    change(store, actor, |change| {
        still_there(book, actor, plan)?;
        for (group, id) in new.iter().zip(&made) {
            book.put(change, campaign(change, group, *id))?;
        }
        let outcome = book.commit(change, prepared)?;
        note(change, plan, &made, outcome)
    })
    .await
}

/// Numbers for campaigns that will be made. They are given away whatever comes of the import.
async fn reserve(store: &Store, actor: &Actor, count: usize) -> Outcome<Vec<CampaignId>> {
    let Some(count) = u64::try_from(count).ok().filter(|count| *count > 0) else { return Ok(Vec::new()) };
    let ids = change(store, actor, |change| Ok(change.ids("campaign", count)?)).await?;
    Ok(ids.map(CampaignId).collect())
}

/// Between reading and writing somebody may have deleted a campaign, changed its currency, made one of the same id or
/// name, or changed days whose figures the file leaves as they were.
fn still_there(book: &Book, actor: &Actor, plan: &Plan) -> Outcome<()> {
    let by_name = plan.new_campaigns().any(|group| group.external_id.is_none());
    let all = if by_name { book.all(actor.tenant) } else { Vec::new() };
    let names: HashSet<(Platform, &str)> =
        all.iter().map(|entry| (entry.campaign.platform, entry.campaign.name.as_str())).collect();
    let whole = plan.tells_all();
    for group in plan.groups.iter().filter(|group| !group.rows.is_empty()) {
        let same = match &group.target {
            Target::Known(before, _) => book.get(actor.tenant, before.campaign.id).is_some_and(|now| {
                now.campaign.currency == before.campaign.currency && (whole || Arc::ptr_eq(&now.real, &before.real))
            }),
            Target::New => {
                let taken = |platform| match group.external_id.as_deref() {
                    Some(id) => book.by_external(actor.tenant, platform, id).is_some(),
                    None => names.contains(&(platform, group.name.as_str())),
                };
                !group.platform.is_some_and(taken)
            }
            Target::Missing(_) => true,
        };
        if !same {
            return Err(Fault::conflict("A campaign of this file was changed meanwhile; import it again"));
        }
    }
    Ok(())
}

/// A campaign that a file names and nobody made yet.
fn campaign(change: &Change<'_>, group: &Group, id: CampaignId) -> Campaign {
    let external = group.external_id.clone();
    let platform = group.platform.unwrap_or(Platform::Meta);
    let named: String = group.name.chars().filter(|letter| !letter.is_control()).take(LONGEST_NAME).collect();
    let stand_in = || format!("{} {}", platform.as_str(), external.as_deref().unwrap_or_default());
    Campaign {
        id,
        name: if named.trim().is_empty() { stand_in() } else { named },
        platform,
        status: Status::Paused,
        objective: None,
        external_id: external,
        account_id: None,
        daily_budget: None,
        lifetime_budget: None,
        currency: group.currency,
        targeting: Targeting::default(),
        demographics: String::new(),
        start: None,
        end: None,
        labels: Vec::new(),
        created_by: change.actor.who.user(),
        created_ns: change.at_ns,
        updated_ns: change.at_ns,
        synced_ns: Some(change.at_ns),
        deleted_ns: None,
    }
}

fn note(change: &mut Change<'_>, plan: &Plan, made: &[CampaignId], outcome: Upserted) -> Outcome<(u64, AdsImport)> {
    let id = change.next_id("ads_import")?;
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let written = plan.groups.iter().filter(|group| !group.rows.is_empty());
    let record = AdsImport {
        at_ns: change.at_ns,
        who: change.actor.who,
        format: plan.facts.found.layout.format.as_str().to_owned(),
        rows: plan.rows,
        errors: plan.faults.total(),
        campaigns: count(written.count()),
        created: count(made.len()),
        outcome,
        first: plan.days.map(|(first, _)| first),
        last: plan.days.map(|(_, last)| last),
        currencies: plan.currencies(),
    };
    change.put(&IMPORTS, id, &record)?;
    let told = json!({
        "format": record.format, "rows": record.rows, "errors": record.errors, "campaigns": record.campaigns,
        "created": record.created, "inserted": outcome.inserted, "updated": outcome.updated,
        "unchanged": outcome.unchanged,
    });
    let entry = AuditEntry::new(change.actor, "metrics.imported", "import", id);
    change.audit(&entry.change(&serde_json::Value::Null, &told))?;
    for id in made {
        let entry = AuditEntry::new(change.actor, "campaign.created", "campaign", id);
        change.audit(&entry.change(&serde_json::Value::Null, &json!({ "by": "import", "status": "paused" })))?;
    }
    Ok((id, record))
}

impl Group {
    /// Its campaign's number, when it is there.
    #[must_use]
    pub fn id(&self) -> Option<CampaignId> {
        match &self.target {
            Target::Known(entry, _) => Some(entry.campaign.id),
            Target::New | Target::Missing(_) => None,
        }
    }

    /// How its campaign was found.
    #[must_use]
    pub const fn by(&self) -> Option<By> {
        match &self.target {
            Target::Known(_, by) => Some(*by),
            Target::New | Target::Missing(_) => None,
        }
    }
}
