//! The endpoints of streams.

use std::sync::Arc;

use poem::http::{HeaderMap, StatusCode, header};
use poem::web::websocket::WebSocket;
use poem::{Body, IntoResponse, Response};
use poem_openapi::param::{Path, Query};
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiResponse, OpenApi};

use super::event::Resume;
use super::feed::Feed;
use super::{sse, ws};
use crate::http::App;
use crate::http::error::{Documented, Refused};
use crate::http::tags::Tag;
use crate::store::captures::Capture;
use crate::systems::analyzer::select;
use crate::systems::{Fault, Outcome};

/// The statuses of refused streams.
#[derive(Debug)]
pub struct Streaming;

impl Documented for Streaming {
    const STATUSES: &'static [u16] = &[400, 401, 403, 404, 500, 503];
}

/// A stream of events, or nothing when everything was told before.
pub struct Events(Response);

impl IntoResponse for Events {
    fn into_response(self) -> Response {
        self.0
    }
}

fn described(status: u16, description: &'static str, content_type: Option<&'static str>) -> MetaResponse {
    let content = content_type.map(|content_type| MetaMediaType { content_type, schema: String::schema_ref() });
    let content = content.into_iter().collect();
    MetaResponse { description, status: Some(status), status_range: None, content, headers: Vec::new() }
}

impl ApiResponse for Events {
    fn meta() -> MetaResponses {
        let events = "`window`, `anomaly`, `gap`, `state`, `lagged` and `end` events, each with JSON as its data";
        let nothing = "The capture is over and everything up to its end was told before; do not come again";
        let responses = vec![described(200, events, Some("text/event-stream")), described(204, nothing, None)];
        MetaResponses { responses }
    }

    fn register(_: &mut Registry) {}
}

/// An upgraded connection.
pub struct Upgraded(Response);

impl IntoResponse for Upgraded {
    fn into_response(self) -> Response {
        self.0
    }
}

impl ApiResponse for Upgraded {
    fn meta() -> MetaResponses {
        let text = "A WebSocket; each message is the JSON that events have as their data, with `type`";
        MetaResponses { responses: vec![described(101, text, None)] }
    }

    fn register(_: &mut Registry) {}
}

/// The endpoints of streams.
pub struct StreamsApi(pub Arc<App>);

#[OpenApi(tag = "Tag::Streams")]
impl StreamsApi {
    /// Windows, anomalies and states of a capture as they come (server-sent events)
    ///
    /// Begins with the capture's state and what comes from now on. An event's id is `WINDOWS-ANOMALIES`, how many of each
    /// are told with it; `Last-Event-ID` goes on behind that event, or, when it is one number, behind the window with this
    /// id; `Last-Event-ID: 0-0` tells everything that is stored. A client that falls more than 256 windows or anomalies
    /// behind misses the oldest, and a `lagged` event says how many. A comment comes every 15 s of silence.
    #[oai(path = "/api/captures/:capture_id/stream", method = "get", operation_id = "captureStream")]
    async fn stream(
        &self,
        /// The capture
        Path(capture_id): Path<String>,
        /// As the header `Last-Event-ID`, for clients that cannot set it
        Query(last_event_id): Query<Option<String>>,
        headers: &HeaderMap,
    ) -> Result<Events, Refused<Streaming>> {
        let capture = select::capture(self.0.store(), &capture_id)?;
        Ok(events(&self.0, capture, resume(headers, last_event_id.as_deref())?).await?)
    }

    /// The stream of the running live capture, else of the newest capture
    #[oai(path = "/api/metrics/stream", method = "get", operation_id = "metricsStream")]
    async fn metrics_stream(
        &self,
        /// This capture's
        Query(capture): Query<Option<String>>,
        /// As the header `Last-Event-ID`, for clients that cannot set it
        Query(last_event_id): Query<Option<String>>,
        headers: &HeaderMap,
    ) -> Result<Events, Refused<Streaming>> {
        let capture = meant(&self.0, capture.as_deref())?;
        Ok(events(&self.0, capture, resume(headers, last_event_id.as_deref())?).await?)
    }

    /// The same as a WebSocket
    ///
    /// Browsers send their `Origin`, which must be this server's or one of `http.cors_origins`. What clients send is
    /// passed over.
    #[oai(path = "/api/captures/:capture_id/ws", method = "get", operation_id = "captureSocket")]
    async fn socket(
        &self,
        /// The capture
        Path(capture_id): Path<String>,
        /// Goes on behind the event with this `event_id`, or behind the window with this id
        Query(last_event_id): Query<Option<String>>,
        socket: WebSocket,
    ) -> Result<Upgraded, Refused<Streaming>> {
        let capture = select::capture(self.0.store(), &capture_id)?;
        let feed = feed(&self.0, &capture, last_event_id.as_deref().map(read).transpose()?).await?;
        let socket = socket.config(ws::config()).on_upgrade(move |socket| ws::tell(feed, socket));
        Ok(Upgraded(socket.into_response()))
    }
}

/// The capture that is named, else the running live one, else the newest.
fn meant(app: &App, id: Option<&str>) -> Outcome<Capture> {
    let store = app.store();
    if let Some(id) = id {
        return select::capture(store, id);
    }
    let found = match select::active_live(store)? {
        Some(live) => Some(live),
        None => select::newest_first(store).next().transpose()?,
    };
    found.ok_or_else(|| Fault::not_found("There is no capture yet"))
}

fn resume(headers: &HeaderMap, query: Option<&str>) -> Outcome<Option<Resume>> {
    let header = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    header.or(query).filter(|id| !id.is_empty()).map(read).transpose()
}

fn read(id: &str) -> Outcome<Resume> {
    let message = "must be an event's id such as `12-3`, or the id of a window";
    Resume::read(id).ok_or_else(|| Fault::field("last_event_id", message))
}

async fn feed(app: &App, capture: &Capture, resume: Option<Resume>) -> Outcome<Feed> {
    let place = app.streams.enter()?;
    // Subscribed before the first look, so that nothing falls between.
    let news = app.dispatch.news();
    Feed::open(app.store(), &app.dispatch.segments, news, place, capture, resume).await
}

async fn events(app: &App, capture: Capture, resume: Option<Resume>) -> Outcome<Events> {
    let feed = feed(app, &capture, resume).await?;
    if resume.is_some() && feed.is_exhausted(&capture) {
        return Ok(Events(StatusCode::NO_CONTENT.into_response()));
    }
    let body = Body::from_bytes_stream(sse::body(feed));
    let response = Response::builder().content_type("text/event-stream").header(header::CACHE_CONTROL, "no-store");
    // Proxies such as nginx would gather events otherwise.
    Ok(Events(response.header("x-accel-buffering", "no").body(body)))
}
