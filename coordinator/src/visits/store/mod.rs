//! The durable side of visits.
//!
//! A visit becomes a row in the frame being built (`building`); the writer thread makes frames durable in a log
//! (`writer`, `log`) and tells who waits (`ticket`); a log that is long enough, or of a day that is over, is sealed into
//! parts, one for each site and UTC day (`seal`), and small parts of a day are merged (`merge`). The key-value store says
//! which parts there are (`manifest`). At a start the logs behind the last seal are read again (`open`).
//!
//! Invariants: a ticket is durable only after its frame was synced; a row is in a log or in the manifest's parts, never in
//! both nor in neither, whatever moment a crash comes; what a failed write held is nowhere; rows, texts, ids and files
//! that wait are bounded.

mod building;
mod caps;
mod counters;
mod error;
mod ids;
mod keeper;
mod log;
mod manifest;
mod merge;
mod open;
mod options;
mod parts;
mod recent;
mod remove;
mod seal;
mod shared;
mod snapshot;
mod ticket;
mod view;
mod writer;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LockResult, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use trafficlab_engine::visit::data::Slices;
use trafficlab_engine::visit::dictionary::Dictionaries;
use trafficlab_engine::visit::memory::Memory;
use trafficlab_engine::visit::record::Visit;

pub use building::Arrival;
pub use counters::Counts;
pub use error::VisitsError;
pub use manifest::{SealState, StoredPart, VISIT_PARTS, VISIT_SEAL};
pub use remove::Pruned;
pub use ticket::{Recorded, Ticket};

use self::options::Options;
use self::shared::Shared;
use self::view::{ClosedLog, LogRows, View, memory_of};
use crate::store::Store;
use crate::store::quota::directory_usage;

/// The longest span that `recent` knows.
const MOST_RECENT_MS: i64 = 168 * 3600 * 1000;

/// The stored visits of a site's day (UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DayRows {
    /// Days since 1970-01-01.
    pub day: i64,
    /// Visits.
    pub rows: u64,
    /// Bytes of parts.
    pub bytes: u64,
}

/// The store of visits. Cheap to clone.
#[derive(Clone)]
pub struct VisitStore {
    shared: Arc<Shared>,
    writer: Arc<WriterThread>,
}

impl VisitStore {
    /// Opens the store in `folder`, which is made when missing. Blocks.
    ///
    /// # Errors
    /// `Io`, `Full`, `Damaged`, `Store`.
    pub fn open(folder: &Path, store: Store) -> Result<Self, VisitsError> {
        Self::open_with(folder, store, Options::default())
    }

    /// Puts a visit in the frame being built. Never waits for the disk.
    #[must_use]
    pub fn record(&self, visit: &Visit<'_>) -> Recorded {
        let mut building = unpoisoned(&self.shared.building);
        let recorded = building.record(visit, Arrival::Live, &self.shared.options);
        self.wake(building);
        recorded
    }

    /// Puts many visits in the frame being built; an answer for each, in order. Those that came before a `Full` are in.
    #[must_use]
    pub fn record_all(&self, visits: &[Visit<'_>], arrival: Arrival) -> Vec<Recorded> {
        let mut building = unpoisoned(&self.shared.building);
        let recorded = visits.iter().map(|visit| building.record(visit, arrival, &self.shared.options)).collect();
        self.wake(building);
        recorded
    }

    /// Waits until the visit of the ticket is on the disk, and answers the number of real visits after it.
    ///
    /// # Errors
    /// `Full`, `Io`: the visit is not stored.
    pub async fn durable(&self, ticket: &Ticket) -> Result<u64, VisitsError> {
        ticket.wait(|| self.shared.counters.total()).await
    }

    /// Number of visits. Lock-free.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.shared.counters.read()
    }

    /// Real visits whose time lies in the `span_ms` before `now_ms`, to the second, at most 168 hours; imported ones do
    /// not count. Lock-free, and as quick with any number of visits.
    #[must_use]
    pub fn recent(&self, now_ms: i64, span_ms: i64) -> u64 {
        let from_ms = now_ms.saturating_sub(span_ms.clamp(0, MOST_RECENT_MS));
        self.shared.recent.sum(from_ms.div_euclid(1000), now_ms.div_euclid(1000))
    }

    /// Values that became `(other)` since the start, because a site's day had too many distinct ones.
    #[must_use]
    pub fn folded(&self) -> u64 {
        unpoisoned(&self.shared.building).caps.folded()
    }

