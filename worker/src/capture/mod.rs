//! Capture jobs: from the job message to the last record.
//!
//! `opening` decides where to go on, `claim` takes the job and waits for the word to go, `file`, `judge` and `live` do
//! the three kinds of work, each with blocking threads of its own, and `teller` appends what they find to the job's log.
//! The engine is called in `analysis` and `live/follow` only.

mod analysis;
mod claim;
mod file;
mod input;
mod judge;
mod live;
mod opening;
mod packs;
mod teller;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio::sync::watch;
use trafficlab_shared::model::capture::work::Work;
use trafficlab_shared::protocol::capture::{CaptureEvent, CaptureJob};
use trafficlab_shared::protocol::control::Desired;
use trafficlab_shared::protocol::report::{Delivery, EndReason};

use crate::job::orders::{Order, Orders};
use crate::outbox::LogError;
use crate::shard::{ShardEnd, ShardFault};
use crate::shared::Worker;
use claim::Claim;
use teller::Teller;

/// Everything a capture job needs.
#[derive(Debug, Clone)]
pub(crate) struct CaptureTask {
    /// The process it runs in.
    pub(crate) worker: Arc<Worker>,
    /// The job message.
    pub(crate) job: Arc<CaptureJob>,
    /// Which delivery of it this is.
    pub(crate) delivery: Delivery,
    /// Desired state of the job.
    pub(crate) desired: watch::Receiver<Option<Desired>>,
    /// Set when the job should be given back.
    pub(crate) give_back: watch::Receiver<bool>,
    /// Boot time at which the work last showed life; a lease is renewed only while it does.
    pub(crate) alive_at: Arc<AtomicU64>,
}

/// Does a capture job to its end, or to the moment it is given back or lost.
///
/// # Errors
/// [`ShardFault`] when it stopped before that; it may be tried again from the log.
pub(crate) async fn run(task: CaptureTask) -> Result<ShardEnd, ShardFault> {
    match claim_and_work(task).await {
        Err(ShardFault::Log(LogError::Fenced)) => Ok(ShardEnd::Fenced),
        other => other,
    }
}

async fn claim_and_work(task: CaptureTask) -> Result<ShardEnd, ShardFault> {
    let mut orders = Orders::new(&task.desired, &task.give_back, &task.alive_at, task.job.revision);
    let (mut teller, opened) = match claim::claim(&task).await? {
        Claim::Settled(end) => return Ok(end),
        Claim::Ours(teller, opened) => (*teller, opened),
    };
    if let Some(order) = orders.word().await? {
        return obey(&mut teller, order).await;
    }
    let job = Arc::clone(&task.job);
    match (&*job.work, opened) {
        (Work::Live { live, settings, baselines }, Some(opened)) => {
            live::work(&task, (live, opened), (settings, baselines), teller, orders).await
        }
        (Work::Live { .. }, None) => Err(ShardFault::Input("the interface is not open".into())),
        (Work::File { .. }, _) => file::work(task, teller, orders).await,
        (Work::Baseline { .. } | Work::Detect { .. }, _) => judge::work(task, teller, orders).await,
    }
}

/// Writes that the job is left for this reason, with nothing more to tell.
async fn obey(teller: &mut Teller, order: Order) -> Result<ShardEnd, ShardFault> {
    match order {
        Order::Stop(revision) => {
            teller.revision = revision;
            let outcome = bytes::Bytes::new();
            teller.tell(CaptureEvent::End { reason: EndReason::Stopped, outcome }).await?;
            Ok(ShardEnd::Settled)
        }
        Order::GiveBack => {
            teller.tell(CaptureEvent::Yield).await?;
            Ok(ShardEnd::Yielded)
        }
    }
}

/// Writes that the job has failed for good.
///
/// # Errors
/// When the log cannot be written.
pub(crate) async fn fail(task: &CaptureTask, reason: String) -> Result<(), ShardFault> {
    claim::fail(task, reason).await
}
