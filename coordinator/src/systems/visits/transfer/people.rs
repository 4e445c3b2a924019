//! A person's visits, shown or erased. No id of a person gets into a log.

use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;

use poem::Body;
use trafficlab_engine::visit::enrich::text::{self, MAX_BYTES};
use trafficlab_engine::visit::table::{Format, Table};

use super::export::{self, File};
use super::types::{ErasedBody, PersonBody};
use crate::http::App;
use crate::systems::analyzer::export::stream;
use crate::systems::visits::stats::{scope, wrong};
use crate::systems::{Code, Fault, Outcome};
use crate::visits::store::VisitsError;
use crate::visits::transfer::people;

struct Person {
    user_id: String,
    site: Option<String>,
}

fn person(app: &App, body: PersonBody) -> Outcome<Person> {
    // The id becomes what the ingest made of it, else a person whose id has a control character would never be found.
    let user_id = text::clean(&body.user_id).into_owned();
    if user_id.is_empty() || body.user_id.len() > MAX_BYTES {
        return Err(wrong("user_id", format!("must be a text of 1 to {MAX_BYTES} bytes")));
    }
    let named = body.site_id.filter(|site| !site.is_empty());
    let site = named.map(|site| scope::site(app, Some(&site), None)).transpose()?;
    Ok(Person { user_id, site: site.map(|site| site.domain.clone()) })
}

/// Everything that is stored of a person, as JSON lines.
///
/// # Errors
/// 404 for an unknown site, 422 without an id, 503 when too many exports are read.
pub(super) fn show(app: &Arc<App>, body: PersonBody) -> Outcome<File> {
    let person = person(app, body)?;
    let permit = app.streams.export()?;
    let visits = Arc::clone(&app.visits);
    let written = stream::body(permit, move |out| {
        let mut table = Table::new(Format::Ndjson, out)?;
        let mut failed = None;
        let shown = people::each_visit(&visits, &person.user_id, person.site.as_deref(), |visit| {
            failed = table.push(visit).err();
            if failed.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        shown.map_err(io::Error::other)?;
        failed.map_or(Ok(()), Err)?;
        table.finish().map(drop)
    });
    Ok(export::attachment("visits-of-a-person.ndjson", Format::Ndjson, Body::from_bytes_stream(written)))
}

/// Erases every visit of a person. It is gone from all files when this answers.
///
/// # Errors
/// 404 for an unknown site, 422 without an id, 503 and 507 when files cannot be written now.
pub(super) async fn erase(app: &Arc<App>, body: PersonBody) -> Outcome<ErasedBody> {
    let person = person(app, body)?;
    let visits = Arc::clone(&app.visits);
    let work = move || people::erase(&visits, &person.user_id, person.site.as_deref());
    // Once begun it goes on also when the caller goes away.
    let erased = tokio::task::spawn_blocking(work).await;
    let erased = erased.map_err(|error| Fault::internal("erasing visits", &error))?.map_err(fault)?;
    tracing::info!(visits = erased.rows, sites = erased.sites, "the visits of a person are erased");
    Ok(ErasedBody { success: true, erased: erased.rows, sites: erased.sites })
}

#[allow(clippy::needless_pass_by_value, reason = "the form that map_err asks for")]
pub(super) fn fault(error: VisitsError) -> Fault {
    match error {
        VisitsError::Full(_) => Fault::new(Code::InsufficientStorage, "The disk is full; visits cannot be rewritten"),
        VisitsError::Busy | VisitsError::Closed => {
            Fault { retry_after: Some(5), ..Fault::new(Code::Unavailable, "Visits cannot be rewritten right now") }
        }
        other => Fault::internal("visits", &other),
    }
}
