//! The body of `POST /visit`, and of each item of a batch.

use poem::http::HeaderMap;
use serde::Deserialize;
use serde_json::value::RawValue;
use trafficlab_engine::visit::enrich::text;
use trafficlab_shared::error::FieldFault;

use super::fields::{Faults, Text};
use crate::http::body::{malformed, plain};
use crate::systems::{Code, Fault};
use crate::visits::intake::{Asker, Hit};

/// A visit as it is sent. Null counts as absent; members that are not known are left alone.
#[derive(Debug, Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct VisitBody<'a> {
    #[serde(borrow, default)]
    user_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    page_url: Option<Text<'a>>,
    #[serde(borrow, default)]
    user_agent: Option<Text<'a>>,
    #[serde(borrow, default)]
    ip_address: Option<Text<'a>>,
    #[serde(borrow, default)]
    referrer: Option<Text<'a>>,
    #[serde(borrow, default)]
    event_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    event: Option<Text<'a>>,
    #[serde(borrow, default)]
    props: Option<&'a RawValue>,
    #[serde(borrow, default)]
    revenue: Option<&'a RawValue>,
    #[serde(borrow, default)]
    timestamp: Option<&'a RawValue>,
}

impl VisitBody<'_> {
    /// The visit, with every field checked.
    ///
    /// # Errors
    /// All fields that are wrong.
    pub(super) fn hit(&self, asker: &Asker<'_>) -> Result<Hit<'_>, Vec<FieldFault>> {
        let mut faults = Faults::default();
        let user_id = faults.required("user_id", self.user_id.as_ref()).and_then(|id| faults.kept("user_id", id));
        let page = faults.required("page_url", self.page_url.as_ref()).and_then(|url| faults.page("page_url", url));
        let user_agent = faults.optional("user_agent", self.user_agent.as_ref());
        let address = self.ip_address.as_ref().and_then(|text| faults.address("ip_address", &text.0));
        let referrer = faults.optional("referrer", self.referrer.as_ref());
        let event = faults.optional("event", self.event.as_ref()).and_then(|name| faults.kept("event", name));
        let event_id = faults.optional("event_id", self.event_id.as_ref());
        let event_id = event_id.and_then(|id| faults.event_id("event_id", id));
        let props = self.props.map_or_else(String::new, |json| faults.props("props", json));
        let revenue = self.revenue.and_then(|json| faults.revenue("revenue", json));
        let time_ms = self.timestamp.and_then(|json| {
            if !asker.sender.trusted {
                faults.add("timestamp", "is taken from senders with an ingest key or trusted proxies only");
                return None;
            }
            faults.moment("timestamp", json, asker.at.wall_ms)
        });
        let (Some(page), true) = (page, faults.0.is_empty()) else { return Err(faults.0) };
        let mut hit = Hit::new(page);
        if let Some(event) = event {
            hit.event = event;
        }
        // Anybody can write any address there, so only those who are trusted are believed.
        hit.address = address.filter(|_| asker.sender.trusted);
        (hit.user_id, hit.user_agent, hit.referrer) = (user_id, user_agent, referrer);
        (hit.event_id, hit.props, hit.revenue, hit.time_ms) = (event_id, props, revenue, time_ms);
        Ok(hit)
    }
}

/// Fields that a well-formed body gets wrong: 422, as the document's framework answers.
pub(super) fn unprocessable(details: Vec<FieldFault>) -> Fault {
    Fault { code: Code::Unprocessable, ..Fault::validation(details) }
}

/// Reads a JSON object. An array would pass for one whose members have no names.
pub(super) fn parse_object<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Fault> {
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        parse::<serde::de::IgnoredAny>(bytes)?;
        return Err(unprocessable(vec![FieldFault::new("body", "must be a JSON object")]));
    }
    parse(bytes)
}

/// Reads a JSON text: what is malformed is told with line and column, what has the wrong type by its field.
pub(super) fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Fault> {
    serde_json::from_slice(bytes).map_err(|error| explain::<T>(bytes, &error))
}

/// Why a text could not be read. Only now, on the slow path, it is read once more to find the field.
fn explain<'a, T: Deserialize<'a>>(bytes: &'a [u8], error: &serde_json::Error) -> Fault {
    if bytes.trim_ascii().is_empty() {
        return Fault::new(Code::Malformed, "The body is empty").with("line", 1).with("column", 1);
    }
    if !error.is_data() {
        return malformed(error);
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let found = serde_path_to_error::deserialize::<_, T>(&mut reader).err();
    let (field, message) = match &found {
        Some(found) => (found.path().to_string(), plain(found.inner())),
        None => (".".to_owned(), plain(error)),
    };
    let field = if field == "." { "body" } else { &field };
    unprocessable(vec![FieldFault::new(field, message)])
}

/// The value of `Idempotency-Key`, which stands in for an event id that the body does not have.
///
/// # Errors
/// One that is empty, too long or not visible ASCII.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Fault> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let key = value.to_str().ok().map(text::clean).filter(|key| (1..=255).contains(&key.len()));
    match key {
        Some(_) => Ok(value.to_str().ok()),
        None => {
            let message = "must have 1 to 255 visible ASCII characters";
            Err(unprocessable(vec![FieldFault::new("Idempotency-Key", message)]))
        }
    }
}

