//! Reading stored windows, connections and anomalies back, one pack in memory at a time.

use trafficlab_shared::model::capture::anomaly::Anomaly;
use trafficlab_shared::model::capture::connection::Connection;
use trafficlab_shared::model::capture::window::Window;

use crate::packs::{self, PackFault};
use crate::store::captures::{ANOMALIES, CONNECTION_EXTENTS, Capture, PackExtent, WINDOW_EXTENTS};
use crate::store::segment::{Location, SegmentDir, SegmentError};
use crate::store::{Store, StoreError, Table};

/// Why something cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum WindowsError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The segment.
    #[error(transparent)]
    Segment(#[from] SegmentError),
    /// The pack.
    #[error("pack {location:?}: {source}")]
    Pack {
        /// Where it lies.
        location: Location,
        /// Why.
        source: PackFault,
    },
}

/// What is stored in packs.
pub trait Packed: Sized {
    /// Where its packs lie.
    const EXTENTS: Table<(String, u64), PackExtent>;
    /// Takes a pack apart.
    ///
    /// # Errors
    /// When the bytes are no such pack.
    fn unpack(bytes: &[u8]) -> Result<Vec<Self>, PackFault>;
}

impl Packed for Window {
    const EXTENTS: Table<(String, u64), PackExtent> = WINDOW_EXTENTS;

    fn unpack(bytes: &[u8]) -> Result<Vec<Self>, PackFault> {
        packs::windows(bytes)
    }
}

impl Packed for Connection {
    const EXTENTS: Table<(String, u64), PackExtent> = CONNECTION_EXTENTS;

    fn unpack(bytes: &[u8]) -> Result<Vec<Self>, PackFault> {
        packs::connections(bytes)
    }
}

/// Walks through a capture's windows, or connections, with their ids. Holds one pack; blocks on the disk.
pub struct Reader<'a, T> {
    store: &'a Store,
    segments: &'a SegmentDir,
    capture: String,
    next: u64,
    pack: std::vec::IntoIter<T>,
    failed: bool,
}

/// Windows of `capture` from id `from` on, in the order of their ids, each with its id. Blocks on the disk.
#[must_use]
pub fn scan<'a>(store: &'a Store, segments: &'a SegmentDir, capture: &str, from: u64) -> Reader<'a, Window> {
    Reader::new(store, segments, capture, from)
}

/// Connections of `capture` from number `from` on, in the order they were told. Blocks on the disk.
#[must_use]
pub fn connections<'a>(store: &'a Store, segments: &'a SegmentDir, capture: &str, from: u64) -> Reader<'a, Connection> {
    Reader::new(store, segments, capture, from)
}

/// At most `limit` windows from id `from` on, with their ids. Blocks on the disk.
///
/// # Errors
/// When the store or a segment cannot be read.
pub fn windows(
    store: &Store,
    segments: &SegmentDir,
    capture: &str,
    from: u64,
    limit: usize,
) -> Result<Vec<(u64, Window)>, WindowsError> {
    scan(store, segments, capture, from).take(limit).collect()
}

/// The window of an id. Blocks on the disk.
///
/// # Errors
/// As [`windows`].
pub fn window(store: &Store, segments: &SegmentDir, capture: &str, id: u64) -> Result<Option<Window>, WindowsError> {
    let first = scan(store, segments, capture, id).next().transpose()?;
    Ok(first.filter(|(found, _)| *found == id).map(|(_, window)| window))
}

/// The anomalies of `capture` that count, from number `from` on, at most `limit`, each with its number.
///
/// # Errors
/// When the store cannot be read.
pub fn anomalies(store: &Store, capture: &Capture, from: u64, limit: usize) -> Result<Vec<(u64, Anomaly)>, StoreError> {
    let Some(job) = &capture.anomaly_job else {
        return Ok(Vec::new());
    };
    anomalies_of(store, job, from, limit)
}

/// The anomalies that one job found, from number `from` on, at most `limit`, each with its number.
///
/// # Errors
/// When the store cannot be read.
pub fn anomalies_of(store: &Store, job: &str, from: u64, limit: usize) -> Result<Vec<(u64, Anomaly)>, StoreError> {
    let rows = ANOMALIES.range(store, &(job.to_owned(), from), &(job.to_owned(), u64::MAX), false);
    rows.take(limit).map(|row| row.map(|((_, number), anomaly)| (number, anomaly))).collect()
}

/// Anomalies that a job has found so far.
///
/// # Errors
/// When the store cannot be read.
pub fn anomalies_found(store: &Store, job: &str) -> Result<u64, StoreError> {
    let (first, end) = ((job.to_owned(), 0), (job.to_owned(), u64::MAX));
    let last = ANOMALIES.range(store, &first, &end, true).next().transpose()?;
    Ok(last.map_or(0, |((_, number), _)| number + 1))
}

