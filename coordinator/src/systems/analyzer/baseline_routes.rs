//! The endpoints of baselines.

use std::sync::Arc;

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use serde_json::{Map, Value};

use super::answer::Answer;
use super::baselines::{self, Asked};
use super::jobs;
use super::more_types::{BaselineListBody, BaselineStatsBody, GenerateBaselinesBody, GeneratedBody, OneBaselineBody};
use crate::http::App;
use crate::http::body::JsonBody;
use crate::http::error::{Read, Refused, Start};
use crate::http::reply::Reply;
use crate::http::tags::Tag;

/// The endpoints of baselines.
pub struct BaselinesApi(pub Arc<App>);

#[OpenApi(tag = "Tag::Analyzer")]
impl BaselinesApi {
    /// All baselines
    #[oai(path = "/api/baselines/", method = "get", operation_id = "listBaselines")]
    async fn list(
        &self,
        /// Only those made of this capture
        Query(capture): Query<Option<String>>,
    ) -> Result<Reply<BaselineListBody>, Refused<Read>> {
        Ok(Reply::new(&baselines::list(self.0.store(), capture.as_deref())?)?)
    }

    /// The main figures of all baselines
    #[oai(path = "/api/baselines/stats", method = "get", operation_id = "baselineStats")]
    async fn stats(
        &self,
        /// Only those made of this capture
        Query(capture): Query<Option<String>>,
    ) -> Result<Reply<BaselineStatsBody>, Refused<Read>> {
        Ok(Reply::new(&baselines::stats(self.0.store(), capture.as_deref())?)?)
    }

    /// Make baselines of the windows of the latest capture, or of `capture`
    ///
    /// Waits up to 60 s, then answers 202. The newest baseline of each kind is what anomalies are judged by.
    #[oai(path = "/api/baselines/generate", method = "post", operation_id = "generateBaselines")]
    async fn generate(
        &self,
        /// Seconds to wait, 0 to 60
        Query(wait): Query<Option<f64>>,
        /// The capture
        Query(capture): Query<Option<String>>,
        body: JsonBody<Map<String, Value>, GenerateBaselinesBody>,
    ) -> Result<Answer<GeneratedBody>, Refused<Start>> {
        let (asked, patience) = (Asked::read(&body.value)?, jobs::patience(wait)?);
        Ok(Answer::new(&baselines::generate(&self.0, &asked, capture.as_deref(), patience).await?)?)
    }

    /// The baseline of a kind: `bandwidth`, `latency`, `protocol` or `connection`
    #[oai(path = "/api/baselines/:type", method = "get", operation_id = "getBaseline")]
    async fn one(
        &self,
        #[oai(name = "type")] Path(kind): Path<String>,
        /// Only when it was made of this capture
        Query(capture): Query<Option<String>>,
    ) -> Result<Reply<OneBaselineBody>, Refused<Read>> {
        Ok(Reply::new(&baselines::one(self.0.store(), capture.as_deref(), &kind)?)?)
    }
}
