//! A file on its way to its reader, read from the disk as fast as it is taken.

use std::path::Path;

use poem::http::{HeaderValue, header};
use poem::{Body, IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type;
use trafficlab_shared::model::export::ExportFormat;

use crate::adops::exports::Found;
use crate::systems::{Fault, Outcome};

/// A file.
pub struct Download(Response);

impl Download {
    /// Begins to read the file of an export.
    ///
    /// # Errors
    /// 404 when it is gone.
    pub async fn open(found: &Found, path: &Path) -> Outcome<Self> {
        let Ok(file) = tokio::fs::File::open(path).await else {
            return Err(Fault::not_found("Export not found"));
        };
        let format = found.export.spec.format;
        let mut response = Response::builder().content_type(format.content_type()).body(Body::from_async_read(file));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(found.bytes));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Ok(name) = HeaderValue::from_str(&format!("attachment; filename=\"{}\"", name(found))) {
            headers.insert(header::CONTENT_DISPOSITION, name);
        }
        Ok(Self(response))
    }
}

fn name(found: &Found) -> String {
    let (spec, days) = (&found.export.spec, found.export.days);
    format!("{}-{}-{}.{}", spec.table.as_str(), days.first, days.last, spec.format.as_str())
}

impl IntoResponse for Download {
    fn into_response(self) -> Response {
        self.0
    }
}

impl ApiResponse for Download {
    fn meta() -> MetaResponses {
        let content = ExportFormat::ALL
            .iter()
            .map(|format| MetaMediaType { content_type: format.content_type(), schema: String::schema_ref() })
            .collect();
        let description = "The file";
        let response =
            MetaResponse { description, status: Some(200), status_range: None, content, headers: Vec::new() };
        MetaResponses { responses: vec![response] }
    }

    fn register(_: &mut Registry) {}
}
