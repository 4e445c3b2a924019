//! People who can sign in.

use serde::{Deserialize, Serialize};

use crate::adops::actor::Role;
use crate::adops::ids::{TenantId, UserId};
use crate::adops::table::TenantTable;
use crate::store::{FirstVersion, Table};

/// Users of each tenant.
pub(in crate::adops) const USERS: TenantTable<UserId, User> = TenantTable::new("ads_user");
/// The user of each e-mail address in its one spelling (`email::fold`). An address belongs to one user of the installation.
pub(in crate::adops) const EMAILS: Table<String, (TenantId, UserId)> = Table::new("ads_email");

/// A person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// As it was written.
    pub email: String,
    /// As it was written.
    pub full_name: String,
    /// What they may do.
    pub role: Role,
    /// A PHC string; empty when nobody can sign in with a password.
    pub password_hash: String,
    /// Whether they may sign in.
    pub active: bool,
    /// Raised when all sessions have to end at once: a new password, deactivation, erasure. Tokens carry it.
    #[serde(default)]
    pub generation: u32,
    /// Nanoseconds since 1970.
    pub created_ns: u64,
    /// Nanoseconds since 1970.
    #[serde(default)]
    pub last_login_ns: Option<u64>,
    /// When what names the person was taken away; the row stays as a tombstone.
    #[serde(default)]
    pub anonymised_ns: Option<u64>,
    /// What the person agreed to or not, by purpose.
    #[serde(default)]
    pub consents: std::collections::BTreeMap<String, Consent>,
}

/// What a person last said about a purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// Whether they agree.
    pub granted: bool,
    /// When they said so, nanoseconds since 1970.
    pub at_ns: u64,
}

impl FirstVersion for User {}
impl FirstVersion for (TenantId, UserId) {}
