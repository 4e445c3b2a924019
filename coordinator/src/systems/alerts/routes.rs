//! The endpoints of alerts.

use std::sync::Arc;

use poem_openapi::OpenApi;
use poem_openapi::payload::Json;

use super::service;
use super::types::{AlertsView, TestBody, TestView};
use crate::http::App;
use crate::http::body::JsonBody;
use crate::http::error::{Change, Plain, Refused};
use crate::http::tags::Tag;

/// The endpoints of alerts.
pub struct AlertsApi(pub Arc<App>);

#[OpenApi(tag = "Tag::Alerts")]
impl AlertsApi {
    /// The alert hooks, and what became of the latest alerts
    ///
    /// Hooks are configured in `[alerts]`. An alert is stored before it is sent, so a crash may repeat one and never
    /// loses one; receivers know repetitions by `key`.
    #[oai(path = "/api/alerts", method = "get", operation_id = "alerts")]
    async fn alerts(&self) -> Result<Json<AlertsView>, Refused<Plain>> {
        Ok(Json(service::view(&self.0)?))
    }

    /// Send a made-up alert once through one hook, or through all of them
    #[oai(path = "/api/alerts/test", method = "post", operation_id = "alertsTest")]
    async fn test(&self, body: JsonBody<TestBody>) -> Result<Json<TestView>, Refused<Change>> {
        Ok(Json(service::test(&self.0, body.value.hook.as_deref()).await?))
    }
}
