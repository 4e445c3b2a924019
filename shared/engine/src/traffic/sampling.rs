//! Which entries are kept when a run keeps only a part of them.

use super::rng::EntryKey;

/// Whether the entry is one of the kept ones, on average one in `one_in`: decided by a hash of its
/// id, so that every worker decides alike and no pattern of the schedule shows.
#[must_use]
pub fn is_kept(key: EntryKey, one_in: u32) -> bool {
    one_in <= 1 || key.hash().is_multiple_of(u64::from(one_in))
}
