//! The endpoints that are asked many thousand times a second: visits, `/stats`, the script. They are answered ahead of
//! the general frame, which costs more than they do, with the same guarantees: the host is ours, `/stats` needs its
//! token, bodies are bounded and have to arrive, every answer has an id and the headers of safety, panics are caught and
//! requests counted, and errors have the one form.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt, StreamExt};
use poem::http::{HeaderValue, Method, header};
use poem::{Body, Endpoint, Request, Response};
use tokio::time::timeout;
use uuid::Uuid;

use super::access::Access;
use super::app::App;
use super::body::too_long;
use super::error::respond;
use super::frame::{self, REQUEST_ID};
use super::guard::{self, Origin};
use super::{auth, routes};
use crate::systems::visits::ingest::{batch, cors, event, pixel, script, stats, visit};
use crate::systems::{Code, Fault};
use trafficlab_shared::config::Role;

/// A body that does not arrive within this time is given up.
const BODY_WITHIN: Duration = Duration::from_secs(30);
/// How much of a body that is too long is still read, and thrown away: a client that is cut off while it sends does not
/// look for the answer.
const DISCARDED: usize = 8 << 20;
/// Longest a request may take from its body to its answer, as in the general frame.
const ANSWER_WITHIN: Duration = Duration::from_secs(90);

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    Visit,
    Batch,
    Event,
    Pixel,
    Stats,
    Script,
}

impl Door {
    fn of(path: &str, script: &str) -> Option<Self> {
        Some(match path {
            "/visit" => Self::Visit,
            "/visit/batch" => Self::Batch,
            "/visit/event" | "/api/event" => Self::Event,
            "/visit.gif" => Self::Pixel,
            "/stats" => Self::Stats,
            _ if path.strip_prefix('/').is_some_and(|name| name == script) => Self::Script,
            _ => return None,
        })
    }

    const fn takes_body(self) -> bool {
        matches!(self, Self::Visit | Self::Batch | Self::Event)
    }

    fn knows(self, method: &Method) -> bool {
        if self.takes_body() { method == Method::POST } else { matches!(*method, Method::GET | Method::HEAD) }
    }

    /// Whether pages of all sites may come here.
    const fn is_ingest(self) -> bool {
        !matches!(self, Self::Stats)
    }
}

/// Answers the hot paths, and hands the others to the general frame.
pub(crate) struct Hot<E> {
    app: Arc<App>,
    others: E,
    /// Begins the ids of this process's requests.
    prefix: String,
    next: AtomicU64,
}

impl<E: Endpoint<Output = Response>> Hot<E> {
    pub(crate) fn new(app: Arc<App>, others: E) -> Self {
        let prefix = Uuid::new_v4().simple().to_string().chars().take(16).collect();
        Self { app, others, prefix, next: AtomicU64::new(1) }
    }

    async fn answer(&self, door: Door, mut request: Request) -> Response {
        let body = request.take_body();
        let work = AssertUnwindSafe(timeout(ANSWER_WITHIN, self.decide(door, &request, body)));
        let decided = match work.catch_unwind().await {
            Ok(Ok(decided)) => decided,
            Ok(Err(_elapsed)) => {
                Err(Fault { retry_after: Some(5), ..Fault::new(Code::Unavailable, "The request took too long") })
            }
            Err(_panic) => {
                self.app.requests.panics.fetch_add(1, Ordering::Relaxed);
                tracing::error!(?door, "a request handler panicked");
                Err(Fault::new(Code::Internal, "An internal error occurred"))
            }
        };
        let mut response = decided.unwrap_or_else(|fault| respond(&fault, request.uri().path()));
        frame::secure(&self.app.config, response.headers_mut());
        self.share(door, &request, &mut response);
        response
    }

    /// Tells browsers who may read the answer.
    fn share(&self, door: Door, request: &Request, response: &mut Response) {
        if door.is_ingest() {
            cors::anywhere(response);
        }
        let Some(origin) = request.headers().get(header::ORIGIN) else { return };
        if door.is_ingest() {
            cors::allow(&self.app, response, origin, request.method() == Method::OPTIONS);
        } else if guard::allowed_origin(&self.app.config, request) == Origin::Listed {
            frame::allow_origin(response.headers_mut(), origin.clone());
        }
    }

