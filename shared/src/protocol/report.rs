//! Records of a shard's log: its results, and its checkpoint in the last one.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::codec::versioned;
use crate::model::arrivals::RateChange;

/// A place in a shard's schedule: arrival `k` of second `slot` of active time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Cursor {
    /// Second of active time.
    pub slot: u32,
    /// Arrival within the second, from 0.
    pub k: u32,
}

/// A run of neighbouring arrivals of one slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Second of active time.
    #[serde(rename = "s")]
    pub slot: u32,
    /// First arrival.
    pub k: u32,
    /// How many.
    pub n: u32,
}

/// Packs ascending cursors into spans.
#[must_use]
pub fn spans(cursors: &[Cursor]) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for cursor in cursors {
        match spans.last_mut() {
            Some(last) if last.slot == cursor.slot && last.k.checked_add(last.n) == Some(cursor.k) => {
                last.n += 1;
            }
            _ => spans.push(Span { slot: cursor.slot, k: cursor.k, n: 1 }),
        }
    }
    spans
}

/// The cursors that spans stand for, in order.
pub fn cursors(spans: &[Span]) -> impl Iterator<Item = Cursor> {
    spans
        .iter()
        .flat_map(|span| (0..span.n).map(move |step| Cursor { slot: span.slot, k: span.k.saturating_add(step) }))
}

/// How active time maps to wall time since the last (re)start of the slot clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Origin {
    /// Which activation it belongs to.
    pub activation: u32,
    /// Active time in nanoseconds at which the activation began for this shard.
    pub active_ns: u64,
    /// Broker time in nanoseconds of that moment.
    pub wall_ns: u64,
}

/// A delivery of a job message; a later one is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Delivery {
    /// Stream sequence of the message.
    pub sequence: u64,
    /// How often the broker has delivered it, from 1.
    pub count: u64,
}

/// What a record is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// A worker has taken the shard.
    Start {
        /// Starts in a row, this one included, without any progress of the cursor.
        idle_starts: u32,
    },
    /// Results.
    Batch,
    /// A new desired revision is in force from a slot on.
    Control {
        /// The first slot it holds for.
        effective_slot: u32,
    },
    /// The shard holds until the next activation.
    Pause,
    /// The worker gives the shard back, unharmed.
    Yield,
    /// The shard is over.
    End {
        /// Why.
        reason: EndReason,
    },
    /// The shard cannot run.
    Failed {
        /// A sentence for people.
        reason: String,
        /// Starts without progress before giving up.
        attempts: u32,
    },
}

/// Why a shard ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// Its duration is over.
    Completed,
    /// It was told to stop.
    Stopped,
}

/// One record of a shard's log. The last one is enough to go on from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Message version.
    pub v: u16,
    /// The job.
    pub job: String,
    /// The shard.
    pub shard: u32,
    /// Counts owners of the shard; every start raises it.
    pub epoch: u32,
    /// The worker that wrote it.
    pub worker: String,
    /// Which delivery of which job message the worker holds.
    #[serde(default)]
    pub delivery: Delivery,
    /// What happened.
    pub event: Event,
    /// Desired revision the worker has applied.
    pub revision: u64,
    /// Active time in use.
    pub origin: Option<Origin>,
    /// First arrival this record accounts for: the `next` of the record before.
    pub from: Cursor,
    /// First arrival no record accounts for yet.
    pub next: Cursor,
    /// Arrivals before `next` whose outcome is still open (mode `http`).
    #[serde(default)]
    pub open: Vec<Span>,
    /// All changes of rate and length that took effect, in order.
    #[serde(default)]
    pub history: Vec<RateChange>,
    /// What was measured since the record before.
    #[serde(default)]
    pub results: Option<Results>,
}

/// Entries and figures of one record. The inner encodings belong to the engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Results {
    /// Entries in `block`.
    pub count: u32,
    /// Packed entries, an engine block.
    #[serde(with = "bytes_field")]
    pub block: Bytes,
    /// Engine counters of just these arrivals.
    #[serde(with = "bytes_field")]
    pub counters: Bytes,
    /// Engine histograms and per-second points of just these entries.
    #[serde(with = "bytes_field")]
    pub timings: Bytes,
}

/// `Bytes` as MessagePack binary.
pub(super) mod bytes_field {
    use bytes::Bytes;
    use serde::de::{Error, Visitor};
    use serde::{Deserializer, Serializer};

    pub(in crate::protocol) fn serialize<S: Serializer>(bytes: &Bytes, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(bytes)
    }

    pub(in crate::protocol) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Bytes, D::Error> {
        from.deserialize_byte_buf(BytesVisitor)
    }

    struct BytesVisitor;

    impl Visitor<'_> for BytesVisitor {
        type Value = Bytes;

        fn expecting(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            to.write_str("binary data")
        }

        fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
            Ok(Bytes::copy_from_slice(bytes))
        }

        fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Bytes, E> {
            Ok(bytes.into())
        }
    }
}

versioned!(Record => 1);

#[cfg(test)]
mod tests {
    use super::{Cursor, cursors, spans};

    #[test]
    fn spans_hold_the_same_cursors() {
        let open: Vec<Cursor> =
            [(1, 3), (1, 4), (1, 6), (2, 0), (2, 1), (2, 2)].map(|(slot, k)| Cursor { slot, k }).to_vec();
        let packed = spans(&open);
        assert_eq!(packed.len(), 3);
        assert_eq!(cursors(&packed).collect::<Vec<_>>(), open);
    }
}
