//! Accounts as callers see and write them.

use poem_openapi::Object;
use serde::Serialize;

use crate::adops::TenantId;
use crate::adops::accounts::me::Me;
use crate::adops::accounts::{LIFETIME_S, Registered, Tokens};
use crate::adops::tenant::Tenant;
use crate::systems::adops::users::{UserView, view};
use crate::systems::time::rfc3339;

/// What a sign-in gives
#[derive(Serialize, Object)]
#[oai(rename = "Tokens")]
pub struct TokensView {
    /// For `Authorization: Bearer …`
    pub access_token: String,
    /// For `POST /api/v1/auth/refresh`: good for seven days and once
    pub refresh_token: String,
    /// Always `bearer`
    pub token_type: String,
    /// Seconds until the access token ends
    pub expires_in: u64,
}

/// The tenant of an account
#[derive(Serialize, Object)]
#[oai(rename = "OwnTenant")]
pub struct OwnTenant {
    /// Its number
    pub id: u64,
    /// Its name
    pub name: String,
    /// The IANA zone of its days
    pub timezone: String,
    /// The currency of its totals
    pub currency: String,
    /// When it was registered
    pub created_at: String,
}

/// A new tenant with its admin, who is signed in
#[derive(Serialize, Object)]
#[oai(rename = "Registered")]
pub struct RegisteredView {
    /// The admin
    pub user: UserView,
    /// The tenant
    pub tenant: OwnTenant,
    /// As `POST /api/v1/auth/login` gives it
    pub access_token: String,
    /// As `POST /api/v1/auth/login` gives it
    pub refresh_token: String,
    /// Always `bearer`
    pub token_type: String,
    /// Seconds until the access token ends
    pub expires_in: u64,
}

/// The signed-in person
#[derive(Serialize, Object)]
#[oai(rename = "Me")]
pub struct MeView {
    /// The person
    pub user: UserView,
    /// Their tenant
    pub tenant: OwnTenant,
}

/// Nothing to tell
#[derive(Serialize, Object)]
#[oai(rename = "Nothing")]
pub struct Nothing {}

/// Who registers
#[derive(Object)]
#[oai(rename = "Registration")]
pub struct RegisterBody {
    /// Belongs to one person of the installation
    email: String,
    /// 8 to 128 characters that are not easily guessed
    password: String,
    /// At most 400 bytes
    full_name: String,
    /// At most 400 bytes
    tenant_name: String,
}

/// A refresh token
#[derive(Object)]
#[oai(rename = "RefreshBody")]
pub struct RefreshBody {
    /// The newest one
    refresh_token: String,
}

/// Which sessions to end
#[derive(Object)]
#[oai(rename = "LogoutBody")]
pub struct LogoutBody {
    /// true ends all sessions of the person; false (default) the one of the token
    all: Option<bool>,
}

/// Who forgot the password
#[derive(Object)]
#[oai(rename = "ForgotBody")]
pub struct ForgotBody {
    /// The address of the account
    email: String,
}

/// A new password
#[derive(Object)]
#[oai(rename = "ResetBody")]
pub struct ResetBody {
    /// From the mail
    token: String,
    /// 8 to 128 characters that are not easily guessed
    new_password: String,
}

/// What to change of one's own account; what is left out stays
#[derive(Object)]
#[oai(rename = "MeBody")]
pub struct MeBody {
    /// At most 400 bytes
    full_name: Option<String>,
    /// A new password; ends all sessions, this one too
    password: Option<String>,
    /// The present password; needed for a new one
    current_password: Option<String>,
}

impl From<Tokens> for TokensView {
    fn from(tokens: Tokens) -> Self {
        Self {
            access_token: tokens.access,
            refresh_token: tokens.refresh,
            token_type: "bearer".to_owned(),
            expires_in: LIFETIME_S,
        }
    }
}

impl From<Registered> for RegisteredView {
    fn from(made: Registered) -> Self {
        let TokensView { access_token, refresh_token, token_type, expires_in } = made.tokens.into();
        let (user, tenant) = (view(made.id, &made.user), own(made.tenant_id, made.tenant));
        Self { user, tenant, access_token, refresh_token, token_type, expires_in }
    }
}

impl MeView {
    pub(super) fn of(tenant: TenantId, me: Me) -> Self {
        Self { user: view(me.id, &me.user), tenant: own(tenant, me.tenant) }
    }
}

fn own(id: TenantId, tenant: Tenant) -> OwnTenant {
    OwnTenant {
        id: id.get(),
        name: tenant.name,
        timezone: tenant.timezone,
        currency: tenant.currency.code().to_owned(),
        created_at: rfc3339(tenant.created_ns),
    }
}
