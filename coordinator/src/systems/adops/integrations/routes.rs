//! The endpoints of outside services' credentials.

use std::sync::Arc;

use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use serde::Serialize;
use serde_json::{Map, Value};

use super::types::{IntegrationBody, IntegrationView, view};
use crate::adops::integrations::{self, Held, Service, Settings};
use crate::http::App;
use crate::http::adops::granted::{Administer, Granted};
use crate::http::body::JsonBody;
use crate::http::error::{Refused, Tenanted};
use crate::http::reply::Reply;
use crate::http::tags::Tag;
use crate::systems::adops::envelope::Envelope;
use crate::systems::{Fault, Outcome};

/// The endpoints of outside services' credentials.
pub struct IntegrationsApi(pub Arc<App>);

/// What was removed
#[derive(Debug, Clone, Serialize, poem_openapi::Object)]
#[oai(rename = "RemovedIntegration")]
pub struct Removed {
    /// The platform
    platform: String,
}

type One = Result<Reply<Envelope<IntegrationView>>, Refused<Tenanted>>;

#[OpenApi(tag = "Tag::Accounts")]
impl IntegrationsApi {
    /// All outside services, and which of them the tenant can call
    #[oai(path = "/api/v1/integrations", method = "get", operation_id = "adIntegrations")]
    async fn list(&self, who: Granted<Administer>) -> Result<Reply<Envelope<Vec<IntegrationView>>>, Refused<Tenanted>> {
        let all: Outcome<Vec<Value>> =
            Service::ALL.into_iter().map(|service| Ok(view(&self.held(&who, service)?))).collect();
        Ok(Reply::new(&serde_json::json!({"success": true, "data": all?}))?)
    }

    /// What the tenant holds for one outside service
    #[oai(path = "/api/v1/integrations/:platform", method = "get", operation_id = "adIntegration")]
    async fn get(&self, who: Granted<Administer>, Path(platform): Path<String>) -> One {
        Ok(one(&self.held(&who, service(&platform)?)?, None)?)
    }

    /// Set the tenant's credentials of an outside service
    ///
    /// They take the place of the configuration's. Secrets can be written and never read.
    #[oai(path = "/api/v1/integrations/:platform", method = "put", operation_id = "setAdIntegration")]
    async fn set(
        &self,
        who: Granted<Administer>,
        Path(platform): Path<String>,
        body: JsonBody<Map<String, Value>, IntegrationBody>,
    ) -> One {
        let service = service(&platform)?;
        let settings = Settings { config: &self.0.config, sealer: self.0.sealer.as_ref() };
        let held = integrations::set(self.0.store(), settings, &who.actor, service, &body.value).await?;
        Ok(one(&held, Some("The credentials were set"))?)
    }

    /// Forget the tenant's credentials of an outside service
    #[oai(path = "/api/v1/integrations/:platform", method = "delete", operation_id = "removeAdIntegration")]
    async fn remove(
        &self,
        who: Granted<Administer>,
        Path(platform): Path<String>,
    ) -> Result<Json<Envelope<Removed>>, Refused<Tenanted>> {
        integrations::remove(self.0.store(), &who.actor, service(&platform)?).await?;
        Ok(Json(Envelope::done(Removed { platform }, "The credentials were forgotten")))
    }

    fn held(&self, who: &Granted<Administer>, service: Service) -> Outcome<Held> {
        Ok(integrations::held(self.0.store(), &self.0.config, who.actor.tenant, service)?)
    }
}

fn one(held: &Held, message: Option<&str>) -> Outcome<Reply<Envelope<IntegrationView>>> {
    let mut answer = serde_json::json!({"success": true, "data": view(held)});
    if let (Some(message), Some(members)) = (message, answer.as_object_mut()) {
        members.insert("message".to_owned(), message.into());
    }
    Reply::new(&answer)
}

fn service(word: &str) -> Outcome<Service> {
    Service::parse(word).ok_or_else(|| Fault::not_found("Platform not found"))
}
