//! The endpoints of API keys.

use std::sync::Arc;

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use serde_json::{Map, Value};

use super::types::{KeyBody, KeyMade, KeyView, made, view};
use crate::adops::{KeyId, keys};
use crate::http::App;
use crate::http::adops::granted::{Granted, Person};
use crate::http::body::JsonBody;
use crate::http::error::{Refused, Tenanted};
use crate::http::reply::Reply;
use crate::http::tags::Tag;
use crate::systems::adops::envelope::{Envelope, Gone};
use crate::systems::adops::page::Page;

/// The endpoints of API keys.
pub struct KeysApi(pub Arc<App>);

#[OpenApi(tag = "Tag::Accounts")]
impl KeysApi {
    /// One's API keys; for an admin, those of the tenant
    #[oai(path = "/api/v1/api-keys", method = "get", operation_id = "adApiKeys")]
    async fn list(
        &self,
        who: Granted<Person>,
        /// From 1
        Query(page): Query<Option<String>>,
        /// 1 to 100, 20 by default
        Query(page_size): Query<Option<String>>,
    ) -> Result<Json<Envelope<Vec<KeyView>>>, Refused<Tenanted>> {
        let page = Page::read(page.as_deref(), page_size.as_deref())?;
        let all = keys::list(self.0.store(), &who.actor)?;
        let total = u64::try_from(all.len()).unwrap_or(u64::MAX);
        let shown = page.of(all.iter()).into_iter().map(|(id, key)| view(*id, key)).collect();
        Ok(Json(Envelope::page(shown, page.pagination(total))))
    }

    /// Make an API key; it is shown in this answer only
    ///
    /// It may do what its role may, and never more than its maker may at the moment; never anything of signing in, users
    /// or personal data. It ends with its maker's access.
    #[oai(path = "/api/v1/api-keys", method = "post", operation_id = "addAdApiKey")]
    async fn add(
        &self,
        who: Granted<Person>,
        body: JsonBody<Map<String, Value>, KeyBody>,
    ) -> Result<Reply<Envelope<KeyMade>, 201>, Refused<Tenanted>> {
        let key = keys::make(self.0.store(), &who.actor, &body.value).await?;
        Ok(Reply::new(&Envelope::done(made(key), "Keep the key now; it is not shown again"))?)
    }

    /// Remove an API key of one's own; an admin any of the tenant
    #[oai(path = "/api/v1/api-keys/:id", method = "delete", operation_id = "removeAdApiKey")]
    async fn remove(
        &self,
        who: Granted<Person>,
        Path(id): Path<u64>,
    ) -> Result<Json<Envelope<Gone>>, Refused<Tenanted>> {
        keys::remove(self.0.store(), &who.actor, KeyId(id)).await?;
        Ok(Json(Envelope::done(Gone { id }, "The key opens nothing any more")))
    }
}
