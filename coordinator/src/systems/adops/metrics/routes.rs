//! The endpoints of a campaign's figures.

use std::collections::BTreeMap;
use std::sync::Arc;

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use serde_json::value::RawValue;

use super::read::{self, Asked};
use super::types::{MetricsBody, RestatementView, RowView, UpsertedView};
use super::write;
use crate::http::App;
use crate::http::adops::granted::{Granted, Manage, Read};
use crate::http::body::JsonBody;
use crate::http::error::{Refused, Tenanted};
use crate::http::reply::Reply;
use crate::http::tags::Tag;
use crate::systems::adops::envelope::Envelope;
use crate::systems::adops::page::Page;

/// The endpoints of a campaign's figures.
pub struct CampaignMetricsApi(pub Arc<App>);

type Text = Query<Option<String>>;
type Answer<T> = Result<Reply<Envelope<T>>, Refused<Tenanted>>;

#[OpenApi(tag = "Tag::Ads")]
impl CampaignMetricsApi {
    /// The figures of a campaign by day, week or month
    ///
    /// Without dates those of the last 30 full days in the tenant's time zone. A day without figures is a day of zeros.
    /// A week or month at the edge of the range holds the days of the range only.
    #[oai(path = "/api/v1/campaigns/:campaign_id/metrics", method = "get", operation_id = "adCampaignMetrics")]
    #[allow(clippy::too_many_arguments, reason = "each argument is a parameter of the request")]
    async fn metrics(
        &self,
        who: Granted<Read>,
        Path(campaign_id): Path<u64>,
        /// `YYYY-MM-DD`
        Query(date_from): Text,
        /// `YYYY-MM-DD`, at most 731 days from `date_from`
        Query(date_to): Text,
        /// `daily` (default), `weekly` (from Monday) or `monthly`
        Query(granularity): Text,
        /// `true` adds figures of generated traffic, `only` shows nothing else; rows that hold some are marked
        Query(synthetic): Text,
    ) -> Answer<Vec<RowView>> {
        let asked = Asked { date_from, date_to, granularity, synthetic };
        Ok(Reply::new(&read::rows(&self.0, &who.actor, campaign_id, &asked)?)?)
    }

    /// Tell the figures of days
    ///
    /// All days are written, or none when anything is wrong. A day that has figures gets these in their place, and what
    /// it had is kept as a restatement.
    #[oai(path = "/api/v1/campaigns/:campaign_id/metrics", method = "post", operation_id = "tellAdCampaignMetrics")]
    async fn tell(
        &self,
        who: Granted<Manage>,
        Path(campaign_id): Path<u64>,
        body: JsonBody<BTreeMap<String, Box<RawValue>>, MetricsBody>,
    ) -> Answer<UpsertedView> {
        let told = write::upsert(&self.0, &who.actor, campaign_id, body.value).await?;
        Ok(Reply::new(&Envelope::of(told))?)
    }

    /// What was restated: days that got other figures, the newest first
    #[oai(
        path = "/api/v1/campaigns/:campaign_id/metrics/restatements",
        method = "get",
        operation_id = "adCampaignRestatements"
    )]
    async fn restatements(
        &self,
        who: Granted<Read>,
        Path(campaign_id): Path<u64>,
        /// From 1
        Query(page): Text,
        /// 20 when not said, at most 100
        Query(page_size): Text,
    ) -> Answer<Vec<RestatementView>> {
        let page = Page::read(page.as_deref(), page_size.as_deref())?;
        Ok(Reply::new(&read::restated(&self.0, &who.actor, campaign_id, page).await?)?)
    }
}
