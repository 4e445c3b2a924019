//! What surrounds every request: an id, who may call, limits, one form of errors, headers, and the log.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use poem::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use poem::{Endpoint, Request, Response};
use tracing::Instrument;
use trafficlab_shared::config::Config;
use uuid::Uuid;

use super::access::{self, Access};
use super::adops::Stamp;
use super::app::App;
use super::body::BodyLimit;
use super::error::{fault_of, respond};
use super::guard::{self, Origin};
use super::{auth, routes};
use crate::systems::visits::share::gate;
use crate::systems::{Code, Fault};

/// Longest a request may take until its response begins; analyses may ask to wait for 60 s.
const TIMEOUT: Duration = Duration::from_secs(90);
/// An upload as a whole; it ends much earlier when it stands still.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(6 * 3600);
/// The tracker answers a bad value with 422, as the framework of its document does.
const VISITS: &str = "/api/visits/";
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The outermost endpoint.
pub(crate) struct Frame<E> {
    app: Arc<App>,
    inner: E,
}

impl<E: Endpoint<Output = Response>> Frame<E> {
    pub(crate) const fn new(app: Arc<App>, inner: E) -> Self {
        Self { app, inner }
    }

    async fn answer(&self, request: Request, id: &str) -> Response {
        let path = request.original_uri().path().to_owned();
        let cors = (guard::allowed_origin(&self.app.config, &request) == Origin::Listed)
            .then(|| request.headers().get(header::ORIGIN).cloned())
            .flatten();
        let mut stamp = None;
        let mut response = match self.decide(request, id, cors.is_some(), &mut stamp).await {
            Ok(response) => response,
            Err(fault) => respond(&fault, &path),
        };
        secure(&self.app.config, response.headers_mut());
        if let Some(stamp) = stamp {
            stamp.write(response.headers_mut());
        }
        if let Some(origin) = cors {
            allow_origin(response.headers_mut(), origin);
        }
        response
    }

    async fn decide(
        &self,
        mut request: Request,
        id: &str,
        cors: bool,
        stamp: &mut Option<Stamp>,
    ) -> Result<Response, Fault> {
        let config = &self.app.config;
        let access = access::needed(request.method(), request.uri().path());
        guard::check(config, &request, access)?;
        if cors && request.method() == Method::OPTIONS {
            return Ok(Response::builder().status(StatusCode::NO_CONTENT).finish());
        }
        if access == Access::Adops {
            self.app.front.admit(&self.app, &mut request, id, stamp)?;
        } else if let Some(grant) = gate::grant(&self.app, &request)? {
            request.extensions_mut().insert(grant);
        } else if let Access::Token(_) = access
            && let Some(name) = auth::check(config, &request, access)?
        {
            tracing::Span::current().record("caller", name);
        }
        if let Some(slashed) = routes::redirect(request.uri()) {
            return Ok(permanent(&slashed));
        }
        if let Some(inner) = routes::internal(request.uri()) {
            *request.uri_mut() = inner;
        }
        let limit = usize::try_from(config.limits.max_body_bytes.0).unwrap_or(usize::MAX);
        request.extensions_mut().insert(BodyLimit(limit));
        self.run(request).await
    }

    /// The route itself, with a time limit, and its panics caught.
    async fn run(&self, request: Request) -> Result<Response, Fault> {
        let method = request.method().clone();
        let path = request.uri().path().to_owned();
        let limit = if access::is_upload(&method, &path) { UPLOAD_TIMEOUT } else { TIMEOUT };
        let work = AssertUnwindSafe(tokio::time::timeout(limit, self.inner.call(request)));
        match work.catch_unwind().await {
            Ok(Ok(Ok(response))) => Ok(response),
            Ok(Ok(Err(error))) => {
                let mut fault = fault_of(&error);
                if fault.code == Code::Validation && path.starts_with(VISITS) {
                    fault.code = Code::Unprocessable;
                }
                let allowed = (fault.code == Code::MethodNotAllowed).then(|| routes::methods(&path)).flatten();
                Err(match allowed {
                    Some(methods) => fault.with("allowed_methods", methods),
                    None => fault,
                })
            }
            Ok(Err(_elapsed)) => {
                let message = "The request took too long";
                Err(Fault { retry_after: Some(5), ..Fault::new(Code::Unavailable, message) })
            }
            Err(_panic) => {
                self.app.requests.panics.fetch_add(1, Ordering::Relaxed);
                tracing::error!(%method, %path, "a request handler panicked");
                Err(Fault::new(Code::Internal, "An internal error occurred"))
            }
        }
    }
}

impl<E: Endpoint<Output = Response>> Endpoint for Frame<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let started = Instant::now();
        let id = request_id(&request);
        let span = tracing::info_span!("request", request_id = %id, caller = tracing::field::Empty);
        let method = request.method().clone();
        let path = logged(request.uri().path());
        let mut response = self.answer(request, &id).instrument(span.clone()).await;
        self.app.requests.count(response.status());
        if let Ok(value) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        let ms = started.elapsed().as_millis();
        span.in_scope(|| tracing::debug!(%method, path = %path.escape_default(), status = response.status().as_u16(), ms, "answered"));
        Ok(response)
    }
}

/// A path as the log shows it: the token of a share link or download is a secret.
fn logged(path: &str) -> String {
    let secret = ["/share/", "/download/"].into_iter().find_map(|part| Some((path.split_once(part)?.0, part)));
    secret.map_or_else(|| path.to_owned(), |(before, part)| format!("{before}{part}…"))
}

/// The caller's id when it is sane, else one of ours.
fn request_id(request: &Request) -> String {
    given_id(request).map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

/// The caller's id when it is sane.
pub(super) fn given_id(request: &Request) -> Option<&str> {
    let sane = |id: &&str| {
        (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    guard::header_of(request, REQUEST_ID.as_str()).filter(sane)
}

fn permanent(location: &Uri) -> Response {
    Response::builder().status(StatusCode::PERMANENT_REDIRECT).header(header::LOCATION, location.to_string()).finish()
}

/// Headers of safety that every answer has.
pub(super) fn secure(config: &Config, headers: &mut HeaderMap) {
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let defaults = [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    ];
    for (name, value) in defaults {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    let behind_tls = config.public_url.as_deref().is_some_and(|url| url.starts_with("https:"));
    if behind_tls || config.http.tls_cert.is_some() {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}

/// Lets pages of a listed origin read the answer.
pub(super) fn allow_origin(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    let fixed = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PUT, DELETE"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "Authorization, Content-Type, Idempotency-Key, X-API-Key, X-Request-Id"),
        (
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            "X-Request-Id, X-Total-Count, X-Rate-Limit-Remaining, X-Rate-Limit-Reset, Retry-After, Content-Disposition",
        ),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin"));
}
