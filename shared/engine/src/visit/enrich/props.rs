//! Properties of events: a flat JSON object of texts in one canonical form.

use std::borrow::Cow;
use std::fmt;

use memchr::{memchr, memchr2};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::text::clean;

/// Most properties of an event.
pub const MOST: usize = 30;
/// Longest name, in bytes.
pub const NAME_BYTES: usize = 300;
/// Longest value, in bytes.
pub const VALUE_BYTES: usize = 2000;

/// Why properties are not taken. The sentence goes behind the field's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PropsFault {
    /// Not an object.
    #[error("must be a flat JSON object")]
    NotAnObject,
    /// Too many of them.
    #[error("must have at most 30 names")]
    TooMany,
    /// A name is empty or too long.
    #[error("must have names of 1 to 300 bytes")]
    Name,
    /// A value is an object or an array.
    #[error("must have a text, a number or a boolean under `{0}`")]
    NotAScalar(String),
    /// A value is too long.
    #[error("must have a value of at most 2000 bytes under `{0}`")]
    TooLong(String),
}

/// The canonical form of an object: sorted by name, numbers and booleans as texts, without control characters and
/// without properties whose value is null or empty; nothing at all when none is left. Of two equal names the last one
/// counts.
///
/// # Errors
/// What is wrong with it.
pub fn canonical(object: &Value) -> Result<String, PropsFault> {
    let Object(members) = Object::deserialize(object).or(Err(PropsFault::NotAnObject))?;
    written(members)
}

/// `canonical` of JSON text.
///
/// # Errors
/// As `canonical`; text that is no JSON is no object.
pub fn canonical_text(json: &str) -> Result<String, PropsFault> {
    let Object(members) = serde_json::from_str(json).or(Err(PropsFault::NotAnObject))?;
    written(members)
}

/// The value of a property in canonical text.
#[must_use]
pub fn prop<'a>(canonical: &'a str, name: &str) -> Option<Cow<'a, str>> {
    let mut rest = canonical.strip_prefix('{')?;
    loop {
        let (key, behind) = quoted(rest)?;
        let (value, behind) = quoted(behind.strip_prefix(':')?)?;
        // `unescaped` of a name without escapes, which is nearly every one, is the name itself.
        if unescaped(key) == name {
            return Some(unescaped(value));
        }
        rest = behind.strip_prefix(',')?;
    }
}

/// All properties of canonical text in order.
pub fn each(canonical: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    let mut rest = canonical.strip_prefix('{').unwrap_or_default();
    std::iter::from_fn(move || {
        let (key, behind) = quoted(rest)?;
        let (value, behind) = quoted(behind.strip_prefix(':')?)?;
        rest = behind.strip_prefix(',').unwrap_or_default();
        Some((unescaped(key), unescaped(value)))
    })
}

/// What stands between the quotes at the beginning of `text`, still escaped, and what follows them.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('"')?;
    let bytes = inner.as_bytes();
    let mut at = 0;
    loop {
        at += memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes.get(at) == Some(&b'"') {
            return Some((inner.get(..at)?, inner.get(at + 1..)?));
        }
        at += 2;
    }
}

/// Canonical text escapes only quotes and backslashes, by a backslash, since it has no control characters.
fn unescaped(text: &str) -> Cow<'_, str> {
    if memchr(b'\\', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        plain.extend(if character == '\\' { characters.next() } else { Some(character) });
    }
    Cow::Owned(plain)
}

