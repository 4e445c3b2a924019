//! JSON responses whose form is documented by a type and whose value may come from the store.

use std::marker::PhantomData;

use poem::http::{HeaderName, HeaderValue, StatusCode};
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type;
use serde::Serialize;

use crate::systems::Fault;

/// A JSON body of the form `D`, with the status `STATUS`.
#[derive(Debug)]
pub struct Reply<D, const STATUS: u16 = 200> {
    body: Vec<u8>,
    headers: Vec<(HeaderName, HeaderValue)>,
    documented: PhantomData<fn() -> D>,
}

impl<D, const STATUS: u16> Reply<D, STATUS> {
    /// A reply with this body.
    ///
    /// # Errors
    /// When the value has no JSON form, which none of ours lacks.
    pub fn new<T: Serialize>(value: &T) -> Result<Self, Fault> {
        let body = serde_json::to_vec(value).map_err(|error| Fault::internal("response", &error))?;
        Ok(Self { body, headers: Vec::new(), documented: PhantomData })
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<HeaderValue>) -> Self {
        self.headers.push((HeaderName::from_static(name), value.into()));
        self
    }
}

impl<D: Send, const STATUS: u16> IntoResponse for Reply<D, STATUS> {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(STATUS).unwrap_or(StatusCode::OK);
        let mut response = Response::builder().status(status).content_type("application/json").body(self.body);
        for (name, value) in self.headers {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

impl<D: Type, const STATUS: u16> ApiResponse for Reply<D, STATUS> {
    fn meta() -> MetaResponses {
        let content = vec![MetaMediaType { content_type: "application/json", schema: D::schema_ref() }];
        let response =
            MetaResponse { description: "", status: Some(STATUS), status_range: None, content, headers: Vec::new() };
        MetaResponses { responses: vec![response] }
    }

    fn register(registry: &mut Registry) {
        D::register(registry);
    }
}
