//! The body of Plausible's events, with its short and its long names.
//!
//! Names and meanings follow the Events API reference (<https://plausible.io/docs/events-api>) and what the published
//! tracker scripts send. The screen's width is read and not used: the device is told by the user agent.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use trafficlab_engine::visit::enrich::props;
use trafficlab_shared::error::FieldFault;

use super::fields::{Faults, Text};
use crate::visits::intake::Hit;

/// Sites of one event at the most: each of them is a visit that is stored.
const MOST_SITES: usize = 10;

/// An event as the scripts send it.
#[derive(Debug, Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct EventBody<'a> {
    #[serde(borrow, default, alias = "name")]
    n: Option<Text<'a>>,
    #[serde(borrow, default, alias = "url")]
    u: Option<Text<'a>>,
    #[serde(borrow, default, alias = "domain")]
    d: Option<Text<'a>>,
    #[serde(borrow, default, alias = "referrer")]
    r: Option<Text<'a>>,
    #[serde(borrow, default, alias = "hashMode", alias = "hash_mode")]
    h: Option<&'a RawValue>,
    #[serde(borrow, default, alias = "props")]
    p: Option<&'a RawValue>,
    #[serde(borrow, default, alias = "meta")]
    m: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "$", alias = "revenue")]
    money: Option<&'a RawValue>,
    /// Ours: for idempotency.
    #[serde(borrow, default)]
    event_id: Option<Text<'a>>,
    /// Ours: the sender's id of the visitor.
    #[serde(borrow, default)]
    user_id: Option<Text<'a>>,
}

impl EventBody<'_> {
    /// The event for each site that it names.
    ///
    /// # Errors
    /// All fields that are wrong.
    pub(super) fn hits(&self) -> Result<Vec<Hit<'_>>, Vec<FieldFault>> {
        let mut faults = Faults::default();
        let page = faults.required("url", self.u.as_ref()).and_then(|url| faults.page("url", url));
        let event = faults.required("name", self.n.as_ref()).and_then(|name| faults.kept("name", name));
        let sites = faults.required("domain", self.d.as_ref()).map(sites);
        if let Some(sites) = &sites
            && !(1..=MOST_SITES).contains(&sites.len())
        {
            faults.add("domain", format!("must name 1 to {MOST_SITES} sites"));
        }
        let referrer = faults.optional("referrer", self.r.as_ref());
        let user_id = faults.optional("user_id", self.user_id.as_ref()).and_then(|id| faults.kept("user_id", id));
        let event_id = faults.optional("event_id", self.event_id.as_ref());
        let event_id = event_id.and_then(|id| faults.event_id("event_id", id));
        let props = present(self.p).or_else(|| present(self.m));
        let props = props.and_then(|json| faults.check("props", scalars(json))).unwrap_or_default();
        let revenue = present(self.money).and_then(|json| {
            let text = unwrapped(json);
            let raw = RawValue::from_string(text.into_owned()).ok()?;
            faults.revenue("revenue", &raw)
        });
        let (Some(page), Some(event), true) = (page, event, faults.0.is_empty()) else { return Err(faults.0) };
        let mut hit = Hit::new(page);
        hit.event = event;
        hit.hash_routing = self.h.is_some_and(|json| matches!(json.get(), "1" | "true" | "\"1\"" | "\"true\""));
        (hit.referrer, hit.user_id, hit.event_id) = (referrer, user_id, event_id);
        (hit.props, hit.revenue) = (props, revenue);
        Ok(sites.unwrap_or_default().into_iter().map(|site| Hit { site: Some(site), ..hit.clone() }).collect())
    }

    /// Whether it only tells how long a page that was counted is looked at.
    pub(super) fn is_engagement(&self) -> bool {
        self.n.as_ref().is_some_and(|name| name.0 == "engagement")
    }
}

/// The sites of a list with commas.
fn sites(list: &str) -> Vec<Cow<'_, str>> {
    let site = |name: &str| {
        let lower = name.trim().to_lowercase();
        lower.strip_prefix("www.").map_or_else(|| lower.clone(), str::to_owned)
    };
    let mut found: Vec<Cow<'_, str>> = Vec::new();
    for name in list.split(',').map(site).filter(|name| !name.is_empty()) {
        // An event counts once for a site.
        if !found.contains(&Cow::Borrowed(name.as_str())) {
            found.push(Cow::Owned(name));
        }
    }
    found
}

