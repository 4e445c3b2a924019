//! Removing rows together with the frames they point to, piece by piece; may be repeated at any point.

use super::segment::{Location, SegmentDir, SegmentError};
use super::{Batch, Record, Store, StoreError, Table};

/// Rows of one piece.
const PIECE: usize = 500;

/// Why frames cannot be removed.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The segments.
    #[error(transparent)]
    Segment(#[from] SegmentError),
}

/// Removes the rows under `owner` that `location` gives a place for, and erases what lies there. Blocks.
///
/// # Errors
/// When a disk refuses.
pub fn rows_with_frames<T: Record>(
    store: &Store,
    segments: &SegmentDir,
    table: &Table<(String, u64), T>,
    owner: &str,
    location: impl Fn(&T) -> Option<Location>,
) -> Result<(), EraseError> {
    let mut from = Some(0);
    while let Some(start) = from {
        from = piece(store, segments, table, (owner, start), &location)?;
    }
    Ok(())
}

/// One piece; comes back with where the next one begins.
fn piece<T: Record>(
    store: &Store,
    segments: &SegmentDir,
    table: &Table<(String, u64), T>,
    (owner, from): (&str, u64),
    location: impl Fn(&T) -> Option<Location>,
) -> Result<Option<u64>, EraseError> {
    let mut batch = Batch::new();
    let mut locations = Vec::with_capacity(PIECE);
    let mut last = None;
    for row in table.range(store, &(owner.to_owned(), from), &(owner.to_owned(), u64::MAX), false).take(PIECE) {
        let (key, row) = row?;
        last = Some(key.1);
        if let Some(location) = location(&row) {
            locations.push(location);
            table.delete(&mut batch, &key);
        }
    }
    // The frames go first: what is forgotten could not be erased after a crash.
    segments.erase(&locations)?;
    store.commit_blocking(batch)?;
    Ok(last.map(|last| last + 1))
}

/// Removes all rows under `owner`. Blocks.
///
/// # Errors
/// When the store refuses.
pub fn rows<T: Record>(store: &Store, table: &Table<(String, u64), T>, owner: &str) -> Result<(), StoreError> {
    loop {
        let mut batch = Batch::new();
        for row in table.scan_prefix(store, &owner.to_owned(), false).take(PIECE) {
            table.delete(&mut batch, &row?.0);
        }
        if batch.is_empty() {
            return Ok(());
        }
        store.commit_blocking(batch)?;
    }
}
