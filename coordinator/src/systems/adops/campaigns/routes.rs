//! The endpoints of campaigns.

use std::sync::Arc;

use poem::http::HeaderMap;
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use serde_json::{Map, Value};

use super::history::{self, ChangeView};
use super::service::{self, Asked};
use super::types::{CampaignBody, DeletedView};
use super::view::{CampaignDetail, CampaignView};
use crate::adops::CampaignId;
use crate::adops::campaigns::order::Order;
use crate::adops::campaigns::{Filter, edit};
use crate::http::App;
use crate::http::adops::granted::{Granted, Manage, Read};
use crate::http::body::JsonBody;
use crate::http::error::{Refused, Tenanted};
use crate::http::idempotency::Repeatable;
use crate::http::reply::Reply;
use crate::http::tags::Tag;
use crate::systems::adops::envelope::Envelope;
use crate::systems::adops::page::Page;

/// The endpoints of campaigns.
pub struct AdCampaignsApi(pub Arc<App>);

type Text = Query<Option<String>>;
type Body = JsonBody<Map<String, Value>, CampaignBody>;
type Answer<T, const STATUS: u16 = 200> = Result<Reply<Envelope<T>, STATUS>, Refused<Tenanted>>;

#[allow(clippy::too_many_arguments, reason = "each argument is a parameter of the request")]
#[OpenApi(tag = "Tag::Ads")]
impl AdCampaignsApi {
    /// Campaigns that meet all conditions, page by page
    ///
    /// Figures are of all days. Campaigns without the value that they are sorted by come last, equal ones by their id.
    #[oai(path = "/api/v1/campaigns", method = "get", operation_id = "listAdCampaigns")]
    async fn list(
        &self,
        who: Granted<Read>,
        /// From 1
        Query(page): Text,
        /// 1 to 100, 20 by default
        Query(page_size): Text,
        /// `meta`, `google`, `tiktok`, `snapchat`, `linkedin`; several with commas between
        Query(platform): Text,
        /// `draft`, `active`, `paused`, `completed`, `archived`; several with commas between
        Query(status): Text,
        /// A part of the name, in any case
        Query(search): Text,
        /// `created_at` (default), `name`, `spend`, `roas`, `updated_at`, `start_date`, `daily_budget`, `impressions`,
        /// `clicks`, `conversions`, `revenue`, `ctr` or `cpa`
        Query(sort_by): Text,
        /// `asc` or `desc`; names rise and all else falls by default
        Query(sort_order): Text,
        /// Starts on this day or later
        Query(date_from): Text,
        /// Ends on this day or earlier
        Query(date_to): Text,
        /// Has this label
        Query(label): Text,
        /// Those that are deleted and can be restored, for admins
        Query(deleted): Query<Option<bool>>,
    ) -> Answer<Vec<CampaignView>> {
        let filter = Filter::of_query([
            ("platform", platform.as_deref()),
            ("status", status.as_deref()),
            ("search", search.as_deref()),
            ("date_from", date_from.as_deref()),
            ("date_to", date_to.as_deref()),
            ("label", label.as_deref()),
        ])?;
        let order = Order::read(sort_by.as_deref(), sort_order.as_deref())?;
        let page = Page::read(page.as_deref(), page_size.as_deref())?;
        let asked = Asked { page, filter, order, deleted: deleted.unwrap_or(false) };
        Ok(Reply::new(&service::list(&self.0, &who.actor, &asked)?)?)
    }

    /// Make a campaign
    ///
    /// An `Idempotency-Key` header makes a repeated request answer what the first one did; it holds for 24 hours.
    #[oai(path = "/api/v1/campaigns", method = "post", operation_id = "createAdCampaign")]
    async fn create(&self, who: Granted<Manage>, headers: &HeaderMap, body: Body) -> Answer<CampaignDetail, 201> {
        let repeat = Repeatable::read_of(headers, "ad campaign", &who.actor, body.digest)?;
        Ok(Reply::new(&service::create(&self.0, &who.actor, &body.value, repeat).await?)?)
    }

    /// One campaign with everything that is known of it
    #[oai(path = "/api/v1/campaigns/:campaign_id", method = "get", operation_id = "getAdCampaign")]
    async fn get(&self, who: Granted<Read>, Path(campaign_id): Path<u64>) -> Answer<CampaignDetail> {
        let found = service::get(&self.0, who.actor.tenant, CampaignId(campaign_id))?;
        Ok(Reply::new(&Envelope::of(found))?)
    }

    /// Change what the body names; null clears
    #[oai(path = "/api/v1/campaigns/:campaign_id", method = "put", operation_id = "updateAdCampaign")]
    async fn update(&self, who: Granted<Manage>, Path(campaign_id): Path<u64>, body: Body) -> Answer<CampaignDetail> {
        let updated = service::update(&self.0, &who.actor, CampaignId(campaign_id), &body.value).await?;
        Ok(Reply::new(&updated)?)
    }

    /// Delete a campaign; for 30 days it can be restored
    #[oai(path = "/api/v1/campaigns/:campaign_id", method = "delete", operation_id = "deleteAdCampaign")]
    async fn delete(&self, who: Granted<Manage>, Path(campaign_id): Path<u64>) -> Answer<DeletedView> {
        Ok(Reply::new(&service::delete(&self.0, &who.actor, CampaignId(campaign_id)).await?)?)
    }

    /// Bring a deleted campaign back with its figures
    #[oai(path = "/api/v1/campaigns/:campaign_id/restore", method = "post", operation_id = "restoreAdCampaign")]
    async fn restore(&self, who: Granted<Manage>, Path(campaign_id): Path<u64>) -> Answer<CampaignDetail> {
        Ok(Reply::new(&service::restore(&self.0, &who.actor, CampaignId(campaign_id)).await?)?)
    }

    /// Who changed what of a campaign, the newest first
    #[oai(path = "/api/v1/campaigns/:campaign_id/history", method = "get", operation_id = "adCampaignHistory")]
    async fn history(
        &self,
        who: Granted<Read>,
        Path(campaign_id): Path<u64>,
        /// From 1
        Query(page): Text,
        /// 1 to 100, 20 by default
        Query(page_size): Text,
    ) -> Answer<Vec<ChangeView>> {
        let page = Page::read(page.as_deref(), page_size.as_deref())?;
        let (tenant, id) = (who.actor.tenant, CampaignId(campaign_id));
        edit::find(&self.0.adops.book, tenant, id)?;
        let (changes, pagination) = history::of(self.0.store(), tenant, id, page)?;
        Ok(Reply::new(&Envelope::page(changes, pagination))?)
    }
}
