//! The workers as their heartbeats show them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use trafficlab_shared::clock;
use trafficlab_shared::protocol::heartbeat::Heartbeat;
use trafficlab_shared::protocol::{codec, subject};

use super::{Dispatch, lock};
use crate::store::Batch;
use crate::store::entries::{QUARANTINE, SetAside};

/// A worker that is silent for this long is taken for dead, just before its leases run out.
const DEAD_AFTER: Duration = Duration::from_millis(2_900);
/// Bytes of a message that are kept when it is set aside.
const ASIDE_BYTES: usize = 4096;
/// And forgotten after this long.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(300);

/// One worker.
#[derive(Debug, Clone)]
pub struct WorkerView {
    /// Its last heartbeat.
    pub beat: Heartbeat,
    /// When that came.
    pub seen: Instant,
    /// When the first one came.
    pub joined: Instant,
}

impl WorkerView {
    /// Whether it beats.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.seen.elapsed() < DEAD_AFTER
    }
}

/// All workers heard of lately, by id.
#[derive(Debug, Default)]
pub struct Registry {
    workers: Mutex<BTreeMap<String, WorkerView>>,
    drained: Mutex<BTreeSet<String>>,
}

impl Registry {
    /// Every worker that is not forgotten.
    #[must_use]
    pub fn all(&self) -> Vec<WorkerView> {
        lock(&self.workers).values().cloned().collect()
    }

    /// The workers that beat.
    #[must_use]
    pub fn live(&self) -> Vec<WorkerView> {
        lock(&self.workers).values().filter(|worker| worker.is_live()).cloned().collect()
    }

    /// Remembers that a worker was told to drain, or to take work again, until its heartbeats show it.
    pub fn note_drain(&self, worker: &str, drain: bool) {
        let mut drained = lock(&self.drained);
        if drain {
            drained.insert(worker.to_owned());
        } else {
            drained.remove(worker);
        }
    }

    /// Whether a worker was told to drain.
    #[must_use]
    pub fn is_drained(&self, worker: &str) -> bool {
        lock(&self.drained).contains(worker)
    }

    fn take(&self, beat: Heartbeat) {
        let mut workers = lock(&self.workers);
        workers.retain(|_, worker| worker.seen.elapsed() < FORGOTTEN_AFTER);
        let seen = Instant::now();
        let joined = workers.get(&beat.worker).filter(|worker| worker.is_live()).map_or(seen, |worker| worker.joined);
        if !workers.contains_key(&beat.worker) {
            tracing::info!(worker = %beat.worker, capacity = beat.capacity, "worker joins");
        }
        workers.insert(beat.worker.clone(), WorkerView { beat, seen, joined });
    }
}

/// Listens to heartbeats for ever.
pub(super) async fn listen(dispatch: &Arc<Dispatch>) {
    loop {
        match dispatch.broker.context().client().subscribe(subject::ALL_HEARTBEATS).await {
            Ok(mut beats) => {
                while let Some(message) = beats.next().await {
                    match codec::decode::<Heartbeat>(&message.payload) {
                        Ok(beat) => dispatch.registry.take(beat),
                        Err(error) => set_aside(dispatch, &message, &error),
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "heartbeats cannot be heard"),
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Keeps a heartbeat nobody can read, for people to look at.
fn set_aside(dispatch: &Dispatch, message: &async_nats::Message, error: &codec::CodecError) {
    tracing::warn!(subject = %message.subject, %error, "heartbeat set aside");
    dispatch.metrics.aside.fetch_add(1, Ordering::Relaxed);
    let at_ns = clock::wall_ns();
    let payload = message.payload.get(..ASIDE_BYTES).unwrap_or(&message.payload).to_vec();
    let aside = SetAside { subject: message.subject.to_string(), reason: error.to_string(), at_ns, payload };
    let mut batch = Batch::new();
    // Heartbeats have no stream sequence; a time in nanoseconds is greater than any of those.
    let stored = QUARANTINE.put(&mut batch, &at_ns, &aside).and_then(|()| dispatch.store.apply(batch));
    if let Err(error) = stored {
        tracing::error!(%error, "heartbeat cannot be set aside");
    }
}