    async fn decide(&self, door: Door, request: &Request, body: Body) -> Result<Response, Fault> {
        let config = &self.app.config;
        let access = if door.is_ingest() { Access::Ingest } else { Access::Token(Role::Read) };
        guard::check(config, request, access)?;
        let method = request.method();
        if method == Method::OPTIONS && request.headers().contains_key(header::ORIGIN) {
            return Ok(cors::preflight());
        }
        auth::check(config, request, access)?;
        if !door.knows(method) {
            return Err(wrong_method(door, request.uri().path()));
        }
        let app = &self.app;
        let limit = usize::try_from(config.limits.max_body_bytes.0).unwrap_or(usize::MAX);
        match door {
            Door::Visit => visit::post(app, request, &read(body, limit).await?).await,
            Door::Batch => batch::post(app, request, &read(body, limit).await?).await,
            Door::Event => event::post(app, request, &read(body, limit).await?).await,
            Door::Pixel => pixel::get(app, request).await,
            Door::Stats => stats::get(app, request),
            Door::Script => Ok(script::get(request)),
        }
    }

    fn id(&self) -> String {
        format!("{}-{:x}", self.prefix, self.next.fetch_add(1, Ordering::Relaxed))
    }
}

impl<E: Endpoint<Output = Response>> Endpoint for Hot<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let Some(door) = Door::of(request.uri().path(), &self.app.config.tracker.script_name) else {
            // Boxed, so that the hot requests do not carry the room that the general ones need.
            return self.others.call(request).boxed().await;
        };
        let started = Instant::now();
        let id = frame::given_id(&request).map_or_else(|| self.id(), str::to_owned);
        let mut response = self.answer(door, request).await;
        let status = response.status();
        self.app.requests.count(status);
        if status.is_server_error() {
            tracing::warn!(request_id = %id, ?door, status = status.as_u16(), "answered");
        } else {
            let ms = started.elapsed().as_millis();
            tracing::debug!(request_id = %id, ?door, status = status.as_u16(), ms, "answered");
        }
        if let Ok(value) = HeaderValue::try_from(id) {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        Ok(response)
    }
}

fn wrong_method(door: Door, path: &str) -> Fault {
    let fault = Fault::new(Code::MethodNotAllowed, "This path does not know the method");
    match (door, routes::methods(path)) {
        (Door::Script, _) | (_, None) => fault.with("allowed_methods", vec!["GET"]),
        (_, Some(methods)) => fault.with("allowed_methods", methods),
    }
}

/// Reads a body of at most `limit` bytes. The common one lies in one piece and is not copied.
async fn read(body: Body, limit: usize) -> Result<Bytes, Fault> {
    let reading = timeout(BODY_WITHIN, gather(body, limit)).await;
    reading.unwrap_or_else(|_elapsed| Err(Fault::new(Code::RequestTimeout, "The body took too long to arrive")))
}

async fn gather(body: Body, limit: usize) -> Result<Bytes, Fault> {
    let mut pieces = Box::pin(body.into_bytes_stream());
    let cut_short = |_| Fault::new(Code::Malformed, "The body ended early");
    let first = pieces.next().await.transpose().map_err(cut_short)?.unwrap_or_default();
    let mut whole: Option<BytesMut> = None;
    let mut length = first.len();
    while length <= limit {
        let Some(piece) = pieces.next().await.transpose().map_err(cut_short)? else {
            return Ok(whole.map_or(first, BytesMut::freeze));
        };
        length += piece.len();
        whole.get_or_insert_with(|| BytesMut::from(first.as_ref())).extend_from_slice(&piece);
    }
    drop(whole);
    while length <= limit.saturating_add(DISCARDED)
        && let Some(Ok(piece)) = pieces.next().await
    {
        length += piece.len();
    }
    Err(too_long(limit))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn only_the_hot_paths_are_taken() {
        let door = |path| Door::of(path, "t.js");
        assert_eq!(door("/visit"), Some(Door::Visit));
        assert_eq!(door("/api/event"), door("/visit/event"));
        assert_eq!(door("/t.js"), Some(Door::Script));
        for other in ["/", "/visit/", "/visits", "/stats/x", "/x/t.js", "/health", "/api/visits/aggregate"] {
            assert_eq!(door(other), None, "{other}");
        }
        assert!(!Door::Visit.knows(&Method::GET) && Door::Stats.knows(&Method::HEAD));
    }

    #[tokio::test]
    async fn bodies_are_bounded_however_they_come() {
        let pieces = |sizes: &[usize]| {
            let pieces: Vec<_> =
                sizes.iter().map(|size| Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; *size]))).collect();
            Body::from_bytes_stream(futures_util::stream::iter(pieces))
        };
        assert_eq!(gather(pieces(&[]), 10).await.unwrap().len(), 0);
        assert_eq!(gather(pieces(&[4, 6]), 10).await.unwrap().len(), 10);
        assert_eq!(gather(pieces(&[4, 7]), 10).await.unwrap_err().code, Code::PayloadTooLarge);
        assert_eq!(gather(pieces(&[11]), 10).await.unwrap_err().code, Code::PayloadTooLarge);
    }
}
