//! Which pages of other sites may read answers of the ingest (CORS).

use poem::Response;
use poem::http::{HeaderName, HeaderValue, StatusCode, header};

use crate::http::App;

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST");
const HEADERS: HeaderValue =
    HeaderValue::from_static("Content-Type, Idempotency-Key, X-Request-Id, X-Synthetic-Traffic");
const EXPOSED: HeaderValue = HeaderValue::from_static("X-Request-Id, X-Visit-Dropped, Retry-After");
/// A day; browsers take less if they want to.
const MAX_AGE: HeaderValue = HeaderValue::from_static("86400");

/// The answer to a preflight.
#[must_use]
pub fn preflight() -> Response {
    let mut response = Response::default();
    response.set_status(StatusCode::NO_CONTENT);
    response
}

/// Lets the page at `origin` read the answer, if a site of ours is its own. Credentials never go along.
pub fn allow(app: &App, response: &mut Response, origin: &HeaderValue, is_preflight: bool) {
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    let text = origin.to_str().unwrap_or_default();
    if !app.visits.intake.welcomes(&app.visits.sites, text) {
        return;
    }
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    if is_preflight {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    } else {
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
}

/// Lets pages of other sites take the resource in at all.
pub fn anywhere(response: &mut Response) {
    let name = HeaderName::from_static("cross-origin-resource-policy");
    response.headers_mut().insert(name, HeaderValue::from_static("cross-origin"));
}
