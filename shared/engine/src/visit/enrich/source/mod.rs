//! How a visitor came: referrer, campaign parameters, click id, and the source and channel they stand for.
//!
//! The parameters decide before the referrer does: `utm_source`, then `source`, then `ref`, as Plausible takes them.
//! A referrer on the site itself or on one of its subdomains is no referrer. A source we know goes by its name; an
//! unknown host is its own name, without `www.`; an unknown tag stays as it was sent. A click id of a platform names its
//! source where nothing else does, since apps and privacy settings often hold the referrer back.

mod channel;
mod names;
mod parameters;

use std::borrow::Cow;

use super::page::PageUrl;
use super::text::{MAX_BYTES, clean};
use crate::visit::record::Acquisition;
use names::{Category, Names};
use parameters::Parameters;

/// How a visitor came, with texts that were changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Source<'a> {
    referrer: Cow<'a, str>,
    source: Cow<'a, str>,
    channel: &'static str,
    medium: Cow<'a, str>,
    tag: Cow<'a, str>,
    campaign: Cow<'a, str>,
    content: Cow<'a, str>,
    term: Cow<'a, str>,
    click_kind: &'static str,
    click: Cow<'a, str>,
}

impl<'a> Source<'a> {
    /// Reads the referrer and the page's query, without `?`, for a visit to `site`. A referrer that is no address of a
    /// page or an app, or that is too long, is none.
    #[must_use]
    pub fn of(referrer: Option<&'a str>, query: &'a str, site: &str) -> Self {
        let names = Names::get();
        let parameters = Parameters::read(query);
        let from = referrer.map(|text| Referrer::read(text, site)).unwrap_or_default();
        let named = named(names, &parameters, &from);
        let channel = channel::channel(&channel::Signs {
            source: &named.name,
            category: named.category,
            paid_tag: named.paid,
            medium: &parameters.medium,
            campaign: &parameters.campaign,
            tag: &parameters.tag,
            click: parameters.click_kind,
        });
        let click = match (parameters.click_kind, &*parameters.click_value) {
            ("", _) | (_, "") => Cow::Borrowed(""),
            (kind, value) => Cow::Owned(format!("{kind}:{value}")),
        };
        Self {
            referrer: from.text,
            source: named.name,
            channel,
            medium: parameters.medium,
            tag: parameters.utm_source,
            campaign: parameters.campaign,
            content: parameters.content,
            term: parameters.term,
            click_kind: if click.is_empty() { "" } else { parameters.click_kind },
            click,
        }
    }

    /// The part of a visit.
    #[must_use]
    pub fn acquisition(&self) -> Acquisition<'_> {
        Acquisition {
            referrer: &self.referrer,
            source: &self.source,
            channel: self.channel,
            utm_medium: &self.medium,
            utm_source: &self.tag,
            utm_campaign: &self.campaign,
            utm_content: &self.content,
            utm_term: &self.term,
            click_kind: self.click_kind,
        }
    }

    /// `kind:value` of the click id, or nothing.
    #[must_use]
    pub fn click(&self) -> &str {
        &self.click
    }
}

/// Holds the texts of one `acquisition` that had to be changed.
#[derive(Debug, Default)]
pub struct Scratch<'a>(Source<'a>);

/// `Source::of` with the result kept in `scratch`: the acquisition, and `kind:value` of the click id.
pub fn acquisition<'a, 's>(
    referrer: Option<&'a str>,
    query: &'a str,
    site: &str,
    scratch: &'s mut Scratch<'a>,
) -> (Acquisition<'s>, &'s str) {
    scratch.0 = Source::of(referrer, query, site);
    (scratch.0.acquisition(), scratch.0.click())
}

/// A referring page.
#[derive(Default)]
struct Referrer<'a> {
    host: Cow<'a, str>,
    text: Cow<'a, str>,
}

impl<'a> Referrer<'a> {
    fn read(text: &'a str, site: &str) -> Self {
        if text.len() > MAX_BYTES {
            return Self::default();
        }
        // Android apps name themselves, as in `android-app://com.example/`.
        if let Some(app) = text.strip_prefix("android-app://") {
            let host = clean(app.split(['/', '?', '#']).next().unwrap_or_default());
            return Self { text: host.clone(), host };
        }
        let Ok(url) = PageUrl::parse(text) else { return Self::default() };
        if is_within(&url.host, site) {
            return Self::default();
        }
        Self { text: url.host_and_path(), host: url.host }
    }
}

/// Whether `host` is the site or one of its subdomains.
fn is_within(host: &str, site: &str) -> bool {
    host.strip_suffix(site).is_some_and(|before| before.is_empty() || (before.ends_with('.') && !site.is_empty()))
}

/// The name of a source and what it means.
struct Named<'a> {
    name: Cow<'a, str>,
    category: Category,
    paid: bool,
}

fn named<'a>(names: &'static Names, parameters: &Parameters<'a>, from: &Referrer<'a>) -> Named<'a> {
    let known = |name: &'static str, category, paid| Named { name: Cow::Borrowed(name), category, paid };
    if !parameters.tag.is_empty() {
        return names.of_tag(&parameters.tag).map_or_else(
            || Named { name: parameters.tag.clone(), category: Category::Other, paid: false },
            |(found, paid)| known(found.name, found.category, paid),
        );
    }
    if !from.host.is_empty() {
        return names.of_host(&from.host).map_or_else(
            || Named { name: from.host.clone(), category: Category::Other, paid: false },
            |found| known(found.name, found.category, false),
        );
    }
    let click = parameters::source_of_click(parameters.click_kind);
    names.of_tag(click).map_or_else(
        || Named { name: Cow::Borrowed(""), category: Category::Other, paid: false },
        |(found, _)| known(found.name, found.category, false),
    )
}

#[cfg(test)]
mod tests;