/// The members of an object in the order of the text.
struct Object(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Object(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

fn written(members: Vec<(String, Value)>) -> Result<String, PropsFault> {
    let mut texts: Vec<(String, String)> = Vec::with_capacity(members.len().min(MOST));
    for (name, value) in members {
        let name = clean(&name).into_owned();
        if name.is_empty() || name.len() > NAME_BYTES {
            return Err(PropsFault::Name);
        }
        let value = match value {
            Value::Null => String::new(),
            Value::String(text) => clean(&text).into_owned(),
            Value::Bool(flag) => flag.to_string(),
            Value::Number(number) => number.to_string(),
            Value::Array(_) | Value::Object(_) => return Err(PropsFault::NotAScalar(name)),
        };
        if value.len() > VALUE_BYTES {
            return Err(PropsFault::TooLong(name));
        }
        texts.retain(|(known, _)| *known != name);
        if !value.is_empty() {
            texts.push((name, value));
        }
        if texts.len() > MOST {
            return Err(PropsFault::TooMany);
        }
    }
    texts.sort_unstable();
    Ok(joined(&texts))
}

fn joined(texts: &[(String, String)]) -> String {
    let mut json = String::new();
    for (name, value) in texts {
        json.push(if json.is_empty() { '{' } else { ',' });
        push_quoted(&mut json, name);
        json.push(':');
        push_quoted(&mut json, value);
    }
    if !json.is_empty() {
        json.push('}');
    }
    json
}

fn push_quoted(json: &mut String, text: &str) {
    json.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            json.push('\\');
        }
        json.push(character);
    }
    json.push('"');
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn objects_have_one_form() {
        for (given, form) in [
            ("{}", ""),
            (r#"{"b":1,"a":"x"}"#, r#"{"a":"x","b":"1"}"#),
            (r#"{"a":true,"b":null,"c":"","d":1.50}"#, r#"{"a":"true","d":"1.5"}"#),
            (r#"{"a":"q\"u\\o","t":" x\u001f\n "}"#, r#"{"a":"q\"u\\o","t":"x"}"#),
            (r#"{"a":1,"a":2}"#, r#"{"a":"2"}"#),
            (r#"{"größe":"✓"}"#, r#"{"größe":"✓"}"#),
        ] {
            assert_eq!(canonical_text(given).unwrap(), form);
            assert_eq!(canonical(&serde_json::from_str(given).unwrap()).unwrap(), form);
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let many: String = (0..31).map(|index| format!(r#""n{index}":1,"#)).collect();
        let many = format!("{{{}}}", many.trim_end_matches(','));
        let name = format!(r#"{{"{}":1}}"#, "n".repeat(301));
        let long = format!(r#"{{"n":"{}"}}"#, "v".repeat(2001));
        for (given, fault) in [
            ("[1]", PropsFault::NotAnObject),
            ("\"a\"", PropsFault::NotAnObject),
            ("{", PropsFault::NotAnObject),
            (&*many, PropsFault::TooMany),
            (&*name, PropsFault::Name),
            (r#"{"":1}"#, PropsFault::Name),
            (&*long, PropsFault::TooLong("n".into())),
            (r#"{"n":{"a":1}}"#, PropsFault::NotAScalar("n".into())),
            (r#"{"n":[]}"#, PropsFault::NotAScalar("n".into())),
        ] {
            assert_eq!(canonical_text(given), Err(fault), "{given}");
        }
    }

    #[test]
    fn properties_are_found() {
        let form = canonical_text(r#"{"plan":"pro","a\"b":"c\\d","z":"ends\\"}"#).unwrap();
        assert_eq!(prop(&form, "plan").as_deref(), Some("pro"));
        assert_eq!(prop(&form, "a\"b").as_deref(), Some("c\\d"));
        assert_eq!(prop(&form, "z").as_deref(), Some("ends\\"));
        assert_eq!(prop(&form, "pro"), None);
        // The escaped form of one name is another name.
        assert_eq!(prop(r#"{"a\\":"one","b":""}"#, r"a\\"), None);
        assert_eq!(prop(r#"{"a\\":"one"}"#, r"a\").as_deref(), Some("one"));
        assert_eq!(prop("", "plan"), None);
        assert_eq!(prop("{\"a\":\"b", "a"), None);
        let all: Vec<_> = each(&form).map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(all, ["a\"b=c\\d", "plan=pro", "z=ends\\"]);
    }
}
