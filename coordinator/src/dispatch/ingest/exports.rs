//! Records of exports: the pieces of a file go to their place on the disk, then what is known of the job to the store.
//!
//! Only the newest owner's pieces count, one after the other. A piece that is known is dropped; one behind a hole ends the
//! job with the reason. Pieces that come again after a crash are the same bytes at the same place.

use std::collections::HashMap;

use bytes::Bytes;
use trafficlab_shared::protocol::codec;
use trafficlab_shared::protocol::export::{ExportEvent, ExportRecord};
use trafficlab_shared::protocol::report::EndReason;

use super::Incoming;
use super::take::Common;
use crate::dispatch::exports::ExportFiles;
use crate::store::captures::{CaptureState, GONE_JOBS};
use crate::store::exports::{EXPORT_JOBS, ExportJobRow};
use crate::store::{Batch, Store, StoreError};

/// Longest text of a record that is kept.
const TEXT_LETTERS: usize = 500;

/// What a batch changes of exports.
#[derive(Debug, Default)]
pub(super) struct Exports {
    jobs: HashMap<String, Job>,
}

/// What a batch shows of one job.
#[derive(Debug, Default)]
struct Job {
    /// None when the job is gone.
    row: Option<ExportJobRow>,
    /// Pieces of the file with their places, of the newest owner.
    pieces: Vec<(u64, Bytes)>,
}

/// What a commit changed of exports, for those who act on it.
#[derive(Debug, Default)]
pub struct TakenExports {
    /// Jobs that are to be looked at: their state changed.
    pub jobs: Vec<String>,
    /// The last sequence taken of each job's log.
    pub sequences: Vec<(String, u64)>,
}

impl Exports {
    /// Takes one message of a job's log.
    pub(super) fn take(
        &mut self,
        store: &Store,
        message: &Incoming,
        name: &str,
        common: &mut Common,
    ) -> Result<(), StoreError> {
        let record: ExportRecord = match codec::decode(&message.payload) {
            Ok(record) => record,
            Err(error) => {
                common.set_aside(message, error.to_string());
                return Ok(());
            }
        };
        if record.job != name || record.worker.len() > TEXT_LETTERS {
            common.set_aside(message, "the record names another job than its subject, or no worker of ours".into());
            return Ok(());
        }
        if !self.jobs.contains_key(name) {
            let row =
                if GONE_JOBS.contains(store, &record.job)? { None } else { EXPORT_JOBS.get(store, &record.job)? };
            self.jobs.insert(record.job.clone(), Job { row, pieces: Vec::new() });
        }
        let taken = self.jobs.get_mut(name).is_some_and(|job| job.take(message, record));
        common.dropped += u64::from(!taken);
        Ok(())
    }

    /// Writes the pieces. A disk that refuses ends the export, and nothing else.
    pub(super) fn write(&mut self, files: &ExportFiles) {
        for (name, job) in &mut self.jobs {
            let pieces: Vec<(u64, &[u8])> = job.pieces.iter().map(|(from, bytes)| (*from, bytes.as_ref())).collect();
            let Some(row) = &mut job.row else { continue };
            let whole = (row.state == CaptureState::Done).then_some(row.bytes);
            if pieces.is_empty() && whole.is_none() {
                continue;
            }
            if let Err(error) = files.write(name, &pieces, whole) {
                tracing::error!(job = %name, %error, "the file of an export cannot be written");
                // With its end noted, what was written goes with it and not a day later.
                let at_ns = row.stored_ns;
                row.fail(&format!("its file cannot be written: {error}"), at_ns);
            }
        }
    }

    /// Adds the rows to `batch`. The store's lock is held: what requests changed meanwhile counts.
    pub(super) fn put(self, store: &Store, batch: &mut Batch, taken: &mut TakenExports) -> Result<(), StoreError> {
        for (name, job) in self.jobs {
            let (Some(mut row), Some(now)) = (job.row, EXPORT_JOBS.get(store, &name)?) else {
                continue;
            };
            if now.state.is_over() {
                row.state = now.state;
                row.reason = now.reason;
                row.ended_ns = now.ended_ns;
            }
            if row.state != now.state {
                taken.jobs.push(name.clone());
            }
            row.desired = now.desired;
            row.cleared = now.cleared;
            taken.sequences.push((name.clone(), row.sequence));
            EXPORT_JOBS.put(batch, &name, &row)?;
        }
        Ok(())
    }
}

impl Job {
    /// Takes one record; false when it says nothing new.
    fn take(&mut self, message: &Incoming, record: ExportRecord) -> bool {
        let Some(row) = &mut self.row else {
            return false;
        };
        row.sequence = message.sequence;
        if row.state.is_over() || record.epoch < row.epoch {
            return false;
        }
        if record.epoch > row.epoch {
            row.epoch = record.epoch;
            row.bytes = 0;
            self.pieces.clear();
        } else if record.event == ExportEvent::Start || record.from < row.bytes {
            return false;
        }
        row.worker = record.worker;
        row.rows = record.rows;
        row.stored_ns = message.stored_ns;
        if record.from > row.bytes {
            let reason = format!("bytes {} to {} of the file are missing", row.bytes, record.from);
            row.fail(&reason, message.stored_ns);
            return true;
        }
        if !record.output.is_empty() {
            row.bytes += u64::try_from(record.output.len()).unwrap_or(u64::MAX);
            self.pieces.push((record.from, record.output));
        }
        row.follow(record.event, message.stored_ns);
        true
    }
}

impl ExportJobRow {
    fn follow(&mut self, event: ExportEvent, at_ns: u64) {
        match event {
            ExportEvent::Start => self.state = CaptureState::Running,
            ExportEvent::Batch => {}
            ExportEvent::Yield => self.state = CaptureState::Queued,
            ExportEvent::End { reason } => {
                let whole = reason == EndReason::Completed;
                self.state = if whole { CaptureState::Done } else { CaptureState::Stopped };
                self.ended_ns = Some(at_ns);
            }
            ExportEvent::Failed { reason, .. } => self.fail(&reason, at_ns),
        }
    }

    fn fail(&mut self, reason: &str, at_ns: u64) {
        self.state = CaptureState::Failed;
        self.reason = Some(reason.chars().take(TEXT_LETTERS).collect());
        self.ended_ns = Some(at_ns);
    }
}
