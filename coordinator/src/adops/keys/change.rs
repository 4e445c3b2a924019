//! Making, listing and removing keys.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use trafficlab_shared::clock;

use super::{ApiKey, HASHES, KEYS, PREFIX};
use crate::adops::accounts::user::USERS;
use crate::adops::actor::{Actor, Role};
use crate::adops::audit::AuditEntry;
use crate::adops::change::{Change, change};
use crate::adops::ids::{KeyId, UserId};
use crate::adops::input;
use crate::store::Store;
use crate::store::kv::Result as Stored;
use crate::systems::time::maybe_rfc3339;
use crate::systems::{Code, Fault, Outcome};

/// Keys of a person at the most.
const MOST: usize = 100;
/// Bytes of a key's name.
const LONGEST_NAME: usize = 100;

/// A key that was just made, and the text that is shown this once.
pub struct Made {
    /// Its number.
    pub id: KeyId,
    /// What is stored.
    pub key: ApiKey,
    /// The credential.
    pub secret: String,
}

/// The person's keys; for an admin, all of the tenant.
///
/// # Errors
/// When the store cannot be read.
pub fn list(store: &Store, actor: &Actor) -> Outcome<Vec<(KeyId, ApiKey)>> {
    let all = KEYS.scan(store, actor.tenant, false).collect::<Stored<Vec<_>>>()?;
    let seen = |key: &ApiKey| actor.role == Role::Admin || actor.who.user() == Some(key.owner);
    Ok(all.into_iter().filter(|(_, key)| seen(key)).collect())
}

/// Makes a key of the person who acts.
///
/// # Errors
/// 400 naming fields, 403 when the role is above the person's, 409 when there are too many.
pub async fn make(store: &Store, actor: &Actor, body: &Map<String, Value>) -> Outcome<Made> {
    let wanted = read(body)?;
    let owner = actor.who.user().ok_or_else(|| Fault::new(Code::Forbidden, "Only a person makes keys"))?;
    let mut random = [0_u8; 32];
    getrandom::fill(&mut random).map_err(|error| Fault::internal("no random bytes", &error))?;
    let secret = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random));
    let hash: [u8; 32] = Sha256::digest(secret.as_bytes()).into();
    let beginning = secret.chars().take(PREFIX.len() + 4).collect();
    let work = |change: &mut Change<'_>| {
        let user = change.get(&USERS, owner)?.ok_or_else(|| Fault::not_found("The person is gone"))?;
        let role = wanted.role.unwrap_or(user.role);
        if role > user.role {
            let message = format!("A key may do no more than its maker, whose role is `{}`", user.role.as_str());
            return Err(Fault::new(Code::Forbidden, message).detail("role", "is above your own"));
        }
        let own = KEYS.scan(change.store, actor.tenant, false).collect::<Stored<Vec<_>>>()?;
        if own.iter().filter(|(_, key)| key.owner == owner).count() >= MOST {
            return Err(Fault::conflict(format!("A person has at most {MOST} keys")));
        }
        let id = KeyId(change.next_id("key")?);
        let (name, expires_ns, created_ns) = (wanted.name, wanted.expires_ns, change.at_ns);
        let key = ApiKey { name, owner, role, hash, beginning, expires_ns, created_ns, used_on: None };
        change.put(&KEYS, id, &key)?;
        HASHES.put(change.batch(), &hash, &(actor.tenant, id))?;
        let new = json!({"role": role.as_str(), "expires_at": maybe_rfc3339(expires_ns)});
        change.audit(&AuditEntry::new(change.actor, "api_key.created", "api_key", id).change(&json!({}), &new))?;
        Ok((id, key))
    };
    let (id, key) = change(store, actor, work).await?;
    Ok(Made { id, key, secret })
}

/// Removes a key: the person's own, or any when an admin asks.
///
/// # Errors
/// 404.
pub async fn remove(store: &Store, actor: &Actor, id: KeyId) -> Outcome<()> {
    let work = |change: &mut Change<'_>| {
        let key = change.get(&KEYS, id)?;
        let key = key.filter(|key| actor.role == Role::Admin || actor.who.user() == Some(key.owner));
        let Some(key) = key else { return Err(Fault::not_found("API key not found")) };
        drop_one(change, id, &key);
        Ok(change.audit(&AuditEntry::new(change.actor, "api_key.deleted", "api_key", id))?)
    };
    change(store, actor, work).await
}

/// Removes every key of a person of the actor's tenant, for an erasure.
///
/// # Errors
/// When the store cannot be read.
pub fn remove_all(change: &mut Change<'_>, owner: UserId) -> Stored<()> {
    let all = KEYS.scan(change.store, change.actor.tenant, false).collect::<Stored<Vec<_>>>()?;
    for (id, key) in all.iter().filter(|(_, key)| key.owner == owner) {
        drop_one(change, *id, key);
    }
    Ok(())
}

fn drop_one(change: &mut Change<'_>, id: KeyId, key: &ApiKey) {
    change.delete(&KEYS, id);
    HASHES.delete(change.batch(), &key.hash);
}

