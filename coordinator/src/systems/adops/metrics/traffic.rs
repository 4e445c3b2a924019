//! The sessions whose generated traffic counts for a campaign.

use std::sync::Arc;

use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use serde::Serialize;
use serde_json::{Map, Value};
use trafficlab_shared::error::FieldFault;

use super::read::campaign;
use crate::adops::linked;
use crate::http::App;
use crate::http::adops::granted::{Granted, Manage, Read};
use crate::http::body::JsonBody;
use crate::http::error::{Refused, Tenanted};
use crate::http::tags::Tag;
use crate::systems::adops::envelope::Envelope;
use crate::systems::adops::page::Page;
use crate::systems::fields::Fields;
use crate::systems::time::rfc3339;
use crate::systems::{Code, Fault, Outcome};

/// The endpoints of linked sessions.
pub struct LinkedTrafficApi(pub Arc<App>);

/// A session to link
#[derive(Debug, Object)]
#[oai(rename = "AdTrafficBody")]
struct TrafficBody {
    /// The session's id
    #[allow(dead_code, reason = "it documents the body")]
    session_id: String,
}

/// A session whose generated traffic counts for the campaign
#[derive(Debug, Serialize, Object)]
#[oai(rename = "AdTraffic")]
struct TrafficView {
    /// The session's id
    session_id: String,
    /// Since when, RFC 3339 in UTC
    linked_at: String,
}

type Answer<T> = Result<Json<Envelope<T>>, Refused<Tenanted>>;

#[OpenApi(tag = "Tag::Ads")]
impl LinkedTrafficApi {
    /// The sessions whose generated traffic counts for a campaign
    #[oai(path = "/api/v1/campaigns/:campaign_id/traffic", method = "get", operation_id = "adCampaignTraffic")]
    async fn sessions(
        &self,
        who: Granted<Read>,
        Path(campaign_id): Path<u64>,
        /// From 1
        Query(page): Query<Option<String>>,
        /// 1 to 100, 20 by default
        Query(page_size): Query<Option<String>>,
    ) -> Answer<Vec<TrafficView>> {
        let page = Page::read(page.as_deref(), page_size.as_deref())?;
        let entry = campaign(&self.0, &who.actor, campaign_id)?;
        let links = linked::of_campaign(self.0.store(), who.actor.tenant, entry.campaign.id).map_err(Fault::from)?;
        let view = |(session_id, since)| TrafficView { session_id, linked_at: rfc3339(since) };
        let total = u64::try_from(links.len()).unwrap_or(u64::MAX);
        let shown = page.of(links.into_iter()).into_iter().map(view).collect();
        Ok(Json(Envelope::page(shown, page.pagination(total))))
    }

    /// Let a session's generated traffic count for a campaign, as synthetic figures
    ///
    /// Impressions, clicks, conversions and clearing prices of its simulated auctions are added to the tenant's day on
    /// which they came, each once: also what was generated before and counted for no campaign. They are shown only where
    /// `synthetic` is asked for. A session counts for one campaign; naming the campaign as `config.ad_campaign_id` of the
    /// session links it when it generates.
    #[oai(path = "/api/v1/campaigns/:campaign_id/traffic", method = "put", operation_id = "linkAdCampaignTraffic")]
    async fn link(
        &self,
        who: Granted<Manage>,
        Path(campaign_id): Path<u64>,
        body: JsonBody<Map<String, Value>, TrafficBody>,
    ) -> Answer<TrafficView> {
        let entry = campaign(&self.0, &who.actor, campaign_id)?;
        let session_id = session(&body.value)?;
        let (store, book) = (self.0.store(), &self.0.adops.book);
        if !(self.0.config.is_loopback_only() || self.0.config.auth.open) {
            // Sessions belong to the server's operator, who has a credential of another family.
            let message = "Sessions are linked by their operator here: set `config.ad_campaign_id` of the session";
            return Err(Fault::new(Code::Forbidden, message).into());
        }
        let since = linked::link(store, book, &who.actor, entry.campaign.id, &session_id).await?;
        let view = TrafficView { session_id, linked_at: rfc3339(since) };
        Ok(Json(Envelope::done(view, "The session's traffic counts for the campaign")))
    }

    /// Let a session's traffic count no longer; what was counted stays
    #[oai(
        path = "/api/v1/campaigns/:campaign_id/traffic/:session_id",
        method = "delete",
        operation_id = "unlinkAdCampaignTraffic"
    )]
    async fn unlink(
        &self,
        who: Granted<Manage>,
        Path(campaign_id): Path<u64>,
        Path(session_id): Path<String>,
    ) -> Answer<Vec<TrafficView>> {
        let entry = campaign(&self.0, &who.actor, campaign_id)?;
        let (store, book) = (self.0.store(), &self.0.adops.book);
        linked::unlink(store, book, &who.actor, entry.campaign.id, &session_id).await?;
        Ok(Json(Envelope::done(Vec::new(), "The session's traffic counts no longer")))
    }
}

fn session(body: &Map<String, Value>) -> Outcome<String> {
    let mut faults = Vec::new();
    let mut fields = Fields::new(body, "", &mut faults);
    let session = fields.text("session_id", 64).map(str::to_owned);
    if session.is_none() && fields.faults().is_empty() {
        fields.fault("session_id", "is needed");
    }
    let unknown = fields.unknown(&[]);
    faults.extend(unknown.into_iter().map(|path| FieldFault::new(path, "unknown field")));
    match session {
        Some(session) if faults.is_empty() => Ok(session),
        _ => Err(Fault::validation(faults)),
    }
}
