//! Sessions: one sign-in, its refresh tokens one after another, and the access tokens made from them.
//!
//! A refresh token is 256 random bits; stored is its SHA-256. Each is good once: using it makes the next one. Whoever shows
//! a used one has it from somewhere, so its whole session ends (RFC 9700, 4.14.2). There is no grace: of two requests at
//! once one wins, and the other ends the session for both.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::jwt::{self, Claims};
use super::signing::Keys;
use super::user::{USERS, User};
use super::{Origin, SECOND_NS};
use crate::adops::actor::Who;
use crate::adops::audit::AuditEntry;
use crate::adops::change::{Change, change};
use crate::adops::ids::{TenantId, UserId};
use crate::adops::table::TenantTable;
use crate::store::kv::Result as Stored;
use crate::store::{Batch, FirstVersion, Store, Table};
use crate::systems::{Code, Fault, Outcome};

/// Sessions of each user that are not over. Ending one removes it.
pub const SESSIONS: TenantTable<(UserId, SessionId), Session> = TenantTable::new("ads_session");
/// Refresh tokens by their hash, used ones included until they would have ended.
pub const REFRESH: Table<[u8; 32], RefreshToken> = Table::new("ads_refresh");

/// What names a session.
pub type SessionId = [u8; 16];

/// How every refresh token begins.
const PREFIX: &str = "tlr_";
/// How long a refresh token is good.
const LIFETIME_NS: u64 = 7 * 24 * 3600 * SECOND_NS;
/// Sessions of a user; with one more the oldest ends.
const MOST: usize = 100;
/// Rows that are removed at once.
const SWEPT: usize = 100_000;

/// A sign-in that is not over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// SHA-256 of the refresh token that is good now.
    pub refresh: [u8; 32],
    /// The user's generation at the sign-in; a higher one ends the session.
    pub generation: u32,
    /// Nanoseconds since 1970.
    pub created_ns: u64,
    /// When the refresh token ends.
    pub expires_ns: u64,
}

/// Whose refresh token it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshToken {
    /// The tenant.
    pub tenant: TenantId,
    /// The user.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
    /// When it ends, nanoseconds since 1970.
    pub expires_ns: u64,
}

impl FirstVersion for Session {}
impl FirstVersion for RefreshToken {}

/// What a sign-in gives. It cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Tokens {
    /// For requests.
    pub access: String,
    /// For the next tokens.
    pub refresh: String,
}

/// Begins a session of a user of the change's tenant.
pub(super) fn begin(change: &mut Change<'_>, keys: &Keys, id: UserId, user: &User) -> Outcome<Tokens> {
    make_room(change, id)?;
    let session = random::<16>()?;
    put(change, keys, id, user, session, change.at_ns)
}

/// Ends every session of a user of the change's tenant.
///
/// # Errors
/// When the store cannot be read.
pub fn end_all(change: &mut Change<'_>, id: UserId) -> Stored<()> {
    for (session, _) in of(change.store, change.actor.tenant, id)? {
        change.delete(&SESSIONS, (id, session));
    }
    Ok(())
}

/// The sessions of a user.
///
/// # Errors
/// When the store cannot be read.
pub fn of(store: &Store, tenant: TenantId, id: UserId) -> Stored<Vec<(SessionId, Session)>> {
    let next = UserId(id.get() + 1);
    let rows = SESSIONS.range(store, tenant, (id, [0; 16]), (next, [0; 16]), false);
    rows.map(|row| row.map(|((_, session), value)| (session, value))).collect()
}

