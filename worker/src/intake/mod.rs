//! Taking job messages: one outstanding pull of each queue, as large as there is room.

mod captures;
pub mod lease;
pub(crate) mod objects;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use async_nats::jetstream::AckKind;
use async_nats::jetstream::consumer::PullConsumer;
use async_nats::jetstream::message::Message;
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use trafficlab_shared::clock;
use trafficlab_shared::protocol::codec::Versioned;
use trafficlab_shared::protocol::job::ShardJob;
use trafficlab_shared::protocol::report::Delivery;
use trafficlab_shared::protocol::{codec, subject};

use crate::shared::Worker;
use crate::supervisor::{AnyJob, SupervisorAddr, Take};
pub use captures::take_captures;
pub use lease::Lease;

/// A stopped process's open pull swallows redeliveries, so a pull is short.
const PULL_EXPIRES: Duration = Duration::from_secs(1);
/// The broker fills one pull before it looks at the next worker's, so small pulls share a run out
/// evenly from its start; a round trip takes a fraction of a millisecond.
const PULL_BATCH: u32 = 2;
/// After giving shards back a worker lets the others take them.
const ABSTAIN_NS: u64 = 2_000_000_000;

/// A share the coordinator named is kept to for this long; by then everything of that moment is taken.
const SHARE_HOLDS_NS: u64 = 5_000_000_000;
/// With its share a worker lets others go first, and looks for what nobody took only after this long, for this long.
const OTHERS_FIRST: Duration = Duration::from_millis(300);
const LEFT_OVER: Duration = Duration::from_millis(100);

/// Whether and how many jobs this worker takes.
#[derive(Debug, Default)]
pub struct Gate {
    /// Set while the worker is leaving or was told to drain.
    pub closed: AtomicBool,
    abstain_until: AtomicU64,
    share: AtomicU32,
    share_until: AtomicU64,
    /// Job messages that could not be read.
    pub malformed: AtomicU64,
}

impl Gate {
    /// Takes nothing for two seconds.
    pub fn abstain(&self) {
        self.abstain_until.store(clock::boot_ns() + ABSTAIN_NS, Ordering::Relaxed);
    }

    /// Takes up to `share` shards like anybody; with that many it lets others go first for some seconds.
    pub fn come_to(&self, share: u32) {
        self.share.store(share, Ordering::Relaxed);
        self.share_until.store(clock::boot_ns() + SHARE_HOLDS_NS, Ordering::Relaxed);
    }

    /// Takes whatever there is again.
    fn share_is_old(&self) {
        self.share_until.store(0, Ordering::Relaxed);
    }

    /// How many shards are missing from the share in force, if there is one.
    fn missing(&self, active: u32) -> Option<u32> {
        let holds = clock::boot_ns() < self.share_until.load(Ordering::Relaxed);
        holds.then(|| self.share.load(Ordering::Relaxed).saturating_sub(active))
    }

    fn is_open(&self) -> bool {
        !self.closed.load(Ordering::Relaxed) && clock::boot_ns() >= self.abstain_until.load(Ordering::Relaxed)
    }
}

/// Takes jobs for ever.
pub async fn take_jobs(worker: &Arc<Worker>, supervisor: &SupervisorAddr, gate: &Gate, capacity: u32) {
    loop {
        if let Err(error) = take_while_connected(worker, supervisor, gate, capacity).await {
            tracing::warn!(%error, "jobs cannot be taken, trying again");
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn take_while_connected(
    worker: &Arc<Worker>,
    supervisor: &SupervisorAddr,
    gate: &Gate,
    capacity: u32,
) -> Result<(), async_nats::Error> {
    let consumer: PullConsumer =
        worker.context.get_consumer_from_stream(subject::TRAFFIC_CONSUMER, subject::JOBS_STREAM).await?;
    loop {
        let active = worker.active.load(Ordering::Relaxed);
        let free = capacity.saturating_sub(active);
        if free == 0 || !gate.is_open() {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        }
        let missing = gate.missing(active);
        let full = missing == Some(0);
        if full {
            tokio::time::sleep(OTHERS_FIRST).await;
        }
        let batch = free.min(PULL_BATCH).min(missing.unwrap_or(PULL_BATCH)).max(1);
        let expires = if full { LEFT_OVER } else { PULL_EXPIRES };
        let mut messages = consumer.batch().max_messages(usize::try_from(batch)?).expires(expires).messages().await?;
        while let Some(message) = messages.next().await {
            if full {
                // Nobody else took it in time: there is more to do than the share was made for.
                gate.share_is_old();
            }
            receive(message?, worker, supervisor, gate).await?;
        }
    }
}

async fn receive(
    message: Message,
    worker: &Worker,
    supervisor: &SupervisorAddr,
    gate: &Gate,
) -> Result<(), async_nats::Error> {
    let Some((job, lease)) = read::<ShardJob>(message, worker, gate).await? else {
        return Ok(());
    };
    if !gate.is_open() {
        lease.give_back().await;
        return Ok(());
    }
    tracing::info!(job = %job.run.job, shard = job.shard, attempt = job.attempt, "shard taken");
    if let Err(error) = supervisor.send(Take { job: AnyJob::Shard(job), lease }).await {
        tracing::error!(%error, "supervisor is gone");
    }
    Ok(())
}

/// The job in a message and the lease on it; none when the message is not one of ours: it is set aside then.
async fn read<J: DeserializeOwned + Versioned>(
    message: Message,
    worker: &Worker,
    gate: &Gate,
) -> Result<Option<(J, Lease)>, async_nats::Error> {
    let info = message.info()?;
    let delivery = Delivery { sequence: info.stream_sequence, count: u64::try_from(info.delivered).unwrap_or(1) };
    let (message, acker) = message.split();
    match codec::decode::<J>(&message.payload) {
        Ok(job) => Ok(Some((job, Lease::new(acker, delivery)))),
        Err(error) => {
            gate.malformed.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(sequence = delivery.sequence, %error, "job message set aside");
            // The coordinator keeps what it cannot read; only then is the message dropped.
            worker.context.publish(subject::set_aside(&worker.id), message.payload).await?.await?;
            acker.ack_with(AckKind::Term).await?;
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Gate;

    #[test]
    fn a_share_holds_until_more_is_left_over() {
        let gate = Gate::default();
        assert_eq!(gate.missing(0), None);
        gate.come_to(2);
        assert_eq!([0, 1, 2, 3].map(|active| gate.missing(active)), [Some(2), Some(1), Some(0), Some(0)]);
        gate.share_is_old();
        assert_eq!(gate.missing(3), None);
    }
}
