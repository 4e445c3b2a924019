//! What stands in a frame about its payload.

/// Longest counter delta.
pub const MAX_COUNTERS_BYTES: usize = 1024 * 1024;
/// Bytes before the counters.
pub(super) const META_FIXED_BYTES: usize = 1 + 16 + 4 + 8 + 4;

/// What a frame is about: enough to rebuild extents and counters from the frames alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FrameMeta {
    /// What the payload is; the numbers belong to the record families.
    pub kind: u8,
    /// Id of the job.
    pub job: [u8; 16],
    /// Shard of the job.
    pub shard: u32,
    /// Sequence of the first entry.
    pub first_sequence: u64,
    /// Number of entries.
    pub count: u32,
    /// What these entries add to the counters, in the caller's encoding.
    pub counters: Vec<u8>,
}

impl FrameMeta {
    /// Appends the bytes.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.kind);
        out.extend_from_slice(&self.job);
        out.extend_from_slice(&self.shard.to_le_bytes());
        out.extend_from_slice(&self.first_sequence.to_le_bytes());
        out.extend_from_slice(&self.count.to_le_bytes());
        out.extend_from_slice(&self.counters);
    }

    /// Reads the bytes; whatever follows the fixed part are the counters.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        let (job, rest) = rest.split_first_chunk::<16>()?;
        let (shard, rest) = rest.split_first_chunk::<4>()?;
        let (first_sequence, rest) = rest.split_first_chunk::<8>()?;
        let (count, counters) = rest.split_first_chunk::<4>()?;
        Some(Self {
            kind: *kind,
            job: *job,
            shard: u32::from_le_bytes(*shard),
            first_sequence: u64::from_le_bytes(*first_sequence),
            count: u32::from_le_bytes(*count),
            counters: counters.to_vec(),
        })
    }
}