/// A member that is neither null nor an empty text.
fn present(json: Option<&RawValue>) -> Option<&RawValue> {
    json.filter(|json| !matches!(json.get(), "null" | "\"\""))
}

/// JSON that older scripts send as a text inside JSON.
fn unwrapped(json: &RawValue) -> Cow<'_, str> {
    let inner = json.get().starts_with('"').then(|| serde_json::from_str::<String>(json.get()).ok()).flatten();
    inner.map_or(Cow::Borrowed(json.get()), Cow::Owned)
}

/// The properties whose values are texts, numbers or truth values; Plausible leaves out the others too.
fn scalars(json: &RawValue) -> Result<String, String> {
    const FORM: &str = "must be an object with at most 30 names";
    let text = unwrapped(json);
    let mut value: Value = serde_json::from_str(&text).or(Err(FORM))?;
    let Some(members) = value.as_object_mut() else { return Err(FORM.to_owned()) };
    members.retain(|_, value| !matches!(value, Value::Null | Value::Array(_) | Value::Object(_)));
    props::canonical(&value).map_err(|fault| fault.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use super::*;

    fn body(json: &str) -> EventBody<'_> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn short_and_long_names_say_the_same() {
        let short = body(
            r#"{"n":"Signup","u":"https://a.example/p#x","d":"a.example","r":"https://b.example/","w":800,"h":1,"p":{"plan":"pro","n":2,"l":[1]},"$":{"amount":"12.5","currency":"EUR"}}"#,
        );
        let long = body(
            r#"{"name":"Signup","url":"https://a.example/p#x","domain":"a.example","referrer":"https://b.example/","screen_width":800,"hashMode":true,"props":"{\"plan\":\"pro\",\"n\":2}","revenue":"{\"amount\":12.5,\"currency\":\"EUR\"}"}"#,
        );
        let (short, long) = (short.hits().unwrap().remove(0), long.hits().unwrap().remove(0));
        for hit in [&short, &long] {
            assert_eq!(
                (hit.event.as_ref(), hit.site.as_deref(), hit.referrer),
                ("Signup", Some("a.example"), Some("https://b.example/"))
            );
            assert!(hit.hash_routing);
            assert_eq!(hit.revenue, Some((12_500_000, "EUR")));
        }
        assert_eq!(short.props, long.props);
        assert_eq!(props::prop(&short.props, "plan").as_deref(), Some("pro"));
    }

    #[test]
    fn one_event_counts_once_for_each_of_several_sites() {
        let event = body(r#"{"n":"pageview","u":"https://a.example/","d":"a.example, WWW.B.example,a.example"}"#);
        let sites: Vec<_> = event.hits().unwrap().into_iter().map(|hit| hit.site.unwrap()).collect();
        assert_eq!(sites, ["a.example", "b.example"]);
    }

    #[test]
    fn wrong_events_name_the_field() {
        for (json, field) in [
            (r#"{"u":"https://a.example/","d":"a.example"}"#, "name"),
            (r#"{"n":"pageview","d":"a.example"}"#, "url"),
            (r#"{"n":"pageview","u":"about:blank","d":"a.example"}"#, "url"),
            (r#"{"n":"pageview","u":"https://a.example/"}"#, "domain"),
            (r#"{"n":"pageview","u":"https://a.example/","d":" , ,"}"#, "domain"),
            (r#"{"n":"pageview","u":"https://a.example/","d":"a,b,c,d,e,f,g,h,i,j,k"}"#, "domain"),
            (r#"{"n":"pageview","u":"https://a.example/","d":"a.example","p":"text"}"#, "props"),
            (r#"{"n":"pageview","u":"https://a.example/","d":"a.example","$":{"amount":1}}"#, "revenue"),
        ] {
            assert_eq!(body(json).hits().unwrap_err()[0].field, field, "{json}");
        }
        assert!(body(r#"{"n":"engagement"}"#).is_engagement());
    }
}
