//! Raw visits as a file, filtered as the statistics are.

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use poem::http::{HeaderValue, header};
use poem::{Body, IntoResponse, Response};
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiResponse, Enum};
use trafficlab_engine::visit::data::{DataFault, Slices};
use trafficlab_engine::visit::query::{self, Effort};
use trafficlab_engine::visit::question::Question;
use trafficlab_engine::visit::record::Visit;
use trafficlab_engine::visit::table::{Format, Table};

use crate::http::App;
use crate::systems::analyzer::export::stream;
use crate::systems::visits::stats::scope::Scope;
use crate::systems::{Fault, Outcome, blocking};

/// Distinct values of a filter's property that are judged.
const MOST_VALUES: usize = 5_000_000;

/// How visits are written
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "VisitFormat", rename_all = "lowercase")]
pub(super) enum FormatName {
    Csv,
    Ndjson,
    Parquet,
}

impl From<FormatName> for Format {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::Csv => Self::Csv,
            FormatName::Ndjson => Self::Ndjson,
            FormatName::Parquet => Self::Parquet,
        }
    }
}

/// A file on its way.
pub(super) struct File(Response);

impl IntoResponse for File {
    fn into_response(self) -> Response {
        self.0
    }
}

impl ApiResponse for File {
    fn meta() -> MetaResponses {
        let content = Format::ALL
            .map(|format| MetaMediaType { content_type: format.content_type(), schema: String::schema_ref() })
            .into_iter()
            .collect();
        let description = "The file; a transfer that is broken off was not read to its end";
        let response =
            MetaResponse { description, status: Some(200), status_range: None, content, headers: Vec::new() };
        MetaResponses { responses: vec![response] }
    }

    fn register(_: &mut Registry) {}
}

/// The visits of a question as a file that is written while it is read.
///
/// # Errors
/// 503 when too many exports are read.
pub(super) async fn visits(app: &Arc<App>, scope: Scope, format: Format) -> Outcome<File> {
    let permit = app.streams.export()?;
    let (own, question, site) = (Arc::clone(app), scope.question.clone(), scope.site.domain.clone());
    let domain = site.clone();
    // Taken before the response begins, so that what cannot be read is an error and not a file that is cut off.
    let data = blocking(move || {
        let data = own.visits.store.data(&domain, question.from_ms, question.until_ms);
        data.map_err(|error| Fault::internal("stored visits cannot be read", &error))
    });
    let data = data.await?;
    let name = file_name(&site, format);
    let body = stream::body(permit, move |out| write(&data, &scope.question, &site, format, out));
    Ok(attachment(&name, format, Body::from_bytes_stream(body)))
}

/// A response that browsers save.
pub(super) fn attachment(name: &str, format: Format, body: Body) -> File {
    let mut response = Response::builder().content_type(format.content_type()).body(body);
    if let Ok(name) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    File(response)
}

/// A name that says what is inside, without anything but letters of hosts.
fn file_name(site: &str, format: Format) -> String {
    let plain = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-');
    let site: String = site.chars().filter(plain).take(100).collect();
    format!("visits-{site}.{}", format.as_str())
}

/// Writes every visit that fits; blocks.
fn write(
    data: &[Arc<dyn Slices>],
    question: &Question,
    site: &str,
    format: Format,
    out: &mut (impl Write + Send),
) -> io::Result<()> {
    let stop = AtomicBool::new(false);
    let effort = Effort { threads: NonZeroUsize::MIN, stop: &stop, most_groups: MOST_VALUES };
    let mut table = Table::new(format, out)?;
    let mut failed = None;
    let scanned = query::scan(data, question, &effort, &mut |visit| {
        match table.push(&Visit { site, ..*visit }) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                // The client is gone, most likely: nobody needs the rest.
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    });
    scanned.map_err(|fault: DataFault| io::Error::other(fault))?;
    failed.map_or(Ok(()), Err)?;
    table.finish().map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_hold_nothing_strange() {
        assert_eq!(file_name("example.com", Format::Csv), "visits-example.com.csv");
        assert_eq!(file_name("a\"b/../c", Format::Parquet), "visits-ab..c.parquet");
    }
}
