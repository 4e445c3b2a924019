//! Texts that people and programs send, made fit to be stored.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// Longest value that is taken, in bytes.
pub const MAX_BYTES: usize = 2048;

/// `text` without control characters and without white space around it. Fields of a dictionary's entry are joined by a
/// control character, so no value may hold one.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) || !text.contains(char::is_control) {
        return Cow::Borrowed(text.trim());
    }
    let kept: String = text.chars().filter(|character| !character.is_control()).collect();
    Cow::Owned(kept.trim().to_owned())
}

/// The value of a query's parameter: `+` is a space, `%` begins two digits, and bytes that are no UTF-8 become U+FFFD.
/// Cleaned.
#[must_use]
pub fn query_value(raw: &str) -> Cow<'_, str> {
    if !raw.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return clean(raw);
    }
    let spaced = raw.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8_lossy();
    Cow::Owned(clean(&decoded).into_owned())
}

/// A path as people read it: escapes are undone, except those of `/`, `?`, `#`, `%` and of control characters, so that
/// two different paths stay different. What would be no UTF-8 stays as it is.
#[must_use]
pub fn readable_path(raw: &str) -> Cow<'_, str> {
    if !raw.contains('%') {
        return Cow::Borrowed(raw);
    }
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        match (first, escaped(rest)) {
            (b'%', Some((byte, after))) if !matches!(byte, 0..0x20 | 0x7f | b'/' | b'?' | b'#' | b'%') => {
                bytes.push(byte);
                rest = after;
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    match String::from_utf8(bytes) {
        Ok(text) if !text.contains(char::is_control) => Cow::Owned(text),
        _ => Cow::Borrowed(raw),
    }
}

/// The byte of an escape such as `%2F` at the beginning of `bytes`, and what follows it.
fn escaped(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let ([_, high, low], after) = bytes.split_first_chunk()?;
    Some((hex(*high)? << 4 | hex(*low)?, after))
}

/// The value of a hexadecimal digit.
pub(super) const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_and_outer_spaces_go() {
        for (text, cleaned) in [
            ("plain", "plain"),
            ("  plain ", "plain"),
            ("a\u{1f}b\tc\r\nd\u{7f}\u{85}e", "abcde"),
            ("\u{1f} a \u{1f}", "a"),
            ("Zürich ✓", "Zürich ✓"),
            ("\u{0}", ""),
        ] {
            assert_eq!(clean(text), cleaned);
        }
        assert!(matches!(clean("Zürich"), Cow::Borrowed(_)));
    }

    #[test]
    fn query_values_are_decoded() {
        for (raw, value) in
            [("a", "a"), ("a+b", "a b"), ("a%20b%2Bc", "a b+c"), ("%C3%BC", "ü"), ("%FF", "\u{fffd}"), ("%1Fa%", "a%")]
        {
            assert_eq!(query_value(raw), value);
        }
    }

    #[test]
    fn paths_are_readable_and_stay_distinct() {
        for (raw, path) in [
            ("/a", "/a"),
            ("/%C3%BCber%20uns", "/über uns"),
            ("/a%2Fb%3f%23%25", "/a%2Fb%3f%23%25"),
            ("/%FF%41", "/%FF%41"),
            ("/%1F", "/%1F"),
            ("/%C2%85", "/%C2%85"),
            ("/100%", "/100%"),
            ("/%é", "/%é"),
        ] {
            assert_eq!(readable_path(raw), path);
        }
    }
}
