//! Who acts: the proof of a tenant that every call on its records takes.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::ids::{KeyId, TenantId, UserId};

/// What a person or key may do in its tenant; each may do what the ones before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Also exports, simulates and predicts.
    Analyst,
    /// Also writes campaigns, rules and messages.
    Manager,
    /// Also users, settings and the rights of persons over their data.
    Admin,
}

impl Role {
    /// All, from the least to the most.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Analyst, Self::Manager, Self::Admin];

    /// Its word in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Analyst => "analyst",
            Self::Manager => "manager",
            Self::Admin => "admin",
        }
    }

    /// The role of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

/// The one who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// A signed-in person.
    User(UserId),
    /// A key, made by a person.
    Key(KeyId, UserId),
    /// The server itself.
    System,
}

impl Who {
    /// The person behind it.
    #[must_use]
    pub const fn user(self) -> Option<UserId> {
        match self {
            Self::User(user) | Self::Key(_, user) => Some(user),
            Self::System => None,
        }
    }
}

/// Who acts for which tenant, with which role, by which request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The tenant whose records may be touched.
    pub tenant: TenantId,
    /// The one who acts.
    pub who: Who,
    /// What they may do.
    pub role: Role,
    /// The request's id, or what the server was doing.
    pub request_id: String,
    /// Where the request came from.
    pub address: Option<IpAddr>,
}

impl Actor {
    /// The server acting for a tenant by itself; `what` stands in the audit log in place of a request's id.
    #[must_use]
    pub fn system(tenant: TenantId, what: &str) -> Self {
        Self { tenant, who: Who::System, role: Role::Admin, request_id: what.to_owned(), address: None }
    }
}
