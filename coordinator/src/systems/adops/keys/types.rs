//! API keys as callers see and make them.

use poem_openapi::Object;
use serde::Serialize;

use crate::adops::KeyId;
use crate::adops::keys::ApiKey;
use crate::systems::time::{maybe_rfc3339, rfc3339};

/// An API key, without the credential
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Object)]
#[oai(rename = "ApiKey")]
pub struct KeyView {
    /// Its number
    pub id: u64,
    /// What it is for
    pub name: String,
    /// What it may do at the most; less while its maker may do less
    pub role: String,
    /// Who made it
    pub user_id: u64,
    /// Its first letters
    pub beginning: String,
    /// When it ends
    pub expires_at: Option<String>,
    /// The day (UTC) it was last used on
    pub last_used_on: Option<String>,
    /// When it was made
    pub created_at: String,
}

/// A new API key; the only answer that shows the credential
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Object)]
#[oai(rename = "NewApiKey")]
pub struct KeyMade {
    /// To be sent as `Authorization: Bearer …` or `X-API-Key`
    pub api_key: String,
    /// Its number
    pub id: u64,
    /// What it is for
    pub name: String,
    /// What it may do at the most
    pub role: String,
    /// Who made it
    pub user_id: u64,
    /// Its first letters
    pub beginning: String,
    /// When it ends
    pub expires_at: Option<String>,
    /// When it was made
    pub created_at: String,
}

/// An API key to make
#[derive(Debug, Object)]
#[oai(rename = "ApiKeyBody")]
pub struct KeyBody {
    /// At most 100 bytes
    name: Option<String>,
    /// At most one's own role, which is the default
    role: Option<String>,
    /// A moment to come, RFC 3339; never by default
    expires_at: Option<String>,
}

pub(super) fn view(id: KeyId, key: &ApiKey) -> KeyView {
    KeyView {
        id: id.get(),
        name: key.name.clone(),
        role: key.role.as_str().to_owned(),
        user_id: key.owner.get(),
        beginning: key.beginning.clone(),
        expires_at: maybe_rfc3339(key.expires_ns),
        last_used_on: key.used_on.map(|day| day.to_string()),
        created_at: rfc3339(key.created_ns),
    }
}

pub(super) fn made(made: crate::adops::keys::Made) -> KeyMade {
    let KeyView { id, name, role, user_id, beginning, expires_at, created_at, .. } = view(made.id, &made.key);
    KeyMade { api_key: made.secret, id, name, role, user_id, beginning, expires_at, created_at }
}
