//! Wildcards in the values of filters, goals and steps: `*` stands for anything but `/`, `**` for anything.

use std::borrow::Cow;

use crate::visit::question::{Filter, Operator};

/// Whether `text` as a whole fits a pattern with `*` and `**`.
#[must_use]
pub fn fits(pattern: &str, text: &str) -> bool {
    Pattern::new(pattern).fits(text)
}

/// A text with wildcards, taken apart once and tried on every distinct value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    tokens: Vec<Token>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Byte(u8),
    /// `*`
    Name,
    /// `**`
    Any,
}

impl Pattern {
    pub(super) fn new(text: &str) -> Self {
        let mut tokens = Vec::with_capacity(text.len());
        for byte in text.bytes() {
            match (byte, tokens.last()) {
                // A third star says nothing that two did not.
                (b'*', Some(Token::Any)) => {}
                (b'*', Some(Token::Name)) => {
                    tokens.pop();
                    tokens.push(Token::Any);
                }
                (b'*', _) => tokens.push(Token::Name),
                _ => tokens.push(Token::Byte(byte)),
            }
        }
        Self { tokens }
    }

    /// Whether the whole of `text` fits.
    ///
    /// The greedy matching of Krauss ("Matching Wildcards: An Algorithm", 2008) with one place to go back to per kind
    /// of wildcard: what stands between two wildcards may always be taken at its first occurrence, because the wildcard
    /// after it takes up the rest. Without `**` it looks at a pair of positions at most once per star.
    pub(super) fn fits(&self, text: &str) -> bool {
        let text = text.as_bytes();
        let (mut token, mut at) = (0, 0);
        // Where to go on after a failure: the token behind the wildcard, and the first byte that it does not take yet.
        let mut name: Option<(usize, usize)> = None;
        let mut any: Option<(usize, usize)> = None;
        loop {
            match (self.tokens.get(token), text.get(at)) {
                (None, None) => return true,
                (Some(Token::Byte(wanted)), Some(byte)) if wanted == byte => {
                    token += 1;
                    at += 1;
                    continue;
                }
                (Some(Token::Name), _) => {
                    token += 1;
                    name = Some((token, at));
                    continue;
                }
                (Some(Token::Any), _) => {
                    token += 1;
                    (name, any) = (None, Some((token, at)));
                    continue;
                }
                _ => {}
            }
            let longer = name.filter(|(_, taken)| text.get(*taken).is_some_and(|byte| *byte != b'/'));
            if let Some((back, taken)) = longer {
                name = Some((back, taken + 1));
                (token, at) = (back, taken + 1);
            } else if let Some((back, taken)) = any.filter(|(_, taken)| *taken < text.len()) {
                (name, any) = (None, Some((back, taken + 1)));
                (token, at) = (back, taken + 1);
            } else {
                return false;
            }
        }
    }
}

/// A filter's operator and values, made ready for many values.
#[derive(Debug)]
pub(super) struct Matcher {
    wanted: Wanted,
    /// What is answered for a value that one of the filter's values fits.
    positive: bool,
}

#[derive(Debug)]
enum Wanted {
    Whole(Vec<Pattern>),
    /// In lower case.
    Within(Vec<String>),
}

impl Matcher {
    pub(super) fn new(filter: &Filter) -> Self {
        let wanted = match filter.operator {
            Operator::Is | Operator::IsNot => {
                Wanted::Whole(filter.values.iter().map(|text| Pattern::new(text)).collect())
            }
            Operator::Contains | Operator::ContainsNot => {
                Wanted::Within(filter.values.iter().map(|text| text.to_lowercase()).collect())
            }
        };
        Self { wanted, positive: matches!(filter.operator, Operator::Is | Operator::Contains) }
    }

    /// Whether the filter lets this value through.
    pub(super) fn passes(&self, value: &str) -> bool {
        self.names(value) == self.positive
    }

    /// Whether the filter lets through what it does not name.
    pub(super) const fn is_negated(&self) -> bool {
        !self.positive
    }

    /// Whether one of the filter's values fits.
    pub(super) fn names(&self, value: &str) -> bool {
        match &self.wanted {
            Wanted::Whole(patterns) => patterns.iter().any(|pattern| pattern.fits(value)),
            Wanted::Within(needles) => {
                let value = lower(value);
                needles.iter().any(|needle| value.contains(needle.as_str()))
            }
        }
    }
}

fn lower(text: &str) -> Cow<'_, str> {
    let changes = text.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii());
    if changes { Cow::Owned(text.to_lowercase()) } else { Cow::Borrowed(text) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::visit::property::Property;

    #[test]
    fn stars_stop_at_slashes_and_pairs_of_stars_do_not() {
        let cases: [(&str, &str, bool); 19] = [
            ("/blog", "/blog", true),
            ("/blog", "/blog/", false),
            ("/blog/*", "/blog/first", true),
            ("/blog/*", "/blog/", true),
            ("/blog/*", "/blog/2026/first", false),
            ("/blog/**", "/blog/2026/first", true),
            ("/blog/***", "/blog/2026/first", true),
            ("/blog**", "/blog", true),
            ("**/first", "/blog/2026/first", true),
            ("**/first", "/blog/first/second", false),
            ("/*/first", "/blog/first", true),
            ("/*/first", "/blog/2026/first", false),
            ("/**/x*z", "/a/x/b/xyz", true),
            ("*", "", true),
            ("*", "a/b", false),
            ("**", "a/b", true),
            ("", "", true),
            ("", "a", false),
            ("/ü*", "/übung", true),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(fits(pattern, text), expected, "{pattern} on {text}");
        }
    }

    fn matcher(operator: Operator, values: &[&str]) -> Matcher {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        Matcher::new(&Filter { property: Property::Goal, operator, values })
    }

    #[test]
    fn one_value_is_enough_and_none_may_fit_when_negated() {
        assert!(matcher(Operator::Is, &["Firefox", "Chrome"]).passes("Chrome"));
        assert!(!matcher(Operator::IsNot, &["Firefox", "Chrome"]).passes("Chrome"));
        assert!(matcher(Operator::IsNot, &["Firefox"]).passes(""));
        assert!(matcher(Operator::Contains, &["BLOG"]).passes("/My-Blog/"));
        assert!(!matcher(Operator::ContainsNot, &["ärz"]).passes("/MÄRZ"));
        assert!(!matcher(Operator::Is, &[]).passes(""));
        assert!(matcher(Operator::IsNot, &[]).passes(""));
    }

    /// By the definition: every way to share the text out over the tokens.
    fn by_definition(tokens: &[Token], text: &[u8]) -> bool {
        match (tokens, text) {
            ([], rest) => rest.is_empty(),
            ([Token::Byte(wanted), tokens @ ..], [byte, text @ ..]) => wanted == byte && by_definition(tokens, text),
            ([Token::Byte(_), ..], []) => false,
            ([wildcard, rest @ ..], _) => {
                by_definition(rest, text)
                    || text.split_first().is_some_and(|(byte, text)| {
                        (*wildcard == Token::Any || *byte != b'/') && by_definition(tokens, text)
                    })
            }
        }
    }

    proptest! {
        #[test]
        fn matching_keeps_to_the_definition(pattern in "[ab/*]{0,8}", text in "[ab/]{0,10}") {
            let pattern = Pattern::new(&pattern);
            prop_assert_eq!(pattern.fits(&text), by_definition(&pattern.tokens, text.as_bytes()));
        }
    }
}