    /// The stored visits of a site that may lie in [from, until), as of now: what is removed or merged meanwhile stays
    /// readable. Blocks for up to some tens of milliseconds.
    ///
    /// # Errors
    /// `Io`, `Damaged`.
    pub fn data(&self, site: &str, from_ms: i64, until_ms: i64) -> Result<Vec<Arc<dyn Slices>>, VisitsError> {
        let (parts, closed, open, dictionaries) = self.now(|view| {
            let parts = view.parts_of(Some(site)).filter(|part| part.overlaps(from_ms, until_ms));
            parts.cloned().collect::<Vec<_>>()
        });
        let mut data: Vec<Arc<dyn Slices>> = Vec::with_capacity(parts.len() + closed.len() + 1);
        for part in parts {
            data.push(self.shared.parts.open(&part)?);
        }
        let closed = closed.iter().filter_map(|log| log.memory(site));
        let open = memory_of(&open, &dictionaries, site).map(Arc::new);
        let fits =
            |memory: &Memory| memory.time_range().is_some_and(|(first, last)| first < until_ms && last >= from_ms);
        for memory in closed.chain(open).filter(|memory| fits(memory)) {
            data.push(memory);
        }
        Ok(data)
    }

    /// Sites that have visits with their number, by name.
    #[must_use]
    pub fn sites(&self) -> Vec<(String, u64)> {
        let mut sites = BTreeMap::new();
        for ((site, _), day) in self.all_days(None) {
            *sites.entry(site).or_default() += day.rows;
        }
        sites.into_iter().collect()
    }

    /// The days of a site that have visits, ascending.
    #[must_use]
    pub fn days(&self, site: &str) -> Vec<DayRows> {
        self.all_days(Some(site)).into_values().collect()
    }

    /// Bytes of all files.
    ///
    /// # Errors
    /// `Io`.
    pub fn disk_bytes(&self) -> Result<u64, VisitsError> {
        let bytes = |folder| directory_usage(folder).map_err(|error| VisitsError::io("measure", folder, &error));
        Ok(bytes(&self.shared.logs)? + bytes(self.shared.parts.folder())?)
    }

    /// Writes what waits and ends the writer. Later visits find the store full. Blocks.
    pub fn close(&self) {
        self.writer.end();
    }

    /// Days of a site or of all, by site and day.
    fn all_days(&self, site: Option<&str>) -> BTreeMap<(String, i64), DayRows> {
        let (parts, closed, open, dictionaries) = self.now(|view| view.parts_of(site).cloned().collect::<Vec<_>>());
        let mut days: BTreeMap<(String, i64), DayRows> = BTreeMap::new();
        let mut add = |site: String, day, rows, bytes| {
            let found = days.entry((site, day)).or_insert(DayRows { day, ..DayRows::default() });
            found.rows += rows;
            found.bytes += bytes;
        };
        for part in parts {
            let summary = part.summary();
            add(part.stored.site.clone(), summary.day, summary.rows, summary.bytes);
        }
        for log in closed.iter().chain([&ClosedLog::new(0, open, dictionaries)]) {
            for ((name, day), rows) in log.days() {
                if site.is_none_or(|site| site == name) {
                    add(name.to_owned(), day, rows, 0);
                }
            }
        }
        days
    }

    /// What `pick` takes of the view, and all rows that are in no part at the same moment.
    fn now<T>(&self, pick: impl Fn(&View) -> T) -> (T, Vec<Arc<ClosedLog>>, LogRows, Dictionaries) {
        loop {
            let view = unpoisoned(&self.shared.view);
            let picked = pick(&view);
            let (closed, open, number) = (view.closed.clone(), view.open.clone(), view.open_number);
            drop(view);
            // Taken after the rows, so that no row has a code that is missing. A log that was closed in between is found
            // among the closed ones the next time.
            if let Some(dictionaries) = unpoisoned(&self.shared.building).dictionaries_of(number) {
                return (picked, closed, open, dictionaries);
            }
        }
    }

    fn wake(&self, mut building: MutexGuard<'_, building::Building>) {
        if building.writer_sleeps && building.has_work() {
            building.writer_sleeps = false;
            drop(building);
            self.shared.work.notify_one();
        }
    }
}

/// The writer, which ends with the last clone of the store.
struct WriterThread {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl WriterThread {
    fn new(shared: &Arc<Shared>, thread: JoinHandle<()>) -> Arc<Self> {
        Arc::new(Self { shared: Arc::clone(shared), thread: Mutex::new(Some(thread)) })
    }

    fn end(&self) {
        unpoisoned(&self.shared.building).closing = true;
        self.shared.work.notify_all();
        let thread = unpoisoned(&self.thread).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the writer of visits panicked");
        }
    }
}

impl Drop for WriterThread {
    fn drop(&mut self) {
        self.end();
    }
}

/// Data behind these locks is changed in single steps, so that a panic of a holder leaves it whole.
pub(crate) fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    waited(mutex.lock())
}

pub(crate) fn waited<T>(result: LockResult<T>) -> T {
    result.unwrap_or_else(PoisonError::into_inner)
}
