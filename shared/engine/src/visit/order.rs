//! The order in which rows lie in slices: by visitor, then by time, then as they came.

use super::column::Row;
use super::data::{SLICES, slice_of};

/// The rows in that order. A visitor's highest byte is its slice, so slices follow each other.
pub(super) fn ordered<'r>(rows: impl IntoIterator<Item = &'r Row>) -> Vec<&'r Row> {
    let rows: Vec<&Row> = rows.into_iter().collect();
    // First by slice, then each slice by itself, which fits into the processor's cache. The keys lie beside the place,
    // since rows are wide and would be fetched anew for every comparison.
    let mut next = [0usize; SLICES];
    let slice = |row: &Row| usize::from(slice_of(row.visitor));
    for row in &rows {
        if let Some(count) = next.get_mut(slice(row)) {
            *count += 1;
        }
    }
    let counts = next;
    next.iter_mut().fold(0, |begin, next| begin + std::mem::replace(next, begin));
    let mut keyed = vec![(0u64, 0i64, 0usize); rows.len()];
    for (at, row) in rows.iter().enumerate() {
        let Some(next) = next.get_mut(slice(row)) else { continue };
        if let Some(key) = keyed.get_mut(*next) {
            *key = (row.visitor, row.time_ms, at);
        }
        *next += 1;
    }
    let mut rest = keyed.as_mut_slice();
    for count in counts {
        let Some((slice, after)) = rest.split_at_mut_checked(count) else { break };
        slice.sort_unstable();
        rest = after;
    }
    keyed.iter().flat_map(|(_, _, at)| rows.get(*at)).copied().collect()
}
