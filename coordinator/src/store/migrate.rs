//! Versions of stored records: one byte in front of named MessagePack, and a chain of conversions to the present shape.
//!
//! Adding an optional field needs nothing (named fields, `#[serde(default)]`). Renaming, retyping or removing one means a
//! new type with the next version, whose `Previous` is the old type. A record is rewritten in its new shape the next time
//! it is stored; until then it is converted on each read. The idea is that of garage (`src/util/migrate.rs`).

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Why stored bytes are not a record.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// There is not even a version byte.
    #[error("the record is empty")]
    Empty,
    /// Written by a newer program, or not a record of this table.
    #[error("version {found} is unknown, the newest known is {newest}")]
    UnknownVersion {
        /// The byte that was found.
        found: u8,
        /// The version of the present shape.
        newest: u8,
    },
    /// The version is known and the content is not of its shape.
    #[error("version {version} does not decode: {message}")]
    Malformed {
        /// The version of the shape.
        version: u8,
        /// What the decoder said.
        message: String,
    },
    /// The value has no MessagePack form.
    #[error("the record does not encode: {0}")]
    Unencodable(String),
}

/// A stored value in its newest shape.
pub trait Record: Serialize + DeserializeOwned {
    /// The version byte of this shape.
    const VERSION: u8;
    /// The shape before this one; `NoPrevious` for the first.
    type Previous: Record;

    /// Converts from the shape before.
    fn migrate(previous: Self::Previous) -> Self;

    /// Version byte and MessagePack.
    fn to_bytes(&self) -> Result<Vec<u8>, RecordError> {
        let mut bytes = vec![Self::VERSION];
        rmp_serde::encode::write_named(&mut bytes, self)
            .map_err(|error| RecordError::Unencodable(error.to_string()))?;
        Ok(bytes)
    }

    /// Reads this shape or any older one.
    fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        let (found, body) = bytes.split_first().ok_or(RecordError::Empty)?;
        if *found > Self::VERSION {
            return Err(RecordError::UnknownVersion { found: *found, newest: Self::VERSION });
        }
        Self::from_version(*found, body)
    }

    /// Reads `body`, which was written by version `found`, walking down the chain to the shape that fits.
    fn from_version(found: u8, body: &[u8]) -> Result<Self, RecordError> {
        if found == Self::VERSION {
            rmp_serde::from_slice(body)
                .map_err(|error| RecordError::Malformed { version: found, message: error.to_string() })
        } else {
            Self::Previous::from_version(found, body).map(Self::migrate)
        }
    }
}

/// Marks a type whose stored shape has never changed: version 1 without a predecessor.
pub trait FirstVersion: Serialize + DeserializeOwned {}

impl FirstVersion for u64 {}
impl FirstVersion for String {}
impl FirstVersion for () {}

impl<T: FirstVersion> Record for T {
    const VERSION: u8 = 1;
    type Previous = NoPrevious;

    fn migrate(previous: NoPrevious) -> Self {
        match previous {}
    }
}

/// The end of a chain of versions. It has no values.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub enum NoPrevious {}

impl Record for NoPrevious {
    const VERSION: u8 = 0;
    type Previous = Self;

    fn migrate(previous: Self) -> Self {
        previous
    }

    fn from_version(found: u8, _body: &[u8]) -> Result<Self, RecordError> {
        Err(RecordError::UnknownVersion { found, newest: Self::VERSION })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use super::*;

    #[derive(Serialize, Deserialize)]
    struct First {
        name: String,
    }
    impl FirstVersion for First {}

    #[derive(Serialize, Deserialize)]
    struct Second {
        title: String,
        #[serde(default)]
        tags: Vec<String>,
    }
    impl Record for Second {
        const VERSION: u8 = 2;
        type Previous = First;
        fn migrate(previous: First) -> Self {
            Self { title: previous.name, tags: Vec::new() }
        }
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Third {
        title: String,
        tag_count: usize,
    }
    impl Record for Third {
        const VERSION: u8 = 3;
        type Previous = Second;
        fn migrate(previous: Second) -> Self {
            Self { title: previous.title, tag_count: previous.tags.len() }
        }
    }

    /// The first shape as it was stored once: version 1, a map of one entry, `name` = `ads`. These bytes never change.
    const GOLDEN_FIRST: &[u8] = b"\x01\x81\xa4name\xa3ads";

    #[test]
    fn an_old_record_walks_the_whole_chain() {
        assert_eq!(First { name: "ads".into() }.to_bytes().unwrap(), GOLDEN_FIRST);
        assert_eq!(Third::from_bytes(GOLDEN_FIRST).unwrap(), Third { title: "ads".into(), tag_count: 0 });
        let second = Second { title: "ads".into(), tags: vec!["a".into()] }.to_bytes().unwrap();
        assert_eq!(Third::from_bytes(&second).unwrap(), Third { title: "ads".into(), tag_count: 1 });
    }

    #[test]
    fn an_added_optional_field_needs_no_version() {
        let second = Second::from_bytes(b"\x02\x81\xa5title\xa1x").unwrap();
        assert!(second.tags.is_empty());
    }

    #[test]
    fn bytes_of_another_version_or_shape_are_refused() {
        assert!(matches!(Third::from_bytes(b""), Err(RecordError::Empty)));
        assert!(matches!(Third::from_bytes(b"\x04\x80"), Err(RecordError::UnknownVersion { found: 4, newest: 3 })));
        assert!(matches!(Third::from_bytes(b"\x00\x80"), Err(RecordError::UnknownVersion { found: 0, .. })));
        assert!(matches!(Third::from_bytes(b"\x03\x80"), Err(RecordError::Malformed { version: 3, .. })));
        let golden = GOLDEN_FIRST;
        assert!(First::from_bytes(&golden[..golden.len() - 1]).is_err());
    }
}
