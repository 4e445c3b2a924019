//! The endpoints of questions about figures.

use std::sync::Arc;

use poem_openapi::OpenApi;
use poem_openapi::param::Query;

use super::asked::Asked;
use super::rows::{CampaignView, CohortView, LabelView, PacingView, PlatformView, PointView};
use super::service::{self, Order};
use super::types::{KpisView, Ranged};
use crate::http::App;
use crate::http::adops::granted::{Granted, Read};
use crate::http::error::{Refused, Tenanted};
use crate::http::reply::Reply;
use crate::http::tags::Tag;
use crate::systems::adops::envelope::Envelope;

/// The endpoints of questions about figures.
pub struct AnalyticsApi(pub Arc<App>);

type Text = Query<Option<String>>;

#[allow(clippy::too_many_arguments, reason = "each argument is a parameter of the request")]
#[OpenApi(tag = "Tag::Ads")]
impl AnalyticsApi {
    /// Key figures over all campaigns, and their change since an earlier period
    ///
    /// Deleted campaigns are left out, archived ones are not. Averages are ratios of sums, with four decimals rounded half
    /// up; changes are in percent with one decimal.
    #[oai(path = "/api/v1/analytics/kpis", method = "get", operation_id = "adKpis")]
    async fn kpis(
        &self,
        who: Granted<Read>,
        /// First day, `YYYY-MM-DD` in the tenant's time zone
        Query(date_from): Text,
        /// Last day; without both, the last 30 full days
        Query(date_to): Text,
        /// Of one platform: `google`, `linkedin`, `meta`, `snapchat`, `tiktok`
        Query(platform): Text,
        /// With one label
        Query(label): Text,
        /// These campaigns, as ids with commas between them
        Query(campaign_ids): Text,
        /// `true` adds the figures of generated traffic
        Query(synthetic): Text,
        /// `previous_period`: as many days before; `previous_year`: the same dates a year before
        Query(compare_period): Text,
    ) -> Result<Reply<Envelope<KpisView>>, Refused<Tenanted>> {
        let asked = Asked { date_from, date_to, platform, label, campaign_ids, synthetic };
        Ok(Reply::new(&service::kpis(&self.0, &who.actor, &asked, compare_period.as_deref()).await?)?)
    }

    /// Figures by platform, in alphabetical order
    ///
    /// Counted are campaigns with figures on one of the days. Campaigns in a currency without a rate have rows of their own.
    #[oai(path = "/api/v1/analytics/platforms", method = "get", operation_id = "adPlatforms")]
    async fn platforms(
        &self,
        who: Granted<Read>,
        /// First day, `YYYY-MM-DD` in the tenant's time zone
        Query(date_from): Text,
        /// Last day; without both, the last 30 full days
        Query(date_to): Text,
        /// Of one platform: `google`, `linkedin`, `meta`, `snapchat`, `tiktok`
        Query(platform): Text,
        /// With one label
        Query(label): Text,
        /// These campaigns, as ids with commas between them
        Query(campaign_ids): Text,
        /// `true` adds the figures of generated traffic
        Query(synthetic): Text,
    ) -> Result<Reply<Ranged<Vec<PlatformView>>>, Refused<Tenanted>> {
        let asked = Asked { date_from, date_to, platform, label, campaign_ids, synthetic };
        Ok(Reply::new(&service::platforms(&self.0, &who.actor, &asked).await?)?)
    }

    /// Figures by label, in alphabetical order; a campaign counts for each of its labels
    #[oai(path = "/api/v1/analytics/labels", method = "get", operation_id = "adLabelFigures")]
    async fn labels(
        &self,
        who: Granted<Read>,
        /// First day, `YYYY-MM-DD` in the tenant's time zone
        Query(date_from): Text,
        /// Last day; without both, the last 30 full days
        Query(date_to): Text,
        /// Of one platform: `google`, `linkedin`, `meta`, `snapchat`, `tiktok`
        Query(platform): Text,
        /// With one label
        Query(label): Text,
        /// These campaigns, as ids with commas between them
        Query(campaign_ids): Text,
        /// `true` adds the figures of generated traffic
        Query(synthetic): Text,
    ) -> Result<Reply<Ranged<Vec<LabelView>>>, Refused<Tenanted>> {
        let asked = Asked { date_from, date_to, platform, label, campaign_ids, synthetic };
        Ok(Reply::new(&service::labels(&self.0, &who.actor, &asked).await?)?)
    }

