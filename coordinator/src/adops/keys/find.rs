//! From the text of a key to who shows it.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use trafficlab_engine::ads::day::Day;
use trafficlab_shared::clock;

use super::{ApiKey, HASHES, KEYS, PREFIX};
use crate::adops::accounts::user::USERS;
use crate::adops::actor::Role;
use crate::adops::ids::{KeyId, TenantId, UserId};
use crate::store::{Batch, Store};
use crate::systems::Outcome;

const DAY_NS: u64 = 24 * 3600 * 1_000_000_000;

/// Who shows a key, when it is valid now: its tenant, the key, its maker, and what it may do.
///
/// It is found by its hash, so how long that takes tells nothing about the keys there are.
///
/// # Errors
/// When the store fails.
pub fn find(store: &Store, secret: &str) -> Outcome<Option<(TenantId, KeyId, UserId, Role)>> {
    if !secret.starts_with(PREFIX) {
        return Ok(None);
    }
    let hash: [u8; 32] = Sha256::digest(secret.as_bytes()).into();
    let Some((tenant, id)) = HASHES.get(store, &hash)? else { return Ok(None) };
    let Some(key) = KEYS.get(store, tenant, id)? else { return Ok(None) };
    let Some(owner) = USERS.get(store, tenant, key.owner)? else { return Ok(None) };
    let now_ns = clock::wall_ns();
    let over = key.expires_ns.is_some_and(|end| end <= now_ns);
    if over || !owner.active || owner.anonymised_ns.is_some() || !bool::from(key.hash.ct_eq(&hash)) {
        return Ok(None);
    }
    let found = (tenant, id, key.owner, key.role.min(owner.role));
    used(store, tenant, id, &key, now_ns)?;
    Ok(Some(found))
}

/// Notes the day of a use: one small write a day and key, which nobody waits for.
fn used(store: &Store, tenant: TenantId, id: KeyId, key: &ApiKey, now_ns: u64) -> Outcome<()> {
    let today = Day(i32::try_from(now_ns / DAY_NS).unwrap_or(i32::MAX));
    if key.used_on == Some(today) {
        return Ok(());
    }
    let _alone = store.lock();
    // It may be gone by now, and must not come back by this.
    let Some(mut key) = KEYS.get(store, tenant, id)? else { return Ok(()) };
    key.used_on = Some(today);
    let mut batch = Batch::new();
    KEYS.put(&mut batch, tenant, id, &key)?;
    Ok(store.apply(batch)?)
}
