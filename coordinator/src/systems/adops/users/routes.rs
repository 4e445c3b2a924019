//! The endpoints of the people of a tenant.

use std::sync::Arc;

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use serde_json::{Map, Value};

use super::types::{UserBody, UserView, view};
use crate::adops::{UserId, users};
use crate::http::App;
use crate::http::adops::granted::{Govern, Granted};
use crate::http::body::JsonBody;
use crate::http::error::{Refused, Tenanted};
use crate::http::reply::Reply;
use crate::http::tags::Tag;
use crate::systems::adops::envelope::Envelope;
use crate::systems::adops::page::Page;

/// The endpoints of the people of a tenant.
pub struct UsersApi(pub Arc<App>);

type Body = JsonBody<Map<String, Value>, UserBody>;
type One = Result<Json<Envelope<UserView>>, Refused<Tenanted>>;

#[OpenApi(tag = "Tag::Accounts")]
impl UsersApi {
    /// The people of the tenant, without those who were erased
    #[oai(path = "/api/v1/users", method = "get", operation_id = "adUsers")]
    async fn list(
        &self,
        who: Granted<Govern>,
        /// From 1
        Query(page): Query<Option<String>>,
        /// 1 to 100, 20 by default
        Query(page_size): Query<Option<String>>,
    ) -> Result<Json<Envelope<Vec<UserView>>>, Refused<Tenanted>> {
        let page = Page::read(page.as_deref(), page_size.as_deref())?;
        let all = users::list(self.0.store(), who.actor.tenant).map_err(crate::systems::Fault::from)?;
        let total = u64::try_from(all.len()).unwrap_or(u64::MAX);
        let shown = page.of(all.iter()).into_iter().map(|(id, user)| view(*id, user)).collect();
        Ok(Json(Envelope::page(shown, page.pagination(total))))
    }

    /// Add a person
    #[oai(path = "/api/v1/users", method = "post", operation_id = "addAdUser")]
    async fn add(&self, who: Granted<Govern>, body: Body) -> Result<Reply<Envelope<UserView>, 201>, Refused<Tenanted>> {
        let (id, user) = users::create(self.0.store(), &who.actor, &body.value).await?;
        Ok(Reply::new(&Envelope::done(view(id, &user), "The user was added"))?)
    }

    /// One person
    #[oai(path = "/api/v1/users/:id", method = "get", operation_id = "adUser")]
    async fn get(&self, who: Granted<Govern>, Path(id): Path<u64>) -> One {
        let user = users::get(self.0.store(), who.actor.tenant, UserId(id))?;
        Ok(Json(Envelope::of(view(UserId(id), &user))))
    }

    /// Change a person; a new password, fewer rights or deactivation end all of their sessions at once
    #[oai(path = "/api/v1/users/:id", method = "put", operation_id = "changeAdUser")]
    async fn change(&self, who: Granted<Govern>, Path(id): Path<u64>, body: Body) -> One {
        let user = users::update(self.0.store(), &who.actor, UserId(id), &body.value).await?;
        Ok(Json(Envelope::done(view(UserId(id), &user), "The user was changed")))
    }

    /// Take away a person's access: sessions end, keys they made are worth nothing, what they made stays
    ///
    /// `DELETE /api/v1/gdpr/user/{id}` erases who they were.
    #[oai(path = "/api/v1/users/:id", method = "delete", operation_id = "removeAdUser")]
    async fn remove(&self, who: Granted<Govern>, Path(id): Path<u64>) -> One {
        let user = users::deactivate(self.0.store(), &who.actor, UserId(id)).await?;
        Ok(Json(Envelope::done(view(UserId(id), &user), "The user may not sign in any more")))
    }
}
