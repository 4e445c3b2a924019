//! What an export writes, as records of its log.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use bytes::Bytes;
use trafficlab_shared::protocol::export::{ExportEvent, ExportRecord};
use trafficlab_shared::protocol::report::Delivery;

use super::ExportTask;
use super::file::Piece;
use crate::outbox::ShardLog;
use crate::shard::ShardFault;

/// The writing end of an export's log: it knows how much of the file is told.
pub(super) struct Teller {
    log: ShardLog<ExportRecord>,
    job: String,
    worker: String,
    delivery: Delivery,
    alive_at: Arc<AtomicU64>,
    epoch: u32,
    /// Starts in a row, this one included.
    starts: u32,
    told: u64,
    /// Rows written so far.
    pub(super) rows: u64,
    /// Desired revision that is applied.
    pub(super) revision: u64,
}

impl Teller {
    /// A new owner after `last`.
    pub(super) fn new(task: &ExportTask, log: ShardLog<ExportRecord>, last: Option<&ExportRecord>) -> Self {
        let job = &task.job;
        Self {
            log,
            job: job.job.clone(),
            worker: task.worker.id.clone(),
            delivery: task.delivery,
            alive_at: Arc::clone(&task.alive_at),
            epoch: last.map_or(job.known.epoch, |last| last.epoch) + 1,
            starts: last.map_or(0, |last| last.starts) + 1,
            told: 0,
            rows: 0,
            revision: job.revision,
        }
    }

    /// Takes the job.
    pub(super) async fn start(&mut self) -> Result<(), ShardFault> {
        self.tell(ExportEvent::Start).await
    }

    /// Appends an event without bytes.
    pub(super) async fn tell(&mut self, event: ExportEvent) -> Result<(), ShardFault> {
        self.append(event, Bytes::new()).await
    }

    /// Appends a piece of the file.
    pub(super) async fn tell_piece(&mut self, piece: Piece) -> Result<(), ShardFault> {
        self.rows = piece.rows;
        self.append(ExportEvent::Batch, piece.bytes).await
    }

    /// Says that it cannot be done.
    pub(super) async fn fail(&mut self, reason: String) -> Result<(), ShardFault> {
        let attempts = self.starts;
        self.tell(ExportEvent::Failed { reason, attempts }).await
    }

    async fn append(&mut self, event: ExportEvent, output: Bytes) -> Result<(), ShardFault> {
        if event == ExportEvent::Yield {
            self.starts = 0;
        }
        let length = u64::try_from(output.len()).unwrap_or(u64::MAX);
        let record = ExportRecord {
            v: 1,
            job: self.job.clone(),
            epoch: self.epoch,
            worker: self.worker.clone(),
            delivery: self.delivery,
            revision: self.revision,
            event,
            starts: self.starts,
            rows: self.rows,
            from: self.told,
            output,
        };
        self.log.append_alive(&record, &self.alive_at).await?;
        self.told += length;
        Ok(())
    }
}
