//! Who changed what. An entry lies in the batch of the change itself, so there is never one without the other.
//!
//! Entries never hold what names a person: of a user's fields only the names of those that changed are told. `address`
//! is the one exception; an erasure takes it away.

pub mod log;

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::actor::{Actor, Who};
use super::ids::TenantId;
use super::table::TenantTable;
use crate::store::{Batch, FirstVersion, Store, StoreError};

/// Entries by their moment in nanoseconds since 1970, made unique; so they lie in the order they happened in.
pub const AUDIT: TenantTable<u64, AuditEntry> = TenantTable::new("ads_audit");
/// The moments of the entries of each thing, by its kind and id; so its history need not be looked for.
const MOMENTS: TenantTable<(String, String, u64), ()> = TenantTable::new("ads_audit_of");

/// One change, or one that was refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// The one who acted.
    pub who: Who,
    /// What was done, such as `campaign.updated`.
    pub action: String,
    /// The kind of thing, such as `campaign`.
    pub object: String,
    /// Its id, empty when there is none.
    pub id: String,
    /// The fields that changed, as they were: JSON text of an object, or empty.
    #[serde(default)]
    pub old: String,
    /// The same fields as they are.
    #[serde(default)]
    pub new: String,
    /// The request's id.
    pub request_id: String,
    /// Where it came from.
    #[serde(default)]
    pub address: Option<IpAddr>,
    /// Why it was refused; nothing when it was done.
    #[serde(default)]
    pub refused: Option<String>,
}

impl FirstVersion for AuditEntry {}

impl AuditEntry {
    /// An entry of a change that `actor` makes to `object` `id`.
    pub fn new(actor: &Actor, action: &str, object: &str, id: impl std::fmt::Display) -> Self {
        Self {
            who: actor.who,
            action: action.to_owned(),
            object: object.to_owned(),
            id: id.to_string(),
            old: String::new(),
            new: String::new(),
            request_id: actor.request_id.clone(),
            address: actor.address,
            refused: None,
        }
    }

    /// Adds what changed; equal members of both are left out.
    #[must_use]
    pub fn change(mut self, old: &Value, new: &Value) -> Self {
        let differing = |one: &Value, other: &Value| match (one, other) {
            (Value::Object(one), Value::Object(other)) => {
                let changed = one.iter().filter(|(key, value)| other.get(*key) != Some(*value));
                Value::Object(changed.map(|(key, value)| (key.clone(), value.clone())).collect())
            }
            _ => one.clone(),
        };
        self.old = text(&differing(old, new));
        self.new = text(&differing(new, old));
        self
    }

    /// Marks it as refused.
    #[must_use]
    pub fn refused(mut self, reason: impl Into<String>) -> Self {
        self.refused = Some(reason.into());
        self
    }

    pub(super) fn put(&self, batch: &mut Batch, tenant: TenantId, at: u64) -> Result<(), StoreError> {
        if !self.id.is_empty() {
            MOMENTS.put(batch, tenant, (self.object.clone(), self.id.clone(), at), &())?;
        }
        AUDIT.put(batch, tenant, at, self)
    }
}

/// The moments of the entries of one thing, the newest first.
///
/// # Errors
/// When the store cannot be read.
pub fn moments(store: &Store, tenant: TenantId, object: &str, id: &str) -> Result<Vec<u64>, StoreError> {
    let key = |at| (object.to_owned(), id.to_owned(), at);
    let rows = MOMENTS.range(store, tenant, key(0), key(u64::MAX), true);
    rows.map(|row| row.map(|((_, _, at), ())| at)).collect()
}

fn text(value: &Value) -> String {
    if value.is_null() { String::new() } else { value.to_string() }
}
