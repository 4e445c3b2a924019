//! A new password for somebody who forgot the old one: a token goes out by mail, and is good for an hour and once.
//!
//! There is one token of a user at most, so a newer one ends the older; it carries the user's generation, so a change of
//! the password ends it too. Stored is its SHA-256.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use subtle::ConstantTimeEq;
use trafficlab_shared::clock;
use trafficlab_shared::config::Config;

use super::asked::missing;
use super::session::{self, hash_of, random};
use super::sign_in::find;
use super::user::{USERS, User};
use super::{Accounts, HOUR_NS, Origin, password, register};
use crate::adops::actor::{Role, Who};
use crate::adops::audit::AuditEntry;
use crate::adops::change::{Change, change};
use crate::adops::ids::{TenantId, UserId};
use crate::adops::input;
use crate::adops::mail::{self, Mail};
use crate::adops::table::TenantTable;
use crate::store::kv::Result as Stored;
use crate::store::{Batch, FirstVersion, Store};
use crate::systems::{Fault, Outcome};

/// The token of each user who asked for one.
pub const RESETS: TenantTable<UserId, Reset> = TenantTable::new("ads_reset");

/// How every token begins.
const PREFIX: &str = "tlp_";
/// Mails to a user within an hour.
const MOST: u32 = 5;

/// A token that was mailed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reset {
    /// SHA-256 of the token; none when it was used.
    pub hash: Option<[u8; 32]>,
    /// The user's generation when it was made.
    pub generation: u32,
    /// When it ends, nanoseconds since 1970.
    pub expires_ns: u64,
    /// Mails since `since_ns`.
    pub mails: u32,
    /// When the first of them was sent.
    pub since_ns: u64,
}

impl FirstVersion for Reset {}

/// Mails a token to the user of an address, if there is one who may sign in.
pub(super) async fn offer(store: &Store, config: &Config, folded: &str, origin: &Origin<'_>) -> Outcome<()> {
    let Some((tenant, id, _)) = find(store, folded)? else { return Ok(()) };
    let token = format!("{PREFIX}{tenant}.{id}.{}", URL_SAFE_NO_PAD.encode(random::<32>()?));
    let actor = origin.actor(tenant, Who::System, Role::Viewer);
    change(store, &actor, |change| {
        let Some(user) = change.get(&USERS, id)?.filter(|user| user.active && user.anonymised_ns.is_none()) else {
            return Ok(());
        };
        let before = change.get(&RESETS, id)?.filter(|reset| change.at_ns < reset.since_ns.saturating_add(HOUR_NS));
        let (mails, since_ns) = before.map_or((0, change.at_ns), |reset| (reset.mails, reset.since_ns));
        if mails >= MOST {
            return Ok(());
        }
        let expires_ns = change.at_ns.saturating_add(HOUR_NS);
        let (hash, generation) = (Some(hash_of(&token)), user.generation);
        change.put(&RESETS, id, &Reset { hash, generation, expires_ns, mails: mails + 1, since_ns })?;
        mail::queue(change, &letter(config, id, &user, &token, expires_ns))?;
        Ok(change.audit(&AuditEntry::new(change.actor, "auth.reset_requested", "user", id))?)
    })
    .await
}

fn letter(config: &Config, id: UserId, user: &User, token: &str, expires_ns: u64) -> Mail {
    let here = config.listen.first().map(|address| format!("http://{address}")).unwrap_or_default();
    let base = config.public_url.as_deref().map_or(here, |url| url.trim_end_matches('/').to_owned());
    let text = format!(
        "Hello {name},\n\nsomebody, hopefully you, asked for a new password of your account.\n\nYour token, good for one \
         hour and once:\n\n{token}\n\nSend it to {base}/api/v1/auth/reset-password as `token`, with your new password as \
         `new_password`.\n\nIf it was not you, there is nothing to do: your password stays as it is.\n",
        name = user.full_name,
    );
    Mail {
        to: user.email.clone(),
        subject: "Your new password".to_owned(),
        text,
        about: Some(id),
        useful_until_ns: Some(expires_ns),
        ..Mail::default()
    }
}

impl Accounts {
    /// Sets a new password by a mailed token; every session of the user ends.
    ///
    /// # Errors
    /// 400 for a token that is not good, whatever is wrong with it, and for a password that is not.
    pub async fn reset(&self, store: &Store, body: &Map<String, Value>, origin: &Origin<'_>) -> Outcome<()> {
        let read =
            input::read(body, |fields| (register::text(fields, "token"), register::text(fields, "new_password")));
        let (Some(token), Some(new)) = read? else { return Err(missing()) };
        let (tenant, id) = named(token).ok_or_else(refused)?;
        let user = USERS.get(store, tenant, id)?.ok_or_else(refused)?;
        let good = |reset: &Reset, user: &User, now_ns: u64| {
            let same = reset.hash.is_some_and(|hash| bool::from(hash.ct_eq(&hash_of(token))));
            same && now_ns < reset.expires_ns && reset.generation == user.generation && user.active
        };
        let present = RESETS.get(store, tenant, id)?;
        if !present.is_some_and(|reset| good(&reset, &user, clock::wall_ns())) {
            return Err(refused());
        }
        let hashed = password::hash(new, &[&user.email, &user.full_name]).await;
        let password_hash = hashed.map_err(|fault| renamed(fault, "new_password"))?;
        let actor = origin.actor(tenant, Who::User(id), user.role);
        change(store, &actor, |change| {
            let user = change.get(&USERS, id)?.ok_or_else(refused)?;
            let reset =
                change.get(&RESETS, id)?.filter(|reset| good(reset, &user, change.at_ns)).ok_or_else(refused)?;
            change.put(&RESETS, id, &Reset { hash: None, ..reset })?;
            set_password(change, id, user, password_hash)?;
            Ok(change.audit(&AuditEntry::new(change.actor, "auth.password_reset", "user", id))?)
        })
        .await
    }
}

/// Stores a new password; every session of the user ends, and every token that was mailed.
pub(super) fn set_password(change: &mut Change<'_>, id: UserId, user: User, password_hash: String) -> Stored<()> {
    let generation = user.generation.saturating_add(1);
    session::end_all(change, id)?;
    change.put(&USERS, id, &User { password_hash, generation, ..user })
}

/// The same fault of a field of another name.
pub(super) fn renamed(mut fault: Fault, field: &str) -> Fault {
    if let [detail] = fault.details.as_mut_slice() {
        field.clone_into(&mut detail.field);
        fault.message = format!("`{field}`: {}", detail.message);
    }
    fault
}

/// Whose token it says it is.
fn named(token: &str) -> Option<(TenantId, UserId)> {
    let mut parts = token.strip_prefix(PREFIX)?.splitn(3, '.');
    Some((TenantId(parts.next()?.parse().ok()?), UserId(parts.next()?.parse().ok()?)))
}

/// The removal of what is of no use any more. Blocks.
pub(super) fn ended(store: &Store, now_ns: u64) -> Stored<Batch> {
    let mut batch = Batch::new();
    for row in RESETS.everyone(store) {
        let ((tenant, id), reset) = row?;
        if reset.expires_ns <= now_ns && reset.since_ns.saturating_add(HOUR_NS) <= now_ns {
            RESETS.delete(&mut batch, tenant, id);
        }
    }
    Ok(batch)
}

/// The one answer to every token that is not good.
fn refused() -> Fault {
    Fault::field("token", "is not valid: it was used, it is over, or there is a newer one")
}
