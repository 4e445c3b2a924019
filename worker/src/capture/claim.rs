//! Claiming a capture job: read the log, append a start. A live capture starts when its interface is open, so that
//! one which cannot be never says that it runs.

use trafficlab_shared::protocol::capture::CaptureEvent;

use super::CaptureTask;
use super::live::{self, Opened};
use super::opening::{self, Opening, Resume};
use super::teller::Teller;
use crate::outbox::{LogError, ShardLog};
use crate::shard::{ShardEnd, ShardFault};

/// Whose job it is.
pub(super) enum Claim {
    /// Nobody's any more, or another worker's.
    Settled(ShardEnd),
    /// Ours: this tells what happens; with the open interface of a live capture.
    Ours(Box<Teller>, Option<Opened>),
}

/// Takes the job if the log allows.
pub(super) async fn claim(task: &CaptureTask) -> Result<Claim, ShardFault> {
    let (log, decision) = open(task).await?;
    match decision {
        Opening::Leave => Ok(Claim::Settled(ShardEnd::Settled)),
        Opening::Fenced => Ok(Claim::Settled(ShardEnd::Fenced)),
        Opening::GiveUp { reason, at } => {
            append_failed(task, log, &at, reason).await?;
            Ok(Claim::Settled(ShardEnd::Settled))
        }
        Opening::Run(resume) => {
            let opened = match live::open(task).await {
                Ok(opened) => opened,
                Err(fault) => {
                    append_failed(task, log, &resume, fault.0).await?;
                    return Ok(Claim::Settled(ShardEnd::Settled));
                }
            };
            let mut teller = Teller::new(task, log, &resume);
            teller.tell(CaptureEvent::Start { idle_starts: resume.starts }).await?;
            Ok(Claim::Ours(Box::new(teller), opened))
        }
    }
}

/// Writes that the job has failed for good.
pub(super) async fn fail(task: &CaptureTask, reason: String) -> Result<(), ShardFault> {
    let (log, decision) = open(task).await?;
    match decision {
        Opening::Leave => Ok(()),
        Opening::Fenced => Err(LogError::Fenced.into()),
        Opening::GiveUp { at, .. } | Opening::Run(at) => append_failed(task, log, &at, reason).await,
    }
}

type Log = ShardLog<trafficlab_shared::protocol::capture::CaptureRecord>;

async fn open(task: &CaptureTask) -> Result<(Log, Opening), ShardFault> {
    let (log, last) = ShardLog::of_capture(task.worker.context.clone(), &task.job.job).await?;
    let decision = opening::decide(&task.job, task.delivery, last.as_ref().map(|last| &last.record));
    Ok((log, decision))
}

async fn append_failed(task: &CaptureTask, log: Log, at: &Resume, reason: String) -> Result<(), ShardFault> {
    let mut teller = Teller::new(task, log, at);
    // A later desired revision may have retried it already; the newest known one is refused.
    teller.revision = task.desired.borrow().as_ref().map_or(task.job.revision, |desired| desired.revision);
    teller.tell(CaptureEvent::Failed { reason, attempts: at.starts }).await
}
