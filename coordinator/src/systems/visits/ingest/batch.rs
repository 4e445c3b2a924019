//! `POST /visit/batch`: many visits at once, as lines of JSON or as an array, each judged by itself.

use std::borrow::Cow;

use poem::http::StatusCode;
use poem::{Request, Response};
use serde_json::value::RawValue;
use trafficlab_engine::visit::enrich::source::Source;
use trafficlab_engine::visit::record::Visit;

use super::body::{self, VisitBody};
use super::verdict::{Tally, Verdict};
use super::{asker, reply};
use crate::http::App;
use crate::systems::{Code, Fault};
use crate::visits::intake::{Admitted, Asker, Refusal};
use crate::visits::store::{Arrival, Recorded};

/// Most visits of one request.
const MOST: usize = 10_000;
/// Visits that are read, enriched and recorded together, so that what they need stays in the processor's caches.
const AT_ONCE: usize = 128;
const LINES: [&str; 3] = ["application/x-ndjson", "application/ndjson", "application/jsonl"];

/// Counts visits.
///
/// # Errors
/// 400 for an array that is no JSON, 413, 415, 422 for too many, 503 when the disk does not keep up, 507.
pub async fn post(app: &App, request: &Request, body: &[u8]) -> Result<Response, Fault> {
    body::check_type(request.headers(), &LINES)?;
    let asker = asker::read(&app.config, request);
    let all = request.uri().query().is_some_and(|query| query.split('&').any(|pair| pair == "results=all"));
    let key = body::idempotency_key(request.headers())?;
    let items = items(body)?;
    if items.len() > MOST {
        let message = format!("has {} visits; at most {MOST} are taken at once", items.len());
        return Err(body::unprocessable(vec![trafficlab_shared::error::FieldFault::new("body", message)]));
    }
    let mut tally = Tally::new(all);
    for (begin, chunk) in (0..).step_by(AT_ONCE).zip(items.chunks(AT_ONCE)) {
        take(app, &asker, key, begin, chunk, &mut tally);
        // Other requests have their turn between the chunks of a large batch.
        tokio::task::yield_now().await;
    }
    let count = tally.settle(&app.visits.store).await?;
    Ok(reply::json(StatusCode::OK, tally.rendered(count)))
}

/// The texts of the items. An array is taken apart as a whole; lines are not even looked at.
fn items(body: &[u8]) -> Result<Vec<&[u8]>, Fault> {
    let text = body.trim_ascii();
    if text.first() == Some(&b'[') {
        let items: Vec<&RawValue> = body::parse(text)?;
        return Ok(items.into_iter().map(|item| item.get().as_bytes()).collect());
    }
    let lines: Vec<&[u8]> = lines(text).collect();
    if lines.is_empty() {
        return Err(Fault::new(Code::Malformed, "The body has no visits").with("line", 1).with("column", 1));
    }
    Ok(lines)
}

/// Lines that are not blank.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut begin = 0;
    let ends = memchr::memchr_iter(b'\n', text).chain(std::iter::once(text.len()));
    let lines = ends.map(move |end| {
        let line = text.get(begin..end).unwrap_or_default();
        begin = end + 1;
        line.trim_ascii()
    });
    lines.filter(|line| !line.is_empty())
}

/// Reads, judges and records some items; the first of them is the one at `begin`.
fn take(app: &App, asker: &Asker<'_>, key: Option<&str>, begin: usize, items: &[&[u8]], tally: &mut Tally) {
    let visits = &app.visits;
    let bodies: Vec<Result<VisitBody<'_>, Fault>> = items.iter().map(|item| body::parse_object(item)).collect();
    let mut admitted: Vec<(usize, Admitted<'_>)> = Vec::with_capacity(items.len());
    for (index, body) in (begin..).zip(&bodies) {
        let hit = match body {
            Ok(body) => body.hit(asker).map_err(body::unprocessable),
            Err(fault) => Err(fault.clone()),
        };
        let mut hit = match hit {
            Ok(hit) => hit,
            Err(fault) => {
                tally.add(index, Verdict::Rejected(fault));
                continue;
            }
        };
        if let (None, Some(key)) = (&hit.event_id, key) {
            hit.event_id = Some(Cow::Owned(format!("{key}#{index}")));
        }
        match visits.intake.admit(&visits.sites, asker, hit) {
            Ok(visit) => admitted.push((index, visit)),
            Err(Refusal::Dropped(reason)) => tally.add(index, Verdict::Dropped(reason)),
            Err(Refusal::TooMany(seconds)) => tally.add(index, Verdict::Limited(seconds)),
        }
    }
    let sources: Vec<Source<'_>> = admitted.iter().map(|(_, visit)| visit.source()).collect();
    let stored: Vec<Visit<'_>> =
        admitted.iter().zip(&sources).map(|((_, visit), source)| visit.visit(source)).collect();
    let recorded = visits.store.record_all(&stored, Arrival::Live);
    for ((index, _), recorded) in admitted.iter().zip(recorded) {
        let verdict = match recorded {
            Recorded::Accepted(ticket) => Verdict::Accepted(ticket),
            Recorded::Duplicate(ticket) => Verdict::Duplicate(ticket),
            Recorded::Full => Verdict::Busy,
        };
        tally.add(*index, verdict);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn lines_and_arrays_are_taken_apart() {
        let found = |body: &str| -> Vec<String> {
            let items = items(body.as_bytes()).unwrap();
            items.iter().map(|item| String::from_utf8(item.to_vec()).unwrap()).collect()
        };
        assert_eq!(found("{\"a\":1}\n\r\n  {\"b\":2}\r\nnope"), ["{\"a\":1}", "{\"b\":2}", "nope"]);
        assert_eq!(found(" [ {\"a\":[1]} , 7,{}]\n"), ["{\"a\":[1]}", "7", "{}"]);
        assert!(found("[]").is_empty());
        for body in ["", " \n ", "[{}", "[{},]", "[{}] x"] {
            assert_eq!(items(body.as_bytes()).unwrap_err().code, Code::Malformed, "{body}");
        }
    }
}
