//! The endpoints that stream entries.

use std::sync::Arc;

use poem::http::{HeaderMap, HeaderValue, header};
use poem::{Body, IntoResponse, Response};
use poem_openapi::param::{Path, Query};
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiResponse, Enum, OpenApi};
use serde_json::Value;

use super::select::{self, Asked};
use super::stream::{self, Format, Plan};
use crate::http::App;
use crate::http::error::{Lookup, Plain, Refused};
use crate::http::tags::Tag;

/// How entries are written
#[derive(Debug, Clone, Copy, Enum)]
#[oai(rename_all = "lowercase")]
enum FormatName {
    Json,
    Ndjson,
    Csv,
}

/// A stream of entries.
pub struct Entries {
    response: Response,
}

impl Entries {
    fn new(app: &App, plan: Plan, filename: Option<&str>) -> Self {
        let format = plan.format;
        let body = Body::from_bytes_stream(stream::body(app.store(), &app.dispatch.segments, plan));
        let mut response = Response::builder().content_type(format.media_type()).body(body);
        let disposition =
            filename.and_then(|name| HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")).ok());
        if let Some(disposition) = disposition {
            response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
        }
        Self { response }
    }
}

impl IntoResponse for Entries {
    fn into_response(self) -> Response {
        self.response
    }
}

impl ApiResponse for Entries {
    fn meta() -> MetaResponses {
        let content = vec![
            MetaMediaType { content_type: "application/json", schema: Value::schema_ref() },
            MetaMediaType { content_type: "application/x-ndjson", schema: String::schema_ref() },
            MetaMediaType { content_type: "text/csv", schema: String::schema_ref() },
        ];
        let description = "Entries in the order of their sequences, as they were when the request came";
        let response =
            MetaResponse { description, status: Some(200), status_range: None, content, headers: Vec::new() };
        MetaResponses { responses: vec![response] }
    }

    fn register(_: &mut Registry) {}
}

/// `format=` decides, else `Accept`, else JSON.
fn format(name: Option<FormatName>, headers: &HeaderMap) -> Format {
    match name {
        Some(FormatName::Json) => return Format::Json,
        Some(FormatName::Ndjson) => return Format::Ndjson,
        Some(FormatName::Csv) => return Format::Csv,
        None => {}
    }
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let known = |range: &str| match range.split(';').next().unwrap_or_default().trim() {
        "application/json" => Some(Format::Json),
        "application/x-ndjson" | "application/jsonl" | "application/ndjson" => Some(Format::Ndjson),
        "text/csv" => Some(Format::Csv),
        _ => None,
    };
    accept.split(',').find_map(known).unwrap_or(Format::Json)
}

/// The endpoints with entries.
pub struct DataApi(pub Arc<App>);

#[allow(clippy::too_many_arguments, reason = "each argument is a parameter of the request")]
#[OpenApi(tag = "Tag::Data")]
impl DataApi {
    /// The entries of a campaign, in the order of their sequences
    ///
    /// Without `limit` all of them are streamed. The set is that of the request's start, and so is `metadata`.
    #[oai(path = "/api/traffic/generated/:campaign_id", method = "get", operation_id = "generated")]
    async fn generated(
        &self,
        Path(campaign_id): Path<String>,
        /// At most this many
        Query(limit): Query<Option<u64>>,
        /// Leave out this many
        Query(offset): Query<Option<u64>>,
        /// Begin behind this sequence; `metadata.next_cursor` of the page before
        Query(cursor): Query<Option<u64>>,
        /// Only this run's
        Query(run): Query<Option<String>>,
        /// `json`, `ndjson` or `csv`; else `Accept` decides
        #[oai(name = "format")]
        Query(name): Query<Option<FormatName>>,
        headers: &HeaderMap,
    ) -> Result<Entries, Refused<Lookup>> {
        let asked = Asked { limit, offset, cursor, run, format: format(name, headers) };
        Ok(Entries::new(&self.0, select::generated(self.0.store(), &campaign_id, &asked)?, None))
    }

    /// The entries of a campaign as a file, with metadata
    #[oai(path = "/api/traffic/download/:campaign_id", method = "get", operation_id = "download")]
    async fn download(
        &self,
        Path(campaign_id): Path<String>,
        /// At most this many
        Query(limit): Query<Option<u64>>,
        /// Leave out this many
        Query(offset): Query<Option<u64>>,
        /// Begin behind this sequence
        Query(cursor): Query<Option<u64>>,
        /// Only this run's
        Query(run): Query<Option<String>>,
        /// `json`, `ndjson` or `csv`; else `Accept` decides
        #[oai(name = "format")]
        Query(name): Query<Option<FormatName>>,
        headers: &HeaderMap,
    ) -> Result<Entries, Refused<Lookup>> {
        let asked = Asked { limit, offset, cursor, run, format: format(name, headers) };
        let (plan, filename) = select::download(self.0.store(), &campaign_id, &asked)?;
        Ok(Entries::new(&self.0, plan, Some(&filename)))
    }

    /// The entries of all campaigns, one campaign after the other
    #[oai(path = "/api/traffic/generated", method = "get", operation_id = "generatedAll")]
    async fn generated_all(
        &self,
        /// At most this many
        Query(limit): Query<Option<u64>>,
        /// Leave out this many
        Query(offset): Query<Option<u64>>,
        /// `json`, `ndjson` or `csv`; else `Accept` decides
        #[oai(name = "format")]
        Query(name): Query<Option<FormatName>>,
        headers: &HeaderMap,
    ) -> Result<Entries, Refused<Plain>> {
        let asked = Asked { limit, offset, cursor: None, run: None, format: format(name, headers) };
        Ok(Entries::new(&self.0, select::generated_all(self.0.store(), &asked)?, None))
    }
}
