//! The endpoints of windows.

use std::sync::Arc;

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use serde_json::{Map, Value};

use super::answer::Answer;
use super::filter::{Asked, Filter};
use super::page::Page;
use super::types::{ComputeBody, ComputedBody, MetricsPage, MetricsSummaryBody, WindowBody};
use super::{compute, jobs, metrics};
use crate::http::App;
use crate::http::body::JsonBody;
use crate::http::error::{Read, Refused, Start};
use crate::http::reply::Reply;
use crate::http::tags::Tag;
use crate::systems::blocking;

/// The endpoints of windows.
pub struct WindowsApi(pub Arc<App>);

#[allow(clippy::too_many_arguments, reason = "each argument is a parameter of the request")]
#[OpenApi(tag = "Tag::Analyzer")]
impl WindowsApi {
    /// All windows of the latest capture, or of `capture`
    #[oai(path = "/api/metrics/", method = "get", operation_id = "listMetrics")]
    async fn list(
        &self,
        /// Only those that begin at this or later: epoch seconds or RFC 3339
        Query(from): Query<Option<String>>,
        /// Only those that begin before this
        Query(to): Query<Option<String>>,
        /// Only those with one of these addresses or networks, with commas between them
        Query(host): Query<Option<String>>,
        /// Only those with one of these protocols or services
        Query(protocol): Query<Option<String>>,
        /// Only those with an anomaly this bad: `medium` or `high`
        Query(severity): Query<Option<String>>,
        /// Only those with an anomaly of this kind
        #[oai(name = "type")]
        Query(kind): Query<Option<String>>,
        /// At most this many, 50 without it
        Query(limit): Query<Option<u64>>,
        /// Leave out this many
        Query(offset): Query<Option<u64>>,
        /// The capture
        Query(capture): Query<Option<String>>,
    ) -> Result<Reply<MetricsPage>, Refused<Read>> {
        let filter = Filter::read(&Asked { from, to, host, protocol, severity, kind })?;
        let page = Page::read(limit, offset, 50)?;
        let app = Arc::clone(&self.0);
        Ok(Reply::new(&blocking(move || metrics::list(&app, capture.as_deref(), &filter, page)).await?)?)
    }

    /// Figures of all windows together
    #[oai(path = "/api/metrics/summary", method = "get", operation_id = "summarizeMetrics")]
    async fn summary(
        &self,
        /// The capture
        Query(capture): Query<Option<String>>,
    ) -> Result<Reply<MetricsSummaryBody>, Refused<Read>> {
        let app = Arc::clone(&self.0);
        Ok(Reply::new(&blocking(move || metrics::summary(&app, capture.as_deref())).await?)?)
    }

    /// Compute the windows of a capture file, or of the live run
    ///
    /// Waits up to 60 s, then answers 202; the same request meanwhile joins the same job. Without a body the server's
    /// `--pcap` file is analysed. `force: false` answers from what is computed already for the same file and window size.
    #[oai(path = "/api/metrics/compute", method = "post", operation_id = "computeMetrics")]
    async fn compute(
        &self,
        /// Seconds to wait, 0 to 60
        Query(wait): Query<Option<f64>>,
        /// Analyse this capture's file again, for instance with another window size
        Query(capture): Query<Option<String>>,
        body: JsonBody<Map<String, Value>, ComputeBody>,
    ) -> Result<Answer<ComputedBody>, Refused<Start>> {
        let (asked, patience) = (compute::Asked::read(&body.value)?, jobs::patience(wait)?);
        let waited = Box::pin(compute::compute(&self.0, &asked, capture.as_deref(), patience)).await?;
        Ok(Answer::new(&waited)?)
    }

    /// One window, counted from 0
    #[oai(path = "/api/metrics/:window_id", method = "get", operation_id = "getMetrics")]
    async fn one(
        &self,
        Path(window_id): Path<String>,
        /// The capture
        Query(capture): Query<Option<String>>,
    ) -> Result<Reply<WindowBody>, Refused<Read>> {
        let app = Arc::clone(&self.0);
        Ok(Reply::new(&blocking(move || metrics::one(&app, capture.as_deref(), &window_id)).await?)?)
    }
}
