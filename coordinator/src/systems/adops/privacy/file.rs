//! An archive on its way to the one who may see it.

use poem::http::{HeaderValue, header};
use poem::{Body, IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type;

use crate::adops::UserId;

/// The response.
pub(super) struct ArchiveFile(Response);

impl ArchiveFile {
    pub(super) fn new(person: UserId, file: std::fs::File) -> Self {
        let body = Body::from_async_read(tokio::fs::File::from_std(file));
        let mut response = Response::builder().content_type("application/json").body(body);
        if let Ok(name) = HeaderValue::from_str(&format!("attachment; filename=\"person-{person}.json\"")) {
            response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
        }
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Self(response)
    }
}

impl IntoResponse for ArchiveFile {
    fn into_response(self) -> Response {
        self.0
    }
}

impl ApiResponse for ArchiveFile {
    fn meta() -> MetaResponses {
        let content = vec![MetaMediaType { content_type: "application/json", schema: String::schema_ref() }];
        let description = "The archive, a JSON document";
        let response =
            MetaResponse { description, status: Some(200), status_range: None, content, headers: Vec::new() };
        MetaResponses { responses: vec![response] }
    }

    fn register(registry: &mut Registry) {
        String::register(registry);
    }
}
