//! At the start: the list of erasures is completed from the store, and what a restored dump brought back is erased again.

use super::due::{ERASURES, Erased};
use super::erase::erase;
use super::list::{ErasedList, Line};
use super::{Privacy, missing, tenant};
use crate::adops::accounts::user::USERS;
use crate::adops::actor::Actor;
use crate::adops::audit::AuditEntry;
use crate::adops::book::Book;
use crate::adops::change::{Change, change_blocking};
use crate::adops::ids::{TenantId, UserId};
use crate::adops::tenant::TENANTS;
use crate::store::Store;
use crate::store::kv::Result as Stored;
use crate::systems::{Fault, Outcome};

/// Adds what a crash kept out of the list. Blocks.
pub(super) fn complete(store: &Store, list: &ErasedList) -> Outcome<()> {
    let lines = ERASURES.everyone(store).map(|row| row.map(|((tenant, _), erasure)| erasure.line(tenant)));
    let lines = lines.collect::<Stored<Vec<_>>>()?;
    list.add(&lines).map_err(|error| Fault::internal("the list of erasures", &error))
}

/// Erases what is on the list, is there, and was there before. What follows each change is done by `Privacy::go_on` soon
/// after. Blocks.
pub(super) fn erase_again(store: &Store, book: &Book, privacy: &Privacy) -> Outcome<()> {
    for line in privacy.list.lines() {
        // Nobody else is here yet; most lines need nothing, and a change costs a flush.
        if !is_back(store, &line)? {
            continue;
        }
        let actor = Actor::system(TenantId(line.tenant), "restored dump");
        change_blocking(store, &actor, |change| again(change, book, &line))?;
        tracing::info!(kind = ?line.kind, tenant = line.tenant, id = line.id, "erased again after a restore");
    }
    Ok(())
}

/// Whether what a line names is there, and was before it.
fn is_back(store: &Store, line: &Line) -> Outcome<bool> {
    let tenant = TenantId(line.tenant);
    Ok(match line.kind {
        Erased::Tenant => TENANTS.get(store, &tenant)?.is_some_and(|tenant| tenant.created_ns < line.at_ns),
        Erased::Deleted | Erased::Anonymised => USERS.get(store, tenant, UserId(line.id))?.is_some_and(|user| {
            user.created_ns < line.at_ns && (line.kind == Erased::Deleted || user.anonymised_ns.is_none())
        }),
    })
}

fn again(change: &mut Change<'_>, book: &Book, line: &Line) -> Outcome<()> {
    if line.kind == Erased::Tenant {
        return tenant::erase(change, book).map(drop);
    }
    let row_too = line.kind == Erased::Deleted;
    let user = change.get(&USERS, UserId(line.id))?.ok_or_else(missing)?;
    erase(change, UserId(line.id), &user, row_too)?;
    let action = if row_too { "gdpr.deleted" } else { "gdpr.anonymised" };
    Ok(change.audit(&AuditEntry::new(change.actor, action, "user", line.id))?)
}
