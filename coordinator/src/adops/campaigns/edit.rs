//! Changes, deletes and restores campaigns.

use serde_json::{Map, Value, json};
use trafficlab_shared::error::FieldFault;

use super::RESTORABLE_NS;
use super::read::{Given, Patch};
use crate::adops::audit::AuditEntry;
use crate::adops::book::{Book, Entry};
use crate::adops::campaign::{Campaign, Status};
use crate::adops::change::Change;
use crate::adops::ids::{CampaignId, TenantId};
use crate::systems::{Code, Fault, Outcome};

/// The kind of thing in the audit log.
pub const OBJECT: &str = "campaign";

/// Changes what a body names of a campaign.
///
/// # Errors
/// 404; 400 and 422 naming the fields; 409 when its external id is taken.
pub fn update(change: &mut Change<'_>, book: &Book, id: CampaignId, body: &Map<String, Value>) -> Outcome<()> {
    let entry = find(book, change.actor.tenant, id)?;
    let mut faults = Vec::new();
    let mut patch = Patch::read(body, entry.campaign.currency, &mut faults);
    for (field, null) in [
        ("name", patch.name == Given::Null),
        ("platform", patch.platform == Given::Null),
        ("status", patch.status == Given::Null),
        ("currency", patch.currency == Given::Null),
    ] {
        if null {
            faults.push(FieldFault::new(field, "cannot be null"));
        }
    }
    if !faults.is_empty() {
        return Err(Fault::validation(faults));
    }
    let mut campaign = entry.campaign.clone();
    if let Given::Value(status) = std::mem::take(&mut patch.status) {
        campaign.status = moved(campaign.status, status)?;
    }
    rebase(&entry, &mut campaign, &mut patch)?;
    patch.apply(&mut campaign);
    coherent(&campaign)?;
    store(change, book, &entry.campaign, campaign, "campaign.updated")
}

/// Changes platform and currency, which only a campaign without figures can.
fn rebase(entry: &Entry, campaign: &mut Campaign, patch: &mut Patch) -> Outcome<()> {
    let figures = !entry.real.is_empty() || !entry.synthetic.is_empty();
    if let Given::Value(platform) = std::mem::take(&mut patch.platform)
        && platform != campaign.platform
    {
        if figures {
            return Err(refused("platform", "The platform of a campaign with figures cannot change"));
        }
        campaign.platform = platform;
    }
    if let Given::Value(currency) = std::mem::take(&mut patch.currency)
        && currency != campaign.currency
    {
        if figures {
            return Err(refused("currency", "The currency of a campaign with figures cannot change"));
        }
        // Budgets keep their number: 500 dollars become 500 yen.
        let own = campaign.currency;
        let same = |minor: u64| currency.minor(&own.text(minor)).ok().filter(|minor| *minor > 0);
        campaign.daily_budget = campaign.daily_budget.and_then(same);
        campaign.lifetime_budget = campaign.lifetime_budget.and_then(same);
        campaign.currency = currency;
    }
    Ok(())
}

/// Deletes a campaign; it can be restored for 30 days. Comes back with the moment until which.
///
/// # Errors
/// 404.
pub fn delete(change: &mut Change<'_>, book: &Book, id: CampaignId) -> Outcome<u64> {
    let entry = find(book, change.actor.tenant, id)?;
    let campaign = Campaign { deleted_ns: Some(change.at_ns), ..entry.campaign.clone() };
    store(change, book, &entry.campaign, campaign, "campaign.deleted")?;
    Ok(change.at_ns.saturating_add(RESTORABLE_NS))
}

/// Brings a deleted campaign back.
///
/// # Errors
/// 404 also when the 30 days are over, 422 when it is not deleted, 409 when its external id is taken by now.
pub fn restore(change: &mut Change<'_>, book: &Book, id: CampaignId) -> Outcome<()> {
    let entry = book.get_any(change.actor.tenant, id).ok_or_else(|| unknown(id))?;
    let Some(deleted_ns) = entry.campaign.deleted_ns else {
        return Err(Fault::new(Code::Unprocessable, "The campaign is not deleted"));
    };
    if change.at_ns.saturating_sub(deleted_ns) >= RESTORABLE_NS {
        return Err(unknown(id));
    }
    let campaign = Campaign { deleted_ns: None, ..entry.campaign.clone() };
    store(change, book, &entry.campaign, campaign, "campaign.restored")
}

