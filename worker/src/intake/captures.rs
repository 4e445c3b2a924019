//! Taking jobs with one shard: captures and exports that any worker may do, and captures that only workers of this host
//! can.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_nats::jetstream::consumer::PullConsumer;
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use trafficlab_shared::protocol::codec::Versioned;
use trafficlab_shared::protocol::subject;

use super::{Gate, PULL_EXPIRES, read};
use crate::io::capture::Interfaces;
use crate::shared::Worker;
use crate::supervisor::{AnyJob, SupervisorAddr, Take};

/// Live captures at once: each has a ring of 64 MiB in the kernel.
const LIVE_CAPTURES: u32 = 8;
/// How often a queue that is not there, or a worker without room, is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
const NO_ROOM: Duration = Duration::from_millis(50);

/// One queue of jobs, seen from a worker.
struct Queue<'w, J> {
    consumer: String,
    held: &'w AtomicU32,
    room: u32,
    /// What a message of it is.
    job: fn(J) -> AnyJob,
}

/// Takes capture jobs and exports for ever: as many of both at once as there are cores, but for live captures, which are
/// taken while there is an interface to capture on. The share of traffic shards that a worker should come to says nothing about these.
pub async fn take_captures(
    worker: &Arc<Worker>,
    supervisor: &SupervisorAddr,
    gate: &Gate,
    interfaces: &Interfaces,
    cores: usize,
) {
    let analyses = Queue {
        consumer: subject::CAPTURE_CONSUMER.to_owned(),
        held: &worker.analyses,
        room: u32::try_from(cores).unwrap_or(u32::MAX),
        job: AnyJob::Capture,
    };
    let consumer = subject::EXPORT_CONSUMER.to_owned();
    let exports = Queue { consumer, held: analyses.held, room: analyses.room, job: AnyJob::Export };
    let host = gethostname::gethostname().to_string_lossy().into_owned();
    let live = Queue {
        consumer: subject::capture_consumer_of(&host),
        held: &worker.live_captures,
        room: LIVE_CAPTURES,
        job: AnyJob::Capture,
    };
    tokio::join!(
        take_from(&analyses, worker, supervisor, gate, || true),
        take_from(&exports, worker, supervisor, gate, || true),
        take_from(&live, worker, supervisor, gate, || !interfaces.get().is_empty()),
    );
}

async fn take_from<J: DeserializeOwned + Versioned>(
    queue: &Queue<'_, J>,
    worker: &Arc<Worker>,
    supervisor: &SupervisorAddr,
    gate: &Gate,
    able: impl Fn() -> bool,
) {
    loop {
        if able()
            && let Err(error) = take_while_connected(queue, worker, supervisor, gate, &able).await
        {
            // The coordinator makes a host's queue when it hears of its interfaces.
            tracing::debug!(queue = %queue.consumer, %error, "jobs of this queue cannot be taken, trying again");
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

async fn take_while_connected<J: DeserializeOwned + Versioned>(
    queue: &Queue<'_, J>,
    worker: &Arc<Worker>,
    supervisor: &SupervisorAddr,
    gate: &Gate,
    able: &impl Fn() -> bool,
) -> Result<(), async_nats::Error> {
    let consumer: PullConsumer = worker.context.get_consumer_from_stream(&queue.consumer, subject::JOBS_STREAM).await?;
    while able() {
        let full = queue.held.load(Ordering::Relaxed) >= queue.room;
        if full || gate.closed.load(Ordering::Relaxed) {
            tokio::time::sleep(NO_ROOM).await;
            continue;
        }
        let mut messages = consumer.batch().max_messages(1).expires(PULL_EXPIRES).messages().await?;
        while let Some(message) = messages.next().await {
            let Some((job, lease)) = read::<J>(message?, worker, gate).await? else {
                continue;
            };
            if gate.closed.load(Ordering::Relaxed) {
                lease.give_back().await;
                continue;
            }
            let job = (queue.job)(job);
            tracing::info!(job = %job.key().job, queue = %queue.consumer, delivery = lease.delivery.count, "job taken");
            if let Err(error) = supervisor.send(Take { job, lease }).await {
                tracing::error!(%error, "supervisor is gone");
            }
        }
    }
    Ok(())
}
