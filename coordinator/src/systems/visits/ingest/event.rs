//! `POST /api/event` and `POST /visit/event`: events as Plausible's scripts and libraries send them.

use poem::http::{HeaderValue, StatusCode};
use poem::{Request, Response};
use serde_json::{Map, Value};

use super::outcome::{self, Outcome};
use super::plausible::EventBody;
use super::{asker, body, reply};
use crate::http::App;
use crate::systems::{Code, Fault};
use crate::visits::intake::{Asker, Reason};

/// Counts an event. Its type is not looked at: beacons send JSON as plain text.
///
/// # Errors
/// 400 in the form of Plausible for an event that cannot be used, 429, 503, 507.
pub async fn post(app: &App, request: &Request, body: &[u8]) -> Result<Response, Fault> {
    let asker = asker::read(&app.config, request);
    let event: EventBody<'_> = body::parse_object(body).map_err(in_its_form)?;
    let accepted = reply::of_type(StatusCode::ACCEPTED, HeaderValue::from_static("text/plain; charset=utf-8"), "ok");
    if event.is_engagement() {
        app.visits.intake.drops.add(Reason::Engagement);
        return Ok(reply::dropped(accepted, Reason::Engagement));
    }
    let outcomes = take(app, &asker, &event)?;
    let mut reason = None;
    for outcome in outcomes {
        match outcome {
            Outcome::Recorded(ticket) | Outcome::Duplicate(ticket) => {
                app.visits.store.durable(&ticket).await?;
            }
            Outcome::Dropped(why) => reason = Some(why),
        }
    }
    Ok(match reason {
        Some(reason) => reply::dropped(accepted, reason),
        None => accepted,
    })
}

fn take(app: &App, asker: &Asker<'_>, event: &EventBody<'_>) -> Result<Vec<Outcome>, Fault> {
    let hits = event.hits().map_err(|faults| in_its_form(body::unprocessable(faults)))?;
    let mut outcomes = Vec::with_capacity(hits.len());
    for hit in hits {
        match outcome::record(&app.visits, asker, hit) {
            Ok(outcome) => outcomes.push(outcome),
            Err(fault) if outcomes.is_empty() => return Err(fault),
            // An error would have the event sent again, and then it would count twice for the sites that have it.
            Err(_) => {
                app.visits.intake.drops.add(Reason::Overload);
                outcomes.push(Outcome::Dropped(Reason::Overload));
            }
        }
    }
    Ok(outcomes)
}

/// An event that cannot be used is 400, and `errors` lists what is wrong by field, as Plausible answers.
fn in_its_form(mut fault: Fault) -> Fault {
    let mut errors = Map::new();
    for detail in &fault.details {
        let messages = errors.entry(detail.field.clone()).or_insert_with(|| Value::Array(Vec::new()));
        if let Some(messages) = messages.as_array_mut() {
            messages.push(Value::String(detail.message.clone()));
        }
    }
    if fault.code == Code::Unprocessable {
        fault.code = Code::Validation;
    }
    if fault.details.is_empty() {
        errors.insert("request".to_owned(), Value::Array(vec![Value::String(fault.message.clone())]));
    }
    fault.with("errors", errors)
}
