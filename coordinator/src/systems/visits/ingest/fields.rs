//! Checks of single fields, shared by all forms in which visits come.

use std::borrow::Cow;
use std::net::IpAddr;

use serde::Deserialize;
use serde_json::value::RawValue;
use trafficlab_engine::visit::enrich::page::PageUrl;
use trafficlab_engine::visit::enrich::text::{self, MAX_BYTES};
use trafficlab_engine::visit::enrich::{props, revenue};
use trafficlab_shared::error::FieldFault;

/// How far ahead of our clock a sender's clock may be.
const AHEAD_MS: i64 = 5 * 60 * 1000;
/// 2000-01-01, before which nobody visited anything that is tracked here.
const EARLIEST_MS: i64 = 946_684_800_000;
/// Numbers from here on are milliseconds and not seconds.
const MILLISECONDS_FROM: f64 = 1e11;
/// Longest id of an event.
const LONGEST_ID: usize = 255;

/// A text of a JSON body, borrowed where it has no escapes.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// The faults of one body as they are found.
#[derive(Debug, Default)]
pub(super) struct Faults(pub(super) Vec<FieldFault>);

impl Faults {
    pub(super) fn add(&mut self, field: &str, message: impl Into<String>) {
        self.0.push(FieldFault::new(field, message));
    }

    /// Notes the fault of a field.
    pub(super) fn check<T>(&mut self, field: &str, value: Result<T, impl ToString>) -> Option<T> {
        value.map_err(|fault| self.add(field, fault.to_string())).ok()
    }

    /// A text that has to be there.
    pub(super) fn required<'a>(&mut self, field: &str, value: Option<&'a Text<'_>>) -> Option<&'a str> {
        let Some(Text(text)) = value else {
            self.add(field, "is required");
            return None;
        };
        if text.trim().is_empty() {
            self.add(field, "must not be empty");
            return None;
        }
        self.bounded(field, text)
    }

    /// A text that may be there; an empty one is not.
    pub(super) fn optional<'a>(&mut self, field: &str, value: Option<&'a Text<'_>>) -> Option<&'a str> {
        let text = value.map(|Text(text)| text.as_ref()).filter(|text| !text.is_empty())?;
        self.bounded(field, text)
    }

    fn bounded<'a>(&mut self, field: &str, text: &'a str) -> Option<&'a str> {
        if text.len() > MAX_BYTES {
            self.add(field, format!("is longer than {MAX_BYTES} bytes"));
            return None;
        }
        Some(text)
    }

    /// A URL of a page.
    pub(super) fn page<'a>(&mut self, field: &str, text: &'a str) -> Option<PageUrl<'a>> {
        self.check(field, PageUrl::parse(text))
    }

    /// A text that is kept, without control characters; one of nothing else is a fault.
    pub(super) fn kept<'a>(&mut self, field: &str, text: &'a str) -> Option<Cow<'a, str>> {
        let clean = text::clean(text);
        if clean.is_empty() {
            self.add(field, "must not be empty");
            return None;
        }
        Some(clean)
    }

    /// An id of an event.
    pub(super) fn event_id<'a>(&mut self, field: &str, text: &'a str) -> Option<Cow<'a, str>> {
        if text.len() > LONGEST_ID {
            self.add(field, format!("is longer than {LONGEST_ID} bytes"));
            return None;
        }
        Some(Cow::Borrowed(text))
    }

    /// An address.
    pub(super) fn address(&mut self, field: &str, text: &str) -> Option<IpAddr> {
        let address = text.trim().parse().map(|address: IpAddr| address.to_canonical());
        self.check(field, address.or(Err("must be an IPv4 or IPv6 address")))
    }

    /// Properties in their canonical form.
    pub(super) fn props(&mut self, field: &str, json: &RawValue) -> String {
        self.check(field, props::canonical_text(json.get())).unwrap_or_default()
    }

    /// A sum of money.
    pub(super) fn revenue(&mut self, field: &str, json: &RawValue) -> Option<(i64, &'static str)> {
        let form = "must be an object with `amount` and `currency`";
        let sum: Revenue<'_> = self.check(field, serde_json::from_str(json.get()).or(Err(form)))?;
        let parsed = revenue::parse(sum.amount.get(), &sum.currency.0);
        self.check(field, parsed)
    }

    /// A moment that is not ahead of our clock by more than clocks differ.
    pub(super) fn moment(&mut self, field: &str, json: &RawValue, now_ms: i64) -> Option<i64> {
        let form = "must be RFC 3339, or seconds or milliseconds since 1970";
        let moment = self.check(field, moment_ms(json.get()).ok_or(form))?;
        if moment < EARLIEST_MS {
            self.add(field, "must not be before the year 2000");
            return None;
        }
        if moment > now_ms + AHEAD_MS {
            self.add(field, "must not lie in the future");
            return None;
        }
        Some(moment)
    }
}

/// A sum of money as senders write it.
#[derive(Debug, Deserialize)]
struct Revenue<'a> {
    #[serde(borrow)]
    amount: &'a RawValue,
    #[serde(borrow)]
    currency: Text<'a>,
}

fn moment_ms(json: &str) -> Option<i64> {
    if json.starts_with('"') {
        let text: Text<'_> = serde_json::from_str(json).ok()?;
        return text.0.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond);
    }
    let number: f64 = serde_json::from_str(json).ok()?;
    let ms = if number.abs() >= MILLISECONDS_FROM { number } else { number * 1000.0 };
    #[allow(clippy::cast_possible_truncation, reason = "far below 2^63 by the check before")]
    let ms = (ms.abs() < 1e15).then_some(ms.round() as i64);
    ms
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn moments_come_in_three_forms() {
        let at = 1_700_000_000_500;
        for json in ["\"2023-11-14T22:13:20.5Z\"", "\"2023-11-14T23:13:20.500+01:00\"", "1700000000.5", "1700000000500"]
        {
            assert_eq!(moment_ms(json), Some(at), "{json}");
        }
        for json in ["\"yesterday\"", "\"2023-11-14\"", "null", "{}", "1e300", "true"] {
            assert_eq!(moment_ms(json), None, "{json}");
        }
        let mut faults = Faults::default();
        let raw = |json: &str| RawValue::from_string(json.to_owned()).unwrap();
        assert_eq!(faults.moment("timestamp", &raw("1700000000"), at), Some(at - 500));
        assert_eq!(faults.moment("timestamp", &raw("1700009999"), at), None);
        assert_eq!(faults.moment("timestamp", &raw("1"), at), None);
        assert_eq!(faults.0.len(), 2);
    }

    #[test]
    fn texts_are_checked_by_name() {
        let mut faults = Faults::default();
        let text = |text: &str| Some(Text(Cow::Owned(text.to_owned())));
        assert_eq!(faults.required("a", None), None);
        assert_eq!(faults.required("b", text(" ").as_ref()), None);
        assert_eq!(faults.required("c", text(&"x".repeat(MAX_BYTES + 1)).as_ref()), None);
        assert_eq!(faults.required("d", text("x").as_ref()), Some("x"));
        assert_eq!(faults.optional("e", text("").as_ref()), None);
        assert_eq!(faults.address("f", "192.0.2.300"), None);
        assert!(faults.address("g", "::ffff:192.0.2.3").unwrap().is_ipv4());
        let named: Vec<_> = faults.0.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(named, ["a", "b", "c", "f"]);
    }
}