/// Writes a campaign that was changed, with what changed of it; one that is as it was is not written.
pub(super) fn store(
    change: &mut Change<'_>,
    book: &Book,
    before: &Campaign,
    mut campaign: Campaign,
    action: &str,
) -> Outcome<()> {
    if campaign == *before {
        return Ok(());
    }
    if campaign.deleted_ns.is_none() {
        free(book, change.actor.tenant, &campaign)?;
    }
    campaign.updated_ns = change.at_ns;
    let entry = AuditEntry::new(change.actor, action, OBJECT, campaign.id);
    change.audit(&entry.change(&told(before), &told(&campaign)))?;
    Ok(book.put(change, campaign)?)
}

/// The campaign of an id, unless it is deleted or another tenant's.
///
/// # Errors
/// 404.
pub fn find(book: &Book, tenant: TenantId, id: CampaignId) -> Outcome<std::sync::Arc<Entry>> {
    book.get(tenant, id).ok_or_else(|| unknown(id))
}

fn unknown(id: CampaignId) -> Fault {
    Fault::no_campaign(&id.to_string())
}

/// The status after a change from `from` to `to`.
///
/// # Errors
/// 422 naming what is allowed.
pub(super) fn moved(from: Status, to: Status) -> Outcome<Status> {
    if from == to || from.next().contains(&to) {
        return Ok(to);
    }
    let allowed: Vec<&str> = from.next().iter().map(|status| status.as_str()).collect();
    let (from, to, allowed) = (from.as_str(), to.as_str(), allowed.join(" or "));
    Err(refused("status", &format!("A campaign that is {from} cannot become {to}, only {allowed}")))
}

/// A refusal of what is right by itself.
pub(super) fn refused(field: &str, message: &str) -> Fault {
    Fault::new(Code::Unprocessable, message).detail(field, message)
}

/// Whether the members of a campaign go together.
pub(super) fn coherent(campaign: &Campaign) -> Outcome<()> {
    let mut fault = Fault::new(Code::Unprocessable, "Fields contradict each other");
    if let (Some(start), Some(end)) = (campaign.start, campaign.end)
        && end < start
    {
        fault = fault.detail("end_date", "must not be before `start_date`");
    }
    if let (Some(least), Some(most)) = (campaign.targeting.age_min, campaign.targeting.age_max)
        && least > most
    {
        fault = fault.detail("targeting.age_max", "must not be below `targeting.age_min`");
    }
    if fault.details.is_empty() { Ok(()) } else { Err(fault) }
}

/// Whether nobody else has the campaign's id at the platform.
pub(super) fn free(book: &Book, tenant: TenantId, campaign: &Campaign) -> Outcome<()> {
    let Some(external) = &campaign.external_id else { return Ok(()) };
    match book.by_external(tenant, campaign.platform, external) {
        Some(other) if other != campaign.id => {
            let message = format!("Campaign {other} has this id at {} already", campaign.platform.as_str());
            Err(Fault::conflict(message).detail("external_id", "is taken"))
        }
        _ => Ok(()),
    }
}

/// What the audit log tells of a campaign.
pub(super) fn told(campaign: &Campaign) -> Value {
    let money = |minor: Option<u64>| minor.map(|minor| campaign.currency.major(minor));
    json!({
        "name": campaign.name,
        "platform": campaign.platform.as_str(),
        "status": campaign.status.as_str(),
        "objective": campaign.objective,
        "external_id": campaign.external_id,
        "account_id": campaign.account_id,
        "daily_budget": money(campaign.daily_budget),
        "lifetime_budget": money(campaign.lifetime_budget),
        "currency": campaign.currency.code(),
        "targeting": serde_json::to_value(&campaign.targeting).unwrap_or_default(),
        "demographics": serde_json::from_str::<Value>(&campaign.demographics).unwrap_or_default(),
        "start_date": campaign.start.map(|day| day.to_string()),
        "end_date": campaign.end.map(|day| day.to_string()),
        "labels": campaign.labels,
        "deleted": campaign.deleted_ns.is_some(),
    })
}
