//! `POST /visit`: one visit, answered when it is on the disk.

use poem::http::StatusCode;
use poem::{Request, Response};

use super::body::{self, VisitBody};
use super::outcome::{self, Outcome};
use super::{asker, reply};
use crate::http::App;
use crate::systems::Fault;

/// Counts a visit.
///
/// # Errors
/// 400 and 422 for a body that is wrong, 415, 429, 503, 507.
pub async fn post(app: &App, request: &Request, body: &[u8]) -> Result<Response, Fault> {
    let store = &app.visits.store;
    match take(app, request, body)? {
        Outcome::Recorded(ticket) | Outcome::Duplicate(ticket) => {
            let count = store.durable(&ticket).await?;
            let message = format_args!("Visit logged successfully. Total visits: {count}");
            Ok(reply::json(StatusCode::OK, rendered(count, message)))
        }
        Outcome::Dropped(reason) => {
            let count = store.counts().total;
            let message = format_args!("Visit not counted: {}. Total visits: {count}", reason.as_str());
            Ok(reply::dropped(reply::json(StatusCode::ACCEPTED, rendered(count, message)), reason))
        }
    }
}

fn rendered(count: u64, message: std::fmt::Arguments<'_>) -> String {
    format!(r#"{{"success":true,"visit_count":{count},"message":"{message}"}}"#)
}

fn take(app: &App, request: &Request, bytes: &[u8]) -> Result<Outcome, Fault> {
    let headers = request.headers();
    body::check_type(headers, &[])?;
    let asker = asker::read(&app.config, request);
    let body: VisitBody<'_> = body::parse_object(bytes)?;
    let mut hit = body.hit(&asker).map_err(body::unprocessable)?;
    if hit.event_id.is_none() {
        hit.event_id = body::idempotency_key(headers)?.map(Into::into);
    }
    outcome::record(&app.visits, &asker, hit)
}
