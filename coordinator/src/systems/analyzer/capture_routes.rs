//! The endpoints of captures.

use std::sync::Arc;

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;

use super::captures::{self, Filter};
use super::compute;
use super::more_types::{CaptureBody, CapturePageBody, CaptureRemoved, WholeCaptureBody};
use super::page::Page;
use super::upload::{self, CaptureTypes, Offer};
use crate::http::App;
use crate::http::error::{Change, Lookup, Plain, Receive, Refused};
use crate::http::reply::Reply;
use crate::http::tags::Tag;
use crate::systems::blocking;
use crate::systems::upload::body::UploadBody;

/// The endpoints of captures.
pub struct CapturesApi(pub Arc<App>);

#[OpenApi(tag = "Tag::Analyzer")]
impl CapturesApi {
    /// All captures, newest first
    #[oai(path = "/api/captures/", method = "get", operation_id = "listCaptures")]
    async fn list(
        &self,
        /// Only those that are `queued`, `running`, `done` or `failed`
        Query(state): Query<Option<String>>,
        /// Only those of an `upload`, a `path` or `live`
        Query(source): Query<Option<String>>,
        /// At most this many, 50 without it
        Query(limit): Query<Option<u64>>,
        /// Leave out this many
        Query(offset): Query<Option<u64>>,
    ) -> Result<Reply<CapturePageBody>, Refused<Plain>> {
        let (filter, page) = (Filter::read(state, source)?, Page::read(limit, offset, 50)?);
        let app = Arc::clone(&self.0);
        Ok(Reply::new(&blocking(move || captures::list(&app, &filter, page)).await?)?)
    }

    /// Send a capture file; it is analysed at once
    ///
    /// As multipart with a field `file`, or as `application/octet-stream` with the bytes alone and `name`. pcap and pcapng,
    /// gzipped or not. Windows and anomalies are computed; `GET /api/captures/{id}` shows how far that is.
    #[oai(path = "/api/captures/", method = "post", operation_id = "uploadCapture")]
    async fn upload(
        &self,
        /// What the file is called, when the form does not say it
        Query(name): Query<Option<String>>,
        /// Seconds of a window, 0.001 to 31536000
        Query(window_size): Query<Option<f64>>,
        body: UploadBody<CaptureTypes>,
    ) -> Result<Reply<CaptureBody, 202>, Refused<Receive>> {
        let window_ns = compute::window_or_default(&self.0, window_size)?;
        let announced = body.announced;
        upload::admit(&self.0, announced).await?;
        let (own, reader) = body.file().await?;
        let offer = Offer { name: name.or(own), window_ns };
        Ok(Reply::new(&Box::pin(upload::receive(&self.0, offer, reader)).await?)?)
    }

    /// One capture with its summary, its gaps and the figures to compare with tshark
    #[oai(path = "/api/captures/:capture_id", method = "get", operation_id = "getCapture")]
    async fn get(&self, Path(capture_id): Path<String>) -> Result<Reply<WholeCaptureBody>, Refused<Lookup>> {
        let app = Arc::clone(&self.0);
        Ok(Reply::new(&blocking(move || captures::get(&app, &capture_id)).await?)?)
    }

    /// Stop a capture and remove everything of it; a file in a capture directory stays
    #[oai(path = "/api/captures/:capture_id", method = "delete", operation_id = "deleteCapture")]
    async fn remove(&self, Path(capture_id): Path<String>) -> Result<Json<CaptureRemoved>, Refused<Change>> {
        captures::remove(&self.0, &capture_id).await?;
        Ok(Json(CaptureRemoved { success: true, message: "Capture deleted successfully".to_owned(), id: capture_id }))
    }
}
