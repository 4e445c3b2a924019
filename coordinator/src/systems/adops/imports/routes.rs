//! The endpoints of imports.

use std::sync::Arc;

use poem_openapi::OpenApi;
use poem_openapi::param::Query;
use poem_openapi::payload::Json;

use super::service::{self, Asked, TableTypes};
use super::types::{ImportReport, ImportView};
use crate::adops::imports::list;
use crate::http::App;
use crate::http::adops::granted::{Granted, Manage, Read};
use crate::http::error::{Documented, Refused, Tenanted};
use crate::http::tags::Tag;
use crate::systems::adops::envelope::Envelope;
use crate::systems::adops::page::Page;
use crate::systems::upload::body::UploadBody;
use crate::systems::{Fault, blocking};

/// The statuses of refused files.
#[derive(Debug)]
pub struct Tabled;

impl Documented for Tabled {
    const STATUSES: &'static [u16] = &[400, 401, 403, 408, 409, 413, 415, 422, 429, 500, 503, 507];
}

type Text = Query<Option<String>>;

/// The endpoints of imports.
pub struct ImportsApi(pub Arc<App>);

#[allow(clippy::too_many_arguments, reason = "each argument is a parameter of the request")]
#[OpenApi(tag = "Tag::Ads")]
impl ImportsApi {
    /// Import figures from a file
    ///
    /// The body is the file itself or a form with a field `file`: a day by day export of Meta Ads Manager or Google Ads in
    /// English, or a table with the header `campaign_id` (the number here or the id at the platform), `external_id` or
    /// `campaign_name`, `platform`, `date`, `impressions`, `clicks`, `conversions`, `spend`, `revenue`, `currency`.
    /// Encoding, separator, dates and decimals are found out over the whole file. Campaigns are found by platform and id, else
    /// by a name that only one has. It is one change: everything or nothing.
    #[oai(path = "/api/v1/metrics/import", method = "post", operation_id = "importAdMetrics")]
    async fn import(
        &self,
        who: Granted<Manage>,
        /// `preview` (when not given) tells what `commit` would do
        Query(mode): Text,
        /// Where the campaigns of a plain table run
        Query(platform): Text,
        /// `true` makes campaigns that are not there, paused
        Query(create_missing): Text,
        /// `fail` (when not given): any mistake stops it; `skip` leaves wrong rows out
        Query(on_error): Text,
        /// `error` (when not given) or `sum`: several rows of a campaign and day
        Query(duplicates): Text,
        /// `mdy` or `dmy`, when the dates can be read in two ways
        Query(date_format): Text,
        /// `point` or `comma` before fractions
        Query(decimal): Text,
        /// The currency of a file that does not name it
        Query(currency): Text,
        body: UploadBody<TableTypes>,
    ) -> Result<Json<Envelope<ImportReport>>, Refused<Tabled>> {
        let asked = Asked { platform, mode, create_missing, on_error, duplicates, date_format, decimal, currency };
        let order = asked.order()?;
        let report = Box::pin(service::import(&self.0, who.actor, order, body)).await?;
        let message = match report.import_id {
            Some(_) => "The file was imported",
            None => "Nothing was written; `mode=commit` imports the file",
        };
        Ok(Json(Envelope::done(report, message)))
    }

    /// Imports that were written, the newest first
    #[oai(path = "/api/v1/metrics/imports", method = "get", operation_id = "adImports")]
    async fn list(
        &self,
        who: Granted<Read>,
        /// From 1
        Query(page): Text,
        /// 1 to 100, 20 by default
        Query(page_size): Text,
    ) -> Result<Json<Envelope<Vec<ImportView>>>, Refused<Tenanted>> {
        let page = Page::read(page.as_deref(), page_size.as_deref())?;
        let (app, tenant) = (Arc::clone(&self.0), who.actor.tenant);
        let all = blocking(move || list(app.store(), tenant).map_err(Fault::from)).await?;
        let total = u64::try_from(all.len()).unwrap_or(u64::MAX);
        let shown = page.of(all.iter()).into_iter().map(|(id, import)| ImportView::of(*id, import)).collect();
        Ok(Json(Envelope::page(shown, page.pagination(total))))
    }
}
