//! The endpoints of the rights of persons.

use std::sync::Arc;

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use serde_json::{Map, Value};

use super::file::ArchiveFile;
use super::service;
use super::types::{
    AnonymiseBody, Consents, DoneView, ErasureView, ExportBody, ExportView, RetentionView, consents as view,
};
use crate::adops::UserId;
use crate::adops::privacy::{Erased, consents, due, retention};
use crate::http::App;
use crate::http::adops::granted::{Govern, Granted, Person};
use crate::http::body::JsonBody;
use crate::http::error::{Refused, Tenanted};
use crate::http::tags::Tag;
use crate::systems::Fault;
use crate::systems::adops::envelope::Envelope;
use crate::systems::adops::page::Page;

/// The endpoints of the rights of persons.
pub struct PrivacyApi(pub Arc<App>);

type Body<D> = JsonBody<Map<String, Value>, D>;
type Answer<T> = Result<Json<Envelope<T>>, Refused<Tenanted>>;
type Text = Query<Option<String>>;

#[OpenApi(tag = "Tag::Privacy")]
impl PrivacyApi {
    /// Make an archive of everything that is held about a person
    ///
    /// The link works once and for an hour, with the access token of whoever may see it.
    #[oai(path = "/api/v1/gdpr/export", method = "post", operation_id = "exportPerson")]
    async fn export(&self, who: Granted<Person>, body: Body<ExportBody>) -> Answer<ExportView> {
        let made = service::export(&self.0, &who.actor, &body.value).await?;
        Ok(Json(Envelope::done(made, "The archive is ready; it can be fetched once")))
    }

    /// Fetch an archive; it is gone afterwards
    #[oai(path = "/api/v1/gdpr/export/download/:token", method = "get", operation_id = "downloadPerson")]
    async fn download(
        &self,
        who: Granted<Person>,
        Path(token): Path<String>,
    ) -> Result<ArchiveFile, Refused<Tenanted>> {
        let (person, file) = self.0.adops.privacy.fetch(self.0.store(), &who.actor, &token).await?;
        Ok(ArchiveFile::new(person, file))
    }

    /// Take away everything that names a person; their number stays, so that what they made still has a maker
    ///
    /// It cannot be taken back. Sessions and API keys end at once. The last copies in the server's files go within
    /// `gdpr.erase_within`. The only admin of a tenant with others gets 409, unless `delete_tenant` says that the tenant
    /// goes too; without others it goes.
    #[oai(path = "/api/v1/gdpr/anonymize", method = "post", operation_id = "anonymizePerson")]
    async fn anonymize(
        &self,
        who: Granted<Person>,
        /// `true`: the tenant may go with its only admin
        Query(delete_tenant): Text,
        body: Body<AnonymiseBody>,
    ) -> Answer<DoneView> {
        let done = service::anonymise(&self.0, &who.actor, &body.value, delete_tenant.as_deref()).await?;
        Ok(Json(Envelope::done(done, "What named the person is gone")))
    }

    /// As `anonymize`
    #[oai(path = "/api/v1/gdpr/anonymise", method = "post", operation_id = "anonymisePerson")]
    async fn anonymise(
        &self,
        who: Granted<Person>,
        /// As in `anonymize`
        Query(delete_tenant): Text,
        body: Body<AnonymiseBody>,
    ) -> Answer<DoneView> {
        self.anonymize(who, Query(delete_tenant), body).await
    }

    /// Remove a person altogether, their number too; the audit log keeps it
    #[oai(path = "/api/v1/gdpr/user/:user_id", method = "delete", operation_id = "deletePerson")]
    async fn delete(
        &self,
        who: Granted<Person>,
        Path(user_id): Path<u64>,
        /// As in `anonymize`
        Query(delete_tenant): Text,
    ) -> Answer<DoneView> {
        let done = service::delete(&self.0, &who.actor, UserId(user_id), delete_tenant.as_deref()).await?;
        Ok(Json(Envelope::done(done, "The person is gone")))
    }

    /// Erasures of the tenant's people, the newest first: when asked for, done, and gone from every file
    #[oai(path = "/api/v1/gdpr/erasures", method = "get", operation_id = "erasures")]
    async fn erasures(
        &self,
        who: Granted<Govern>,
        /// From 1
        Query(page): Text,
        /// 1 to 100, 20 by default
        Query(page_size): Text,
    ) -> Answer<Vec<ErasureView>> {
        let page = Page::read(page.as_deref(), page_size.as_deref())?;
        let all = due::of(self.0.store(), who.actor.tenant).map_err(Fault::from)?;
        let all: Vec<_> = all.into_iter().filter(|erasure| erasure.kind != Erased::Tenant).collect();
        let total = u64::try_from(all.len()).unwrap_or(u64::MAX);
        let shown = page.of(all.iter()).into_iter().map(ErasureView::of).collect();
        Ok(Json(Envelope::page(shown, page.pagination(total))))
    }

    /// What oneself agreed to, by purpose
    #[oai(path = "/api/v1/gdpr/consents", method = "get", operation_id = "consents")]
    async fn consents(&self, who: Granted<Person>) -> Answer<Consents> {
        Ok(Json(Envelope::of(view(&consents::of(self.0.store(), &who.actor)?))))
    }

    /// Agree to purposes or take it back: `{"product_mail": true, "scheduled_reports": false}`; others stay as they are
    #[oai(path = "/api/v1/gdpr/consents", method = "put", operation_id = "setConsents")]
    async fn set_consents(
        &self,
        who: Granted<Person>,
        body: Body<std::collections::BTreeMap<String, bool>>,
    ) -> Answer<Consents> {
        let set = consents::set(self.0.store(), &who.actor, &body.value).await?;
        Ok(Json(Envelope::done(view(&set), "The consents were stored")))
    }

    /// For how long personal data is kept that nobody asked to be erased
    #[oai(path = "/api/v1/gdpr/retention", method = "get", operation_id = "retention")]
    async fn retention(&self, who: Granted<Govern>) -> Answer<RetentionView> {
        Ok(Json(Envelope::of(RetentionView::of(retention::of(self.0.store(), who.actor.tenant)?))))
    }

    /// Set for how many days the addresses of audit entries are kept (`audit_address_days`, null for ever); it is applied
    /// within an hour
    #[oai(path = "/api/v1/gdpr/retention", method = "put", operation_id = "setRetention")]
    async fn set_retention(&self, who: Granted<Govern>, body: Body<RetentionView>) -> Answer<RetentionView> {
        let days = retention::set(self.0.store(), &who.actor, &body.value).await?;
        Ok(Json(Envelope::done(RetentionView::of(days), "The retention was stored")))
    }
}
