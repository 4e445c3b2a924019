//! The endpoints of anomalies.

use std::sync::Arc;

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use serde_json::{Map, Value};

use super::anomalies;
use super::answer::Answer;
use super::filter::Asked;
use super::page::Page;
use super::types::{AnomalyPageBody, ByTypeBody, DetectBody, DetectedBody, TopBody, WindowAnomaliesBody};
use super::{detect, jobs};
use crate::http::App;
use crate::http::body::JsonBody;
use crate::http::error::{Read, Refused, Start};
use crate::http::reply::Reply;
use crate::http::tags::Tag;
use crate::systems::blocking;

/// The endpoints of anomalies.
pub struct AnomaliesApi(pub Arc<App>);

#[allow(clippy::too_many_arguments, reason = "each argument is a parameter of the request")]
#[OpenApi(tag = "Tag::Analyzer")]
impl AnomaliesApi {
    /// All anomalies of the latest capture, or of `capture`
    #[oai(path = "/api/anomalies/", method = "get", operation_id = "listAnomalies")]
    async fn list(
        &self,
        /// `traffic_spike`, `port_scan`, `high_latency`, `packet_loss`, `protocol_anomaly` or `long_lived_conn`; several
        /// words with commas between them are alternatives, here and below
        #[oai(name = "type")]
        Query(kind): Query<Option<String>>,
        /// `medium` or `high`
        Query(severity): Query<Option<String>>,
        /// Only those that begin at this or later: epoch seconds or RFC 3339
        Query(from): Query<Option<String>>,
        /// Only those that begin before this
        Query(to): Query<Option<String>>,
        /// Only those with one of these addresses or networks, with commas between them
        Query(host): Query<Option<String>>,
        /// Only those with one of these protocols or services
        Query(protocol): Query<Option<String>>,
        /// At most this many, 100 without it
        Query(limit): Query<Option<u64>>,
        /// Leave out this many
        Query(offset): Query<Option<u64>>,
        /// The capture
        Query(capture): Query<Option<String>>,
    ) -> Result<Reply<AnomalyPageBody>, Refused<Read>> {
        let asked = Asked { from, to, host, protocol, severity, kind };
        let page = Page::read(limit, offset, 100)?;
        let app = Arc::clone(&self.0);
        Ok(Reply::new(&blocking(move || anomalies::list(&app, capture.as_deref(), &asked, page)).await?)?)
    }

    /// Anomalies by kind and severity
    #[oai(path = "/api/anomalies/by-type", method = "get", operation_id = "anomaliesByType")]
    async fn by_type(
        &self,
        /// The capture
        Query(capture): Query<Option<String>>,
    ) -> Result<Reply<ByTypeBody>, Refused<Read>> {
        let app = Arc::clone(&self.0);
        Ok(Reply::new(&blocking(move || anomalies::by_type(&app, capture.as_deref())).await?)?)
    }

    /// The most frequent anomalies
    #[oai(path = "/api/anomalies/top", method = "get", operation_id = "topAnomalies")]
    async fn top(
        &self,
        /// At most this many, 10 without it
        Query(limit): Query<Option<u64>>,
        /// The capture
        Query(capture): Query<Option<String>>,
    ) -> Result<Reply<TopBody>, Refused<Read>> {
        let limit = Page::read(limit, None, 10)?.size();
        let app = Arc::clone(&self.0);
        Ok(Reply::new(&blocking(move || anomalies::top(&app, capture.as_deref(), limit)).await?)?)
    }

    /// The anomalies of one window
    #[oai(path = "/api/anomalies/window/:window_id", method = "get", operation_id = "anomaliesOfWindow")]
    async fn of_window(
        &self,
        Path(window_id): Path<String>,
        /// The capture
        Query(capture): Query<Option<String>>,
    ) -> Result<Reply<WindowAnomaliesBody>, Refused<Read>> {
        let app = Arc::clone(&self.0);
        Ok(Reply::new(&blocking(move || anomalies::of_window(&app, capture.as_deref(), &window_id)).await?)?)
    }

    /// Find anomalies in computed windows
    ///
    /// Waits up to 60 s, then answers 202. They are found again when `force` asks for it, or when baselines were made
    /// since; else what is known is told. Bounds restrict what is told, not what thresholds are taken from.
    #[oai(path = "/api/anomalies/detect", method = "post", operation_id = "detectAnomalies")]
    async fn detect(
        &self,
        /// Seconds to wait, 0 to 60
        Query(wait): Query<Option<f64>>,
        /// The capture
        Query(capture): Query<Option<String>>,
        body: JsonBody<Map<String, Value>, DetectBody>,
    ) -> Result<Answer<DetectedBody>, Refused<Start>> {
        let (asked, patience) = (detect::Asked::read(&body.value)?, jobs::patience(wait)?);
        Ok(Answer::new(&detect::detect(&self.0, &asked, capture.as_deref(), patience).await?)?)
    }
}
