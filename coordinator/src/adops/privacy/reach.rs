//! Where something of a person lies in the store, and how it goes.

use super::archive;
use crate::adops::accounts::email;
use crate::adops::accounts::reset::RESETS;
use crate::adops::accounts::session::{self, REFRESH};
use crate::adops::accounts::user::{EMAILS, User};
use crate::adops::actor::Actor;
use crate::adops::audit::AUDIT;
use crate::adops::change::{Change, change};
use crate::adops::ids::{TenantId, UserId};
use crate::adops::{keys, mail, reports, views};
use crate::store::Store;
use crate::store::kv::Result as Stored;
use crate::systems::Outcome;

/// Entries of one piece.
const PIECE: usize = 500;

/// Removes everything that names a person or lets them in, but their own row.
pub(super) fn forget_person(change: &mut Change<'_>, person: UserId, user: &User) -> Stored<()> {
    forget_address(change, person, user)?;
    session::end_all(change, person)?;
    for row in REFRESH.scan(change.store, false) {
        let (hash, token) = row?;
        if token.tenant == change.actor.tenant && token.user == person {
            REFRESH.delete(change.batch(), &hash);
        }
    }
    change.delete(&RESETS, person);
    keys::remove_all(change, person)?;
    mail::forget(change, person)?;
    views::forget(change, person)?;
    reports::forget(change, person)?;
    archive::forget(change, person)
}

/// Frees the e-mail address of a person.
pub(super) fn forget_address(change: &mut Change<'_>, person: UserId, user: &User) -> Stored<()> {
    let folded = email::fold(&user.email);
    if EMAILS.get(change.store, &folded)? == Some((change.actor.tenant, person)) {
        EMAILS.delete(change.batch(), &folded);
    }
    Ok(())
}

/// Takes addresses away from the audit entries of what a person did, and of what was done to them; their own request ids
/// too, which clients choose. Piece by piece, since nothing else can be changed meanwhile.
pub(super) async fn forget_addresses(store: &Store, tenant: TenantId, person: UserId) -> Outcome<()> {
    let actor = Actor::system(tenant, "gdpr");
    let mut from = Some(0);
    while let Some(start) = from {
        from = change(store, &actor, |change| Ok(piece(change, person, start)?)).await?;
    }
    Ok(())
}

/// One piece; comes back with where the next one begins.
fn piece(change: &mut Change<'_>, person: UserId, start: u64) -> Stored<Option<u64>> {
    let mut last = None;
    let about = person.to_string();
    for row in AUDIT.range(change.store, change.actor.tenant, start, u64::MAX, false).take(PIECE) {
        let (at, mut entry) = row?;
        last = Some(at);
        let own = entry.who.user() == Some(person);
        let about_them = entry.object == "user" && entry.id == about;
        if !own && !about_them {
            continue;
        }
        if entry.address.take().is_some() || (own && !entry.request_id.is_empty()) {
            if own {
                entry.request_id.clear();
            }
            change.put(&AUDIT, at, &entry)?;
        }
    }
    Ok(last.map(|last| last + 1))
}
