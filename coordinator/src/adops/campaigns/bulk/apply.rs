//! Carries a bulk change out: every campaign is judged by itself, and all that can be done is one change.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::edit::store;
use super::action::{Chosen, Request};
use super::record::{BULKS, Bulk, Done, ITEMS};
use super::{Became, Judged, MOST};
use crate::adops::audit::AuditEntry;
use crate::adops::book::{Book, Entry};
use crate::adops::change::Change;
use crate::adops::ids::{CampaignId, TenantId};
use crate::systems::{Code, Fault, Outcome};

/// What is to be done to one campaign.
struct Planned {
    id: CampaignId,
    entry: Option<Arc<Entry>>,
    verdict: Result<Result<Done, String>, String>,
}

/// Tells what a bulk change would do.
///
/// # Errors
/// 422 when it names too many campaigns.
pub fn tell(book: &Book, tenant: TenantId, request: &Request) -> Outcome<Judged> {
    let mut judged = Judged::new(true);
    for planned in plan(book, tenant, request)? {
        judged.add(planned.id, became(&planned));
    }
    Ok(judged)
}

/// Does it.
///
/// # Errors
/// 422 when it names too many campaigns.
pub fn carry_out(change: &mut Change<'_>, book: &Book, request: &Request) -> Outcome<Judged> {
    let planned = plan(book, change.actor.tenant, request)?;
    let mut judged = Judged::new(false);
    for one in &planned {
        judged.add(one.id, became(one));
    }
    if judged.done == 0 {
        return Ok(judged);
    }
    let bulk_id = change.next_id("bulk")?;
    for Planned { id, entry, verdict } in planned {
        let (Some(entry), Ok(Ok(done))) = (entry, verdict) else { continue };
        let mut campaign = entry.campaign.clone();
        done.apply(&mut campaign);
        store(change, book, &entry.campaign, campaign, "campaign.updated")?;
        change.put(&ITEMS, (bulk_id, id), &done)?;
    }
    let bulk = Bulk {
        action: request.text.clone(),
        who: change.actor.who,
        created_ns: change.at_ns,
        done: judged.done,
        skipped: judged.skipped,
        failed: judged.failed,
        undone_ns: None,
    };
    change.put(&BULKS, bulk_id, &bulk)?;
    let counts = json!({"done": judged.done, "skipped": judged.skipped, "failed": judged.failed});
    change.audit(&AuditEntry::new(change.actor, "bulk.applied", "bulk", bulk_id).change(&Value::Null, &counts))?;
    judged.bulk_id = Some(bulk_id);
    Ok(judged)
}

fn plan(book: &Book, tenant: TenantId, request: &Request) -> Outcome<Vec<Planned>> {
    let chosen: Vec<(CampaignId, Option<Arc<Entry>>)> = match &request.chosen {
        Chosen::Ids(ids) => ids.iter().map(|id| (*id, book.get(tenant, *id))).collect(),
        Chosen::Filter(filter) => {
            let fitting = book.all(tenant).into_iter().filter(|entry| filter.matches(entry));
            fitting.map(|entry| (entry.campaign.id, Some(entry))).collect()
        }
    };
    if chosen.len() > MOST {
        let message = format!("{} campaigns meet the filter; a bulk change takes at most {MOST}", chosen.len());
        return Err(Fault::new(Code::Unprocessable, message).detail("filter", "meets too many campaigns"));
    }
    let judge = |(id, entry): (CampaignId, Option<Arc<Entry>>)| {
        let verdict = match &entry {
            Some(entry) => request.action.decide(&entry.campaign),
            None => Err("not found".to_owned()),
        };
        Planned { id, entry, verdict }
    };
    Ok(chosen.into_iter().map(judge).collect())
}

fn became(planned: &Planned) -> Became {
    match (&planned.verdict, &planned.entry) {
        (Ok(Ok(done)), Some(entry)) => {
            let mut after = entry.campaign.clone();
            done.apply(&mut after);
            Became::Done { old: done.shown(&entry.campaign), new: done.shown(&after) }
        }
        (Ok(Err(reason)), _) => Became::Skipped(reason.clone()),
        (Err(reason), _) => Became::Failed(reason.clone()),
        (Ok(Ok(_)), None) => Became::Failed("not found".to_owned()),
    }
}
