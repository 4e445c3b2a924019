//! What the writer, the readers and the keeper of the visit store share.

use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Condvar, Mutex};

use tokio::sync::Notify;

use super::building::Building;
use super::counters::Counters;
use super::keeper::Keeper;
use super::options::Options;
use super::parts::Parts;
use super::recent::Recent;
use super::unpoisoned;
use super::view::{ClosedLog, LogRows, View};
use crate::store::Store;

/// Locks are taken in this order: `keeper`, `building`, `view`.
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) store: Store,
    /// Folder of logs and snapshots.
    pub(crate) logs: PathBuf,
    pub(crate) building: Mutex<Building>,
    /// Wakes the writer.
    pub(crate) work: Condvar,
    /// Told when a log was closed.
    pub(crate) log_closed: Condvar,
    pub(crate) counters: Counters,
    pub(crate) recent: Recent,
    pub(crate) view: Mutex<View>,
    /// Bytes of the open log.
    pub(crate) log_bytes: AtomicU64,
    pub(crate) parts: Parts,
    /// One at a time seals, merges and removes.
    pub(crate) keeper: Mutex<Keeper>,
    /// Asks for a pass of the keeper.
    pub(crate) keep: Notify,
}

impl Shared {
    /// Moves the rows of the open log to the closed ones.
    pub(crate) fn close_log(&self, closed: impl FnOnce(LogRows) -> Arc<ClosedLog>) {
        let mut building = unpoisoned(&self.building);
        let mut view = unpoisoned(&self.view);
        let closed = closed(std::mem::take(&mut view.open));
        view.open_number = closed.number + 1;
        view.closed.push(closed);
        building.held = view.is_full(&self.options);
        building.ended();
        drop((view, building));
        self.log_closed.notify_all();
        self.keep.notify_one();
    }
}
