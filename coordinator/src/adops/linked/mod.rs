//! Generated traffic of linked sessions as synthetic figures of a campaign.
//!
//! The exact counters of a run only grow. What was added of each run so far lies in the same batch as the days it was
//! added to, so every impression counts exactly once, whatever is killed when ([`follow`]).

pub mod follow;

use serde::{Deserialize, Serialize};

use super::actor::Actor;
use super::audit::AuditEntry;
use super::book::Book;
use super::change::change;
use super::ids::{CampaignId, TenantId};
use crate::store::campaigns::CAMPAIGNS as SESSIONS;
use crate::store::{Batch, FirstVersion, Store, StoreError, Table};
use crate::systems::{Fault, Outcome};

/// Links by session: one session counts for one campaign. Sessions belong to no tenant, so this is no table of tenants.
const LINKS: Table<String, Link> = Table::new("ads_link");

/// Which campaign a session counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The campaign's tenant.
    pub tenant: TenantId,
    /// The campaign.
    pub campaign: CampaignId,
    /// Since when, in nanoseconds since 1970.
    pub since_ns: u64,
}

impl FirstVersion for Link {}

/// The campaign that a session names as `ad_campaign_id`.
///
/// # Errors
/// 400 when there is none.
pub fn named(book: &Book, id: u64, now_ns: u64) -> Outcome<Link> {
    let campaign = CampaignId(id);
    let tenant = book.tenant_of(campaign);
    let tenant = tenant.ok_or_else(|| Fault::field("config.ad_campaign_id", format!("there is no campaign {id}")))?;
    Ok(Link { tenant, campaign, since_ns: now_ns })
}

/// Adds a link of a session that names its campaign itself.
///
/// # Errors
/// When it cannot be encoded.
pub fn put(batch: &mut Batch, session: &str, link: &Link) -> Result<(), StoreError> {
    LINKS.put(batch, &session.to_owned(), link)
}

/// Sessions that count for a campaign, with the moment since when. Blocks.
///
/// # Errors
/// When the store cannot be read.
pub fn of_campaign(store: &Store, tenant: TenantId, id: CampaignId) -> Result<Vec<(String, u64)>, StoreError> {
    let links = LINKS
        .scan(store, false)
        .filter(|row| row.as_ref().map_or(true, |(_, link)| link.tenant == tenant && link.campaign == id));
    links.map(|row| row.map(|(session, link)| (session, link.since_ns))).collect()
}

/// Links a session to a campaign of the actor's tenant.
///
/// # Errors
/// 404 for an unknown campaign or session, 409 when the session counts for another campaign.
pub async fn link(store: &Store, book: &Book, actor: &Actor, id: CampaignId, session: &str) -> Outcome<u64> {
    change(store, actor, |change| {
        known(book, actor, id)?;
        let key = session.to_owned();
        if session.is_empty() || session.len() > 64 || !SESSIONS.contains(change.store, &key)? {
            return Err(Fault::not_found("Session not found"));
        }
        match LINKS.get(change.store, &key)? {
            Some(link) if (link.tenant, link.campaign) == (actor.tenant, id) => return Ok(link.since_ns),
            Some(_) => return Err(Fault::conflict("The session counts for another campaign")),
            None => {}
        }
        let link = Link { tenant: actor.tenant, campaign: id, since_ns: change.at_ns };
        LINKS.put(change.batch(), &key, &link)?;
        audit(change, "campaign.traffic_linked", id, session)?;
        Ok(change.at_ns)
    })
    .await
}

/// Ends a link; what was counted stays.
///
/// # Errors
/// 404 when there is none.
pub async fn unlink(store: &Store, book: &Book, actor: &Actor, id: CampaignId, session: &str) -> Outcome<()> {
    change(store, actor, |change| {
        known(book, actor, id)?;
        let key = session.to_owned();
        let found = if session.len() > 64 { None } else { LINKS.get(change.store, &key)? };
        if found.is_none_or(|link| (link.tenant, link.campaign) != (actor.tenant, id)) {
            return Err(Fault::not_found("The session does not count for this campaign"));
        }
        LINKS.delete(change.batch(), &key);
        audit(change, "campaign.traffic_unlinked", id, session)
    })
    .await
}

fn known(book: &Book, actor: &Actor, id: CampaignId) -> Outcome<()> {
    let found = book.get(actor.tenant, id);
    found.map(drop).ok_or_else(|| Fault::not_found(format!("Campaign {id} not found")))
}

fn audit(change: &mut super::Change<'_>, action: &str, id: CampaignId, session: &str) -> Outcome<()> {
    let told = serde_json::json!({ "session_id": session });
    let entry = AuditEntry::new(change.actor, action, "campaign", id).change(&serde_json::Value::Null, &told);
    Ok(change.audit(&entry)?)
}

#[cfg(test)]
mod tests;
