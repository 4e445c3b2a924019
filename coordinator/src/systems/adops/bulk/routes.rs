//! The endpoints of bulk changes.

use std::sync::Arc;

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use serde_json::{Map, Value};
use trafficlab_engine::ads::money::Currency;

use super::types::BulkBody;
use super::view::{BulkView, SummaryView};
use crate::adops::campaigns::bulk::action::Request;
use crate::adops::campaigns::bulk::{apply, record, undo};
use crate::adops::change;
use crate::adops::tenant::Tenant;
use crate::http::App;
use crate::http::adops::granted::{Granted, Manage, Read};
use crate::http::body::JsonBody;
use crate::http::error::{Refused, Tenanted};
use crate::http::reply::Reply;
use crate::http::tags::Tag;
use crate::systems::Fault;
use crate::systems::adops::envelope::Envelope;
use crate::systems::adops::page::Page;

/// The endpoints of bulk changes.
pub struct AdBulkApi(pub Arc<App>);

type Text = Query<Option<String>>;
type Answer<T> = Result<Reply<Envelope<T>>, Refused<Tenanted>>;

#[OpenApi(tag = "Tag::Ads")]
impl AdBulkApi {
    /// Change the status, daily budget or labels of many campaigns at once
    ///
    /// Each campaign is judged by itself; all that can be changed are changed together or, when the disk fails, not at
    /// all. `bulk_id` undoes it.
    #[oai(path = "/api/v1/campaigns/bulk", method = "post", operation_id = "adBulk")]
    async fn apply(&self, who: Granted<Manage>, body: JsonBody<Map<String, Value>, BulkBody>) -> Answer<BulkView> {
        let (store, book) = (self.0.store(), &self.0.adops.book);
        let usual = Tenant::get(store, who.actor.tenant).map_err(Fault::from)?;
        let request = Request::read(&body.value, usual.map_or(Currency::USD, |tenant| tenant.currency))?;
        let judged = if request.dry_run {
            apply::tell(book, who.actor.tenant, &request)?
        } else {
            change(store, &who.actor, |change| apply::carry_out(change, book, &request)).await?
        };
        let message = format!("{} done, {} skipped, {} failed", judged.done, judged.skipped, judged.failed);
        Ok(Reply::new(&Envelope::done(BulkView::from(judged), message))?)
    }

    /// The bulk changes of the last 30 days, the newest first
    #[oai(path = "/api/v1/campaigns/bulk", method = "get", operation_id = "adBulks")]
    async fn list(
        &self,
        who: Granted<Read>,
        /// From 1
        Query(page): Text,
        /// 1 to 100, 20 by default
        Query(page_size): Text,
    ) -> Answer<Vec<SummaryView>> {
        let page = Page::read(page.as_deref(), page_size.as_deref())?;
        let all = record::list(self.0.store(), who.actor.tenant).map_err(Fault::from)?;
        let pagination = page.pagination(u64::try_from(all.len()).unwrap_or(u64::MAX));
        let shown = page.of(all.iter()).into_iter().map(|(bulk_id, bulk)| SummaryView::of(*bulk_id, bulk)).collect();
        Ok(Reply::new(&Envelope::<Vec<SummaryView>>::page(shown, pagination))?)
    }

    /// Undo a bulk change, once and within 30 days
    ///
    /// Campaigns whose status, budget or labels were changed since stay as they are.
    #[oai(path = "/api/v1/campaigns/bulk/:bulk_id/undo", method = "post", operation_id = "undoAdBulk")]
    async fn undo(&self, who: Granted<Manage>, Path(bulk_id): Path<u64>) -> Answer<BulkView> {
        let (store, book) = (self.0.store(), &self.0.adops.book);
        let judged = change(store, &who.actor, |change| undo::undo(change, book, bulk_id)).await?;
        let message = format!("{} put back, {} skipped", judged.done, judged.skipped);
        Ok(Reply::new(&Envelope::done(BulkView::from(judged), message))?)
    }
}
