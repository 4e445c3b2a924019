//! Bulk changes as callers see them.

use poem_openapi::Object;
use serde::Serialize;
use serde_json::Value;

use crate::adops::CampaignId;
use crate::adops::actor::Who;
use crate::adops::campaigns::bulk::record::{Bulk, UNDOABLE_NS};
use crate::adops::campaigns::bulk::{Became, Judged};
use crate::systems::time::{maybe_rfc3339, rfc3339};

/// What became of one campaign
#[derive(Debug, Clone, PartialEq, Serialize, Object)]
#[oai(rename = "AdBulkItem")]
pub struct ItemView {
    /// The campaign
    pub id: u64,
    /// `done`, `skipped` (there was nothing to do) or `failed` (it cannot be done)
    pub result: String,
    /// Why it was skipped or failed
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    pub reason: Option<String>,
    /// The status, budget or labels before
    pub old: Value,
    /// And after
    pub new: Value,
}

/// What became of all campaigns of a bulk change
#[derive(Debug, Clone, PartialEq, Serialize, Object)]
#[oai(rename = "AdBulk")]
pub struct BulkView {
    /// Its number, to undo it; null when nothing was written
    pub bulk_id: Option<u64>,
    /// Whether this only tells what would be done
    pub dry_run: bool,
    /// Campaigns that were changed
    pub done: u32,
    /// Campaigns with nothing to do
    pub skipped: u32,
    /// Campaigns that cannot be changed so
    pub failed: u32,
    /// Each campaign
    pub items: Vec<ItemView>,
}

/// A bulk change that was made
#[derive(Debug, Clone, PartialEq, Serialize, Object)]
#[oai(rename = "AdBulkSummary")]
pub struct SummaryView {
    /// Its number
    pub bulk_id: u64,
    /// What it did, as it was asked for
    pub action: Value,
    /// When, RFC 3339 in UTC
    pub created_at: String,
    /// Who made it
    pub user_id: Option<u64>,
    /// With which API key, when it was one
    pub key_id: Option<u64>,
    /// Campaigns that were changed
    pub done: u32,
    /// Campaigns with nothing to do
    pub skipped: u32,
    /// Campaigns that could not be changed so
    pub failed: u32,
    /// Until when it can be undone
    pub undoable_until: String,
    /// When it was undone
    pub undone_at: Option<String>,
}

impl From<Judged> for BulkView {
    fn from(judged: Judged) -> Self {
        let Judged { bulk_id, dry_run, done, skipped, failed, items } = judged;
        let items = items.into_iter().map(|(id, became)| ItemView::of(id, became)).collect();
        Self { bulk_id, dry_run, done, skipped, failed, items }
    }
}

impl ItemView {
    fn of(id: CampaignId, became: Became) -> Self {
        let (result, reason, old, new) = match became {
            Became::Done { old, new } => ("done", None, old, new),
            Became::Skipped(reason) => ("skipped", Some(reason), Value::Null, Value::Null),
            Became::Failed(reason) => ("failed", Some(reason), Value::Null, Value::Null),
        };
        Self { id: id.get(), result: result.to_owned(), reason, old, new }
    }
}

impl SummaryView {
    /// A bulk change of this number.
    #[must_use]
    pub fn of(bulk_id: u64, bulk: &Bulk) -> Self {
        Self {
            bulk_id,
            action: serde_json::from_str(&bulk.action).unwrap_or_default(),
            created_at: rfc3339(bulk.created_ns),
            user_id: bulk.who.user().map(|user| user.get()),
            key_id: if let Who::Key(key, _) = bulk.who { Some(key.get()) } else { None },
            done: bulk.done,
            skipped: bulk.skipped,
            failed: bulk.failed,
            undoable_until: rfc3339(bulk.created_ns.saturating_add(UNDOABLE_NS)),
            undone_at: maybe_rfc3339(bulk.undone_ns),
        }
    }
}
