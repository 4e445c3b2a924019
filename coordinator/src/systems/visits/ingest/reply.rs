//! Responses of the ingest, built without the detours of the general frame.

use poem::Response;
use poem::http::{HeaderName, HeaderValue, StatusCode, header};

use crate::visits::intake::Reason;

/// Says why a visit was left out.
pub(super) const DROPPED: HeaderName = HeaderName::from_static("x-visit-dropped");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A JSON text.
pub(super) fn json(status: StatusCode, body: String) -> Response {
    of_type(status, JSON, body)
}

/// A body of any type.
pub(super) fn of_type(status: StatusCode, kind: HeaderValue, body: impl Into<poem::Body>) -> Response {
    let mut response = Response::default();
    response.set_status(status);
    response.headers_mut().reserve(12);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response.set_body(body);
    response
}

/// Says why the visit was left out.
pub(super) fn dropped(mut response: Response, reason: Reason) -> Response {
    response.headers_mut().insert(DROPPED, HeaderValue::from_static(reason.as_str()));
    response
}
