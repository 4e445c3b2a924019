//! `GET /visit.gif`: a picture of one transparent dot, for pages and mails without scripts.

use poem::http::{HeaderValue, Method, StatusCode, header};
use poem::{Request, Response};

use super::fields::{Faults, Text};
use super::outcome::{self, Outcome};
use super::{asker, body, reply};
use crate::http::App;
use crate::systems::Fault;
use crate::visits::intake::{Asker, Hit};

/// A GIF89a of one transparent dot: header, screen of 1×1 with two colours, graphic control, image, end.
const DOT: &[u8; 43] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff\
    !\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";

/// The parameters.
#[derive(Debug, Default)]
struct Asked<'a> {
    url: Option<Text<'a>>,
    user_id: Option<Text<'a>>,
    referrer: Option<Text<'a>>,
    event: Option<Text<'a>>,
    event_id: Option<Text<'a>>,
}

/// Counts a visit and answers the picture.
///
/// # Errors
/// 422 for parameters that are wrong, 429, 503, 507.
pub async fn get(app: &App, request: &Request) -> Result<Response, Fault> {
    let picture = |status| reply::of_type(status, HeaderValue::from_static("image/gif"), DOT.as_slice());
    if request.method() == Method::HEAD {
        return Ok(picture(StatusCode::OK));
    }
    match take(app, request)? {
        Outcome::Recorded(ticket) | Outcome::Duplicate(ticket) => {
            app.visits.store.durable(&ticket).await?;
            Ok(picture(StatusCode::OK))
        }
        Outcome::Dropped(reason) => Ok(reply::dropped(picture(StatusCode::ACCEPTED), reason)),
    }
}

fn take(app: &App, request: &Request) -> Result<Outcome, Fault> {
    let asker = asker::read(&app.config, request);
    let mut asked = asked(request.uri().query().unwrap_or_default());
    if asked.url.is_none() {
        // A picture in a page is asked for with the page's address, as far as the browser tells it.
        let referer = request.headers().get(header::REFERER).and_then(|value| value.to_str().ok());
        asked.url = referer.map(|text| Text(text.into()));
    }
    let hit = hit(&asked)?;
    record(app, &asker, hit)
}

fn record<'a>(app: &App, asker: &Asker<'a>, hit: Hit<'a>) -> Result<Outcome, Fault> {
    outcome::record(&app.visits, asker, hit)
}

fn asked(query: &str) -> Asked<'_> {
    let mut asked = Asked::default();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let place = match name.as_ref() {
            "url" | "u" => &mut asked.url,
            "user_id" => &mut asked.user_id,
            "r" | "referrer" => &mut asked.referrer,
            "e" | "event" => &mut asked.event,
            "event_id" => &mut asked.event_id,
            _ => continue,
        };
        *place = Some(Text(value));
    }
    asked
}

fn hit<'a>(asked: &'a Asked<'_>) -> Result<Hit<'a>, Fault> {
    let mut faults = Faults::default();
    let page = faults.required("url", asked.url.as_ref()).and_then(|url| faults.page("url", url));
    let user_id = faults.optional("user_id", asked.user_id.as_ref()).and_then(|id| faults.kept("user_id", id));
    let referrer = faults.optional("r", asked.referrer.as_ref());
    let event = faults.optional("e", asked.event.as_ref()).and_then(|name| faults.kept("e", name));
    let event_id = faults.optional("event_id", asked.event_id.as_ref());
    let event_id = event_id.and_then(|id| faults.event_id("event_id", id));
    let (Some(page), true) = (page, faults.0.is_empty()) else { return Err(body::unprocessable(faults.0)) };
    let mut hit = Hit::new(page);
    if let Some(event) = event {
        hit.event = event;
    }
    (hit.user_id, hit.referrer, hit.event_id) = (user_id, referrer, event_id);
    Ok(hit)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn parameters_become_a_visit() {
        let asked_for = asked("url=https%3A%2F%2Fa.example%2Fp%3Fq&user_id=u&r=https%3A%2F%2Fb.example&e=Sign+up");
        let hit = hit(&asked_for).unwrap();
        assert_eq!((hit.page.host.as_ref(), hit.page.path.as_ref()), ("a.example", "/p"));
        assert_eq!(
            (hit.user_id.as_deref(), hit.referrer, hit.event.as_ref()),
            (Some("u"), Some("https://b.example"), "Sign up")
        );
    }

    #[test]
    fn wrong_parameters_are_named() {
        for query in ["", "url=", "url=relative", "user_id=u"] {
            let asked_for = asked(query);
            let fault = hit(&asked_for).unwrap_err();
            assert!(fault.details.iter().any(|detail| detail.field == "url"), "{query}");
        }
    }

    #[test]
    fn the_picture_has_the_size_it_says() {
        assert_eq!(DOT.len(), 43);
        assert!(DOT.starts_with(b"GIF89a\x01\x00\x01\x00") && DOT.ends_with(b";"));
    }
}
