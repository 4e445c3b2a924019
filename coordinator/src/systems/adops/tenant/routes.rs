//! The endpoints of a tenant's settings.

use std::sync::Arc;

use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::adops::TenantId;
use crate::adops::tenant::{self, Tenant};
use crate::http::App;
use crate::http::adops::granted::{Administer, Granted, Read};
use crate::http::body::JsonBody;
use crate::http::error::{Refused, Tenanted};
use crate::http::tags::Tag;
use crate::systems::adops::envelope::Envelope;
use crate::systems::time::rfc3339;

/// The endpoints of a tenant's settings.
pub struct TenantApi(pub Arc<App>);

/// A tenant
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Object)]
#[oai(rename = "Tenant")]
pub struct TenantView {
    /// Its number
    pub id: u64,
    /// Its name
    pub name: String,
    /// The IANA time zone whose days its days are
    pub timezone: String,
    /// The currency of totals
    pub currency: String,
    /// When it was registered
    pub created_at: String,
}

/// Settings to change; what is left out stays
#[derive(Debug, Object)]
#[oai(rename = "TenantBody")]
pub struct TenantBody {
    /// At most 200 bytes
    name: Option<String>,
    /// An IANA time zone. Figures that are stored keep their day; from then on days begin at other moments
    timezone: Option<String>,
    /// A currency of ISO 4217
    currency: Option<String>,
}

/// A tenant as callers see it.
#[must_use]
pub fn view(id: TenantId, tenant: &Tenant) -> TenantView {
    TenantView {
        id: id.get(),
        name: tenant.name.clone(),
        timezone: tenant.timezone.clone(),
        currency: tenant.currency.code().to_owned(),
        created_at: rfc3339(tenant.created_ns),
    }
}

#[OpenApi(tag = "Tag::Accounts")]
impl TenantApi {
    /// The tenant's settings
    #[oai(path = "/api/v1/tenant", method = "get", operation_id = "adTenant")]
    async fn get(&self, who: Granted<Read>) -> Result<Json<Envelope<TenantView>>, Refused<Tenanted>> {
        let tenant = tenant::get(self.0.store(), &who.actor)?;
        Ok(Json(Envelope::of(view(who.actor.tenant, &tenant))))
    }

    /// Change the tenant's settings
    #[oai(path = "/api/v1/tenant", method = "put", operation_id = "changeAdTenant")]
    async fn change(
        &self,
        who: Granted<Administer>,
        body: JsonBody<Map<String, Value>, TenantBody>,
    ) -> Result<Json<Envelope<TenantView>>, Refused<Tenanted>> {
        let tenant = tenant::update(self.0.store(), &who.actor, &body.value).await?;
        Ok(Json(Envelope::done(view(who.actor.tenant, &tenant), "The settings were changed")))
    }
}
