//! Makes campaigns.

use serde_json::{Map, Value};
use trafficlab_engine::ads::money::Currency;
use trafficlab_shared::error::FieldFault;

use super::edit::{OBJECT, coherent, free, refused, told};
use super::read::{Given, Patch};
use crate::adops::audit::AuditEntry;
use crate::adops::book::Book;
use crate::adops::campaign::{Campaign, Platform, Status, Targeting};
use crate::adops::change::Change;
use crate::adops::ids::CampaignId;
use crate::adops::tenant::Tenant;
use crate::systems::{Fault, Outcome};

/// Makes a campaign from a body.
///
/// # Errors
/// 400 and 422 naming the fields, 409 when its external id is taken.
pub fn create(change: &mut Change<'_>, book: &Book, body: &Map<String, Value>) -> Outcome<Campaign> {
    let usual = Tenant::get(change.store, change.actor.tenant)?.map_or(Currency::USD, |tenant| tenant.currency);
    let (patch, platform) = read(body, usual)?;
    let status = if let Given::Value(status) = patch.status { status } else { Status::Draft };
    if !matches!(status, Status::Draft | Status::Active) {
        return Err(refused("status", "A new campaign is draft or active"));
    }
    let currency = if let Given::Value(own) = patch.currency { own } else { usual };
    let mut campaign = Campaign { status, ..blank(change, platform, currency)? };
    patch.apply(&mut campaign);
    coherent(&campaign)?;
    free(book, change.actor.tenant, &campaign)?;
    let entry = AuditEntry::new(change.actor, "campaign.created", OBJECT, campaign.id);
    change.audit(&entry.change(&Value::Null, &told(&campaign)))?;
    book.put(change, campaign.clone())?;
    Ok(campaign)
}

/// Reads a body that has to have a name and a platform.
fn read(body: &Map<String, Value>, usual: Currency) -> Outcome<(Patch, Platform)> {
    let mut faults = Vec::new();
    let patch = Patch::read(body, usual, &mut faults);
    let platform = if let Given::Value(platform) = patch.platform { Some(platform) } else { None };
    let named = matches!(patch.name, Given::Value(_));
    for (field, there) in [("name", named), ("platform", platform.is_some())] {
        if !there && faults.iter().all(|fault| fault.field != field) {
            faults.push(FieldFault::new(field, "is required"));
        }
    }
    match platform {
        Some(platform) if faults.is_empty() => Ok((patch, platform)),
        _ => Err(Fault::validation(faults)),
    }
}

/// A campaign of which nothing is known yet.
fn blank(change: &mut Change<'_>, platform: Platform, currency: Currency) -> Outcome<Campaign> {
    Ok(Campaign {
        id: CampaignId(change.next_id("campaign")?),
        name: String::new(),
        platform,
        status: Status::Draft,
        objective: None,
        external_id: None,
        account_id: None,
        daily_budget: None,
        lifetime_budget: None,
        currency,
        targeting: Targeting::default(),
        demographics: String::new(),
        start: None,
        end: None,
        labels: Vec::new(),
        created_by: change.actor.who.user(),
        created_ns: change.at_ns,
        updated_ns: change.at_ns,
        synced_ns: None,
        deleted_ns: None,
    })
}
