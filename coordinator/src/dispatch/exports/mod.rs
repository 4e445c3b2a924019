//! Exports as jobs: asked for, waited for and removed here. The reconciler of capture jobs looks after them as well, since
//! on the broker both are jobs with one shard: a desired state, a message, an input in the object store, a log.
//!
//! Whose rows these are is not known here: an export is a job id, what is to be written, and two files.

mod files;
mod reconcile;
#[cfg(test)]
mod tests;

use std::time::Duration;

use trafficlab_shared::clock;
use trafficlab_shared::model::export::ExportSpec;
use trafficlab_shared::protocol::control::{Desired, DesiredState};

use super::Dispatch;
use super::ingest::TakenExports;
use crate::store::captures::{CaptureState, GONE_JOBS};
use crate::store::exports::{EXPORT_JOBS, ExportJobRow};
use crate::store::{Batch, StoreError};

pub use files::ExportFiles;
pub(in crate::dispatch) use reconcile::{end, provide, reconcile, remember};

impl Dispatch {
    /// The files of exports.
    #[must_use]
    pub const fn export_files(&self) -> &ExportFiles {
        &self.captures.exports
    }

    /// Adds a job to `batch`; its rows lie in the files already. `attend_export` when the batch is applied.
    ///
    /// # Errors
    /// When the record cannot be encoded.
    pub fn plan_export(&self, batch: &mut Batch, job: &str, spec: ExportSpec) -> Result<(), StoreError> {
        plan(batch, job, spec)
    }

    /// Adds to `batch` that a job is gone: whoever writes it stops, and what still comes is not taken. When the batch is
    /// applied, `attend_export`, and its files may be removed.
    ///
    /// # Errors
    /// When the record cannot be encoded.
    pub fn plan_export_removal(&self, batch: &mut Batch, job: &str) -> Result<(), StoreError> {
        EXPORT_JOBS.delete(batch, &job.to_owned());
        GONE_JOBS.put(batch, &job.to_owned(), &clock::wall_ns())
    }

    /// Looks after a job from now on.
    pub fn attend_export(&self, job: &str) {
        self.captures.attend(job);
        self.captures.changed();
    }

    /// Waits until a job is over, at most so long; comes back with where it stands then. None when it is gone.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn wait_export(&self, job: &str, within: Duration) -> Result<Option<ExportJobRow>, StoreError> {
        let (mut changes, key) = (self.captures.changes(), job.to_owned());
        let over = async {
            loop {
                changes.borrow_and_update();
                let row = EXPORT_JOBS.get(&self.store, &key)?;
                if row.as_ref().is_none_or(|row| row.state.is_over()) || changes.changed().await.is_err() {
                    return Ok(row);
                }
            }
        };
        match tokio::time::timeout(within, over).await {
            Ok(row) => row,
            Err(_elapsed) => EXPORT_JOBS.get(&self.store, &key),
        }
    }

    /// Tells the loops and those who wait what a commit changed of exports.
    pub(super) fn after_exports(&self, taken: TakenExports) {
        if taken.sequences.is_empty() {
            return;
        }
        self.captures.purge(taken.sequences);
        for job in &taken.jobs {
            self.captures.attend(job);
        }
        self.captures.changed();
    }
}

/// Adds a new job to `batch`.
pub(in crate::dispatch) fn plan(batch: &mut Batch, job: &str, spec: ExportSpec) -> Result<(), StoreError> {
    let desired = Desired {
        v: 1,
        revision: 1,
        activation: 1,
        state: DesiredState::Run,
        rate: 0,
        duration_ms: 0,
        at_slot: 0,
        origin_ns: None,
    };
    let row = ExportJobRow {
        job: job.to_owned(),
        spec,
        desired,
        state: CaptureState::Queued,
        reason: None,
        worker: String::new(),
        epoch: 0,
        bytes: 0,
        rows: 0,
        sequence: 0,
        stored_ns: 0,
        created_ns: clock::wall_ns(),
        ended_ns: None,
        cleared: false,
    };
    EXPORT_JOBS.put(batch, &row.job, &row)
}
