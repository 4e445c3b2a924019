//! The endpoints of imports, raw export, people's data and retention.

use std::sync::Arc;

use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Enum, OpenApi};

use super::export::{self, FormatName};
use super::imports::{self, ImportTypes, Offer};
use super::types::{ErasedBody, ImportBody, ImportListBody, ImportRemovedBody, PersonBody, PruneBody, PrunedBody};
use super::{people, retention};
use crate::http::App;
use crate::http::body::JsonBody;
use crate::http::error::{Documented, Lookup, Refused};
use crate::http::reply::Reply;
use crate::http::tags::Tag;
use crate::store::visit_imports::ImportFormat;
use crate::systems::upload::body::UploadBody;
use crate::systems::visits::stats::scope::{Asked, Scope};
use crate::systems::visits::stats::wrong;
use crate::systems::{Outcome, blocking};

/// The statuses of refused exports and lists.
#[derive(Debug)]
pub struct Exporting;

impl Documented for Exporting {
    const STATUSES: &'static [u16] = &[400, 401, 403, 404, 413, 415, 422, 500, 503];
}

/// The statuses of refused imports.
#[derive(Debug)]
pub struct Importing;

impl Documented for Importing {
    const STATUSES: &'static [u16] = &[400, 401, 403, 404, 408, 409, 413, 422, 500, 503, 507];
}

/// The statuses of refused changes to what is stored.
#[derive(Debug)]
pub struct Rewriting;

impl Documented for Rewriting {
    const STATUSES: &'static [u16] = &[400, 401, 403, 404, 413, 415, 422, 500, 503, 507];
}

/// What an imported file is
#[derive(Debug, Clone, Copy, Enum)]
#[oai(rename = "ImportFormat", rename_all = "lowercase")]
enum KindName {
    Auto,
    Nginx,
    Apache,
    Caddy,
    Plausible,
}

impl From<KindName> for ImportFormat {
    fn from(name: KindName) -> Self {
        match name {
            KindName::Auto => Self::Auto,
            KindName::Nginx => Self::Nginx,
            KindName::Apache => Self::Apache,
            KindName::Caddy => Self::Caddy,
            KindName::Plausible => Self::Plausible,
        }
    }
}

/// Imports that a list shows without `limit`, and at most.
const LISTED: u64 = 50;
const MOST_LISTED: u64 = 1000;

/// The endpoints.
pub struct TransferApi(pub Arc<App>);

#[allow(clippy::too_many_arguments, reason = "each argument is a parameter of the request")]
#[OpenApi(tag = "Tag::Visits")]
impl TransferApi {
    /// Raw visits as a file
    ///
    /// The visits that the statistics of the same question count, one a row: `csv` (RFC 4180), `ndjson`, `parquet`
    /// (zstd). They come visitor by visitor and in each by time. Daily figures that were imported are not visits.
    #[oai(path = "/api/visits/export", method = "get", operation_id = "exportVisits")]
    async fn export(
        &self,
        /// The site; needed unless there is only one
        Query(site_id): Query<Option<String>>,
        /// As for the statistics: `day`, `7d`, `30d`, `month`, `all`, …
        Query(period): Query<Option<String>>,
        /// A date of the period, or `from,to` with `custom`
        Query(date): Query<Option<String>>,
        /// First day; with `to` in place of `period`
        Query(from): Query<Option<String>>,
        /// Last day
        Query(to): Query<Option<String>>,
        /// As for the statistics, such as `visit:country==DE;event:page==/blog/**`
        Query(filters): Query<Option<String>>,
        /// `exclude` (when not given), `include`, `only`
        Query(bots): Query<Option<String>>,
        /// `real` (when not given), `synthetic`, `unverified`, `all`
        Query(traffic): Query<Option<String>>,
        /// Time zone in place of the site's
        Query(timezone): Query<Option<String>>,
        /// How they are written, `csv` when not given
        Query(format): Query<Option<FormatName>>,
    ) -> Result<export::File, Refused<Exporting>> {
        let (period, date) = span(period, date, from, to)?;
        let asked = Asked { site_id, period, date, filters, bots, traffic, timezone };
        let scope = Scope::read(&self.0, &asked, None)?;
        let format = format.unwrap_or(FormatName::Csv).into();
        Ok(export::visits(&self.0, scope, format).await?)
    }

