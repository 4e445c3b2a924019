//! The two ways in which a request that waits for a job is answered: 200 with the result, 202 with where the job stands.

use std::marker::PhantomData;

use poem::http::{StatusCode, header};
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type;
use serde::Serialize;

use super::jobs::Waited;
use super::types::PendingBody;
use crate::systems::{Fault, Outcome};

/// A result of the form `D`, or 202.
pub(super) struct Answer<D> {
    status: StatusCode,
    body: Vec<u8>,
    location: Option<String>,
    documented: PhantomData<fn() -> D>,
}

impl<D> Answer<D> {
    /// The answer to a request that waited.
    ///
    /// # Errors
    /// When the value has no JSON form, which none of ours lacks.
    pub(super) fn new<T: Serialize>(waited: &Waited<T>) -> Outcome<Self> {
        let failed = |error: serde_json::Error| Fault::internal("response", &error);
        let (status, body, location) = match waited {
            Waited::Done(value) => (StatusCode::OK, serde_json::to_vec(value).map_err(failed)?, None),
            Waited::Pending(pending) => {
                let location = format!("/api/captures/{}", pending.capture);
                (StatusCode::ACCEPTED, serde_json::to_vec(pending).map_err(failed)?, Some(location))
            }
        };
        Ok(Self { status, body, location, documented: PhantomData })
    }
}

impl<D: Send> IntoResponse for Answer<D> {
    fn into_response(self) -> Response {
        let mut response = Response::builder().status(self.status).content_type("application/json");
        if let Some(location) = self.location {
            response = response.header(header::LOCATION, location);
        }
        response.body(self.body)
    }
}

impl<D: Type> ApiResponse for Answer<D> {
    fn meta() -> MetaResponses {
        let response = |description, status, schema| MetaResponse {
            description,
            status: Some(status),
            status_range: None,
            content: vec![MetaMediaType { content_type: "application/json", schema }],
            headers: Vec::new(),
        };
        MetaResponses {
            responses: vec![
                response("Done", 200, D::schema_ref()),
                response("The job goes on; the same request again waits for it", 202, PendingBody::schema_ref()),
            ],
        }
    }

    fn register(registry: &mut Registry) {
        D::register(registry);
        PendingBody::register(registry);
    }
}
