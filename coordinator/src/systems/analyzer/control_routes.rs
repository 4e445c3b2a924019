//! The endpoints of status, configuration, live capture and logs.

use std::sync::Arc;

use poem_openapi::OpenApi;
use poem_openapi::param::Query;
use serde_json::{Map, Value};

use super::more_types::{
    AnalyzerStatus, CaptureStartBody, CaptureStarted, CaptureStatusBody, CaptureStopped, ControlConfig, ControlStatus,
    LogsBody, Pong,
};
use super::{live, live_body, logs, status};
use crate::http::App;
use crate::http::body::JsonBody;
use crate::http::error::{Change, Plain, Refused, Start};
use crate::http::reply::Reply;
use crate::http::tags::Tag;
use crate::systems::blocking;

/// The endpoints of status and control.
pub struct ControlApi(pub Arc<App>);

#[OpenApi(tag = "Tag::Analyzer")]
impl ControlApi {
    /// How the analyzer is set up and what it has
    #[oai(path = "/api/status", method = "get", operation_id = "analyzerStatus")]
    async fn status(&self) -> Result<Reply<AnalyzerStatus>, Refused<Plain>> {
        let app = Arc::clone(&self.0);
        Ok(Reply::new(&blocking(move || status::status(&app)).await?)?)
    }

    /// The same in detail
    #[oai(path = "/api/control/status", method = "get", operation_id = "controlStatus")]
    async fn control(&self) -> Result<Reply<ControlStatus>, Refused<Plain>> {
        let app = Arc::clone(&self.0);
        Ok(Reply::new(&blocking(move || status::control(&app)).await?)?)
    }

    /// The analyzer's configuration
    #[oai(path = "/api/control/config", method = "get", operation_id = "controlConfig")]
    async fn config(&self) -> Result<Reply<ControlConfig>, Refused<Plain>> {
        let app = Arc::clone(&self.0);
        Ok(Reply::new(&blocking(move || status::config(&app)).await?)?)
    }

    /// A sign of life
    #[oai(path = "/api/control/ping", method = "get", operation_id = "ping")]
    async fn ping(&self) -> Result<Reply<Pong>, Refused<Plain>> {
        Ok(Reply::new(&status::ping())?)
    }

    /// Start the live capture; the server must run with `--mode live --interface NAME`
    #[oai(path = "/api/control/capture/start", method = "post", operation_id = "startCapture")]
    async fn start(
        &self,
        body: JsonBody<Map<String, Value>, CaptureStartBody>,
    ) -> Result<Reply<CaptureStarted>, Refused<Start>> {
        let asked = live_body::Asked::read(&body.value)?;
        Ok(Reply::new(&Box::pin(live::start(&self.0, &asked)).await?)?)
    }

    /// Stop the live capture
    #[oai(path = "/api/control/capture/stop", method = "post", operation_id = "stopCapture")]
    async fn stop(&self) -> Result<Reply<CaptureStopped>, Refused<Change>> {
        Ok(Reply::new(&live::stop(&self.0).await?)?)
    }

    /// Whether something is captured
    #[oai(path = "/api/control/capture/status", method = "get", operation_id = "captureStatus")]
    async fn capture_status(&self) -> Result<Reply<CaptureStatusBody>, Refused<Plain>> {
        let app = Arc::clone(&self.0);
        Ok(Reply::new(&blocking(move || live::status(&app)).await?)?)
    }

    /// The last lines of a log
    #[oai(path = "/api/control/logs", method = "get", operation_id = "logs")]
    async fn logs(
        &self,
        /// `app` (without it) or `analysis`
        #[oai(name = "type")]
        Query(kind): Query<Option<String>>,
        /// At most this many, 100 without it, never more than 10000
        Query(limit): Query<Option<u64>>,
    ) -> Result<Reply<LogsBody>, Refused<Plain>> {
        let app = Arc::clone(&self.0);
        let limit = limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let read = move || logs::read(&app.config, &app.analyzer.counted, kind.as_deref(), limit);
        Ok(Reply::new(&blocking(read).await?)?)
    }
}
