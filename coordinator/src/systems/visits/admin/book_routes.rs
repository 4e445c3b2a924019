//! The endpoints of goals, funnels, retention and links.

use std::sync::Arc;

use poem::Request;
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use serde_json::{Map, Value};

use super::site_routes::Settling;
use super::types::{
    Deleted, FunnelBody, FunnelFigures, FunnelView, FunnelsView, GoalBody, GoalView, GoalsView, RetentionView,
    ShareBody, ShareMade, SharesView,
};
use super::{funnels, goals, retention, shares};
use crate::http::App;
use crate::http::body::JsonBody;
use crate::http::error::{Lookup, Refused};
use crate::http::reply::Reply;
use crate::http::tags::Tag;
use crate::systems::visits::stats::reply::Question;
use crate::systems::visits::stats::routes::grant;
use crate::systems::visits::stats::scope::Asked;

/// The endpoints of goals, funnels, retention and links.
pub struct BookApi(pub Arc<App>);

type Text = Query<Option<String>>;
type Body<D> = JsonBody<Map<String, Value>, D>;

#[allow(clippy::too_many_arguments, reason = "each argument is a parameter of the request")]
#[OpenApi(tag = "Tag::Visits")]
impl BookApi {
    /// The goals of a site
    #[oai(path = "/api/visits/goals", method = "get", operation_id = "visitGoals")]
    async fn goals(
        &self,
        request: &Request,
        /// The site's domain; needed unless there is only one site
        Query(site_id): Text,
    ) -> Result<Json<GoalsView>, Refused<Question>> {
        Ok(Json(goals::list(&self.0, site_id.as_deref(), grant(request))?))
    }

    /// Make a goal: page views of a path, or a custom event. It counts for the past too
    #[oai(path = "/api/visits/goals", method = "post", operation_id = "addVisitGoal")]
    async fn add_goal(&self, body: Body<GoalBody>) -> Result<Reply<GoalView, 201>, Refused<Settling>> {
        Ok(Reply::new(&goals::add(&self.0, &body.value).await?)?)
    }

    /// Remove a goal
    #[oai(path = "/api/visits/goals/:goal_id", method = "delete", operation_id = "removeVisitGoal")]
    async fn remove_goal(&self, Path(goal_id): Path<String>) -> Result<Json<Deleted>, Refused<Settling>> {
        Ok(Json(goals::remove(&self.0, &goal_id).await?))
    }

    /// The funnels of a site
    #[oai(path = "/api/visits/funnels", method = "get", operation_id = "visitFunnels")]
    async fn funnels(
        &self,
        request: &Request,
        /// The site's domain; needed unless there is only one site
        Query(site_id): Text,
    ) -> Result<Json<FunnelsView>, Refused<Question>> {
        Ok(Json(funnels::list(&self.0, site_id.as_deref(), grant(request))?))
    }

    /// Make a funnel of two to eight steps
    #[oai(path = "/api/visits/funnels", method = "post", operation_id = "addVisitFunnel")]
    async fn add_funnel(&self, body: Body<FunnelBody>) -> Result<Reply<FunnelView, 201>, Refused<Settling>> {
        Ok(Reply::new(&funnels::add(&self.0, &body.value).await?)?)
    }

    /// How many visitors took the steps of a funnel one after another; other pages and events may lie between
    #[oai(path = "/api/visits/funnels/:funnel_id", method = "get", operation_id = "visitFunnelFigures")]
    async fn funnel(
        &self,
        request: &Request,
        Path(funnel_id): Path<String>,
        /// As in `aggregate`
        Query(period): Text,
        /// As in `aggregate`
        Query(date): Text,
        /// As in `aggregate`
        Query(filters): Text,
        /// `exclude` (default), `include` or `only`
        Query(bots): Text,
        /// `real` (default), `synthetic`, `unverified` or `all`
        Query(traffic): Text,
        /// An IANA time zone in place of the site's
        Query(timezone): Text,
    ) -> Result<Json<FunnelFigures>, Refused<Question>> {
        let asked = Asked { site_id: None, period, date, filters, bots, traffic, timezone };
        Ok(Json(funnels::figures(&self.0, &funnel_id, asked, grant(request)).await?))
    }

    /// Remove a funnel
    #[oai(path = "/api/visits/funnels/:funnel_id", method = "delete", operation_id = "removeVisitFunnel")]
    async fn remove_funnel(&self, Path(funnel_id): Path<String>) -> Result<Json<Deleted>, Refused<Settling>> {
        Ok(Json(funnels::remove(&self.0, &funnel_id).await?))
    }

    /// Who comes back: visitors by the interval of their first visit, and how many of them were there later
    ///
    /// Only visitors that are known over days can come back: those that are sent with a `user_id`. Without cookies
    /// everybody is somebody else on the next day.
    #[oai(path = "/api/visits/retention", method = "get", operation_id = "visitsRetention")]
    async fn retention(
        &self,
        request: &Request,
        /// The site's domain; needed unless there is only one site
        Query(site_id): Text,
        /// `day`, `week` (default) or `month`
        Query(interval): Text,
        /// As in `aggregate`
        Query(period): Text,
        /// As in `aggregate`
        Query(date): Text,
        /// As in `aggregate`
        Query(filters): Text,
        /// `exclude` (default), `include` or `only`
        Query(bots): Text,
        /// `real` (default), `synthetic`, `unverified` or `all`
        Query(traffic): Text,
        /// An IANA time zone in place of the site's
        Query(timezone): Text,
    ) -> Result<Json<RetentionView>, Refused<Question>> {
        let asked = Asked { site_id, period, date, filters, bots, traffic, timezone };
        Ok(Json(retention::retention(&self.0, &asked, interval.as_deref(), grant(request)).await?))
    }

    /// The links that show figures to others; their tokens are not known any more
    #[oai(path = "/api/visits/shares", method = "get", operation_id = "visitShares")]
    async fn shares(
        &self,
        /// Of this site only
        Query(site_id): Text,
    ) -> Result<Json<SharesView>, Refused<Lookup>> {
        Ok(Json(shares::list(&self.0, site_id.as_deref())?))
    }

    /// Make a link that shows a site's figures to whoever has it
    ///
    /// Its token opens `/share/TOKEN`, and stands as `?share=TOKEN` or `X-Share-Token` for a token of the server where
    /// figures of the site are read. It never gives single visits or settings.
    #[oai(path = "/api/visits/shares", method = "post", operation_id = "addVisitShare")]
    async fn add_share(&self, body: Body<ShareBody>) -> Result<Reply<ShareMade, 201>, Refused<Settling>> {
        Ok(Reply::new(&shares::add(&self.0, &body.value).await?)?)
    }

    /// Revoke a link; it opens nothing from the next request on
    #[oai(path = "/api/visits/shares/:share_id", method = "delete", operation_id = "revokeVisitShare")]
    async fn remove_share(&self, Path(share_id): Path<String>) -> Result<Json<Deleted>, Refused<Settling>> {
        Ok(Json(shares::remove(&self.0, &share_id).await?))
    }
}
