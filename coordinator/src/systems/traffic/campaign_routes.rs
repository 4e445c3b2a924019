//! One campaign: watched, and its status set.

use std::sync::Arc;

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use trafficlab_shared::model::campaign::CampaignStatus;

use super::data_types::{InfoData, MonitorData, StatsData, StatusData};
use super::series::{self, SeriesData};
use super::types::{StatusBody, StatusSet, WithData};
use super::{control, info, monitor};
use crate::http::App;
use crate::http::body::JsonBody;
use crate::http::error::{Change, Lookup, Refused};
use crate::http::tags::Tag;
use crate::systems::time::rfc3339;
use crate::systems::{Fault, Outcome, blocking};

/// The endpoints of one campaign.
pub struct CampaignsApi(pub Arc<App>);

type Watched<T> = Result<Json<WithData<T>>, Refused<Lookup>>;

#[OpenApi(tag = "Tag::Traffic")]
impl CampaignsApi {
    /// A campaign, live to the second
    #[oai(path = "/api/traffic/monitor/:campaign_id", method = "get", operation_id = "monitor")]
    async fn monitor(&self, Path(campaign_id): Path<String>) -> Watched<MonitorData> {
        let app = Arc::clone(&self.0);
        Ok(Json(WithData::of(blocking(move || monitor::monitor(&app, &campaign_id)).await?)))
    }

    /// Where a campaign stands
    #[oai(path = "/api/traffic/status/:campaign_id", method = "get", operation_id = "status")]
    async fn status(&self, Path(campaign_id): Path<String>) -> Watched<StatusData> {
        let app = Arc::clone(&self.0);
        Ok(Json(WithData::of(blocking(move || monitor::status(&app, &campaign_id)).await?)))
    }

    /// Exact figures of a campaign
    #[oai(path = "/api/traffic/stats/:campaign_id", method = "get", operation_id = "stats")]
    async fn stats(
        &self,
        Path(campaign_id): Path<String>,
        /// Only this run's
        Query(run): Query<Option<String>>,
    ) -> Watched<StatsData> {
        let app = Arc::clone(&self.0);
        Ok(Json(WithData::of(
            blocking(move || info::stats(app.store(), &app.dispatch.registry, &campaign_id, run.as_deref())).await?,
        )))
    }

    /// Everything about a campaign
    #[oai(path = "/api/traffic/campaigns/:campaign_id/info", method = "get", operation_id = "info")]
    async fn info(&self, Path(campaign_id): Path<String>) -> Watched<InfoData> {
        let app = Arc::clone(&self.0);
        Ok(Json(WithData::of(blocking(move || info::info(&app, &campaign_id)).await?)))
    }

    /// Points for a chart of a campaign's latest run, or of another one
    #[oai(path = "/api/traffic/series/:campaign_id", method = "get", operation_id = "series")]
    async fn series(
        &self,
        Path(campaign_id): Path<String>,
        /// This run's
        Query(run): Query<Option<String>>,
        /// Epoch second of the first point
        Query(from): Query<Option<u64>>,
        /// Epoch second behind the last point
        Query(to): Query<Option<u64>>,
        /// At most this many points, joined from finer ones; 600 when not given
        Query(points): Query<Option<u32>>,
    ) -> Watched<SeriesData> {
        let app = Arc::clone(&self.0);
        let range = series::Range { from, to, points: points.unwrap_or(600) };
        Ok(Json(WithData::of(
            blocking(move || series::series(app.store(), &campaign_id, run.as_deref(), range)).await?,
        )))
    }

    /// Set a campaign's status
    ///
    /// Leaving `running` stops or holds its generation; `paused` to `running` goes on with it.
    #[oai(path = "/api/traffic/campaigns/:campaign_id/status", method = "put", operation_id = "setStatus")]
    async fn set_status(
        &self,
        Path(campaign_id): Path<String>,
        body: JsonBody<StatusBody>,
    ) -> Result<Json<StatusSet>, Refused<Change>> {
        let next = parse(body.value.status.as_deref())?;
        let transition = control::set_status(&self.0, &campaign_id, next).await?;
        Ok(Json(StatusSet {
            success: true,
            message: format!("Campaign status updated to {}", next.as_str()),
            campaign_id,
            previous_status: transition.previous.as_str().to_owned(),
            new_status: transition.next.as_str().to_owned(),
            updated_at: rfc3339(transition.updated_ns),
        }))
    }
}

fn parse(word: Option<&str>) -> Outcome<CampaignStatus> {
    let known = || CampaignStatus::ALL.map(CampaignStatus::as_str).join(", ");
    match word {
        None => Err(Fault::field("status", format!("is required: one of {}", known()))),
        Some(word) => {
            CampaignStatus::parse(word).ok_or_else(|| Fault::field("status", format!("must be one of {}", known())))
        }
    }
}
