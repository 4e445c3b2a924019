//! Seals and merges by the clock: at most one pass at a time, on a thread of its own.

use std::time::Duration;

use trafficlab_engine::visit::data::{DAY_MS, day_of};

use super::building::Building;
use super::error::{Result, VisitsError};
use super::ids::REMEMBERED_S;
use super::manifest::SealState;
use super::shared::Shared;
use super::{VisitStore, unpoisoned, waited};

/// How often it is looked whether there is something to do; a log that is full asks at once.
const PERIOD: Duration = Duration::from_secs(1);
/// Wait after a failure, such as a full disk.
const AFTER_FAILURE: Duration = Duration::from_secs(10);
/// Ids that are forgotten stay in a snapshot at most this much longer.
const IDS_LINGER_S: u32 = 3600;
/// A log is closed by the writer after at most one write, so this is only ever reached when the disk hangs.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(60);

/// What only one may change at a time.
#[derive(Debug, Default)]
pub(crate) struct Keeper {
    pub(crate) state: SealState,
    /// When the oldest id of the last snapshot came.
    pub(crate) oldest_id_s: Option<u32>,
    /// The key-value store failed, so that it is unknown what it holds. It stays so until the next start.
    pub(crate) broken: Option<VisitsError>,
    /// Where a test stops everything, as a crash would.
    #[cfg(test)]
    pub(crate) stop_at: Option<Step>,
}

/// Moments at which tests stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    PartWritten,
    FolderSynced,
    SnapshotWritten,
    Committed,
    Shown,
}

impl Keeper {
    /// Nothing, unless a test stops here.
    #[cfg_attr(not(test), allow(clippy::unused_self, clippy::unnecessary_wraps, reason = "tests stop here"))]
    pub(crate) fn passed(&self, step: Step) -> Result<()> {
        #[cfg(test)]
        if self.stop_at == Some(step) {
            return Err(VisitsError::Closed);
        }
        let _: Step = step;
        Ok(())
    }

    /// Whether the last snapshot should be written anew without ids that are forgotten: once in a while, since it may be
    /// large.
    pub(crate) fn has_old_ids(&self, now_s: u32) -> bool {
        self.oldest_id_s.is_some_and(|oldest| now_s.saturating_sub(oldest) > REMEMBERED_S + IDS_LINGER_S)
    }

    /// Whether the key-value store may still be changed.
    pub(crate) fn usable(&self) -> Result<()> {
        self.broken.clone().map_or(Ok(()), Err)
    }
}

impl VisitStore {
    /// Seals everything recorded before. Blocks.
    ///
    /// # Errors
    /// Any; everything stays readable.
    pub fn seal_now(&self) -> std::result::Result<(), VisitsError> {
        self.shared.end_log()?;
        let mut keeper = unpoisoned(&self.shared.keeper);
        self.shared.seal_closed(&mut keeper)
    }

    /// Merges the parts of every day that has more than one. Blocks.
    ///
    /// # Errors
    /// Any; everything stays readable.
    pub fn merge_now(&self) -> std::result::Result<(), VisitsError> {
        let mut keeper = unpoisoned(&self.shared.keeper);
        self.shared.merge(&mut keeper, true)
    }

    /// Seals and merges by the clock. Ends only with the writer, which is when the store takes no more visits.
    pub async fn run(&self) {
        let mut period = tokio::time::interval(PERIOD);
        period.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while !unpoisoned(&self.shared.building).closing {
            tokio::select! {
                _ = period.tick() => {}
                () = self.shared.keep.notified() => {}
            }
            if !self.shared.has_keeping() {
                continue;
            }
            let shared = std::sync::Arc::clone(&self.shared);
            let kept = match tokio::task::spawn_blocking(move || shared.keep()).await {
                Ok(kept) => kept,
                Err(panicked) => Err(VisitsError::Damaged(format!("sealing panicked: {panicked}"))),
            };
            if let Err(error) = kept {
                tracing::error!(%error, "visits cannot be sealed; it is tried again");
                tokio::time::sleep(AFTER_FAILURE).await;
            }
        }
    }
}

impl Shared {
    /// Whether a pass would do something.
    fn has_keeping(&self) -> bool {
        let today = day_of(self.options.now_ms());
        // Whoever keeps the lock is at work for long.
        let has_old_ids = self.keeper.try_lock().is_ok_and(|keeper| keeper.has_old_ids(self.options.now_s()));
        let view = unpoisoned(&self.view);
        !view.closed.is_empty()
            || view.open.began().is_some_and(|ms| day_of(ms) < today)
            || !self.due(&view, false).is_empty()
            || has_old_ids
    }

    fn keep(&self) -> Result<()> {
        let now = self.options.now_ms();
        // Visits of the last day may still be on their way through the writer for a moment.
        let is_over = |began: i64| day_of(began) < day_of(now) && now.rem_euclid(DAY_MS) > 1000;
        if unpoisoned(&self.view).open.began().is_some_and(is_over) {
            self.end_log()?;
        }
        let mut keeper = unpoisoned(&self.keeper);
        self.seal_closed(&mut keeper)?;
        self.forget_ids(&mut keeper)?;
        self.merge(&mut keeper, false)
    }

    /// Has the writer close the log with everything that was recorded before, and waits for that.
    pub(crate) fn end_log(&self) -> Result<()> {
        let mut building = unpoisoned(&self.building);
        let Some(log) = building.ask_for_end() else { return Ok(()) };
        if building.closing {
            return Err(VisitsError::Closed);
        }
        self.work.notify_one();
        let is_open = |building: &mut Building| !building.closing && building.dictionaries_of(log).is_some();
        let (building, timeout) = waited(self.log_closed.wait_timeout_while(building, CLOSE_TIMEOUT, is_open));
        if timeout.timed_out() {
            return Err(VisitsError::Busy);
        }
        // The writer may have ended without closing it.
        if building.dictionaries_of(log).is_some() { Err(VisitsError::Closed) } else { Ok(()) }
    }
}
