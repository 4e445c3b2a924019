//! What became of a campaign: its entries of the audit log, without where the requests came from.

use poem_openapi::Object;
use serde::Serialize;
use serde_json::Value;

use crate::adops::actor::Who;
use crate::adops::audit::{self, AUDIT, AuditEntry};
use crate::adops::campaigns::edit::OBJECT;
use crate::adops::ids::{CampaignId, TenantId};
use crate::store::Store;
use crate::systems::Outcome;
use crate::systems::adops::envelope::Pagination;
use crate::systems::adops::page::Page;
use crate::systems::time::rfc3339;

/// One change of a campaign
#[derive(Debug, Clone, PartialEq, Serialize, Object)]
#[oai(rename = "AdCampaignChange")]
pub struct ChangeView {
    /// When, RFC 3339 in UTC
    pub at: String,
    /// Such as `campaign.updated`
    pub action: String,
    /// Who; null when it was the server itself
    pub user_id: Option<u64>,
    /// By which API key, when it was one
    pub key_id: Option<u64>,
    /// The fields that changed, as they were
    pub old: Value,
    /// The same fields as they became
    pub new: Value,
    /// The request's id
    pub request_id: String,
}

/// A page of a campaign's changes, the newest first.
///
/// # Errors
/// When the store cannot be read.
pub fn of(store: &Store, tenant: TenantId, id: CampaignId, page: Page) -> Outcome<(Vec<ChangeView>, Pagination)> {
    let moments = audit::moments(store, tenant, OBJECT, &id.to_string())?;
    let pagination = page.pagination(u64::try_from(moments.len()).unwrap_or(u64::MAX));
    let mut changes = Vec::new();
    for at in page.of(moments.into_iter()) {
        if let Some(entry) = AUDIT.get(store, tenant, at)? {
            changes.push(view(at, entry));
        }
    }
    Ok((changes, pagination))
}

fn view(at: u64, entry: AuditEntry) -> ChangeView {
    let fields = |text: &str| serde_json::from_str(text).unwrap_or_default();
    ChangeView {
        at: rfc3339(at),
        user_id: entry.who.user().map(|user| user.get()),
        key_id: if let Who::Key(key, _) = entry.who { Some(key.get()) } else { None },
        old: fields(&entry.old),
        new: fields(&entry.new),
        action: entry.action,
        request_id: entry.request_id,
    }
}