    /// Figures by day, week or month
    ///
    /// First all that is in the tenant's currency or has a rate to it, then each other currency. Weeks begin on Monday.
    #[oai(path = "/api/v1/analytics/timeseries", method = "get", operation_id = "adTimeseries")]
    async fn timeseries(
        &self,
        who: Granted<Read>,
        /// First day, `YYYY-MM-DD` in the tenant's time zone
        Query(date_from): Text,
        /// Last day; without both, the last 30 full days
        Query(date_to): Text,
        /// Of one platform: `google`, `linkedin`, `meta`, `snapchat`, `tiktok`
        Query(platform): Text,
        /// With one label
        Query(label): Text,
        /// These campaigns, as ids with commas between them
        Query(campaign_ids): Text,
        /// `true` adds the figures of generated traffic
        Query(synthetic): Text,
        /// `daily` (default), `weekly` or `monthly`
        Query(granularity): Text,
    ) -> Result<Reply<Ranged<Vec<PointView>>>, Refused<Tenanted>> {
        let asked = Asked { date_from, date_to, platform, label, campaign_ids, synthetic };
        Ok(Reply::new(&service::timeseries(&self.0, &who.actor, &asked, granularity.as_deref()).await?)?)
    }

    /// Figures by campaign, each in its own currency; only campaigns with figures on one of the days
    #[oai(path = "/api/v1/analytics/campaigns", method = "get", operation_id = "adCampaignFigures")]
    async fn campaigns(
        &self,
        who: Granted<Read>,
        /// First day, `YYYY-MM-DD` in the tenant's time zone
        Query(date_from): Text,
        /// Last day; without both, the last 30 full days
        Query(date_to): Text,
        /// Of one platform: `google`, `linkedin`, `meta`, `snapchat`, `tiktok`
        Query(platform): Text,
        /// With one label
        Query(label): Text,
        /// These campaigns, as ids with commas between them
        Query(campaign_ids): Text,
        /// `true` adds the figures of generated traffic
        Query(synthetic): Text,
        /// `spend` (default), `revenue`, `impressions`, `clicks`, `conversions`, `ctr`, `cpc`, `cpm`, `cpa`, `roas` or `name`
        Query(sort_by): Text,
        /// `desc` (default) or `asc`; what has no value comes last
        Query(sort_order): Text,
        /// From 1
        Query(page): Text,
        /// 1 to 100, 20 by default
        Query(page_size): Text,
    ) -> Result<Reply<Ranged<Vec<CampaignView>>>, Refused<Tenanted>> {
        let asked = Asked { date_from, date_to, platform, label, campaign_ids, synthetic };
        let order = Order { by: sort_by, order: sort_order, page, page_size };
        Ok(Reply::new(&service::campaigns(&self.0, &who.actor, &asked, &order).await?)?)
    }

    /// New campaigns by the week or month of their first figures, and what they did in each since
    ///
    /// Without dates, of the last 12 weeks or months, the present one among them.
    #[oai(path = "/api/v1/analytics/cohorts", method = "get", operation_id = "adCohorts")]
    async fn cohorts(
        &self,
        who: Granted<Read>,
        /// First day, `YYYY-MM-DD` in the tenant's time zone
        Query(date_from): Text,
        /// Last day
        Query(date_to): Text,
        /// Of one platform: `google`, `linkedin`, `meta`, `snapchat`, `tiktok`
        Query(platform): Text,
        /// With one label
        Query(label): Text,
        /// These campaigns, as ids with commas between them
        Query(campaign_ids): Text,
        /// `true` adds the figures of generated traffic
        Query(synthetic): Text,
        /// `week` (default) or `month`
        Query(interval): Text,
    ) -> Result<Reply<Ranged<Vec<CohortView>>>, Refused<Tenanted>> {
        let asked = Asked { date_from, date_to, platform, label, campaign_ids, synthetic };
        Ok(Reply::new(&service::cohorts(&self.0, &who.actor, &asked, interval.as_deref()).await?)?)
    }

    /// How much of the budgets is spent, and where the present rate leads
    ///
    /// Of active, paused and completed campaigns with a budget whose flight lies in the period. Planned is the daily budget for
    /// each day of the period, or the part of the lifetime budget that its days are of the flight; the smaller, when there are
    /// both. Projected is what was spent until the end of yesterday, and for an active campaign the daily mean of the last
    /// seven days for each day left. More than 10 percent below the plan is `under`, more than 10 percent above it `over`.
    #[oai(path = "/api/v1/analytics/pacing", method = "get", operation_id = "adPacing")]
    async fn pacing(
        &self,
        who: Granted<Read>,
        /// Of one platform: `google`, `linkedin`, `meta`, `snapchat`, `tiktok`
        Query(platform): Text,
        /// With one label
        Query(label): Text,
        /// These campaigns, as ids with commas between them
        Query(campaign_ids): Text,
        /// `true` adds the figures of generated traffic
        Query(synthetic): Text,
        /// `month` (default): the present calendar month; `flight`: each campaign from its first to its last day
        Query(period): Text,
        /// From 1
        Query(page): Text,
        /// 1 to 100, 20 by default
        Query(page_size): Text,
    ) -> Result<Reply<Envelope<PacingView>>, Refused<Tenanted>> {
        let asked = Asked { platform, label, campaign_ids, synthetic, ..Asked::default() };
        let order = Order { page, page_size, ..Order::default() };
        Ok(Reply::new(&service::pacing(&self.0, &who.actor, &asked, period.as_deref(), &order).await?)?)
    }
}
