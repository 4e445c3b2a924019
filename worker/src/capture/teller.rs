//! What a capture job found, as records of its log.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use bytes::Bytes;
use trafficlab_shared::protocol::capture::{CaptureEvent, CaptureJob, CaptureRecord, Progress};
use trafficlab_shared::protocol::report::Delivery;

use super::CaptureTask;
use super::opening::{Resume, Told};
use crate::outbox::ShardLog;
use crate::shard::ShardFault;

/// Values of one kind, packed by the engine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Packed {
    /// How many.
    pub(super) count: u32,
    /// The pack; empty without any.
    pub(super) bytes: Bytes,
}

/// What goes into one record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Found {
    pub(super) windows: Packed,
    pub(super) anomalies: Packed,
    pub(super) connections: Packed,
}

/// The writing end of a capture job: it knows what is told.
pub(super) struct Teller {
    log: ShardLog<CaptureRecord>,
    job: Arc<CaptureJob>,
    worker: String,
    delivery: Delivery,
    alive_at: Arc<AtomicU64>,
    epoch: u32,
    told: Told,
    starts: u32,
    /// Desired revision that is applied.
    pub(super) revision: u64,
    /// Where window 0 begins.
    pub(super) origin_ns: Option<i64>,
    /// Live: when capturing began.
    pub(super) began_ns: Option<i64>,
    /// Live: everything before this moment is told.
    pub(super) told_until_ns: Option<i64>,
    /// How far the job is.
    pub(super) progress: Progress,
    /// The worker that wrote before this owner, after a takeover.
    pub(super) before: Option<String>,
    /// Whether a batch without windows is progress as well, as it is of live captures.
    pub(super) lives: bool,
}

impl Teller {
    pub(super) fn new(task: &CaptureTask, log: ShardLog<CaptureRecord>, at: &Resume) -> Self {
        Self {
            log,
            job: Arc::clone(&task.job),
            worker: task.worker.id.clone(),
            delivery: task.delivery,
            alive_at: Arc::clone(&task.alive_at),
            epoch: at.epoch,
            told: at.told,
            starts: at.starts,
            revision: task.job.revision,
            origin_ns: at.origin_ns,
            began_ns: at.began_ns,
            told_until_ns: at.told_until_ns,
            progress: at.progress,
            before: at.before.clone(),
            lives: false,
        }
    }

    /// What the log tells.
    pub(super) const fn told(&self) -> Told {
        self.told
    }

    /// Appends an event that finds nothing.
    pub(super) async fn tell(&mut self, event: CaptureEvent) -> Result<(), ShardFault> {
        self.append(event, Found::default()).await
    }

    /// Appends what was found, or just the progress.
    pub(super) async fn tell_found(&mut self, found: Found) -> Result<(), ShardFault> {
        self.append(CaptureEvent::Batch, found).await
    }

    async fn append(&mut self, event: CaptureEvent, found: Found) -> Result<(), ShardFault> {
        let record = self.record(event, found);
        self.log.append_alive(&record, &self.alive_at).await?;
        let (next, anomalies, connections) = (record.next, record.anomalies_told, record.connections_told);
        self.told = Told { windows: next, anomalies, connections };
        self.starts = record.starts;
        Ok(())
    }

    fn record(&self, event: CaptureEvent, found: Found) -> CaptureRecord {
        let Found { windows, anomalies, connections } = found;
        CaptureRecord {
            v: 1,
            job: self.job.job.clone(),
            capture: self.job.capture.clone(),
            epoch: self.epoch,
            worker: self.worker.clone(),
            delivery: self.delivery,
            revision: self.revision,
            starts: starts(self.starts, &event, windows.count, self.lives),
            event,
            from: self.told.windows,
            next: self.told.windows + u64::from(windows.count),
            origin_ns: self.origin_ns,
            progress: self.progress,
            windows: windows.bytes,
            anomalies: anomalies.bytes,
            connections: connections.bytes,
            connection_count: connections.count,
            anomalies_told: self.told.anomalies + u64::from(anomalies.count),
            connections_told: self.told.connections + u64::from(connections.count),
            began_ns: self.began_ns,
            told_until_ns: self.told_until_ns,
        }
    }
}

/// Starts without progress as of a record.
const fn starts(before: u32, event: &CaptureEvent, windows: u32, lives: bool) -> u32 {
    match event {
        CaptureEvent::Yield => 0,
        CaptureEvent::Batch if windows > 0 || lives => 0,
        _ => before,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_progress_forgets_starts() {
        assert_eq!(starts(3, &CaptureEvent::Batch, 0, false), 3, "bytes read are no progress of a file");
        assert_eq!(starts(3, &CaptureEvent::Batch, 1, false), 0);
        assert_eq!(starts(3, &CaptureEvent::Batch, 0, true), 0);
        assert_eq!(starts(3, &CaptureEvent::Yield, 0, false), 0);
        assert_eq!(starts(3, &CaptureEvent::FileWanted, 0, true), 3);
    }
}