/// Exchanges a refresh token for new tokens.
pub(super) async fn refresh(store: &Store, keys: &Keys, shown: &str, origin: &Origin<'_>) -> Outcome<Tokens> {
    let hash = hash_of(shown);
    let Some(token) = REFRESH.get(store, &hash)? else { return Err(refused()) };
    let Some(user) = USERS.get(store, token.tenant, token.user)? else { return Err(refused()) };
    let actor = origin.actor(token.tenant, Who::User(token.user), user.role);
    // The reuse is stored as well as the next token, so both are a change that succeeds.
    let exchanged = change(store, &actor, |change| {
        let at = (token.user, token.session);
        let Some(session) = change.get(&SESSIONS, at)? else { return Ok(None) };
        let Some(user) = change.get(&USERS, token.user)? else { return Ok(None) };
        if !user.active || session.generation != user.generation || token.expires_ns <= change.at_ns {
            change.delete(&SESSIONS, at);
            return Ok(None);
        }
        if !bool::from(session.refresh.ct_eq(&hash)) {
            change.delete(&SESSIONS, at);
            let entry = AuditEntry::new(change.actor, "auth.refresh_reused", "user", token.user);
            change.audit(&entry.refused("a used refresh token was shown again; its session has ended"))?;
            return Ok(None);
        }
        put(change, keys, token.user, &user, token.session, session.created_ns).map(Some)
    });
    exchanged.await?.ok_or_else(refused)
}

fn put(
    change: &mut Change<'_>,
    keys: &Keys,
    id: UserId,
    user: &User,
    session: SessionId,
    created_ns: u64,
) -> Outcome<Tokens> {
    let refresh = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random::<32>()?));
    let hash = hash_of(&refresh);
    let expires_ns = change.at_ns.saturating_add(LIFETIME_NS);
    let kept = Session { refresh: hash, generation: user.generation, created_ns, expires_ns };
    let tenant = change.actor.tenant;
    change.put(&SESSIONS, (id, session), &kept)?;
    REFRESH.put(change.batch(), &hash, &RefreshToken { tenant, user: id, session, expires_ns })?;
    let claims = claims(tenant, id, user, session, change.at_ns / SECOND_NS);
    let access = keys.sign(&claims).ok_or_else(|| Fault::internal("access token", &"no key signs"))?;
    Ok(Tokens { access, refresh })
}

fn claims(tenant: TenantId, id: UserId, user: &User, session: SessionId, now_s: u64) -> Claims {
    Claims {
        iss: jwt::ISSUER.to_owned(),
        aud: jwt::AUDIENCE.to_owned(),
        sub: id.to_string(),
        tenant_id: tenant.get(),
        role: user.role.as_str().to_owned(),
        jti: Uuid::now_v7().simple().to_string(),
        iat: now_s,
        nbf: now_s,
        exp: now_s + jwt::LIFETIME_S,
        kind: "access".to_owned(),
        generation: user.generation,
        sid: Uuid::from_bytes(session).simple().to_string(),
    }
}

/// Ends the oldest sessions of a user who has as many as one may have.
fn make_room(change: &mut Change<'_>, id: UserId) -> Stored<()> {
    let mut all = of(change.store, change.actor.tenant, id)?;
    all.sort_by_key(|(_, session)| session.created_ns);
    let over = (all.len() + 1).saturating_sub(MOST);
    for (session, _) in all.into_iter().take(over) {
        change.delete(&SESSIONS, (id, session));
    }
    Ok(())
}

/// The removal of sessions and refresh tokens that have ended, of so many at most. Blocks.
pub(super) fn ended(store: &Store, now_ns: u64) -> Stored<Batch> {
    let mut batch = Batch::new();
    for row in REFRESH.scan(store, false) {
        let (hash, token) = row?;
        if token.expires_ns > now_ns {
            continue;
        }
        REFRESH.delete(&mut batch, &hash);
        let at = (token.user, token.session);
        if SESSIONS.get(store, token.tenant, at)?.is_some_and(|session| session.expires_ns <= now_ns) {
            SESSIONS.delete(&mut batch, token.tenant, at);
        }
        if batch.len() >= SWEPT {
            break;
        }
    }
    Ok(batch)
}

pub(super) fn hash_of(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

pub(super) fn random<const N: usize>() -> Outcome<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Fault::internal("no randomness", &error))?;
    Ok(bytes)
}

/// The one answer to every refresh token that is not good.
fn refused() -> Fault {
    Fault::new(Code::Unauthorized, "The refresh token is not valid")
}
