//! The endpoint of exports.

use std::sync::Arc;

use poem::http::{HeaderValue, header};
use poem::{Body, IntoResponse, Response};
use poem_openapi::param::{Path, Query};
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiResponse, Enum, OpenApi};
use trafficlab_engine::packet::export::{Format, What};

use super::service::{self, Export};
use super::stream;
use crate::http::App;
use crate::http::error::{Documented, Refused};
use crate::http::tags::Tag;
use crate::systems::analyzer::filter::{Asked, Filter};
use crate::systems::analyzer::select;
use crate::systems::{Fault, Outcome};

/// The statuses of refused exports.
#[derive(Debug)]
pub struct Exporting;

impl Documented for Exporting {
    const STATUSES: &'static [u16] = &[400, 401, 403, 404, 409, 500, 503];
}

/// How an export is written
#[derive(Debug, Clone, Copy, Enum)]
#[oai(rename = "ExportFormat", rename_all = "lowercase")]
enum FormatName {
    Csv,
    Parquet,
    Jsonl,
    Influx,
    Zeek,
    Eve,
}

impl From<FormatName> for Format {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::Csv => Self::Csv,
            FormatName::Parquet => Self::Parquet,
            FormatName::Jsonl => Self::Jsonl,
            FormatName::Influx => Self::Influx,
            FormatName::Zeek => Self::Zeek,
            FormatName::Eve => Self::Eve,
        }
    }
}

/// What an export holds
#[derive(Debug, Clone, Copy, Enum)]
#[oai(rename_all = "lowercase")]
enum WhatName {
    Windows,
    Anomalies,
    Connections,
}

impl From<WhatName> for What {
    fn from(name: WhatName) -> Self {
        match name {
            WhatName::Windows => Self::Windows,
            WhatName::Anomalies => Self::Anomalies,
            WhatName::Connections => Self::Connections,
        }
    }
}

/// A file on its way.
pub struct File(Response);

impl IntoResponse for File {
    fn into_response(self) -> Response {
        self.0
    }
}

impl ApiResponse for File {
    fn meta() -> MetaResponses {
        let mut types: Vec<&'static str> = Format::ALL.map(Format::content_type).to_vec();
        types.dedup();
        let content =
            types.into_iter().map(|content_type| MetaMediaType { content_type, schema: String::schema_ref() });
        let description = "The file; a transfer that is broken off was not read to its end";
        let content = content.collect();
        let response =
            MetaResponse { description, status: Some(200), status_range: None, content, headers: Vec::new() };
        MetaResponses { responses: vec![response] }
    }

    fn register(_: &mut Registry) {}
}

/// The endpoint of exports.
pub struct ExportApi(pub Arc<App>);

#[allow(clippy::too_many_arguments, reason = "each argument is a parameter of the request")]
#[OpenApi(tag = "Tag::Streams")]
impl ExportApi {
    /// Windows, anomalies or connections of a capture as a file
    ///
    /// `csv` (RFC 4180), `parquet` (zstd), `jsonl` (the objects of this API), `influx` (line protocol), `zeek`
    /// (`conn.log` of connections, `notice.log` of anomalies), `eve` (Suricata's EVE JSON). A live capture gives what is
    /// stored so far. All conditions must hold; words with commas between them are alternatives.
    #[oai(path = "/api/captures/:capture_id/export", method = "get", operation_id = "captureExport")]
    async fn export(
        &self,
        /// The capture
        Path(capture_id): Path<String>,
        /// How it is written, `csv` when not given
        Query(format): Query<Option<FormatName>>,
        /// What it holds, `windows` when not given (`connections` for `zeek`)
        Query(what): Query<Option<WhatName>>,
        /// Replace every address under a key of this installation, networks staying networks (Crypto-PAn)
        Query(anonymise): Query<Option<bool>>,
        /// Windows and anomalies that begin at or after this, connections not over before it: epoch seconds or RFC 3339
        Query(from): Query<Option<String>>,
        /// Those that begin before this
        Query(to): Query<Option<String>>,
        /// An address or a network; windows that name one such
        Query(host): Query<Option<String>>,
        /// `tcp`, `udp`, `arp`, …, or a service such as `https`
        Query(protocol): Query<Option<String>>,
        /// `medium`, `high`; windows that have such an anomaly
        Query(severity): Query<Option<String>>,
        /// Types of anomalies; windows that have such an anomaly
        #[oai(name = "type")]
        Query(kind): Query<Option<String>>,
    ) -> Result<File, Refused<Exporting>> {
        let filter = Filter::read(&Asked { from, to, host, protocol, severity, kind })?;
        let (format, what) = form(format, what)?;
        let anonymiser = anonymise.unwrap_or(false).then(|| service::anonymiser(&self.0)).transpose()?;
        let capture = select::readable(self.0.store(), Some(&capture_id))?;
        let capture = capture.ok_or_else(|| Fault::not_found("Capture not found"))?;
        Ok(file(&self.0, Export { capture, format, what, filter, anonymiser })?)
    }
}

/// What is asked for, with the defaults.
fn form(format: Option<FormatName>, what: Option<WhatName>) -> Outcome<(Format, What)> {
    let format = format.map_or(Format::Csv, Format::from);
    let usual = if format.holds(What::Windows) { What::Windows } else { What::Connections };
    let what = what.map_or(usual, What::from);
    if format.holds(what) {
        return Ok((format, what));
    }
    Err(Fault::field("what", format!("`{}` has no form for {}", format.as_str(), what.as_str())))
}

fn file(app: &App, export: Export) -> Outcome<File> {
    let permit = app.streams.export()?;
    let name = format!("attachment; filename=\"{}\"", export.file_name());
    let content_type = export.format.content_type();
    let (store, segments) = (app.store().clone(), app.dispatch.segments.clone());
    let body = stream::body(permit, move |out| export.write(&store, &segments, out));
    let mut response = Response::builder().content_type(content_type).body(Body::from_bytes_stream(body));
    if let Ok(name) = HeaderValue::from_str(&name) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(File(response))
}
