//! Starting and stopping, and the service as a whole.

use std::sync::Arc;

use poem::http::HeaderMap;
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use serde_json::{Map, Value};

use super::compare::{self, Comparison, Thresholds};
use super::data_types::TrafficHealth;
use super::types::{Done, GenerateBody, Started, StoppedAll, WithData};
use super::{cleanup, control, info, lookup, start, trial};
use crate::http::App;
use crate::http::body::JsonBody;
use crate::http::error::{Change, Lookup, Plain, Refused, Start};
use crate::http::idempotency::Repeatable;
use crate::http::reply::Reply;
use crate::http::tags::Tag;
use crate::systems::{Fault, blocking};

/// The traffic endpoints.
pub struct TrafficApi(pub Arc<App>);

#[OpenApi(tag = "Tag::Traffic")]
impl TrafficApi {
    /// Start generating traffic for a campaign
    ///
    /// The campaign must be in `running`. Fields in the body override the session's for this run. An unknown campaign
    /// with `target_url` and `requests_per_minute` is created and started. An `Idempotency-Key` header makes a repeated
    /// request answer what the first one did.
    #[oai(path = "/api/traffic/generate", method = "post", operation_id = "generate")]
    async fn generate(
        &self,
        headers: &HeaderMap,
        body: JsonBody<Map<String, Value>, GenerateBody>,
    ) -> Result<Reply<Started>, Refused<Start>> {
        let repeat = Repeatable::read(headers, "generate", body.digest)?;
        Ok(Reply::new(&start::start(&self.0, &body.value, repeat).await?)?)
    }

    /// Stop generating; also works while the broker is away
    #[oai(path = "/api/traffic/stop/:campaign_id", method = "post", operation_id = "stop")]
    async fn stop(&self, Path(campaign_id): Path<String>) -> Result<Json<Done>, Refused<Change>> {
        control::stop(&self.0, &campaign_id).await?;
        let message = "Traffic generation stopped successfully".to_owned();
        Ok(Json(Done { success: true, message, campaign_id, status: "stopped".to_owned() }))
    }

    /// Go on with a run that failed
    #[oai(path = "/api/traffic/retry/:campaign_id", method = "post", operation_id = "retry")]
    async fn retry(&self, Path(campaign_id): Path<String>) -> Result<Json<Done>, Refused<Change>> {
        control::retry(&self.0, &campaign_id).await?;
        let message = "The failed run goes on".to_owned();
        Ok(Json(Done { success: true, message, campaign_id, status: "running".to_owned() }))
    }

    /// Stop every campaign; also works while the broker is away
    #[oai(path = "/api/traffic/stop-all", method = "post", operation_id = "stopAll")]
    async fn stop_all(&self) -> Result<Json<StoppedAll>, Refused<Change>> {
        let campaigns = control::stop_all(&self.0).await?;
        let stopped = campaigns.len();
        let message = format!("{stopped} campaigns stopped");
        Ok(Json(StoppedAll { success: true, message, campaigns, stopped }))
    }

    /// Stop a campaign and remove everything it generated; the session stays
    #[oai(path = "/api/traffic/cleanup/:campaign_id", method = "post", operation_id = "cleanup")]
    async fn cleanup(&self, Path(campaign_id): Path<String>) -> Result<Json<Done>, Refused<Change>> {
        cleanup::clean(&self.0, &campaign_id).await?;
        let status = lookup::campaign(self.0.store(), &campaign_id)?.status.as_str().to_owned();
        let message = "Campaign resources cleaned up successfully".to_owned();
        Ok(Json(Done { success: true, message, campaign_id, status }))
    }

    /// Health of the traffic service
    #[oai(path = "/api/traffic/health", method = "get", operation_id = "trafficHealth")]
    async fn health(&self) -> Result<Json<TrafficHealth>, Refused<Plain>> {
        let app = Arc::clone(&self.0);
        Ok(Json(blocking(move || info::traffic_health(&app)).await?))
    }

    /// Try the generation functions: `generate_traffic_data`, `simulate_request` or `full_traffic_simulation`
    ///
    /// Takes `count` (at most 1000), `seed` and all fields of a session; nothing is stored or sent. `rtb` in the answer
    /// shows an auction with its bid request and response, whether all such documents are right by OpenRTB 2.6, and the
    /// funnel; a real bidder is simulated.
    #[oai(path = "/api/traffic/test", method = "post", operation_id = "test")]
    async fn test(&self, body: JsonBody<Map<String, Value>, Value>) -> Result<Reply<Value>, Refused<Change>> {
        let generator = self.0.config.generator.clone();
        let value = body.value;
        Ok(Reply::new(&blocking(move || trial::run(&generator, &value)).await?)?)
    }

    /// Compare run `b` with run `a`
    #[oai(path = "/api/traffic/compare", method = "get", operation_id = "compare")]
    async fn compare(
        &self,
        /// The run that is compared with
        Query(a): Query<String>,
        /// The run that is judged
        Query(b): Query<String>,
        /// The 95th percentile may grow by this many percent
        Query(p95_percent): Query<Option<f64>>,
        /// The error rate may grow by this many percentage points
        Query(error_points): Query<Option<f64>>,
        /// The achieved rate may differ by this many percent
        Query(rate_percent): Query<Option<f64>>,
    ) -> Result<Json<WithData<Comparison>>, Refused<Lookup>> {
        let bound = |name: &str, value: Option<f64>, default: f64| match value {
            Some(value) if !(0.0..=1e6).contains(&value) => {
                Err(Fault::field(name, "must be a number from 0 to 1000000"))
            }
            value => Ok(value.unwrap_or(default)),
        };
        let thresholds = Thresholds {
            p95_percent: bound("p95_percent", p95_percent, 10.0)?,
            error_points: bound("error_points", error_points, 1.0)?,
            rate_percent: bound("rate_percent", rate_percent, 5.0)?,
        };
        let app = Arc::clone(&self.0);
        let compare = move || compare::compare(app.store(), &app.dispatch.registry, &a, &b, thresholds);
        Ok(Json(WithData::of(blocking(compare).await?)))
    }
}