/// Whether the body may be of this type: JSON, a beacon's plain text, or nothing said.
///
/// # Errors
/// 415.
pub(super) fn check_type(headers: &HeaderMap, also: &[&str]) -> Result<(), Fault> {
    let Some(value) = headers.get(poem::http::header::CONTENT_TYPE) else { return Ok(()) };
    let text = value.to_str().unwrap_or("?");
    let essence = text.split(';').next().unwrap_or_default().trim();
    let known = ["application/json", "text/plain", ""].iter().chain(also);
    if known.into_iter().any(|known| known.eq_ignore_ascii_case(essence)) {
        return Ok(());
    }
    let message = format!("The body must be JSON, not `{}`", text.escape_default());
    Err(Fault::new(Code::UnsupportedMediaType, message))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use super::*;
    use crate::visits::intake::{Moment, Sender};
    use std::borrow::Cow;

    fn asker(trusted: bool) -> Asker<'static> {
        let sender = Sender { address: "192.0.2.1".parse().unwrap(), trusted };
        let at = Moment { wall_ms: 1_800_000_000_000, boot_ns: 1 };
        Asker { at, sender, user_agent: "", origin: None, dnt: false, gpc: false, mark: None, unseen: None }
    }

    fn faults(json: &str, trusted: bool) -> Vec<String> {
        let body: VisitBody<'_> = match parse_object(json.as_bytes()) {
            Ok(body) => body,
            Err(fault) => return fault.details.into_iter().map(|detail| detail.field).collect(),
        };
        let found = body.hit(&asker(trusted)).err().unwrap_or_default();
        found.into_iter().map(|fault| fault.field).collect()
    }

    #[test]
    fn every_wrong_field_is_named() {
        let table: [(&str, &[&str]); 16] = [
            ("{}", &["user_id", "page_url"]),
            (r#"{"user_id":"","page_url":" "}"#, &["user_id", "page_url"]),
            (r#"{"user_id":null,"page_url":null}"#, &["user_id", "page_url"]),
            (r#"{"user_id":7,"page_url":"https://a.example/"}"#, &["user_id"]),
            (r#"{"user_id":"u","page_url":["https://a.example/"]}"#, &["page_url"]),
            (r#"{"user_id":"u","page_url":"/relative"}"#, &["page_url"]),
            (r#"{"user_id":"u","page_url":"ftp://a.example/"}"#, &["page_url"]),
            (r#"{"user_id":"\u0000","page_url":"https://a.example/"}"#, &["user_id"]),
            (r#"{"user_id":"u","page_url":"https://a.example/","ip_address":"localhost"}"#, &["ip_address"]),
            (r#"{"user_id":"u","page_url":"https://a.example/","timestamp":1}"#, &["timestamp"]),
            (r#"{"user_id":"u","page_url":"https://a.example/","props":[1]}"#, &["props"]),
            (
                r#"{"user_id":"u","page_url":"https://a.example/","revenue":{"amount":"x","currency":"EUR"}}"#,
                &["revenue"],
            ),
            (r#"{"user_id":"u","user_id":"v","page_url":"https://a.example/"}"#, &["user_id"]),
            ("[]", &["body"]),
            (r#"["u","https://a.example/"]"#, &["body"]),
            ("7", &["body"]),
        ];
        for (json, fields) in table {
            let found = faults(json, false);
            assert!(
                !found.is_empty() && found.iter().all(|field| fields.contains(&field.as_str()) || field == "body"),
                "{json}: {found:?}"
            );
            assert_eq!(found.len(), fields.len(), "{json}: {found:?}");
        }
        let long = format!(r#"{{"user_id":"{}","page_url":"https://a.example/"}}"#, "x".repeat(1 << 20));
        assert_eq!(faults(&long, false), ["user_id"]);
    }

    #[test]
    fn an_address_and_a_time_count_only_from_those_who_are_trusted() {
        let json = br#"{"user_id":"u","page_url":"https://a.example/","ip_address":"198.51.100.1","referrer":null}"#;
        let body: VisitBody<'_> = parse(json).unwrap();
        assert_eq!(body.hit(&asker(false)).unwrap().address, None);
        assert_eq!(body.hit(&asker(true)).unwrap().address, Some("198.51.100.1".parse().unwrap()));
        assert!(matches!(body.hit(&asker(false)).unwrap().user_id, Some(Cow::Borrowed("u"))), "not copied");
        assert!(faults(r#"{"user_id":"u","page_url":"https://a.example/","timestamp":1700000000}"#, true).is_empty());
    }

    #[test]
    fn malformed_json_is_told_with_its_place() {
        for json in ["", "{", "nope", "{\"user_id\":\"\u{1}\"}", "{} x", "\u{feff}{}"] {
            let fault = parse::<VisitBody<'_>>(json.as_bytes()).unwrap_err();
            assert_eq!(fault.code, Code::Malformed, "{json:?}");
            assert!(fault.extra["line"].as_u64().is_some() && fault.extra["column"].as_u64().is_some());
        }
        assert_eq!(parse::<VisitBody<'_>>(b"{\"user_id\":\"\xff\"}").unwrap_err().code, Code::Malformed);
    }
}
