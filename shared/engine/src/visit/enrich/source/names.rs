//! Names of sources by their hosts and by the tags that campaigns carry.

use std::sync::LazyLock;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

/// What a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Category {
    Search,
    Social,
    Video,
    Shopping,
    Mail,
    Assistant,
    Other,
}

impl Category {
    pub(super) const ALL: [Self; 7] =
        [Self::Search, Self::Social, Self::Video, Self::Shopping, Self::Mail, Self::Assistant, Self::Other];
}

/// A source we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) name: &'static str,
    pub(super) category: Category,
}

/// Name, category, hosts and tags, one source a line; a host `google.*` stands for all countries' domains.
const TABLE: &str = include_str!("../../../../data/sources.tsv");

/// Longest tag that is looked up.
const LONGEST_TAG: usize = 64;

type Table = HashMap<&'static str, Known, FixedState>;

/// The sources we know.
#[derive(Default)]
pub(super) struct Names {
    hosts: Table,
    /// First labels of hosts that exist in many countries.
    stems: Table,
    tags: Table,
}

impl Names {
    /// The table, made at its first use.
    pub(super) fn get() -> &'static Self {
        static NAMES: LazyLock<Names> = LazyLock::new(|| Names::parse(TABLE));
        &NAMES
    }

    fn parse(table: &'static str) -> Self {
        let mut names = Self::default();
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            let mut fields = line.split('\t');
            let (Some(name), Some(category)) = (fields.next(), fields.next()) else { continue };
            let known = Known { name, category: category_of(category) };
            for host in fields.next().unwrap_or_default().split(' ').filter(|host| !host.is_empty()) {
                match host.strip_suffix(".*") {
                    Some(stem) => names.stems.insert(stem, known),
                    None => names.hosts.insert(host, known),
                };
            }
            for tag in fields.next().unwrap_or_default().split(' ').filter(|tag| !tag.is_empty()) {
                names.tags.insert(tag, known);
            }
        }
        names
    }

    /// The source of a host in lower case: the longest suffix of whole labels that is known.
    pub(super) fn of_host(&self, host: &str) -> Option<Known> {
        let mut rest = host;
        loop {
            if let Some(known) = self.hosts.get(rest) {
                return Some(*known);
            }
            let (label, tail) = rest.split_once('.')?;
            if let Some(known) = self.stems.get(label).filter(|_| is_country_form(tail)) {
                return Some(*known);
            }
            rest = tail;
        }
    }

    /// The source of a tag such as `fb`, `google.com` or `facebook-ads`, and whether the tag itself says that the visit
    /// was paid for.
    pub(super) fn of_tag(&self, tag: &str) -> Option<(Known, bool)> {
        let mut buffer = [0_u8; LONGEST_TAG];
        let lower = buffer.get_mut(..tag.len())?;
        lower.copy_from_slice(tag.as_bytes());
        lower.make_ascii_lowercase();
        let lower = std::str::from_utf8(lower).ok()?;
        if lower == "adwords" {
            return self.tags.get("google").map(|known| (*known, true));
        }
        if let Some(known) = self.tags.get(lower).copied().or_else(|| self.of_dotted(lower)) {
            return Some((known, false));
        }
        let advertised =
            lower.strip_suffix("ads").or_else(|| lower.strip_suffix("ad"))?.trim_end_matches(['-', '_', ' ', '.']);
        self.tags.get(advertised).map(|known| (*known, true))
    }

    fn of_dotted(&self, tag: &str) -> Option<Known> {
        tag.contains('.').then(|| self.of_host(tag)).flatten()
    }
}

/// Whether `tail` is what stands behind a name in a country: `com`, `de`, `co.uk`, `com.br`.
fn is_country_form(tail: &str) -> bool {
    let is_country = |label: &str| label.len() == 2 && label.bytes().all(|byte| byte.is_ascii_lowercase());
    match tail.split_once('.') {
        None => tail == "com" || is_country(tail),
        Some((second, country)) => {
            matches!(second, "co" | "com" | "net" | "org" | "ne" | "or" | "gov" | "edu") && is_country(country)
        }
    }
}

fn category_of(word: &str) -> Category {
    match word {
        "search" => Category::Search,
        "social" => Category::Social,
        "video" => Category::Video,
        "shopping" => Category::Shopping,
        "mail" => Category::Mail,
        "assistant" => Category::Assistant,
        _ => Category::Other,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    fn host(host: &str) -> Option<&'static str> {
        Names::get().of_host(host).map(|known| known.name)
    }

    #[test]
    fn every_line_of_the_table_is_whole() {
        const CATEGORIES: [&str; 7] = ["search", "social", "video", "shopping", "mail", "assistant", "other"];
        let mut seen = std::collections::HashSet::new();
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            let fields: Vec<&str> = line.split('\t').collect();
            assert_eq!(fields.len(), 4, "{line}");
            assert!(CATEGORIES.contains(fields.get(1).unwrap()), "{line}");
            for word in fields.iter().skip(2).flat_map(|words| words.split(' ')).filter(|word| !word.is_empty()) {
                assert!(seen.insert(word), "{word} stands there twice");
                assert_eq!(word, word.to_lowercase(), "{line}");
                assert!(!word.starts_with("www."), "{line}");
            }
        }
        assert!(Names::get().hosts.len() + Names::get().stems.len() >= 150);
    }

    #[test]
    fn hosts_have_names_in_every_country_and_below() {
        for (given, name) in [
            ("google.com", Some("Google")),
            ("google.co.uk", Some("Google")),
            ("images.google.de", Some("Google")),
            ("mail.google.com", Some("Gmail")),
            ("gemini.google.com", Some("Google Gemini")),
            ("google.evil.co", None),
            ("notgoogle.com", None),
            ("l.facebook.com", Some("Facebook")),
            ("old.reddit.com", Some("Reddit")),
            ("t.co", Some("X (Twitter)")),
            ("com.google.android.googlequicksearchbox", Some("Google")),
            ("com", None),
            ("", None),
        ] {
            assert_eq!(host(given), name, "{given}");
        }
    }

    #[test]
    fn tags_have_names() {
        let tag = |tag| Names::get().of_tag(tag).map(|(known, paid)| (known.name, paid));
        assert_eq!(tag("FB"), Some(("Facebook", false)));
        assert_eq!(tag("chatgpt.com"), Some(("ChatGPT", false)));
        assert_eq!(tag("adwords"), Some(("Google", true)));
        assert_eq!(tag("Facebook_Ads"), Some(("Facebook", true)));
        assert_eq!(tag("yt-ads"), Some(("YouTube", true)));
        assert_eq!(tag("ads"), None);
        assert_eq!(tag("my newsletter"), None);
        assert_eq!(tag(&"x".repeat(65)), None);
    }
}
