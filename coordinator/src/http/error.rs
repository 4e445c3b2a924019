//! From faults to responses: the one table of statuses, and the one body.

use std::marker::PhantomData;

use poem::error::{MethodNotAllowedError, NotFoundError, ParsePathError, ReadBodyError};
use poem::http::{HeaderValue, StatusCode, header};
use poem::{Error, IntoResponse, Response};
use poem_openapi::error::{ParseParamError, ParsePathError as OaiPathError};
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiResponse, Object};
use serde_json::{Value, json};

use super::adops::PREFIX;
use crate::systems::{Code, Fault, time};

/// The status of each code.
#[must_use]
pub const fn status(code: Code) -> StatusCode {
    match code {
        Code::Validation | Code::Malformed => StatusCode::BAD_REQUEST,
        Code::Unauthorized => StatusCode::UNAUTHORIZED,
        Code::Forbidden | Code::TargetNotAllowed => StatusCode::FORBIDDEN,
        Code::NotFound | Code::NotRunning => StatusCode::NOT_FOUND,
        Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Code::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
        Code::Conflict => StatusCode::CONFLICT,
        Code::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Code::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
        Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::InsufficientStorage => StatusCode::INSUFFICIENT_STORAGE,
    }
}

/// The response to a fault on `path`. The ad-ops family puts the code into `error`, the others a sentence.
pub(crate) fn respond(fault: &Fault, path: &str) -> Response {
    let adops = path.starts_with(PREFIX);
    // The ad-ops document has one word for whatever is wrong with a body.
    let code = if adops && fault.code == Code::Malformed { Code::Validation } else { fault.code }.as_str();
    let error = if adops { code } else { &fault.message };
    let mut body = json!({
        "success": false,
        "error": error,
        "code": code,
        "message": fault.message,
        "details": fault.details,
        "timestamp": time::now(),
    });
    if let Value::Object(members) = &mut body {
        members.extend(fault.extra.clone());
    }
    let mut response = poem::web::Json(body).into_response();
    response.set_status(status(fault.code));
    if let Some(seconds) = fault.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Some(Value::Array(methods)) = fault.extra.get("allowed_methods") {
        let methods: Vec<&str> = methods.iter().filter_map(Value::as_str).collect();
        if let Ok(value) = HeaderValue::from_str(&methods.join(", ")) {
            response.headers_mut().insert(header::ALLOW, value);
        }
    }
    if fault.code == Code::Unauthorized {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// The fault inside any error that a route or an extractor ended with.
pub(crate) fn fault_of(error: &Error) -> Fault {
    if let Some(fault) = error.downcast_ref::<Fault>() {
        return fault.clone();
    }
    if error.is::<NotFoundError>() {
        return Fault::not_found("There is nothing at this path");
    }
    if error.is::<MethodNotAllowedError>() {
        return Fault::new(Code::MethodNotAllowed, "This path does not know the method");
    }
    if let Some(ParseParamError { name, reason }) = error.downcast_ref() {
        return Fault::field(*name, plain(reason));
    }
    if let Some(OaiPathError { name, reason }) = error.downcast_ref() {
        return Fault::field(*name, plain(reason));
    }
    if error.is::<ParsePathError>() {
        return Fault::new(Code::Validation, "The path cannot be read");
    }
    match error.downcast_ref::<ReadBodyError>() {
        Some(ReadBodyError::PayloadTooLarge) => Fault::new(Code::PayloadTooLarge, "The body is too long"),
        Some(_) => Fault::new(Code::Malformed, "The body ended early"),
        None if error.status().is_client_error() => {
            Fault { message: error.to_string(), ..Fault::new(Code::Validation, "") }
        }
        None => Fault::internal("request failed", error),
    }
}

/// The parser's reason without the names of its types.
fn plain(reason: &str) -> String {
    let reason = reason.split(" (occurred while").next().unwrap_or_default();
    let reason =
        reason.strip_prefix("failed to parse ").and_then(|rest| rest.split_once(": ")).map_or(reason, |(_, rest)| rest);
    format!("cannot be read: {reason}")
}

/// One wrong field.
#[derive(Debug, Object)]
#[oai(rename = "ErrorDetail")]
pub(crate) struct DetailBody {
    /// Path of the field, such as `config.arrivals.stages[2].target`
    field: String,
    /// What is wrong with it
    message: String,
}

/// What every failed request answers
#[derive(Debug, Object)]
#[oai(rename = "Error")]
pub(crate) struct ErrorBody {
    /// Always false
    success: bool,
    /// A sentence for people
    error: String,
    /// A stable word for programs
    code: String,
    /// A sentence for people
    message: String,
    /// The fields to blame, all of them
    details: Vec<DetailBody>,
    /// When, RFC 3339 in UTC
    timestamp: String,
}

/// The errors that an endpoint documents, beside those of every endpoint.
pub trait Documented: Send + Sync + 'static {
    /// Statuses.
    const STATUSES: &'static [u16];
}

/// A path with nothing to find.
#[derive(Debug)]
pub struct Plain;
/// The state of the server is asked for.
#[derive(Debug)]
pub struct Probe;
/// A thing is looked up.
#[derive(Debug)]
pub struct Lookup;
/// Results are read, which may not be there yet.
#[derive(Debug)]
pub struct Read;
/// A thing is made or changed.
#[derive(Debug)]
pub struct Change;
/// Work is started.
#[derive(Debug)]
pub struct Start;
/// A file is received and work is started on it.
#[derive(Debug)]
pub struct Receive;

impl Documented for Plain {
    const STATUSES: &'static [u16] = &[400, 401, 403, 500];
}
impl Documented for Probe {
    const STATUSES: &'static [u16] = &[400, 403, 500, 503];
}
impl Documented for Lookup {
    const STATUSES: &'static [u16] = &[400, 401, 403, 404, 500];
}
impl Documented for Read {
    const STATUSES: &'static [u16] = &[400, 401, 403, 404, 409, 500];
}
impl Documented for Change {
    const STATUSES: &'static [u16] = &[400, 401, 403, 404, 409, 413, 415, 500, 503];
}
impl Documented for Start {
    const STATUSES: &'static [u16] = &[400, 401, 403, 404, 409, 413, 415, 422, 500, 503, 507];
}

/// A person of a tenant does something.
#[derive(Debug)]
pub struct Tenanted;

impl Documented for Tenanted {
    const STATUSES: &'static [u16] = &[400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 503];
}
impl Documented for Receive {
    const STATUSES: &'static [u16] = &[400, 401, 403, 408, 413, 415, 500, 503, 507];
}

/// A fault on its way out of an endpoint that documents the statuses of `D`.
#[derive(Debug)]
pub struct Refused<D>(Box<Fault>, PhantomData<D>);

impl<D> From<Fault> for Refused<D> {
    fn from(fault: Fault) -> Self {
        Self(Box::new(fault), PhantomData)
    }
}

impl<D: Documented> From<Refused<D>> for Error {
    fn from(refused: Refused<D>) -> Self {
        let status = status(refused.0.code);
        Self::new(*refused.0, status)
    }
}

impl<D: Documented> ApiResponse for Refused<D> {
    fn meta() -> MetaResponses {
        let response = |status: &u16| MetaResponse {
            description: StatusCode::from_u16(*status).ok().and_then(|status| status.canonical_reason()).unwrap_or(""),
            status: Some(*status),
            status_range: None,
            content: vec![MetaMediaType { content_type: "application/json", schema: ErrorBody::schema_ref() }],
            headers: Vec::new(),
        };
        MetaResponses { responses: D::STATUSES.iter().map(response).collect() }
    }

    fn register(registry: &mut Registry) {
        ErrorBody::register(registry);
    }
}

/// Turns a fault into poem's error, for extractors.
pub(crate) fn into_poem(fault: Fault) -> Error {
    let status = status(fault.code);
    Error::new(fault, status)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use super::*;

    async fn body(response: Response) -> Value {
        serde_json::from_str(&response.into_body().into_string().await.unwrap()).unwrap()
    }

    #[tokio::test]
    async fn the_family_decides_what_error_says() {
        let fault = Fault::field("name", "is too long").with("campaign_id", "c");
        let own = body(respond(&fault, "/api/sessions/")).await;
        assert_eq!(own["error"], "`name`: is too long");
        assert_eq!(own["code"], "validation_error");
        assert_eq!(own["details"][0]["field"], "name");
        assert_eq!(own["campaign_id"], "c");
        assert_eq!(own["success"], false);
        let adops = body(respond(&fault, "/api/v1/campaigns")).await;
        assert_eq!(adops["error"], "validation_error");
    }

    #[test]
    fn a_refusal_for_now_says_when_to_come_back() {
        let response = respond(&Fault::broker_away(), "/api/traffic/generate");
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(response.headers().contains_key(header::RETRY_AFTER));
    }

    #[test]
    fn errors_of_the_server_itself_become_faults() {
        assert_eq!(fault_of(&NotFoundError.into()).code, Code::NotFound);
        assert_eq!(fault_of(&MethodNotAllowedError.into()).code, Code::MethodNotAllowed);
        assert_eq!(fault_of(&Error::from_status(StatusCode::BAD_GATEWAY)).code, Code::Internal);
    }
}
