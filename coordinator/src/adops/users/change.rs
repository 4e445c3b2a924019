//! Adding people and changing what they may.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::missing;
use super::read::{Wanted, read};
use crate::adops::accounts::reset::{RESETS, Reset};
use crate::adops::accounts::user::{EMAILS, USERS, User};
use crate::adops::accounts::{email, password};
use crate::adops::actor::{Actor, Role};
use crate::adops::audit::AuditEntry;
use crate::adops::change::{Change, change};
use crate::adops::ids::UserId;
use crate::store::Store;
use crate::store::kv::Result as Stored;
use crate::systems::{Code, Fault, Outcome};

/// Adds a person, a viewer unless told otherwise.
///
/// # Errors
/// 400 naming fields, 409 when the address belongs to somebody.
pub async fn create(store: &Store, actor: &Actor, body: &Map<String, Value>) -> Outcome<(UserId, User)> {
    let wanted = read(body, true)?;
    let (email, full_name) = (wanted.email.unwrap_or_default(), wanted.full_name.unwrap_or_default());
    let password = wanted.password.unwrap_or_default();
    let folded = email::fold(&email);
    // Before the work of hashing, and again under the lock.
    free(store, &folded)?;
    let password_hash = password::hash(&password, &[&email, &full_name]).await?;
    let work = |change: &mut Change<'_>| {
        free(change.store, &folded)?;
        let id = UserId(change.next_id("user")?);
        let user = User {
            email,
            full_name,
            role: wanted.role.unwrap_or(Role::Viewer),
            password_hash,
            active: wanted.active.unwrap_or(true),
            generation: 0,
            created_ns: change.at_ns,
            last_login_ns: None,
            anonymised_ns: None,
            consents: BTreeMap::new(),
        };
        change.put(&USERS, id, &user)?;
        EMAILS.put(change.batch(), &folded, &(actor.tenant, id))?;
        let new = json!({"role": user.role.as_str(), "active": user.active});
        change.audit(&AuditEntry::new(change.actor, "user.created", "user", id).change(&json!({}), &new))?;
        Ok((id, user))
    };
    change(store, actor, work).await
}

/// Changes a person; what is left out stays.
///
/// # Errors
/// 400 naming fields, 404, 409 when the address belongs to somebody else or the last admin would go.
pub async fn update(store: &Store, actor: &Actor, id: UserId, body: &Map<String, Value>) -> Outcome<User> {
    let before = USERS.get(store, actor.tenant, id)?.ok_or_else(missing)?;
    let wanted = read(body, false)?;
    if wanted.password.is_some() && actor.who.user() == Some(id) {
        let message = "One's own password is changed by `PUT /api/v1/auth/me`, which asks for the present one";
        return Err(Fault::new(Code::Unprocessable, message).detail("password", "is one's own"));
    }
    let new_hash = match &wanted.password {
        None => None,
        Some(password) => Some(password::hash(password, &[&before.email, &before.full_name]).await?),
    };
    change(store, actor, |change| put(change, id, wanted, new_hash)).await
}

/// Takes away a person's access and leaves what they made; GDPR's ways take away who they were.
///
/// # Errors
/// 404, 409 when the last admin would go.
pub async fn deactivate(store: &Store, actor: &Actor, id: UserId) -> Outcome<User> {
    let wanted = Wanted { active: Some(false), ..Wanted::default() };
    change(store, actor, |change| put(change, id, wanted, None)).await
}

fn put(change: &mut Change<'_>, id: UserId, wanted: Wanted, new_hash: Option<String>) -> Outcome<User> {
    let before = change.get(&USERS, id)?.filter(|user| user.anonymised_ns.is_none()).ok_or_else(missing)?;
    let mut user = before.clone();
    if let Some(email) = wanted.email {
        move_address(change, id, &user.email, &email)?;
        user.email = email;
    }
    if let Some(full_name) = wanted.full_name {
        user.full_name = full_name;
    }
    user.role = wanted.role.unwrap_or(user.role);
    user.active = wanted.active.unwrap_or(user.active);
    let repassworded = new_hash.is_some();
    user.password_hash = new_hash.unwrap_or(user.password_hash);
    let was_admin = before.active && before.role == Role::Admin;
    if was_admin && !(user.active && user.role == Role::Admin) {
        another_admin(change, id)?;
    }
    if repassworded || user.role < before.role || before.active && !user.active {
        user.generation = user.generation.saturating_add(1);
    }
    if user != before {
        change.put(&USERS, id, &user)?;
        change.audit(&told(change.actor, id, &before, &user))?;
    }
    Ok(user)
}

/// The entry of a change: of what names a person, or opens their account, only that it changed.
fn told(actor: &Actor, id: UserId, before: &User, user: &User) -> AuditEntry {
    let changed: Vec<&str> = [
        ("email", before.email != user.email),
        ("full_name", before.full_name != user.full_name),
        ("password", before.password_hash != user.password_hash),
    ]
    .into_iter()
    .filter_map(|(field, changed)| changed.then_some(field))
    .collect();
    let shown = |user: &User| json!({"role": user.role.as_str(), "active": user.active});
    let (old, mut new) = (shown(before), shown(user));
    if let Some(members) = new.as_object_mut().filter(|_| !changed.is_empty()) {
        members.insert("changed".to_owned(), json!(changed));
    }
    let action = if before.active && !user.active { "user.deactivated" } else { "user.updated" };
    AuditEntry::new(actor, action, "user", id).change(&old, &new)
}

fn move_address(change: &mut Change<'_>, id: UserId, old: &str, new: &str) -> Outcome<()> {
    let (old, new) = (email::fold(old), email::fold(new));
    if old == new {
        return Ok(());
    }
    free(change.store, &new)?;
    EMAILS.delete(change.batch(), &old);
    // A token for a new password lies in the mailbox of the old address, which may be somebody else's now.
    if let Some(reset) = change.get(&RESETS, id)? {
        change.put(&RESETS, id, &Reset { hash: None, ..reset })?;
    }
    let owner = (change.actor.tenant, id);
    Ok(EMAILS.put(change.batch(), &new, &owner)?)
}

fn free(store: &Store, folded: &str) -> Outcome<()> {
    if EMAILS.contains(store, &folded.to_owned())? {
        return Err(Fault::conflict("The e-mail address belongs to a user already").detail("email", "is taken"));
    }
    Ok(())
}

fn another_admin(change: &Change<'_>, but: UserId) -> Outcome<()> {
    let all = USERS.scan(change.store, change.actor.tenant, false).collect::<Stored<Vec<_>>>()?;
    let other = |(id, user): &(UserId, User)| *id != but && user.active && user.role == Role::Admin;
    if all.iter().any(other) { Ok(()) } else { Err(Fault::conflict("This is the tenant's last active admin")) }
}
