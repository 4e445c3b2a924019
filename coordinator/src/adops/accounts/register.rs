//! Registering: a tenant with its first admin.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use trafficlab_engine::ads::money::Currency;
use trafficlab_shared::config::{Config, Registration};

use super::asked::missing;
use super::session::{self, Tokens};
use super::user::{EMAILS, USERS, User};
use super::{Accounts, Origin, email, password};
use crate::adops::actor::{Actor, Role, Who};
use crate::adops::audit::AuditEntry;
use crate::adops::change::change;
use crate::adops::ids::{TenantId, UserId};
use crate::adops::input;
use crate::adops::tenant::{TENANTS, Tenant};
use crate::store::Store;
use crate::systems::fields::Fields;
use crate::systems::{Code, Fault, Outcome};

/// Longest name, in bytes.
const NAME: usize = 400;

/// Who may register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Policy {
    Anybody,
    First,
    Nobody,
}

impl Policy {
    /// What the configuration says; by itself a server registers anybody only while nobody else reaches it.
    pub(super) fn of(config: &Config) -> Self {
        let local = config.listen.iter().all(|address| address.ip().to_canonical().is_loopback());
        let alone = local && config.public_url.is_none() && config.http.trusted_proxies.is_empty();
        match config.auth.registration {
            Registration::Open => Self::Anybody,
            Registration::Auto if alone => Self::Anybody,
            Registration::Auto | Registration::FirstOnly => Self::First,
            Registration::Closed => Self::Nobody,
        }
    }

    fn check(self, store: &Store) -> Outcome<()> {
        let open = match self {
            Self::Anybody => true,
            Self::First => TENANTS.first(store)?.is_none(),
            Self::Nobody => false,
        };
        if open {
            Ok(())
        } else {
            Err(Fault::new(Code::Forbidden, "Registration is closed; ask an admin for an account"))
        }
    }
}

/// What became of it.
pub struct Registered {
    /// The admin's id.
    pub id: UserId,
    /// The admin.
    pub user: User,
    /// The tenant's id.
    pub tenant_id: TenantId,
    /// The tenant.
    pub tenant: Tenant,
    /// The first session.
    pub tokens: Tokens,
}

struct Asked<'a> {
    email: &'a str,
    password: &'a str,
    full_name: String,
    tenant_name: String,
}

impl Accounts {
    /// Makes a tenant and its admin, who is signed in at once.
    ///
    /// # Errors
    /// 403 when registration is closed, 400 for what is wrong, 409 for an address that is known.
    pub async fn register(&self, store: &Store, body: &Map<String, Value>, origin: &Origin<'_>) -> Outcome<Registered> {
        self.policy.check(store)?;
        let asked = read(body)?;
        let folded = email::fold(asked.email);
        if EMAILS.contains(store, &folded)? {
            return Err(taken());
        }
        let password_hash =
            password::hash(asked.password, &[asked.email, &asked.full_name, &asked.tenant_name]).await?;
        let (tenant_id, id) = numbers(store).await?;
        let actor = origin.actor(tenant_id, Who::User(id), Role::Admin);
        change(store, &actor, |change| {
            self.policy.check(change.store)?;
            if EMAILS.contains(change.store, &folded)? {
                return Err(taken());
            }
            let tenant = Tenant {
                name: asked.tenant_name,
                timezone: "UTC".to_owned(),
                currency: Currency::USD,
                created_ns: change.at_ns,
                keep_personal_days: None,
            };
            let user = admin(asked.email, asked.full_name, password_hash, change.at_ns);
            TENANTS.put(change.batch(), &tenant_id, &tenant)?;
            EMAILS.put(change.batch(), &folded, &(tenant_id, id))?;
            change.put(&USERS, id, &user)?;
            let tokens = session::begin(change, &self.keys, id, &user)?;
            change.audit(&AuditEntry::new(change.actor, "tenant.created", "tenant", tenant_id))?;
            change.audit(&AuditEntry::new(change.actor, "user.created", "user", id))?;
            Ok(Registered { id, user, tenant_id, tenant, tokens })
        })
        .await
    }
}

fn admin(email: &str, full_name: String, password_hash: String, at_ns: u64) -> User {
    User {
        email: email.trim().to_owned(),
        full_name,
        role: Role::Admin,
        password_hash,
        active: true,
        generation: 0,
        created_ns: at_ns,
        last_login_ns: Some(at_ns),
        anonymised_ns: None,
        consents: BTreeMap::new(),
    }
}

/// Ids for a tenant and its admin. The actor of a change is of a tenant, so they are drawn before it; when nothing comes
/// of it they are never used.
async fn numbers(store: &Store) -> Outcome<(TenantId, UserId)> {
    let nobody = Actor::system(TenantId(0), "registering");
    change(store, &nobody, |change| Ok((TenantId(change.next_id("tenant")?), UserId(change.next_id("user")?)))).await
}

/// Role and tenant are nothing that a client chooses: such members are passed over.
fn read(body: &Map<String, Value>) -> Outcome<Asked<'_>> {
    let read = input::read_beside(body, &["role", "active"], |fields| {
        let email = address(fields, "email");
        let password = text(fields, "password");
        let full_name = input::name(fields, "full_name", NAME, true);
        let tenant_name = input::name(fields, "tenant_name", NAME, true);
        (email, password, full_name, tenant_name)
    })?;
    match read {
        (Some(email), Some(password), Some(full_name), Some(tenant_name)) => {
            Ok(Asked { email, password, full_name, tenant_name })
        }
        _ => Err(missing()),
    }
}

/// An e-mail address that has to be there.
pub(super) fn address<'a>(fields: &mut Fields<'a, '_>, key: &'static str) -> Option<&'a str> {
    let address = text(fields, key)?;
    if email::is_valid(address.trim()) {
        return Some(address.trim());
    }
    fields.fault(key, "value is not a valid email address");
    None
}

/// A text that has to be there, such as a password: any characters, the length is judged elsewhere.
pub(super) fn text<'a>(fields: &mut Fields<'a, '_>, key: &'static str) -> Option<&'a str> {
    match fields.get(key) {
        Some(Value::String(text)) => Some(text),
        Some(_) => {
            fields.fault(key, "must be a text");
            None
        }
        None => {
            fields.fault(key, "is needed");
            None
        }
    }
}

fn taken() -> Fault {
    Fault::conflict("There is an account with this e-mail address already").detail("email", "is taken")
}
