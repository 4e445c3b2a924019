//! Values of several fields as entries of dictionaries: which field comes where, both ways.

use super::column::FIELD_SEPARATOR;
use super::record::{Acquisition, Agent, Page, Place};

impl<'a> Page<'a> {
    /// From a dictionary's entry.
    #[must_use]
    pub fn of(entry: &'a str) -> Self {
        let [host, path] = split(entry);
        Self { host, path }
    }

    /// The fields of its entry.
    pub(super) const fn fields(&self) -> [&'a str; 2] {
        let Self { host, path } = *self;
        [host, path]
    }
}

impl<'a> Agent<'a> {
    /// From a dictionary's entry.
    #[must_use]
    pub fn of(entry: &'a str) -> Self {
        let [browser, browser_version, os, os_version, device, bot] = split(entry);
        Self { browser, browser_version, os, os_version, device, bot }
    }

    /// The fields of its entry.
    pub(super) const fn fields(&self) -> [&'a str; 6] {
        let Self { browser, browser_version, os, os_version, device, bot } = *self;
        [browser, browser_version, os, os_version, device, bot]
    }
}

impl<'a> Acquisition<'a> {
    /// From a dictionary's entry.
    #[must_use]
    pub fn of(entry: &'a str) -> Self {
        let [referrer, source, channel, rest @ ..]: [&str; 9] = split(entry);
        let [utm_medium, utm_source, utm_campaign, utm_content, utm_term, click_kind] = rest;
        Self { referrer, source, channel, utm_medium, utm_source, utm_campaign, utm_content, utm_term, click_kind }
    }

    /// The fields of its entry.
    pub(super) const fn fields(&self) -> [&'a str; 9] {
        let Self { referrer, source, channel, utm_medium, utm_source, utm_campaign, utm_content, utm_term, click_kind } =
            *self;
        [referrer, source, channel, utm_medium, utm_source, utm_campaign, utm_content, utm_term, click_kind]
    }
}

impl<'a> Place<'a> {
    /// From a dictionary's entry.
    #[must_use]
    pub fn of(entry: &'a str) -> Self {
        let [country, region, city] = split(entry);
        Self { country, region, city }
    }

    /// The fields of its entry.
    pub(super) const fn fields(&self) -> [&'a str; 3] {
        let Self { country, region, city } = *self;
        [country, region, city]
    }
}

/// The first fields of an entry; those that are not there are empty.
fn split<const N: usize>(entry: &str) -> [&str; N] {
    let mut fields = entry.split(FIELD_SEPARATOR);
    std::array::from_fn(|_| fields.next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::visit::column::{Dict, field};

    #[test]
    fn fields_are_as_many_as_the_dictionary_says_and_come_back() {
        let entry = "a\u{1f}b\u{1f}c\u{1f}d\u{1f}e\u{1f}f\u{1f}g\u{1f}h\u{1f}i";
        let fields: Vec<&str> = entry.split(FIELD_SEPARATOR).collect();
        let expected = |dict: Dict| fields.get(..dict.fields());
        assert_eq!(Some(Page::of(entry).fields().as_slice()), expected(Dict::Page));
        assert_eq!(Some(Agent::of(entry).fields().as_slice()), expected(Dict::Agent));
        assert_eq!(Some(Acquisition::of(entry).fields().as_slice()), expected(Dict::Acquisition));
        assert_eq!(Some(Place::of(entry).fields().as_slice()), expected(Dict::Place));
        assert_eq!((Page::of("a").path, field(entry, 8)), ("", Acquisition::of(entry).click_kind));
    }
}
