//! A person as callers see and write them.

use poem_openapi::Object;
use serde::Serialize;

use crate::adops::UserId;
use crate::adops::accounts::user::User;
use crate::systems::time::{maybe_rfc3339, rfc3339};

/// A person of the tenant
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Object)]
#[oai(rename = "User")]
pub struct UserView {
    /// Its number
    pub id: u64,
    /// Its address, which it signs in with
    pub email: String,
    /// Its name
    pub full_name: String,
    /// `viewer`, `analyst`, `manager` or `admin`
    pub role: String,
    /// Whether it may sign in
    pub active: bool,
    /// When it was added
    pub created_at: String,
    /// When it last signed in
    pub last_login_at: Option<String>,
}

/// A person to add or change; when changing, what is left out stays
#[derive(Debug, Object)]
#[oai(rename = "UserBody")]
pub struct UserBody {
    /// Belongs to one person of the installation
    email: Option<String>,
    /// 8 to 128 characters that are not easily guessed; never one's own, see `PUT /api/v1/auth/me`
    password: Option<String>,
    /// At most 200 bytes
    full_name: Option<String>,
    /// `viewer` (default), `analyst`, `manager` or `admin`
    role: Option<String>,
    /// false ends all sessions of the person, and keys they made are worth nothing
    active: Option<bool>,
}

/// A person as callers see them.
#[must_use]
pub fn view(id: UserId, user: &User) -> UserView {
    UserView {
        id: id.get(),
        email: user.email.clone(),
        full_name: user.full_name.clone(),
        role: user.role.as_str().to_owned(),
        active: user.active,
        created_at: rfc3339(user.created_ns),
        last_login_at: maybe_rfc3339(user.last_login_ns),
    }
}