struct Wanted {
    name: String,
    role: Option<Role>,
    expires_ns: Option<u64>,
}

fn read(body: &Map<String, Value>) -> Outcome<Wanted> {
    input::read(body, |fields| {
        let name = input::name(fields, "name", LONGEST_NAME, true);
        let role = input::word(fields, "role", Role::parse, &Role::ALL.map(Role::as_str));
        let expires_ns = fields.text("expires_at", 64).map(input::moment);
        if expires_ns.is_some_and(|at| at.is_none_or(|at| at <= clock::wall_ns())) {
            fields.fault("expires_at", "must be a moment to come, such as 2030-01-31T00:00:00Z");
        }
        Wanted { name: name.unwrap_or_default(), role, expires_ns: expires_ns.flatten() }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::super::find;
    use super::*;
    use crate::adops::actor::Who;
    use crate::adops::ids::TenantId;
    use crate::adops::users::tests::{person, put};

    fn body(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[tokio::test]
    async fn a_key_is_its_maker_as_they_are_now() {
        let store = Store::in_memory().unwrap();
        let actor = person(&store, 1, 7, Role::Manager).await;
        let made = make(&store, &actor, &body(&json!({"name": "ci", "role": "analyst"}))).await.unwrap();
        assert!(
            made.secret.starts_with("tlk_") && made.secret.len() == 47 && made.secret.starts_with(&made.key.beginning)
        );
        let found = || find(&store, &made.secret).unwrap();
        assert_eq!(found(), Some((TenantId(1), made.id, UserId(7), Role::Analyst)));
        assert!(KEYS.get(&store, TenantId(1), made.id).unwrap().unwrap().used_on.is_some());
        for wrong in ["", "tlk_", "tlk", &made.secret.to_uppercase(), made.secret.get(..46).unwrap()] {
            assert_eq!(find(&store, wrong).unwrap(), None, "{wrong}");
        }
        // The maker falls, and the key with them.
        put(&store, &actor, |user| user.role = Role::Viewer).await;
        assert_eq!(found().unwrap().3, Role::Viewer);
        put(&store, &actor, |user| user.active = false).await;
        assert_eq!(found(), None);
        put(&store, &actor, |user| user.active = true).await;
        remove(&store, &actor, made.id).await.unwrap();
        assert_eq!(found(), None);
        assert_eq!(remove(&store, &actor, made.id).await.unwrap_err().code, Code::NotFound);
    }

    #[tokio::test]
    async fn a_key_is_no_more_than_its_maker_and_nobody_elses() {
        let store = Store::in_memory().unwrap();
        let analyst = person(&store, 1, 7, Role::Analyst).await;
        let high = make(&store, &analyst, &body(&json!({"name": "x", "role": "admin"}))).await;
        assert_eq!(high.err().unwrap().code, Code::Forbidden);
        for wrong in [
            json!({}),
            json!({"name": ""}),
            json!({"name": "x", "role": "root"}),
            json!({"name": "x", "expires_at": "2001-01-01T00:00:00Z"}),
            json!({"name": "x", "expires_at": "tomorrow"}),
            json!({"name": "x", "scopes": []}),
        ] {
            assert_eq!(make(&store, &analyst, &body(&wrong)).await.err().unwrap().code, Code::Validation, "{wrong}");
        }
        let made = make(&store, &analyst, &body(&json!({"name": "x"}))).await.unwrap();
        let (other, admin) = (person(&store, 1, 8, Role::Manager).await, person(&store, 1, 9, Role::Admin).await);
        let stranger = person(&store, 2, 10, Role::Admin).await;
        let seen = |actor: &Actor| list(&store, actor).unwrap().len();
        assert_eq!((seen(&analyst), seen(&other), seen(&admin), seen(&stranger)), (1, 0, 1, 0));
        for actor in [&other, &stranger] {
            assert_eq!(remove(&store, actor, made.id).await.unwrap_err().code, Code::NotFound);
        }
        assert!(matches!(admin.who, Who::User(_)));
        remove(&store, &admin, made.id).await.unwrap();
        assert!(HASHES.get(&store, &made.key.hash).unwrap().is_none());
    }

    #[tokio::test]
    async fn a_key_ends_when_it_says() {
        let store = Store::in_memory().unwrap();
        let actor = person(&store, 1, 7, Role::Viewer).await;
        let made = make(&store, &actor, &body(&json!({"name": "x", "expires_at": "2099-01-01"}))).await;
        assert_eq!(made.err().unwrap().code, Code::Validation, "a day is not a moment");
        let made = make(&store, &actor, &body(&json!({"name": "x", "expires_at": "2099-01-01T00:00:00Z"}))).await;
        let made = made.unwrap();
        assert!(find(&store, &made.secret).unwrap().is_some());
        let work = |change: &mut Change<'_>| {
            let ended = ApiKey { expires_ns: Some(clock::wall_ns() - 1), ..made.key.clone() };
            Ok(change.put(&KEYS, made.id, &ended)?)
        };
        change(&store, &actor, work).await.unwrap();
        assert_eq!(find(&store, &made.secret).unwrap(), None);
    }
}
