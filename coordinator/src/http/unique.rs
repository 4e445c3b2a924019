//! Finds members of JSON objects that are there twice. Readers differ in which of the two they believe, so neither is.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Begins the message by which a repeated member is told from other errors.
const MARK: &str = "twice: ";

/// Checks a JSON text that was read before.
///
/// # Errors
/// The name of the first member that repeats one of its object.
pub(super) fn check(text: &[u8]) -> Result<(), String> {
    let Err(error) = serde_json::from_slice::<Unique>(text) else { return Ok(()) };
    let message = error.to_string();
    let name = message.strip_prefix(MARK).map(|rest| rest.rsplit_once(" at line ").map_or(rest, |(name, _)| name));
    name.map_or(Ok(()), |name| Err(name.to_owned()))
}

/// A value whose objects name each member once.
struct Unique;

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Looking)
    }
}

struct Looking;

impl<'de> Visitor<'de> for Looking {
    type Value = Unique;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("any value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_str<E>(self, _: &str) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_unit<E>(self) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Unique, A::Error> {
        while items.next_element::<Unique>()?.is_some() {}
        Ok(Unique)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Unique, A::Error> {
        let mut few: Vec<Name<'de>> = Vec::new();
        let mut many = HashSet::new();
        while let Some(name) = members.next_key::<Name<'de>>()? {
            // Most objects are small, where looking through a list costs less than hashing.
            let repeated =
                if few.len() < 16 { few.contains(&name) } else { few.contains(&name) || many.contains(&name) };
            if repeated {
                return Err(A::Error::custom(format_args!("{MARK}{}", name.0)));
            }
            if few.len() < 16 {
                few.push(name);
            } else {
                many.insert(name);
            }
            members.next_value::<Unique>()?;
        }
        Ok(Unique)
    }
}

/// A name, borrowed from the text unless it has escapes.
#[derive(PartialEq, Eq, Hash)]
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;

            fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                to.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }
        }
        from.deserialize_str(Text)
    }
}
