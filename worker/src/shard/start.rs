//! Claiming a shard: read the log, append a start, wait for the word to go.

use std::time::Duration;

use trafficlab_engine::traffic::schedule::SLOT_NS;
use trafficlab_shared::clock as clocks;
use trafficlab_shared::protocol::control::{Desired, DesiredState};
use trafficlab_shared::protocol::report::{Event, Origin, Record};

use super::driver;
use super::opening::{self, Opening, Resume};
use super::{ShardEnd, ShardFault, ShardTask};
use crate::outbox::{LogError, ShardLog};

/// How long the control bucket may stay silent.
const DESIRED_TIMEOUT: Duration = Duration::from_secs(30);

/// Runs a shard to its end, its pause, or the moment it is given back or lost.
///
/// # Errors
/// [`ShardFault`] when it stopped before that; it may be tried again from the log.
pub(crate) async fn run(task: ShardTask, lane: crate::lane::Lane) -> Result<ShardEnd, ShardFault> {
    match claim_and_drive(task, lane).await {
        Err(ShardFault::Log(LogError::Fenced)) => Ok(ShardEnd::Fenced),
        other => other,
    }
}

async fn claim_and_drive(mut task: ShardTask, lane: crate::lane::Lane) -> Result<ShardEnd, ShardFault> {
    let context = task.worker.context.clone();
    let (mut log, last) = ShardLog::of_traffic(context, &task.job.run.job, task.job.shard).await?;
    let resume = match opening::decide(&task.job, task.delivery, last.as_ref().map(|last| &last.record)) {
        Opening::Leave => return Ok(ShardEnd::Settled),
        Opening::Fenced => return Ok(ShardEnd::Fenced),
        Opening::GiveUp { reason, at } => {
            append_failed(&task, &mut log, &at, reason).await?;
            return Ok(ShardEnd::Settled);
        }
        Opening::Run(resume) => *resume,
    };
    append_start(&task, &mut log, &resume).await?;
    match wait_for_word(&mut task, &resume).await? {
        Word::Go { desired, origin } => driver::drive(task, lane, log, resume, desired, origin).await,
        Word::Pause(desired) => {
            let origin = Origin { activation: desired.activation, ..resume.origin.unwrap_or_default() };
            let mut record = blank(&task, &resume, Event::Pause);
            record.origin = Some(origin);
            record.revision = desired.revision;
            log.append(&record).await?;
            Ok(ShardEnd::Settled)
        }
        Word::Stop(revision) => {
            let reason = trafficlab_shared::protocol::report::EndReason::Stopped;
            let mut record = blank(&task, &resume, Event::End { reason });
            record.revision = revision;
            log.append(&record).await?;
            Ok(ShardEnd::Settled)
        }
        Word::GiveBack => {
            log.append(&blank(&task, &resume, Event::Yield)).await?;
            Ok(ShardEnd::Yielded)
        }
    }
}

/// Writes that the shard has failed for good.
///
/// # Errors
/// When the log cannot be written.
pub(crate) async fn fail(task: &ShardTask, reason: String) -> Result<(), ShardFault> {
    let context = task.worker.context.clone();
    let (mut log, last) = ShardLog::of_traffic(context, &task.job.run.job, task.job.shard).await?;
    match opening::decide(&task.job, task.delivery, last.as_ref().map(|last| &last.record)) {
        Opening::Leave => Ok(()),
        Opening::Fenced => Err(LogError::Fenced.into()),
        Opening::GiveUp { at, .. } | Opening::Run(at) => append_failed(task, &mut log, &at, reason).await,
    }
}

async fn append_failed(
    task: &ShardTask,
    log: &mut ShardLog<Record>,
    at: &Resume,
    reason: String,
) -> Result<(), ShardFault> {
    let attempts = at.idle_starts;
    let mut record = blank(task, at, Event::Failed { reason, attempts });
    // A later desired revision may have retried it already; the newest known one is refused.
    record.revision = task.desired.borrow().as_ref().map_or(task.job.revision, |desired| desired.revision);
    log.append(&record).await?;
    Ok(())
}

/// The start record also tells how far the broker's clock is from ours.
async fn append_start(task: &ShardTask, log: &mut ShardLog<Record>, resume: &Resume) -> Result<(), ShardFault> {
    let before = clocks::wall_ns();
    log.append(&blank(task, resume, Event::Start { idle_starts: resume.idle_starts })).await?;
    let after = clocks::wall_ns();
    if task.worker.offset.is_stale()
        && let Some(stored_ns) = log.last_stored_ns().await?
    {
        task.worker.offset.sample(before, stored_ns, after);
    }
    Ok(())
}

/// A record at `at` that reports nothing.
fn blank(task: &ShardTask, at: &Resume, event: Event) -> Record {
    Record {
        v: 1,
        job: task.job.run.job.clone(),
        shard: task.job.shard,
        epoch: at.epoch,
        worker: task.worker.id.clone(),
        delivery: task.delivery,
        event,
        revision: task.job.revision,
        origin: at.origin,
        from: at.next,
        next: at.next,
        open: at.open.clone(),
        history: at.history.clone(),
        results: None,
    }
}

enum Word {
    Go { desired: Desired, origin: Origin },
    Pause(Desired),
    Stop(u64),
    GiveBack,
}

/// Waits until the job's desired state is at least as new as the message and says what to do.
/// After a takeover within an activation the origin is that of the log.
async fn wait_for_word(task: &mut ShardTask, resume: &Resume) -> Result<Word, ShardFault> {
    let deadline = tokio::time::Instant::now() + DESIRED_TIMEOUT;
    loop {
        if *task.give_back.borrow() {
            return Ok(Word::GiveBack);
        }
        if let Some(word) = word(task, resume) {
            return Ok(word);
        }
        task.alive_at.store(clocks::boot_ns(), std::sync::atomic::Ordering::Relaxed);
        tokio::select! {
            changed = task.desired.changed() => if changed.is_err() {
                return Ok(Word::Stop(task.job.revision));
            },
            _ = task.give_back.changed() => {},
            () = tokio::time::sleep(Duration::from_secs(1)) => {},
        }
        if tokio::time::Instant::now() >= deadline && task.desired.borrow().is_none() {
            return Err(ShardFault::NoDesiredState);
        }
    }
}

fn word(task: &ShardTask, resume: &Resume) -> Option<Word> {
    let desired = task.desired.borrow().clone()?;
    if desired.revision < task.job.revision {
        return None;
    }
    match desired.state {
        DesiredState::Stop | DesiredState::Tombstone => Some(Word::Stop(desired.revision)),
        DesiredState::Pause => Some(Word::Pause(desired)),
        DesiredState::Run => {
            let same = resume.origin.filter(|origin| origin.activation == desired.activation);
            let origin = match same {
                Some(origin) => origin,
                None => Origin {
                    activation: desired.activation,
                    active_ns: u64::from(resume.next.slot) * SLOT_NS,
                    wall_ns: desired.origin_ns?,
                },
            };
            Some(Word::Go { desired, origin })
        }
    }
}