impl<'a, T: Packed> Reader<'a, T> {
    fn new(store: &'a Store, segments: &'a SegmentDir, capture: &str, from: u64) -> Self {
        Self { store, segments, capture: capture.to_owned(), next: from, pack: Vec::new().into_iter(), failed: false }
    }

    /// Loads the pack that holds `next`, or the first behind it; false at the end.
    fn load(&mut self) -> Result<bool, WindowsError> {
        let Some((first, extent)) = self.extent()? else {
            return Ok(false);
        };
        let frame = self.segments.read(extent.location)?;
        let items =
            T::unpack(&frame.payload).map_err(|source| WindowsError::Pack { location: extent.location, source })?;
        self.pack = items.into_iter();
        let skipped = usize::try_from(self.next.saturating_sub(first)).unwrap_or(usize::MAX);
        if skipped > 0 {
            self.pack.nth(skipped - 1);
        }
        self.next = self.next.max(first);
        Ok(true)
    }

    fn extent(&self) -> Result<Option<(u64, PackExtent)>, StoreError> {
        let key = |id: u64| (self.capture.clone(), id);
        let upto = key(self.next.saturating_add(1));
        if let Some(row) = T::EXTENTS.range(self.store, &key(0), &upto, true).next() {
            let ((_, first), extent) = row?;
            if first + u64::from(extent.count) > self.next {
                return Ok(Some((first, extent)));
            }
        }
        let behind = T::EXTENTS.range(self.store, &upto, &key(u64::MAX), false).next().transpose()?;
        Ok(behind.map(|((_, first), extent)| (first, extent)))
    }
}

impl<T: Packed> Iterator for Reader<'_, T> {
    type Item = Result<(u64, T), WindowsError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        loop {
            if let Some(item) = self.pack.next() {
                let id = self.next;
                self.next += 1;
                return Some(Ok((id, item)));
            }
            match self.load() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    self.failed = true;
                    return Some(Err(error));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use crate::store::Batch;
    use crate::store::segment::{Committed, Frame, FrameMeta, SegmentLog, SegmentOptions};

    /// Packs of 3, 1 and 4 windows whose packets are their ids, and the ids 8 to 9 missing before another of 2.
    fn stored(folder: &std::path::Path) -> (Store, SegmentDir) {
        let store = Store::in_memory().unwrap();
        let mut log = SegmentLog::open(folder, Committed::default(), SegmentOptions::default()).unwrap();
        let mut batch = Batch::new();
        for (first, count) in [(0, 3), (3, 1), (4, 4), (10, 2)] {
            let windows: Vec<Window> =
                (first..first + count).map(|id| Window { packets: id, ..Window::default() }).collect();
            let payload = packs::write_windows(&windows);
            let frame = Frame { meta: &FrameMeta::default(), payload: &payload };
            let location = *log.append(&[frame]).unwrap().first().unwrap();
            let extent = PackExtent { location, count: u32::try_from(count).unwrap() };
            WINDOW_EXTENTS.put(&mut batch, &("c".to_owned(), first), &extent).unwrap();
        }
        log.sync().unwrap();
        store.apply(batch).unwrap();
        (store, SegmentDir::new(folder))
    }

    #[test]
    fn windows_are_read_from_any_id_across_packs() {
        let folder = tempfile::tempdir().unwrap();
        let (store, segments) = stored(folder.path());
        let ids: Vec<u64> = (0..8).chain(10..12).collect();
        for from in 0..13 {
            let found: Vec<u64> = scan(&store, &segments, "c", from)
                .map(|row| {
                    let (id, window) = row.unwrap();
                    assert_eq!(id, window.packets);
                    id
                })
                .collect();
            let expected: Vec<u64> = ids.iter().copied().filter(|id| *id >= from).collect();
            assert_eq!(found, expected, "from {from}");
            assert_eq!(window(&store, &segments, "c", from).unwrap().is_some(), ids.contains(&from), "id {from}");
        }
        assert_eq!(windows(&store, &segments, "c", 2, 3).unwrap().len(), 3);
        assert!(windows(&store, &segments, "another", 0, 3).unwrap().is_empty());
    }

    #[test]
    fn a_lost_frame_is_an_error_and_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let (store, segments) = stored(folder.path());
        let extent = WINDOW_EXTENTS.get(&store, &("c".to_owned(), 3)).unwrap().unwrap();
        segments.erase(&[extent.location]).unwrap();
        let rows: Vec<_> = scan(&store, &segments, "c", 0).collect();
        assert_eq!(rows.iter().filter(|row| row.is_ok()).count(), 3);
        assert!(rows.last().unwrap().is_err() && rows.len() == 4);
    }
}
