//! A person's own account.

use serde_json::{Map, Value};
use trafficlab_shared::clock;

use super::reset::{renamed, set_password};
use super::user::{USERS, User};
use super::{Accounts, password, register};
use crate::adops::actor::Actor;
use crate::adops::audit::AuditEntry;
use crate::adops::change::change;
use crate::adops::ids::UserId;
use crate::adops::input;
use crate::adops::tenant::Tenant;
use crate::store::Store;
use crate::systems::{Code, Fault, Outcome};

/// Longest name, in bytes.
const NAME: usize = 400;

/// A person and the tenant they belong to.
pub struct Me {
    /// Their id.
    pub id: UserId,
    /// They.
    pub user: User,
    /// Their tenant.
    pub tenant: Tenant,
    /// Whether their sessions ended just now.
    pub signed_out: bool,
}

impl Accounts {
    /// The signed-in person.
    ///
    /// # Errors
    /// 404 when they are gone.
    pub fn me(&self, store: &Store, actor: &Actor) -> Outcome<Me> {
        let gone = || Fault::not_found("There is no such user");
        let id = actor.who.user().ok_or_else(gone)?;
        let user = USERS.get(store, actor.tenant, id)?.ok_or_else(gone)?;
        let tenant = Tenant::get(store, actor.tenant)?.ok_or_else(gone)?;
        Ok(Me { id, user, tenant, signed_out: false })
    }

    /// Changes the person's name or password. A new password ends all of their sessions, this one too.
    ///
    /// # Errors
    /// 400 for what is wrong, the present password included; 429 after too many wrong ones.
    pub async fn change_me(&self, store: &Store, actor: &Actor, body: &Map<String, Value>) -> Outcome<Me> {
        let before = self.me(store, actor)?;
        let passed_over = ["email", "role", "active", "last_login_at"];
        let (full_name, new, current) = input::read_beside(body, &passed_over, |fields| {
            let full_name = input::name(fields, "full_name", NAME, false);
            let new = fields.get("password").map(|_| register::text(fields, "password"));
            let current = if new.is_some() { register::text(fields, "current_password") } else { None };
            (full_name, new.flatten(), current)
        })?;
        let password_hash = match (new, current) {
            (Some(new), Some(current)) => Some(self.judge_new(&before.user, actor, new, current).await?),
            _ => None,
        };
        let signed_out = password_hash.is_some();
        let id = before.id;
        change(store, actor, |change| {
            let mut user = change.get(&USERS, id)?.ok_or_else(|| Fault::not_found("There is no such user"))?;
            if password_hash.is_some() && user.generation != before.user.generation {
                return Err(Fault::conflict("The account was changed meanwhile; sign in again"));
            }
            if let Some(name) = full_name.filter(|name| *name != user.full_name) {
                user.full_name = name;
                change.audit(&renaming(change.actor, id))?;
            }
            change.put(&USERS, id, &user)?;
            if let Some(hash) = password_hash {
                set_password(change, id, user, hash)?;
                change.audit(&AuditEntry::new(change.actor, "auth.password_changed", "user", id))?;
            }
            Ok(())
        })
        .await?;
        Ok(Me { signed_out, ..self.me(store, actor)? })
    }

    /// The hash of a new password, when the present one is known.
    async fn judge_new(&self, user: &User, actor: &Actor, new: &str, current: &str) -> Outcome<String> {
        let attempt = self.attempt(user, actor)?;
        let checked = password::verify(current, Some(&user.password_hash)).await?;
        attempt.judged(checked.right, clock::wall_ns())?;
        if !checked.right {
            return Err(Fault::field("current_password", "is not the present password"));
        }
        if new == current {
            let fault = Fault::new(Code::Unprocessable, "The new password is the present one");
            return Err(fault.detail("password", "is not new"));
        }
        password::hash(new, &[&user.email, &user.full_name]).await.map_err(|fault| renamed(fault, "password"))
    }
}

/// That the name changed; not what it was, which the log does not hold.
fn renaming(actor: &Actor, id: UserId) -> AuditEntry {
    let fields = serde_json::json!({"fields": ["full_name"]});
    AuditEntry::new(actor, "user.updated", "user", id).change(&Value::Null, &fields)
}