    /// Import an access log, or a CSV export of Plausible
    ///
    /// The body is the file itself (or a form with a field `file`), gzipped or not: an access log of nginx or Apache
    /// (common, combined, with host or without) or Caddy (JSON); a zip of Plausible's tables, or one of them. Page views of
    /// a log become visits at their own times; they count in the totals and not among the recent ones. Figures of Plausible
    /// count up to the day before the site's first own one. A log without hosts needs `site_id`.
    #[oai(path = "/api/visits/import", method = "post", operation_id = "importVisits")]
    async fn import(
        &self,
        /// The site of everything in the file
        Query(site_id): Query<Option<String>>,
        /// What the file is, found out when not given
        Query(format): Query<Option<KindName>>,
        /// What the file is called
        Query(name): Query<Option<String>>,
        /// Import a file that was imported before
        Query(again): Query<Option<bool>>,
        /// Only count what would come
        Query(dry_run): Query<Option<bool>>,
        body: UploadBody<ImportTypes>,
    ) -> Result<Reply<ImportBody, 202>, Refused<Importing>> {
        let format = format.map_or(ImportFormat::Auto, ImportFormat::from);
        let (again, dry_run) = (again.unwrap_or(false), dry_run.unwrap_or(false));
        let offer = Offer { site: site_id, format, name, again, dry_run };
        Ok(Reply::new(&Box::pin(imports::receive(&self.0, offer, body)).await?)?)
    }

    /// All imports, the newest first
    #[oai(path = "/api/visits/imports", method = "get", operation_id = "listVisitImports")]
    async fn list(
        &self,
        /// At most this many, 50 when not given
        Query(limit): Query<Option<u64>>,
    ) -> Result<Reply<ImportListBody>, Refused<Exporting>> {
        let app = Arc::clone(&self.0);
        let limit = usize::try_from(limit.unwrap_or(LISTED).min(MOST_LISTED)).unwrap_or(usize::MAX);
        let (total, imports) = blocking(move || imports::list(&app, limit)).await?;
        let total = u64::try_from(total).unwrap_or(u64::MAX);
        Ok(Reply::new(&ImportListBody { success: true, total, imports })?)
    }

    /// How far an import is and what it found
    #[oai(path = "/api/visits/import/:import_id", method = "get", operation_id = "getVisitImport")]
    async fn get(&self, Path(import_id): Path<String>) -> Result<Reply<ImportBody>, Refused<Lookup>> {
        Ok(Reply::new(&imports::get(&self.0, &import_id)?)?)
    }

    /// Cancel an import, or take back everything it brought
    #[oai(path = "/api/visits/import/:import_id", method = "delete", operation_id = "deleteVisitImport")]
    async fn remove(&self, Path(import_id): Path<String>) -> Result<Json<ImportRemovedBody>, Refused<Rewriting>> {
        imports::remove(&self.0, &import_id).await?;
        let message = "The import is removed with everything it brought".to_owned();
        Ok(Json(ImportRemovedBody { success: true, import_id, message }))
    }

    /// Everything that is stored of a person, as JSON lines
    ///
    /// A person is whom visits were sent for with this `user_id`.
    #[oai(path = "/api/visits/gdpr/export", method = "post", operation_id = "exportPersonsVisits")]
    async fn show_person(&self, body: JsonBody<PersonBody>) -> Result<export::File, Refused<Exporting>> {
        Ok(people::show(&self.0, body.value)?)
    }

    /// Erase every visit of a person from every file
    ///
    /// When this answers nothing of them is left on the disk; totals that were counted stay.
    #[oai(path = "/api/visits/gdpr/erase", method = "post", operation_id = "erasePersonsVisits")]
    async fn erase_person(&self, body: JsonBody<PersonBody>) -> Result<Reply<ErasedBody>, Refused<Rewriting>> {
        Ok(Reply::new(&people::erase(&self.0, body.value).await?)?)
    }

    /// Remove old visits now, or tell which would go
    ///
    /// Happens each hour by itself with the settings of each site, else `tracker.keep_days`. Totals that were counted stay.
    #[oai(path = "/api/visits/prune", method = "post", operation_id = "pruneVisits")]
    async fn prune(&self, body: JsonBody<PruneBody>) -> Result<Reply<PrunedBody>, Refused<Rewriting>> {
        Ok(Reply::new(&retention::prune(&self.0, body.value).await?)?)
    }
}

/// `from` and `to` are another way to say `custom`.
fn span(
    period: Option<String>,
    date: Option<String>,
    from: Option<String>,
    to: Option<String>,
) -> Outcome<(Option<String>, Option<String>)> {
    match (from, to) {
        (None, None) => Ok((period, date)),
        (Some(from), Some(to)) if period.as_deref().is_none_or(|period| period == "custom") && date.is_none() => {
            Ok((Some("custom".to_owned()), Some(format!("{from},{to}"))))
        }
        (Some(_), Some(_)) => Err(wrong("from", "stands in place of `period` and `date`")),
        (None, Some(_)) => Err(wrong("from", "is needed with `to`")),
        (Some(_), None) => Err(wrong("to", "is needed with `from`")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn from_and_to_are_a_custom_period() {
        let some = |text: &str| Some(text.to_owned());
        let (period, date) = span(None, None, some("2026-01-01"), some("2026-01-31")).unwrap();
        assert_eq!((period, date), (some("custom"), some("2026-01-01,2026-01-31")));
        assert_eq!(span(some("7d"), None, None, None).unwrap(), (some("7d"), None));
        for (period, from, to) in [(None, some("a"), None), (None, None, some("a")), (some("7d"), some("a"), some("b"))]
        {
            assert!(span(period, None, from, to).is_err());
        }
    }
}
