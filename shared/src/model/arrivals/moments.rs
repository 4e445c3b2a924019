//! Recorded moments as a run carries them.

use serde::{Deserialize, Serialize};

/// Longest packed form within a run: it travels in every job message, and in Base64 it must fit into
/// the stored record of a campaign.
pub const MAX_PACKED_BYTES: usize = 40 * 1024;

/// Most moments within a run: each shard holds them unpacked.
pub const MAX_MOMENTS: usize = 250_000;

/// Millionths of the recorded speed that make it once.
pub const ONCE: u64 = 1_000_000;

/// Recorded moments, played once or again and again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    /// Distances between the moments, as the engine packs them.
    #[serde(with = "binary")]
    pub packed: Vec<u8>,
    /// How many moments there are.
    pub count: u64,
    /// From the first to the last one, in microseconds as recorded.
    pub span_us: u64,
    /// Speed in millionths of the recorded one.
    pub speed_ppm: u64,
    /// Whether they begin again after the last.
    pub repeat: bool,
    /// Arrivals within the densest second at that speed.
    pub peak: u64,
}

impl Replay {
    /// Milliseconds of active time that cover every moment; `None` when they repeat.
    #[must_use]
    pub fn length_ms(&self) -> Option<u64> {
        let span_ms = u128::from(self.span_us) * 1000 / u128::from(self.speed_ppm.max(1));
        // One more, since a run's end is not part of it.
        (!self.repeat).then(|| u64::try_from(span_ms).unwrap_or(u64::MAX - 1) + 1)
    }
}

/// The speed of a replay in millionths.
///
/// # Errors
/// When `factor` is not a number from 0.001 to 1000.
pub fn speed_ppm(factor: f64) -> Result<u64, super::Wrong> {
    super::shapes::scaled("speed", factor, 0.001, 1000.0)
}

/// Bytes as MessagePack binary; JSON, which has none, takes a list of numbers.
mod binary {
    use std::fmt;

    use serde::de::{Deserializer, SeqAccess, Visitor};
    use serde::ser::Serializer;

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    struct Bytes;

    impl<'de> Visitor<'de> for Bytes {
        type Value = Vec<u8>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("bytes")
        }

        fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
            Ok(bytes.to_vec())
        }

        fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
            Ok(bytes)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<u8>, A::Error> {
            let mut bytes = Vec::new();
            while let Some(byte) = items.next_element()? {
                bytes.push(byte);
            }
            Ok(bytes)
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        deserializer.deserialize_byte_buf(Bytes)
    }
}
