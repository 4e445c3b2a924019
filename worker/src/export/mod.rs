//! Exports: from the job message to the last piece of the file.
//!
//! `teller` appends to the job's log, `file` turns the engine's output into pieces. The engine is called in `work` only.

mod file;
mod teller;

use std::io::{BufReader, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use trafficlab_engine::ads::export as table;
use trafficlab_shared::protocol::control::Desired;
use trafficlab_shared::protocol::export::{ExportEvent, ExportJob, ExportRecord};
use trafficlab_shared::protocol::report::{Delivery, EndReason};

use crate::job::orders::{Order, Orders};
use crate::job::pieces::{self, Pieces};
use crate::job::thread::{self, Flags, StopOnDrop, Watched};
use crate::job::verdict::{self, LOST_LOG, Last, Verdict};
use crate::outbox::{LogError, ShardLog};
use crate::shard::{ShardEnd, ShardFault};
use crate::shared::Worker;
use file::Output;
use teller::Teller;

/// Pieces between the engine and the log: 1 MiB.
const PIECES: usize = 4;

/// Everything an export needs.
#[derive(Debug, Clone)]
pub(crate) struct ExportTask {
    /// The process it runs in.
    pub(crate) worker: Arc<Worker>,
    /// The job message.
    pub(crate) job: Arc<ExportJob>,
    /// Which delivery of it this is.
    pub(crate) delivery: Delivery,
    /// Desired state of the job.
    pub(crate) desired: watch::Receiver<Option<Desired>>,
    /// Set when the job should be given back.
    pub(crate) give_back: watch::Receiver<bool>,
    /// Boot time at which the work last showed life; a lease is renewed only while it does.
    pub(crate) alive_at: Arc<AtomicU64>,
}

/// Writes an export to its end, or to the moment it is given back or lost.
///
/// # Errors
/// [`ShardFault`] when it stopped before that; it may be tried again from the beginning.
pub(crate) async fn run(task: ExportTask) -> Result<ShardEnd, ShardFault> {
    match claim_and_work(task).await {
        Err(ShardFault::Log(LogError::Fenced)) => Ok(ShardEnd::Fenced),
        other => other,
    }
}

async fn claim_and_work(task: ExportTask) -> Result<ShardEnd, ShardFault> {
    let mut orders = Orders::new(&task.desired, &task.give_back, &task.alive_at, task.job.revision);
    let (mut teller, verdict) = open(&task).await?;
    match verdict {
        Verdict::Leave => return Ok(ShardEnd::Settled),
        Verdict::Fenced => return Ok(ShardEnd::Fenced),
        Verdict::GiveUp(reason) => {
            teller.fail(reason).await?;
            return Ok(ShardEnd::Settled);
        }
        Verdict::Run => teller.start().await?,
    }
    if let Some(order) = orders.word().await? {
        return obey(&mut teller, order).await;
    }
    let fetched = pieces::fetch(&task.worker.context, &task.job.job, &task.alive_at, &mut orders).await?;
    let Some((pieces, pumping)) = fetched else {
        let order = orders.next().await;
        return obey(&mut teller, order).await;
    };
    let end = work(&task, pieces, &mut teller, &mut orders).await;
    pumping.abort();
    end
}

/// Writes into the log that the export cannot be done.
///
/// # Errors
/// When the log cannot be written.
pub(crate) async fn fail(task: &ExportTask, reason: String) -> Result<(), ShardFault> {
    let (mut teller, verdict) = open(task).await?;
    match verdict {
        Verdict::Leave => Ok(()),
        Verdict::Fenced => Err(LogError::Fenced.into()),
        Verdict::GiveUp(_) | Verdict::Run => teller.fail(reason).await,
    }
}

/// Opens the job's log and says what is to be done by its last record.
async fn open(task: &ExportTask) -> Result<(Teller, Verdict), ShardFault> {
    let (log, last) = ShardLog::of_export(task.worker.context.clone(), &task.job.job).await?;
    let last = last.map(|last| last.record);
    let verdict = decide(&task.job, task.delivery, last.as_ref());
    Ok((Teller::new(task, log, last.as_ref()), verdict))
}

fn decide(job: &ExportJob, delivery: Delivery, last: Option<&ExportRecord>) -> Verdict {
    let Some(last) = last else {
        return if job.known.started { Verdict::GiveUp(LOST_LOG.into()) } else { Verdict::Run };
    };
    let over = matches!(last.event, ExportEvent::End { .. } | ExportEvent::Failed { .. });
    let known = Last { over, delivery: last.delivery, starts: last.starts, worker: &last.worker };
    verdict::judge(&known, delivery)
}

/// Writes that the job is left for this reason.
async fn obey(teller: &mut Teller, order: Order) -> Result<ShardEnd, ShardFault> {
    match order {
        Order::Stop(revision) => {
            teller.revision = revision;
            teller.tell(ExportEvent::End { reason: EndReason::Stopped }).await?;
            Ok(ShardEnd::Settled)
        }
        Order::GiveBack => {
            teller.tell(ExportEvent::Yield).await?;
            Ok(ShardEnd::Yielded)
        }
    }
}

/// Writes the file and tells its pieces as they come.
async fn work(
    task: &ExportTask,
    pieces: Pieces,
    teller: &mut Teller,
    orders: &mut Orders,
) -> Result<ShardEnd, ShardFault> {
    let flags = Flags::new(&task.alive_at);
    let stop = StopOnDrop(flags.clone());
    let (to, mut from) = mpsc::channel(PIECES);
    let mut thread = written(task, Watched { inner: pieces, flags: flags.clone() }, Output::new(to, flags.clone()));
    let mut held = false;
    loop {
        tokio::select! {
            biased;
            order = orders.next() => {
                stop.0.stop();
                drop(from);
                let end = obey(teller, order).await;
                drop(thread::joined(&mut thread).await);
                return end;
            }
            piece = from.recv(), if !held => match piece {
                Some(piece) => {
                    teller.tell_piece(piece).await?;
                    held = asked_to_hold();
                }
                None => break,
            },
        }
    }
    match thread::joined(&mut thread).await {
        Ok(rows) => {
            teller.rows = rows;
            teller.tell(ExportEvent::End { reason: EndReason::Completed }).await?;
            Ok(ShardEnd::Settled)
        }
        Err(error) if error.kind() == ErrorKind::InvalidData && flags.broken().is_none() => {
            Err(ShardFault::Hopeless(error.to_string()))
        }
        Err(error) => Err(ShardFault::Input(error.to_string())),
    }
}

/// Whether a test wants to see an export that goes no further; not in release builds.
#[cfg(debug_assertions)]
fn asked_to_hold() -> bool {
    crate::fault::holds_exports()
}

#[cfg(not(debug_assertions))]
const fn asked_to_hold() -> bool {
    false
}

/// The thread that turns rows into a file; comes back with how many there were.
fn written(task: &ExportTask, rows: Watched<Pieces>, mut output: Output) -> JoinHandle<std::io::Result<u64>> {
    let job = Arc::clone(&task.job);
    let count = output.rows();
    tokio::task::spawn_blocking(move || {
        let told = |rows| count.store(rows, std::sync::atomic::Ordering::Relaxed);
        let rows = table::write(&job.spec, BufReader::new(rows), &mut output, told)?;
        output.finish()?;
        Ok(rows)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use bytes::Bytes;
    use trafficlab_shared::model::export::{ExportFormat, ExportSpec, ExportTable};
    use trafficlab_shared::protocol::export::KnownExport;

    use super::*;
    use crate::shard::opening::MAX_IDLE_STARTS;

    fn job(started: bool) -> ExportJob {
        let spec = ExportSpec {
            table: ExportTable::Metrics,
            format: ExportFormat::Csv,
            columns: ExportTable::Metrics.usual(),
            rows: 3,
        };
        let known = KnownExport { started, epoch: u32::from(started) };
        ExportJob { v: 1, job: "j".into(), spec: Arc::new(spec), attempt: 1, revision: 1, known }
    }

    fn last(event: ExportEvent, starts: u32) -> ExportRecord {
        ExportRecord {
            v: 1,
            job: "j".into(),
            epoch: 2,
            worker: "w".into(),
            delivery: Delivery { sequence: 10, count: 2 },
            revision: 1,
            event,
            starts,
            rows: 1,
            from: 5,
            output: Bytes::new(),
        }
    }

    #[test]
    fn a_delivery_is_judged_by_the_log() {
        let of = |sequence, count, last: Option<&ExportRecord>| decide(&job(true), Delivery { sequence, count }, last);
        assert_eq!(decide(&job(false), Delivery { sequence: 1, count: 1 }, None), Verdict::Run);
        assert_eq!(of(1, 1, None), Verdict::GiveUp(LOST_LOG.into()), "a log that was lost is not begun again");
        let batch = last(ExportEvent::Batch, 1);
        assert_eq!(of(10, 3, Some(&batch)), Verdict::Run, "its worker is gone");
        assert_eq!(of(10, 1, Some(&batch)), Verdict::Fenced);
        assert_eq!(of(9, 9, Some(&batch)), Verdict::Leave);
        let end = last(ExportEvent::End { reason: EndReason::Completed }, 1);
        assert_eq!(of(11, 1, Some(&end)), Verdict::Leave);
        let poison = last(ExportEvent::Batch, MAX_IDLE_STARTS);
        assert!(matches!(of(10, 3, Some(&poison)), Verdict::GiveUp(_)), "pieces that come to nothing are no progress");
    }
}
