//! Credentials of outside services: each tenant's own, or those of the configuration for the one tenant that it names.
//!
//! Secrets are sealed with the installation's key for their tenant, service and field, so that one stored elsewhere opens
//! nothing; they are never shown again.

mod change;
mod configured;
mod service;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use trafficlab_shared::config::{Config, Secret};
use trafficlab_shared::seal::Sealer;

use super::ids::{TenantId, UserId};
use super::table::TenantTable;
use crate::store::kv::Result as Stored;
use crate::store::{FirstVersion, Store};
use crate::systems::{Fault, Outcome};

pub use change::{Settings, remove, set};
pub use service::{Field, Service};

/// Credentials by the word of their service.
pub(super) const INTEGRATIONS: TenantTable<String, Integration> = TenantTable::new("ads_integration");

/// What a tenant settled for one service.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Integration {
    /// In place of the configured address.
    #[serde(default)]
    pub base_url: Option<String>,
    /// What may be shown, by field.
    #[serde(default)]
    pub open: BTreeMap<String, String>,
    /// Sealed secrets, by field.
    #[serde(default)]
    pub sealed: BTreeMap<String, String>,
    /// Who last changed it.
    #[serde(default)]
    pub updated_by: Option<UserId>,
    /// Nanoseconds since 1970.
    pub updated_ns: u64,
}

impl FirstVersion for Integration {}

/// Where credentials come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// There are none.
    Nowhere,
    /// The tenant's own.
    Tenant,
    /// The configuration's, which names this tenant.
    Configuration,
}

impl Source {
    /// Its word in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nowhere => "none",
            Self::Tenant => "tenant",
            Self::Configuration => "configuration",
        }
    }
}

/// What is held of a service, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The service.
    pub service: Service,
    /// Where it comes from.
    pub source: Source,
    /// The address that will be called.
    pub base_url: String,
    /// Each field with its value; of a secret, an empty text when it is set.
    pub values: Vec<(Field, Option<String>)>,
    /// When the tenant last changed it.
    pub updated_ns: Option<u64>,
}

impl Held {
    /// Whether all that is needed to call the service is there.
    #[must_use]
    pub fn complete(&self) -> bool {
        self.values.iter().all(|(field, value)| value.is_some() || !field.needed)
    }
}

/// What a service is called with.
pub struct Credentials {
    /// Its address.
    pub base_url: String,
    values: BTreeMap<&'static str, Secret>,
}

impl Credentials {
    /// A field's value.
    #[must_use]
    pub fn get(&self, field: &str) -> Option<&str> {
        self.values.get(field).map(Secret::expose)
    }
}

/// What a tenant holds of a service.
///
/// # Errors
/// When the store cannot be read.
pub fn held(store: &Store, config: &Config, tenant: TenantId, service: Service) -> Stored<Held> {
    let own = INTEGRATIONS.get(store, tenant, service.as_str().to_owned())?;
    let section = configured::section(config, service);
    let Some(own) = own else {
        let source = if configured::serves(config, tenant, service) { Source::Configuration } else { Source::Nowhere };
        let value = |field: &Field| section.value(field.name).filter(|_| source == Source::Configuration);
        let shown = |field: &Field, text: &str| if field.secret { String::new() } else { text.to_owned() };
        let each = |field: &Field| (*field, value(field).map(|text| shown(field, text)));
        let values = service.fields().iter().map(each).collect();
        return Ok(Held { service, source, base_url: section.base_url.to_owned(), values, updated_ns: None });
    };
    let each = |field: &Field| {
        let value = if field.secret {
            own.sealed.get(field.name).map(|_| String::new())
        } else {
            own.open.get(field.name).cloned()
        };
        (*field, value)
    };
    Ok(Held {
        service,
        source: Source::Tenant,
        base_url: own.base_url.clone().unwrap_or_else(|| section.base_url.to_owned()),
        values: service.fields().iter().map(each).collect(),
        updated_ns: Some(own.updated_ns),
    })
}

/// The credentials a tenant's calls of a service take; none when something needed is missing.
///
/// # Errors
/// When the store cannot be read, or a secret was sealed with another key of the installation.
pub fn of(
    store: &Store,
    config: &Config,
    sealer: Option<&Sealer>,
    tenant: TenantId,
    service: Service,
) -> Outcome<Option<Credentials>> {
    let held = held(store, config, tenant, service)?;
    if held.source == Source::Nowhere || !held.complete() {
        return Ok(None);
    }
    let own = INTEGRATIONS.get(store, tenant, service.as_str().to_owned())?;
    let section = configured::section(config, service);
    let mut values = BTreeMap::new();
    for field in service.fields() {
        let value = match (&own, field.secret) {
            (None, _) => section.value(field.name).map(str::to_owned),
            (Some(own), false) => own.open.get(field.name).cloned(),
            (Some(own), true) => {
                own.sealed.get(field.name).map(|text| open(text, sealer, tenant, service, *field)).transpose()?
            }
        };
        if let Some(value) = value {
            values.insert(field.name, Secret::new(value));
        }
    }
    Ok(Some(Credentials { base_url: held.base_url, values }))
}

fn open(sealed: &str, sealer: Option<&Sealer>, tenant: TenantId, service: Service, field: Field) -> Outcome<String> {
    let sealer = sealer.ok_or_else(|| Fault::internal("credentials", &"`auth.secrets_key` is missing"))?;
    sealer.open(sealed, &context(tenant, service, field)).map_err(|error| Fault::internal("credentials", &error))
}

/// What a secret is sealed for.
fn context(tenant: TenantId, service: Service, field: Field) -> String {
    format!("integration/{tenant}/{}/{}", service.as_str(), field.name)
}
