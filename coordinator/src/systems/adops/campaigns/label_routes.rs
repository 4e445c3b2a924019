//! The endpoints of labels.

use std::sync::Arc;

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use serde_json::{Map, Value};

use super::service;
use super::types::{LabelView, LabelsBody};
use super::view::CampaignDetail;
use crate::adops::CampaignId;
use crate::adops::campaigns::edit;
use crate::adops::campaigns::labels::{self, Doing};
use crate::http::App;
use crate::http::adops::granted::{Granted, Manage, Read};
use crate::http::body::JsonBody;
use crate::http::error::{Refused, Tenanted};
use crate::http::reply::Reply;
use crate::http::tags::Tag;
use crate::systems::adops::envelope::Envelope;
use crate::systems::adops::page::Page;

/// The endpoints of labels.
pub struct AdLabelsApi(pub Arc<App>);

type Body = JsonBody<Map<String, Value>, LabelsBody>;
type Answer<T> = Result<Reply<Envelope<T>>, Refused<Tenanted>>;

#[OpenApi(tag = "Tag::Ads")]
impl AdLabelsApi {
    /// The labels in use, and how many campaigns have each
    #[oai(path = "/api/v1/labels", method = "get", operation_id = "adLabels")]
    async fn labels(
        &self,
        who: Granted<Read>,
        /// From 1
        Query(page): Query<Option<String>>,
        /// 1 to 100, 20 by default
        Query(page_size): Query<Option<String>>,
    ) -> Answer<Vec<LabelView>> {
        let page = Page::read(page.as_deref(), page_size.as_deref())?;
        let all = service::all_labels(&self.0, who.actor.tenant);
        let total = u64::try_from(all.len()).unwrap_or(u64::MAX);
        Ok(Reply::new(&Envelope::page(page.of(all.into_iter()), page.pagination(total)))?)
    }

    /// Give a campaign labels beside those it has
    #[oai(path = "/api/v1/campaigns/:campaign_id/labels", method = "post", operation_id = "addAdLabels")]
    async fn add(&self, who: Granted<Manage>, Path(campaign_id): Path<u64>, body: Body) -> Answer<CampaignDetail> {
        edit::find(&self.0.adops.book, who.actor.tenant, CampaignId(campaign_id))?;
        let labels = labels::of_body(&body.value)?;
        let edited = service::label(&self.0, &who.actor, CampaignId(campaign_id), Doing::Add, &labels).await?;
        Ok(Reply::new(&edited)?)
    }

    /// Take labels away from a campaign: those of the body, or the one of `label`
    #[oai(path = "/api/v1/campaigns/:campaign_id/labels", method = "delete", operation_id = "removeAdLabels")]
    async fn remove(
        &self,
        who: Granted<Manage>,
        Path(campaign_id): Path<u64>,
        /// One label, in place of a body
        Query(label): Query<Option<String>>,
        body: Body,
    ) -> Answer<CampaignDetail> {
        edit::find(&self.0.adops.book, who.actor.tenant, CampaignId(campaign_id))?;
        let labels = match label.filter(|_| body.value.is_empty()) {
            Some(label) => vec![label.trim().to_owned()],
            None => labels::of_body(&body.value)?,
        };
        let edited = service::label(&self.0, &who.actor, CampaignId(campaign_id), Doing::Remove, &labels).await?;
        Ok(Reply::new(&edited)?)
    }
}
