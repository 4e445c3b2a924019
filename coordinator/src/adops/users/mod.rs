//! The people of a tenant, as its admins see and change them.
//!
//! Invariants: an e-mail address belongs to one person of the installation; a tenant keeps at least one active admin; a
//! person who is deactivated, demoted or given another password has no session any more at the same moment.

mod change;
mod read;
#[cfg(test)]
pub(super) mod tests;

use super::accounts::user::{USERS, User};
use super::ids::{TenantId, UserId};
use crate::store::Store;
use crate::store::kv::Result as Stored;
use crate::systems::{Fault, Outcome};

pub use change::{create, deactivate, update};

/// Everybody of the tenant, by their numbers, without those who were erased.
///
/// # Errors
/// When the store cannot be read.
pub fn list(store: &Store, tenant: TenantId) -> Stored<Vec<(UserId, User)>> {
    let all = USERS.scan(store, tenant, false);
    all.filter(|row| row.as_ref().map_or(true, |(_, user)| user.anonymised_ns.is_none())).collect()
}

/// One person.
///
/// # Errors
/// 404 for one of another tenant too.
pub fn get(store: &Store, tenant: TenantId, id: UserId) -> Outcome<User> {
    USERS.get(store, tenant, id)?.ok_or_else(missing)
}

fn missing() -> Fault {
    Fault::not_found("User not found")
}
