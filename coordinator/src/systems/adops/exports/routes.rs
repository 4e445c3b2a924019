//! The endpoints of exports.

use std::sync::Arc;

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use serde_json::{Map, Value};

use super::file::Download;
use super::service;
use super::types::{ExportBody, ExportView, Made, Removed};
use crate::adops::exports;
use crate::http::App;
use crate::http::adops::granted::{Analyse, Granted};
use crate::http::body::JsonBody;
use crate::http::error::{Documented, Refused, Tenanted};
use crate::http::tags::Tag;
use crate::systems::adops::envelope::Envelope;
use crate::systems::adops::page::Page;

/// What asking for an export may be refused with.
#[derive(Debug)]
pub struct Exporting;

impl Documented for Exporting {
    const STATUSES: &'static [u16] = &[400, 401, 403, 413, 415, 422, 429, 500, 503, 507];
}

/// The endpoints of exports.
pub struct AdExportsApi(pub Arc<App>);

#[OpenApi(tag = "Tag::Ads")]
impl AdExportsApi {
    /// Export campaigns or their figures as a file
    ///
    /// A worker writes the file. The answer waits for it up to 10 s; a longer export is answered with 202 and asked for
    /// by its id. Deleted campaigns are left out. In CSV a text that a spreadsheet would compute begins with a `'`.
    #[oai(path = "/api/v1/analytics/export", method = "post", operation_id = "exportAds")]
    async fn make(
        &self,
        who: Granted<Analyse>,
        body: JsonBody<Map<String, Value>, ExportBody>,
    ) -> Result<Made, Refused<Exporting>> {
        let (done, view) = service::make(&self.0, &who.actor, &body.value).await?;
        Ok(if done { Made::Done(Json(Envelope::of(view))) } else { Made::UnderWay(Json(Envelope::of(view))) })
    }

    /// The exports of the tenant, the newest first
    #[oai(path = "/api/v1/analytics/exports", method = "get", operation_id = "adExports")]
    async fn list(
        &self,
        who: Granted<Analyse>,
        /// From 1
        Query(page): Query<Option<String>>,
        /// 1 to 100, 20 by default
        Query(page_size): Query<Option<String>>,
    ) -> Result<Json<Envelope<Vec<ExportView>>>, Refused<Tenanted>> {
        let page = Page::read(page.as_deref(), page_size.as_deref())?;
        let all = service::list(&self.0, &who.actor)?;
        let total = u64::try_from(all.len()).unwrap_or(u64::MAX);
        Ok(Json(Envelope::page(page.of(all.into_iter()), page.pagination(total))))
    }

    /// One export, with a link to its file once it is done
    #[oai(path = "/api/v1/analytics/export/:export_id", method = "get", operation_id = "adExport")]
    async fn get(
        &self,
        who: Granted<Analyse>,
        Path(export_id): Path<String>,
    ) -> Result<Json<Envelope<ExportView>>, Refused<Tenanted>> {
        Ok(Json(Envelope::of(service::get(&self.0, &who.actor, &export_id).await?)))
    }

    /// Remove an export with its file; one under way stops
    #[oai(path = "/api/v1/analytics/export/:export_id", method = "delete", operation_id = "removeAdExport")]
    async fn remove(
        &self,
        who: Granted<Analyse>,
        Path(export_id): Path<String>,
    ) -> Result<Json<Envelope<Removed>>, Refused<Tenanted>> {
        exports::remove(&self.0.dispatch, &who.actor, &export_id).await?;
        Ok(Json(Envelope::done(Removed { export_id }, "The export was removed")))
    }

    /// The file of a link; a credential of the tenant is needed as well
    #[oai(path = "/api/v1/analytics/export/download/:token", method = "get", operation_id = "downloadAdExport")]
    async fn download(
        &self,
        who: Granted<Analyse>,
        /// The last part of `download_url`
        Path(token): Path<String>,
    ) -> Result<Download, Refused<Tenanted>> {
        Ok(service::download(&self.0, &who.actor, &token).await?)
    }
}
