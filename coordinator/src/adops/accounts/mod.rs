//! People and their credentials: registering, signing in, tokens, passwords.
//!
//! Invariants: a credential is judged against what is stored now, so a role taken away or a session ended counts at once;
//! passwords and tokens are stored as hashes only and never logged; what is answered says nothing of which accounts exist.

pub mod asked;
pub mod email;
mod forgotten;
mod jwt;
mod lockout;
pub mod me;
pub mod password;
mod register;
pub mod reset;
pub mod session;
mod sign_in;
pub mod signing;
pub mod user;

#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use trafficlab_shared::clock;
use trafficlab_shared::config::Config;
use uuid::Uuid;

use super::actor::{Actor, Role, Who};
use super::ids::{TenantId, UserId};
use super::keys;
use crate::store::{Store, StoreError};
use crate::systems::{Code, Fault, Outcome};

pub use jwt::LIFETIME_S;
pub use register::Registered;
pub use session::Tokens;

use forgotten::Forgotten;
use jwt::{Claims, Refusal};
use lockout::Lockout;
use register::Policy;
use session::{SESSIONS, SessionId};
use signing::Keys;
use user::{USERS, User};

const SECOND_NS: u64 = 1_000_000_000;
const HOUR_NS: u64 = 3600 * SECOND_NS;

/// Passwords, tokens and keys.
pub struct Accounts {
    keys: Keys,
    lockout: Lockout,
    policy: Policy,
    forgotten: Forgotten,
    /// When what has ended was last looked for.
    swept_ns: AtomicU64,
}

/// A request that shows a credential.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// What follows `Bearer`, or the value of `X-API-Key`.
    pub credential: &'a str,
    /// The request's id.
    pub request_id: &'a str,
    /// Where it comes from.
    pub address: IpAddr,
}

/// A request without a credential.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The request's id.
    pub request_id: &'a str,
    /// Where it comes from.
    pub address: IpAddr,
}

impl Origin<'_> {
    /// The one who acts by this request.
    fn actor(&self, tenant: TenantId, who: Who, role: Role) -> Actor {
        Actor { tenant, who, role, request_id: self.request_id.to_owned(), address: Some(self.address) }
    }
}

impl Accounts {
    /// Reads the keys. Blocks.
    ///
    /// # Errors
    /// When the store fails.
    pub fn open(store: &Store, config: &Config) -> Result<Self, StoreError> {
        Ok(Self {
            keys: Keys::open(store, &config.auth)?,
            lockout: Lockout::new(),
            policy: Policy::of(config),
            forgotten: Forgotten::new(),
            swept_ns: AtomicU64::new(0),
        })
    }

    /// Who shows the credential: an access token or an API key.
    ///
    /// # Errors
    /// `Unauthorized` when it is none that is valid now.
    pub fn authenticate(&self, store: &Store, shown: &Shown<'_>) -> Outcome<Actor> {
        let origin = Origin { request_id: shown.request_id, address: shown.address };
        if shown.credential.starts_with(keys::PREFIX) {
            let (tenant, key, owner, role) = keys::find(store, shown.credential)?.ok_or_else(invalid)?;
            return Ok(origin.actor(tenant, Who::Key(key, owner), role));
        }
        let (tenant, id, _, user) = self.session_of(store, shown.credential)?;
        Ok(origin.actor(tenant, Who::User(id), user.role))
    }

    /// The user and session of an access token that is good now.
    fn session_of(&self, store: &Store, token: &str) -> Outcome<(TenantId, UserId, SessionId, User)> {
        let claims = self.keys.read(token, clock::wall_ns() / SECOND_NS).map_err(refusal)?;
        let (tenant, id, session) = named(&claims).ok_or_else(invalid)?;
        let user = USERS.get(store, tenant, id)?.ok_or_else(invalid)?;
        let kept = SESSIONS.get(store, tenant, (id, session))?.ok_or_else(invalid)?;
        let present = user.generation == claims.generation && user.generation == kept.generation;
        let may = user.active && user.anonymised_ns.is_none();
        if may && present { Ok((tenant, id, session, user)) } else { Err(invalid()) }
    }

    /// Exchanges a refresh token for new tokens.
    ///
    /// # Errors
    /// `Unauthorized` when it is not good; one that was used before also ends its session.
    pub async fn refresh(&self, store: &Store, token: &str, origin: &Origin<'_>) -> Outcome<Tokens> {
        session::refresh(store, &self.keys, token, origin).await
    }

    /// Removes what has ended: sessions, tokens. Looks through all of them, so once an hour only.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forget_old(&self, store: &Store) -> Outcome<()> {
        let now_ns = clock::wall_ns();
        if now_ns.saturating_sub(self.swept_ns.load(Ordering::Relaxed)) < HOUR_NS {
            return Ok(());
        }
        let own = store.clone();
        let found = tokio::task::spawn_blocking(move || {
            let mut batch = session::ended(&own, now_ns)?;
            batch.extend(reset::ended(&own, now_ns)?);
            Ok::<_, StoreError>(batch)
        });
        store.commit(found.await.map_err(|error| Fault::internal("sessions that ended", &error))??).await?;
        self.swept_ns.store(now_ns, Ordering::Relaxed);
        Ok(())
    }

    /// Works off what was asked for without waiting: mails to those who forgot their password. Ends with the server.
    pub async fn run(&self, store: &Store, config: &Config) {
        password::warm().await;
        self.forgotten.run(store, config).await;
    }
}

fn named(claims: &Claims) -> Option<(TenantId, UserId, SessionId)> {
    let session = Uuid::try_parse(&claims.sid).ok()?;
    Some((TenantId(claims.tenant_id), UserId(claims.sub.parse().ok()?), session.into_bytes()))
}

fn invalid() -> Fault {
    refusal(Refusal::Invalid)
}

fn refusal(refusal: Refusal) -> Fault {
    let message = match refusal {
        Refusal::Invalid => "The token is not valid",
        Refusal::Expired => "The token has expired",
    };
    Fault::new(Code::Unauthorized, message)
}
