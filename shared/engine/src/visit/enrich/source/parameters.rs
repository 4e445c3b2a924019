//! Campaign parameters and click ids in a page's query.

use std::borrow::Cow;

use crate::visit::enrich::text::query_value;

/// Click ids, most telling first, each with the tag of the platform that adds it.
const CLICK_IDS: [(&str, &str); 20] = [
    ("gclid", "google"),
    ("gbraid", "google"),
    ("wbraid", "google"),
    ("dclid", "google"),
    ("msclkid", "bing"),
    ("ttclid", "tiktok"),
    ("twclid", "twitter"),
    ("li_fat_id", "linkedin"),
    ("ScCid", "snapchat"),
    ("epik", "pinterest"),
    ("rdt_cid", "reddit"),
    ("qclid", "quora"),
    ("yclid", "yandex"),
    ("ysclid", "yandex"),
    ("obclid", "outbrain"),
    ("tblci", "taboola"),
    ("irclickid", "impact"),
    ("mc_cid", "mailchimp"),
    ("igshid", "instagram"),
    // Facebook adds it to links that nobody paid for as well, so any other says more.
    ("fbclid", "facebook"),
];

/// What a query says; empty where it says nothing.
#[derive(Debug, Default)]
pub(super) struct Parameters<'a> {
    pub(super) medium: Cow<'a, str>,
    pub(super) utm_source: Cow<'a, str>,
    /// `utm_source`, else `source`, else `ref`.
    pub(super) tag: Cow<'a, str>,
    pub(super) campaign: Cow<'a, str>,
    pub(super) content: Cow<'a, str>,
    pub(super) term: Cow<'a, str>,
    pub(super) click_kind: &'static str,
    pub(super) click_value: Cow<'a, str>,
}

impl<'a> Parameters<'a> {
    /// Reads a query without its `?`. The first of several parameters with the same name counts.
    pub(super) fn read(query: &'a str) -> Self {
        let mut read = Self::default();
        if query.is_empty() {
            return read;
        }
        let (mut source, mut reference) = (Cow::Borrowed(""), Cow::Borrowed(""));
        let mut click: Option<(usize, &'a str)> = None;
        for pair in query.split('&') {
            let Some((name, value)) = pair.split_once('=').filter(|(_, value)| !value.is_empty()) else { continue };
            let into = match name {
                "utm_medium" => &mut read.medium,
                "utm_source" => &mut read.utm_source,
                "utm_campaign" => &mut read.campaign,
                "utm_content" => &mut read.content,
                "utm_term" => &mut read.term,
                "source" => &mut source,
                "ref" => &mut reference,
                _ => {
                    let rank = CLICK_IDS.iter().position(|(id, _)| *id == name);
                    click = rank
                        .filter(|rank| click.is_none_or(|(best, _)| *rank < best))
                        .map_or(click, |rank| Some((rank, value)));
                    continue;
                }
            };
            if into.is_empty() {
                *into = query_value(value);
            }
        }
        read.tag = [&read.utm_source, &source, &reference]
            .into_iter()
            .find(|tag| !tag.is_empty())
            .cloned()
            .unwrap_or_default();
        if let Some((rank, value)) = click {
            read.click_kind = CLICK_IDS.get(rank).map_or("", |(id, _)| id);
            read.click_value = query_value(value);
        }
        read
    }
}

/// The tag of the platform that adds a click id; empty for an unknown one.
pub(super) fn source_of_click(kind: &str) -> &'static str {
    CLICK_IDS.iter().find(|(id, _)| *id == kind).map_or("", |(_, source)| source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read() {
        let read =
            Parameters::read("a=1&utm_source=News%20letter&utm_medium=e+mail&utm_source=second&fbclid=F&gclid=G&x");
        assert_eq!((&*read.utm_source, &*read.tag, &*read.medium), ("News letter", "News letter", "e mail"));
        assert_eq!((read.click_kind, &*read.click_value), ("gclid", "G"));
        let read = Parameters::read("ref=b&source=a&utm_source=&gclid=");
        assert_eq!((&*read.utm_source, &*read.tag, read.click_kind), ("", "a", ""));
        assert_eq!(Parameters::read("=&&==&ref=b").tag, "b");
    }
}
