//! Making, changing and removing views.

use serde_json::{Map, Value, json};

use super::read::{fits, read};
use super::{Page, SavedView, VIEWS, missing};
use crate::adops::actor::Actor;
use crate::adops::audit::AuditEntry;
use crate::adops::change::{Change, change};
use crate::adops::ids::UserId;
use crate::store::Store;
use crate::store::kv::Result as Stored;
use crate::systems::{Code, Fault, Outcome};

/// Views of a person at the most.
const MOST: usize = 100;

/// Makes a view of the person who acts.
///
/// # Errors
/// 400 naming fields, 409 when the person has one of this name or too many.
pub async fn create(store: &Store, actor: &Actor, body: &Map<String, Value>) -> Outcome<(u64, SavedView)> {
    let wanted = read(body, true)?;
    let page = wanted.page.unwrap_or(Page::Campaigns);
    let query = wanted.query.unwrap_or_default();
    fits(page, &query)?;
    let owner = actor.who.user().ok_or_else(|| Fault::new(Code::Forbidden, "Only a person saves views"))?;
    let name = wanted.name.unwrap_or_default();
    let shared = wanted.shared.unwrap_or(false);
    let work = |change: &mut Change<'_>| {
        if unique(change, owner, &name, None)? >= MOST {
            return Err(Fault::conflict(format!("A person has at most {MOST} views")));
        }
        let id = change.next_id("view")?;
        let at = change.at_ns;
        let view = SavedView { owner, name, page, query, shared, created_ns: at, updated_ns: at };
        change.put(&VIEWS, id, &view)?;
        let new = json!({"page": page.as_str(), "shared": shared});
        change.audit(&AuditEntry::new(actor, "view.created", "view", id).change(&json!({}), &new))?;
        Ok((id, view))
    };
    change(store, actor, work).await
}

/// Changes a view; what is left out stays.
///
/// # Errors
/// 400, 404, 403 for a shared one of somebody else, 409.
pub async fn update(store: &Store, actor: &Actor, id: u64, body: &Map<String, Value>) -> Outcome<SavedView> {
    let wanted = read(body, false)?;
    let work = |change: &mut Change<'_>| {
        let before = writable(change, id)?;
        let after = SavedView {
            name: wanted.name.unwrap_or_else(|| before.name.clone()),
            page: wanted.page.unwrap_or(before.page),
            query: wanted.query.unwrap_or_else(|| before.query.clone()),
            shared: wanted.shared.unwrap_or(before.shared),
            ..before
        };
        fits(after.page, &after.query)?;
        if after == before {
            return Ok(before);
        }
        unique(change, after.owner, &after.name, Some(id))?;
        let after = SavedView { updated_ns: change.at_ns, ..after };
        change.put(&VIEWS, id, &after)?;
        change.audit(&told(actor, id, &before, &after))?;
        Ok(after)
    };
    change(store, actor, work).await
}

/// Removes a view.
///
/// # Errors
/// 404, 403 for a shared one of somebody else.
pub async fn remove(store: &Store, actor: &Actor, id: u64) -> Outcome<()> {
    let work = |change: &mut Change<'_>| {
        writable(change, id)?;
        change.delete(&VIEWS, id);
        Ok(change.audit(&AuditEntry::new(actor, "view.deleted", "view", id))?)
    };
    change(store, actor, work).await
}

/// Names and what is searched for may name people, so of them only the change is told.
fn told(actor: &Actor, id: u64, before: &SavedView, after: &SavedView) -> AuditEntry {
    let changed: Vec<&str> = [("name", before.name != after.name), ("query", before.query != after.query)]
        .into_iter()
        .filter_map(|(field, changed)| changed.then_some(field))
        .collect();
    let old = json!({"page": before.page.as_str(), "shared": before.shared});
    let new = json!({"page": after.page.as_str(), "shared": after.shared, "changed": changed});
    AuditEntry::new(actor, "view.updated", "view", id).change(&old, &new)
}

fn writable(change: &Change<'_>, id: u64) -> Outcome<SavedView> {
    let view = change.get(&VIEWS, id)?.filter(|view| view.seen_by(change.actor)).ok_or_else(missing)?;
    if view.written_by(change.actor) {
        return Ok(view);
    }
    Err(Fault::new(Code::Forbidden, "Only its owner or an admin may change this view"))
}

/// Refuses a name that another view of the person has; answers how many views they have.
fn unique(change: &Change<'_>, owner: UserId, name: &str, but: Option<u64>) -> Outcome<usize> {
    let all = VIEWS.scan(change.store, change.actor.tenant, false).collect::<Stored<Vec<_>>>()?;
    let own: Vec<_> = all.iter().filter(|(_, view)| view.owner == owner).collect();
    if own.iter().any(|(id, view)| view.name == name && Some(*id) != but) {
        return Err(Fault::conflict("A view of this name exists").detail("name", "is taken"));
    }
    Ok(own.len())
}
