//! Where entries lie: an extent for every stored block, by campaign and first sequence.

use serde::{Deserialize, Serialize};
use trafficlab_shared::protocol::report::Origin;

use super::segment::{Committed, Location};
use super::{FirstVersion, Table};

/// Extents in the order of their sequences.
pub const EXTENTS: Table<(String, u64), Extent> = Table::new("extent");
/// The next sequence of each campaign, from 1.
pub const SEQUENCES: Table<String, u64> = Table::new("sequence");
/// How far ingest is; one record under the key 0.
pub const POSITION: Table<u8, Position> = Table::new("ingest");
/// Messages ingest could not use, by stream sequence.
pub const QUARANTINE: Table<u64, SetAside> = Table::new("quarantine");

/// Kind of frame that holds packed entries.
pub const ENTRIES_FRAME: u8 = 1;

/// A stored block of entries of one shard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Extent {
    /// Where its frame lies.
    pub location: Location,
    /// Entries in it.
    pub count: u32,
    /// The run.
    pub job: String,
    /// The shard.
    pub shard: u32,
    /// The worker that made them.
    pub worker: String,
    /// From active to wall time.
    pub origin: Origin,
}

/// How far ingest is in the results stream and in the segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Position {
    /// Creation time of the stream, in nanoseconds; another one is another stream.
    pub stream_ns: u64,
    /// Last sequence taken.
    pub sequence: u64,
    /// End of the segments that belongs to it.
    pub committed: Committed,
}

/// A message that was set aside, for people to look at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetAside {
    /// Its subject.
    pub subject: String,
    /// Why.
    pub reason: String,
    /// When, in nanoseconds.
    pub at_ns: u64,
    /// The first bytes of it, at most 48 KiB.
    #[serde(with = "serde_bytes_vec")]
    pub payload: Vec<u8>,
}

mod serde_bytes_vec {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(bytes)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        Vec::<u8>::deserialize(from)
    }
}

impl FirstVersion for Extent {}
impl FirstVersion for Position {}
impl FirstVersion for SetAside {}
