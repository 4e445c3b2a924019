//! Signing in and out.

use trafficlab_shared::clock;

use super::lockout::Attempt;
use super::session::{self, SESSIONS, Tokens};
use super::user::{EMAILS, USERS, User};
use super::{Accounts, Origin, email, password};
use crate::adops::actor::{Actor, Role, Who};
use crate::adops::audit::AuditEntry;
use crate::adops::change::{change, note_soon};
use crate::adops::ids::{TenantId, UserId};
use crate::store::Store;
use crate::systems::{Code, Fault, Outcome};

impl Accounts {
    /// The tokens of a new session.
    ///
    /// What is wrong is not told, and takes the same time whatever it is.
    ///
    /// # Errors
    /// 401; 429 with `Retry-After` after too many failures; 503 when too many sign in at once.
    pub async fn sign_in(&self, store: &Store, name: &str, secret: &str, origin: &Origin<'_>) -> Outcome<Tokens> {
        let folded = email::fold(name);
        let attempt = self.lockout.begin(&folded, origin.address, clock::wall_ns())?;
        let found = find(store, &folded)?;
        let hash = found.as_ref().map(|(_, _, user)| user.password_hash.as_str());
        let checked = password::verify(secret, hash).await?;
        let entering = found.as_ref().filter(|(_, _, user)| checked.right && may_sign_in(user));
        attempt.judged(entering.is_some(), clock::wall_ns())?;
        let Some((tenant, id, user)) = entering else {
            note_failure(store, found.as_ref(), checked.right, origin)?;
            return Err(wrong());
        };
        // A password that was just checked needs no second judgement; a fault of the new hash leaves the old one.
        let renewed = if checked.old { password::renew(secret).await.ok() } else { None };
        let actor = origin.actor(*tenant, Who::User(*id), user.role);
        self.enter(store, &actor, *id, user, renewed).await?.ok_or_else(wrong)
    }

    /// Begins the session, unless the user was changed while the password was checked.
    async fn enter(
        &self,
        store: &Store,
        actor: &Actor,
        id: UserId,
        checked: &User,
        renewed: Option<String>,
    ) -> Outcome<Option<Tokens>> {
        change(store, actor, |change| {
            let Some(mut user) = change.get(&USERS, id)? else { return Ok(None) };
            if !may_sign_in(&user) || user.password_hash != checked.password_hash {
                return Ok(None);
            }
            user.last_login_ns = Some(change.at_ns);
            user.password_hash = renewed.unwrap_or(user.password_hash);
            change.put(&USERS, id, &user)?;
            let tokens = session::begin(change, &self.keys, id, &user)?;
            change.audit(&AuditEntry::new(change.actor, "auth.login", "user", id))?;
            Ok(Some(tokens))
        })
        .await
    }

    /// Ends the session of an access token, or all of its user's.
    ///
    /// # Errors
    /// 401 when the token is none, or the store.
    pub async fn sign_out(&self, store: &Store, actor: &Actor, token: &str, all: bool) -> Outcome<()> {
        let (_, id, session, _) = self.session_of(store, token)?;
        change(store, actor, |change| {
            let action = if all {
                session::end_all(change, id)?;
                "auth.logout_all"
            } else {
                change.delete(&SESSIONS, (id, session));
                "auth.logout"
            };
            Ok(change.audit(&AuditEntry::new(change.actor, action, "user", id))?)
        })
        .await
    }

    /// An attempt to show a password, counted like a sign-in.
    pub(super) fn attempt(&self, user: &User, actor: &Actor) -> Outcome<Attempt> {
        let address = actor.address.unwrap_or(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED));
        self.lockout.begin(&email::fold(&user.email), address, clock::wall_ns())
    }
}

/// Notes that somebody did not get into an account.
fn note_failure(store: &Store, found: Option<&Found>, right: bool, origin: &Origin<'_>) -> Outcome<()> {
    let Some((tenant, id, _)) = found else { return Ok(()) };
    let actor = origin.actor(*tenant, Who::System, Role::Viewer);
    let reason = if right { "the account is not active" } else { "the password is wrong" };
    // Waiting for the disk would tell that there is such an account.
    Ok(note_soon(store, &actor, &AuditEntry::new(&actor, "auth.login", "user", id).refused(reason))?)
}

fn wrong() -> Fault {
    Fault::new(Code::Unauthorized, "The e-mail address or the password is wrong")
}

/// A user, and where they are.
type Found = (TenantId, UserId, User);

/// The user of an address in its one spelling.
pub(super) fn find(store: &Store, folded: &str) -> Outcome<Option<Found>> {
    let Some((tenant, id)) = EMAILS.get(store, &folded.to_owned())? else { return Ok(None) };
    Ok(USERS.get(store, tenant, id)?.map(|user| (tenant, id, user)))
}

pub(super) fn may_sign_in(user: &User) -> bool {
    user.active && user.anonymised_ns.is_none() && !user.password_hash.is_empty()
}
