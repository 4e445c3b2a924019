//! Entries of the audit log as callers see them.

use poem_openapi::Object;
use serde::Serialize;
use serde_json::Value;

use crate::adops::{AuditEntry, Who};
use crate::systems::time::rfc3339;

/// Who did something
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Object)]
#[oai(rename = "AuditActor")]
pub struct ActorView {
    /// `user`, `api_key` or `system`
    pub kind: String,
    /// The person, of a key its maker
    pub user_id: Option<u64>,
    /// The key
    pub api_key_id: Option<u64>,
}

/// One change, or one that was refused
#[derive(Debug, Clone, PartialEq, Serialize, Object)]
#[oai(rename = "AuditEntry")]
pub struct EntryView {
    /// When
    pub at: String,
    /// Who
    pub who: ActorView,
    /// What, such as `campaign.updated`
    pub action: String,
    /// The kind of thing
    pub object: String,
    /// Which one; null when it is none in particular
    pub id: Option<String>,
    /// The fields that changed, as they were; what names persons is never told
    pub old: Value,
    /// The same fields as they are
    pub new: Value,
    /// The request's id, or what the server was doing
    pub request_id: String,
    /// Where it came from; taken away by erasures and by the tenant's retention
    pub address: Option<String>,
    /// Why it was refused; null when it was done
    pub refused: Option<String>,
}

pub(super) fn view(at_ns: u64, entry: &AuditEntry) -> EntryView {
    let (kind, api_key_id) = match entry.who {
        Who::User(_) => ("user", None),
        Who::Key(key, _) => ("api_key", Some(key.get())),
        Who::System => ("system", None),
    };
    let json = |text: &str| serde_json::from_str(text).unwrap_or_default();
    EntryView {
        at: rfc3339(at_ns),
        who: ActorView { kind: kind.to_owned(), user_id: entry.who.user().map(|user| user.get()), api_key_id },
        action: entry.action.clone(),
        object: entry.object.clone(),
        id: Some(entry.id.clone()).filter(|id| !id.is_empty()),
        old: json(&entry.old),
        new: json(&entry.new),
        request_id: entry.request_id.clone(),
        address: entry.address.map(|address| address.to_string()),
        refused: entry.refused.clone(),
    }
}
