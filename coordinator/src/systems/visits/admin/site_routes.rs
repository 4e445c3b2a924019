//! The endpoints of sites.

use std::sync::Arc;

use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use serde_json::{Map, Value};

use super::sites;
use super::types::{Deleted, SiteBody, SiteView, SitesView};
use crate::http::App;
use crate::http::body::JsonBody;
use crate::http::error::{Documented, Lookup, Plain, Refused};
use crate::http::reply::Reply;
use crate::http::tags::Tag;

/// Statuses of refused changes.
#[derive(Debug)]
pub struct Settling;

impl Documented for Settling {
    const STATUSES: &'static [u16] = &[400, 401, 403, 404, 409, 413, 415, 422, 500, 503];
}

/// The endpoints of sites.
pub struct SitesApi(pub Arc<App>);

type Body = JsonBody<Map<String, Value>, SiteBody>;

#[OpenApi(tag = "Tag::Visits")]
impl SitesApi {
    /// All sites with their settings and number of visits
    #[oai(path = "/api/visits/sites", method = "get", operation_id = "visitSites")]
    async fn list(&self) -> Result<Json<SitesView>, Refused<Plain>> {
        Ok(Json(sites::list(&self.0)))
    }

    /// Add a site; with `tracker.sites` in the configuration it is counted beside those
    #[oai(path = "/api/visits/sites", method = "post", operation_id = "addVisitSite")]
    async fn add(&self, body: Body) -> Result<Reply<SiteView, 201>, Refused<Settling>> {
        Ok(Reply::new(&sites::add(&self.0, &body.value).await?)?)
    }

    /// One site
    #[oai(path = "/api/visits/sites/:domain", method = "get", operation_id = "visitSite")]
    async fn get(&self, Path(domain): Path<String>) -> Result<Json<SiteView>, Refused<Lookup>> {
        Ok(Json(sites::get(&self.0, &domain)?))
    }

    /// Change a site's settings; what is left out stays, null goes back to the configuration
    #[oai(path = "/api/visits/sites/:domain", method = "put", operation_id = "changeVisitSite")]
    async fn change(&self, Path(domain): Path<String>, body: Body) -> Result<Json<SiteView>, Refused<Settling>> {
        Ok(Json(sites::change(&self.0, &domain, &body.value).await?))
    }

    /// Remove a site with its visits, goals, funnels and links; the totals of `/stats` still count what was
    #[oai(path = "/api/visits/sites/:domain", method = "delete", operation_id = "removeVisitSite")]
    async fn remove(&self, Path(domain): Path<String>) -> Result<Json<Deleted>, Refused<Settling>> {
        Ok(Json(sites::remove(&self.0, &domain).await?))
    }
}
