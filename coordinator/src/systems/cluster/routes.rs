//! The endpoints of the cluster.

use std::sync::Arc;

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;

use super::service;
use super::types::{AsideView, Asked, DrainBody, WorkerInfo};
use crate::http::App;
use crate::http::body::JsonBody;
use crate::http::error::{Change, Plain, Refused};
use crate::http::tags::Tag;
use crate::systems::Fault;
use crate::systems::traffic::types::WithData;

/// The cluster endpoints.
pub struct ClusterApi(pub Arc<App>);

#[OpenApi(tag = "Tag::Cluster")]
impl ClusterApi {
    /// Workers heard of lately
    #[oai(path = "/api/cluster/workers", method = "get", operation_id = "workers")]
    async fn workers(&self) -> Result<Json<WithData<Vec<WorkerInfo>>>, Refused<Plain>> {
        Ok(Json(WithData::of(service::workers(&self.0))))
    }

    /// Ask a worker to give its shards back, or to take work again
    #[oai(path = "/api/cluster/workers/:worker_id/drain", method = "post", operation_id = "drain")]
    async fn drain(
        &self,
        Path(worker_id): Path<String>,
        body: JsonBody<DrainBody>,
    ) -> Result<Json<Asked>, Refused<Change>> {
        let drain = body.value.drain.ok_or_else(|| Fault::field("drain", "is required: true or false"))?;
        service::drain(&self.0, &worker_id, drain).await?;
        let message = format!("Worker `{worker_id}` was asked to {}", if drain { "drain" } else { "take work again" });
        Ok(Json(Asked { success: true, message }))
    }

    /// Messages that ingest could not use, newest first
    #[oai(path = "/api/cluster/quarantine", method = "get", operation_id = "quarantine")]
    async fn quarantine(
        &self,
        /// At most this many, 100 when not given
        Query(limit): Query<Option<u16>>,
    ) -> Result<Json<WithData<Vec<AsideView>>>, Refused<Plain>> {
        Ok(Json(WithData::of(service::quarantine(self.0.store(), limit.unwrap_or(100).into())?)))
    }
}
