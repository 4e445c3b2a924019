//! What a person agreed to, purpose by purpose.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use trafficlab_shared::error::FieldFault;

use super::missing;
use crate::adops::accounts::user::{Consent, USERS};
use crate::adops::actor::Actor;
use crate::adops::audit::AuditEntry;
use crate::adops::change::change;
use crate::store::Store;
use crate::systems::{Code, Fault, Outcome};

/// Purposes of a person at the most.
const MOST: usize = 100;
/// Letters of a purpose.
const LONGEST: usize = 40;

/// What the acting person agreed to.
///
/// # Errors
/// 404 when they are gone.
pub fn of(store: &Store, actor: &Actor) -> Outcome<BTreeMap<String, Consent>> {
    let person = actor.who.user().ok_or_else(missing)?;
    Ok(USERS.get(store, actor.tenant, person)?.ok_or_else(missing)?.consents)
}

/// Sets what the acting person agrees to; purposes that are not named stay as they are.
///
/// # Errors
/// 400 naming each purpose that is not a word or has neither true nor false.
pub async fn set(store: &Store, actor: &Actor, body: &Map<String, Value>) -> Outcome<BTreeMap<String, Consent>> {
    let wanted = read(body)?;
    let person = actor.who.user().ok_or_else(missing)?;
    change(store, actor, |change| {
        let mut user = change.get(&USERS, person)?.ok_or_else(missing)?;
        let (mut old, mut new) = (Map::new(), Map::new());
        for (purpose, granted) in wanted {
            let before = user.consents.get(&purpose).map(|consent| consent.granted);
            if before != Some(granted) {
                old.insert(purpose.clone(), json!(before));
                new.insert(purpose.clone(), json!(granted));
                user.consents.insert(purpose, Consent { granted, at_ns: change.at_ns });
            }
        }
        if user.consents.len() > MOST {
            return Err(Fault::new(Code::Unprocessable, format!("A person has at most {MOST} purposes")));
        }
        if !new.is_empty() {
            change.put(&USERS, person, &user)?;
            let entry = AuditEntry::new(change.actor, "gdpr.consents_updated", "user", person);
            change.audit(&entry.change(&Value::Object(old), &Value::Object(new)))?;
        }
        Ok(user.consents)
    })
    .await
}

fn read(body: &Map<String, Value>) -> Outcome<Vec<(String, bool)>> {
    let mut faults = Vec::new();
    let mut wanted = Vec::new();
    for (purpose, value) in body {
        match value.as_bool().filter(|_| is_word(purpose)) {
            Some(granted) => wanted.push((purpose.clone(), granted)),
            None => {
                let shown: String = purpose.chars().take(LONGEST).collect();
                let message = "must be a word of a-z and _ with at most 40 letters, and true or false";
                faults.push(FieldFault::new(shown, message));
            }
        }
    }
    if faults.is_empty() { Ok(wanted) } else { Err(Fault::validation(faults)) }
}

/// Whether a text is a word such as `user_request`.
#[must_use]
pub fn is_word(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}
