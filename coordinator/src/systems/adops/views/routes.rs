//! The endpoints of saved views.

use std::collections::BTreeMap;
use std::sync::Arc;

use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::adops::Actor;
use crate::adops::views::{self, Page as ViewPage, SavedView};
use crate::http::App;
use crate::http::adops::granted::{Granted, Person};
use crate::http::body::JsonBody;
use crate::http::error::{Refused, Tenanted};
use crate::http::reply::Reply;
use crate::http::tags::Tag;
use crate::systems::Fault;
use crate::systems::adops::envelope::{Envelope, Gone};
use crate::systems::adops::page::Page;
use crate::systems::time::rfc3339;

/// The endpoints of saved views.
pub struct ViewsApi(pub Arc<App>);

/// A saved view
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Object)]
#[oai(rename = "SavedView")]
pub struct ViewView {
    /// Its number
    id: u64,
    /// Its name
    name: String,
    /// `campaigns` or `analytics`
    page: String,
    /// Parameters of the page's requests
    query: BTreeMap<String, String>,
    /// Whether everybody of the tenant sees it
    shared: bool,
    /// Whose it is
    user_id: u64,
    /// Whether it is one's own
    own: bool,
    /// When it was made
    created_at: String,
    /// When it was last changed
    updated_at: String,
}

/// A view to save or change; when changing, what is left out stays
#[derive(Debug, Object)]
#[oai(rename = "SavedViewBody")]
pub struct ViewBody {
    /// At most 100 bytes; a person has one view of a name
    name: Option<String>,
    /// `campaigns` or `analytics`
    page: Option<String>,
    /// Parameters that requests of the page know, as texts
    query: Option<BTreeMap<String, String>>,
    /// Whether everybody of the tenant sees it; false by default
    shared: Option<bool>,
}

fn view(actor: &Actor, id: u64, view: &SavedView) -> ViewView {
    ViewView {
        id,
        name: view.name.clone(),
        page: view.page.as_str().to_owned(),
        query: view.query.clone(),
        shared: view.shared,
        user_id: view.owner.get(),
        own: actor.who.user() == Some(view.owner),
        created_at: rfc3339(view.created_ns),
        updated_at: rfc3339(view.updated_ns),
    }
}

type Body = JsonBody<Map<String, Value>, ViewBody>;
type One = Result<Json<Envelope<ViewView>>, Refused<Tenanted>>;

#[OpenApi(tag = "Tag::Ads")]
impl ViewsApi {
    /// One's own views and those that others share
    #[oai(path = "/api/v1/views", method = "get", operation_id = "adViews")]
    async fn list(
        &self,
        who: Granted<Person>,
        /// Of `campaigns` or `analytics` only
        Query(of): Query<Option<String>>,
        /// From 1
        Query(page): Query<Option<String>>,
        /// 1 to 100, 20 by default
        Query(page_size): Query<Option<String>>,
    ) -> Result<Json<Envelope<Vec<ViewView>>>, Refused<Tenanted>> {
        let page = Page::read(page.as_deref(), page_size.as_deref())?;
        let of = match of.as_deref().map(ViewPage::parse) {
            Some(None) => return Err(Fault::field("of", "must be `campaigns` or `analytics`").into()),
            of => of.flatten(),
        };
        let all = views::list(self.0.store(), &who.actor, of).map_err(Fault::from)?;
        let total = u64::try_from(all.len()).unwrap_or(u64::MAX);
        let shown = page.of(all.iter()).into_iter().map(|(id, one)| view(&who.actor, *id, one)).collect();
        Ok(Json(Envelope::page(shown, page.pagination(total))))
    }

    /// Save a view
    #[oai(path = "/api/v1/views", method = "post", operation_id = "addAdView")]
    async fn add(&self, who: Granted<Person>, body: Body) -> Result<Reply<Envelope<ViewView>, 201>, Refused<Tenanted>> {
        let (id, saved) = views::create(self.0.store(), &who.actor, &body.value).await?;
        Ok(Reply::new(&Envelope::done(view(&who.actor, id, &saved), "The view was saved"))?)
    }

    /// One view
    #[oai(path = "/api/v1/views/:id", method = "get", operation_id = "adView")]
    async fn get(&self, who: Granted<Person>, Path(id): Path<u64>) -> One {
        let saved = views::get(self.0.store(), &who.actor, id)?;
        Ok(Json(Envelope::of(view(&who.actor, id, &saved))))
    }

    /// Change a view: its owner any, an admin a shared one
    #[oai(path = "/api/v1/views/:id", method = "put", operation_id = "changeAdView")]
    async fn change(&self, who: Granted<Person>, Path(id): Path<u64>, body: Body) -> One {
        let saved = views::update(self.0.store(), &who.actor, id, &body.value).await?;
        Ok(Json(Envelope::done(view(&who.actor, id, &saved), "The view was changed")))
    }

    /// Remove a view: its owner any, an admin a shared one
    #[oai(path = "/api/v1/views/:id", method = "delete", operation_id = "removeAdView")]
    async fn remove(
        &self,
        who: Granted<Person>,
        Path(id): Path<u64>,
    ) -> Result<Json<Envelope<Gone>>, Refused<Tenanted>> {
        views::remove(self.0.store(), &who.actor, id).await?;
        Ok(Json(Envelope::done(Gone { id }, "The view was removed")))
    }
}
