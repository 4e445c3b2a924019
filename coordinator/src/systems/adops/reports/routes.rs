//! The endpoints of scheduled reports.

use std::sync::Arc;

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use serde_json::{Map, Value};

use super::types::{ReportBody, ReportView, Sent, view};
use crate::adops::Actor;
use crate::adops::reports::{self, Report};
use crate::http::App;
use crate::http::adops::granted::{Granted, Manage};
use crate::http::body::JsonBody;
use crate::http::error::{Refused, Tenanted};
use crate::http::reply::Reply;
use crate::http::tags::Tag;
use crate::systems::adops::envelope::{Envelope, Gone};
use crate::systems::adops::page::Page;
use crate::systems::{Fault, Outcome};

/// The endpoints of scheduled reports.
pub struct ReportsApi(pub Arc<App>);

type Body = JsonBody<Map<String, Value>, ReportBody>;
type One = Result<Json<Envelope<ReportView>>, Refused<Tenanted>>;

#[OpenApi(tag = "Tag::Ads")]
impl ReportsApi {
    /// The tenant's scheduled reports
    #[oai(path = "/api/v1/reports", method = "get", operation_id = "adReports")]
    async fn list(
        &self,
        who: Granted<Manage>,
        /// From 1
        Query(page): Query<Option<String>>,
        /// 1 to 100, 20 by default
        Query(page_size): Query<Option<String>>,
    ) -> Result<Json<Envelope<Vec<ReportView>>>, Refused<Tenanted>> {
        let page = Page::read(page.as_deref(), page_size.as_deref())?;
        let all = reports::list(self.0.store(), who.actor.tenant).map_err(Fault::from)?;
        let total = u64::try_from(all.len()).unwrap_or(u64::MAX);
        let shown: Outcome<Vec<_>> =
            page.of(all.iter()).into_iter().map(|(id, report)| self.view(&who.actor, *id, report)).collect();
        Ok(Json(Envelope::page(shown?, page.pagination(total))))
    }

    /// Have key figures sent by mail to people of the tenant
    ///
    /// The mail has the key figures with their change, the platforms and the campaigns that spent most, each currency
    /// apart, and a CSV file of up to 1 000 campaigns. What came due while the server was away is sent once.
    #[oai(path = "/api/v1/reports", method = "post", operation_id = "addAdReport")]
    async fn add(
        &self,
        who: Granted<Manage>,
        body: Body,
    ) -> Result<Reply<Envelope<ReportView>, 201>, Refused<Tenanted>> {
        let (id, report) = reports::create(self.0.store(), &who.actor, &body.value).await?;
        Ok(Reply::new(&Envelope::done(self.view(&who.actor, id, &report)?, "The report was scheduled"))?)
    }

    /// One scheduled report
    #[oai(path = "/api/v1/reports/:id", method = "get", operation_id = "adReport")]
    async fn get(&self, who: Granted<Manage>, Path(id): Path<u64>) -> One {
        let report = reports::get(self.0.store(), who.actor.tenant, id)?;
        Ok(Json(Envelope::of(self.view(&who.actor, id, &report)?)))
    }

    /// Change a scheduled report
    #[oai(path = "/api/v1/reports/:id", method = "put", operation_id = "changeAdReport")]
    async fn change(&self, who: Granted<Manage>, Path(id): Path<u64>, body: Body) -> One {
        let report = reports::update(self.0.store(), &who.actor, id, &body.value).await?;
        Ok(Json(Envelope::done(self.view(&who.actor, id, &report)?, "The report was changed")))
    }

    /// Remove a scheduled report
    #[oai(path = "/api/v1/reports/:id", method = "delete", operation_id = "removeAdReport")]
    async fn remove(
        &self,
        who: Granted<Manage>,
        Path(id): Path<u64>,
    ) -> Result<Json<Envelope<Gone>>, Refused<Tenanted>> {
        reports::remove(self.0.store(), &who.actor, id).await?;
        Ok(Json(Envelope::done(Gone { id }, "The report was removed")))
    }

    /// Send a report at once, of the days it would tell if it were due today; its schedule stays
    #[oai(path = "/api/v1/reports/:id/send", method = "post", operation_id = "sendAdReport")]
    async fn send(&self, who: Granted<Manage>, Path(id): Path<u64>) -> Result<Json<Envelope<Sent>>, Refused<Tenanted>> {
        let mails = reports::send_now(self.0.store(), &self.0.adops.book, &who.actor, id).await?;
        let sent = Sent { id, mails: u64::try_from(mails).unwrap_or(u64::MAX) };
        Ok(Json(Envelope::done(sent, "The mails were queued")))
    }

    fn view(&self, actor: &Actor, id: u64, report: &Report) -> Outcome<ReportView> {
        let recipients = reports::addresses(self.0.store(), actor.tenant, report)?;
        Ok(view(id, report, recipients.into_iter().map(|(_, address)| address).collect()))
    }
}
