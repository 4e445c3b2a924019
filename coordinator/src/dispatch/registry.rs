//! The workers as their heartbeats show them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use trafficlab_shared::protocol::heartbeat::Heartbeat;
use trafficlab_shared::protocol::{codec, subject};

use super::{Dispatch, lock};

/// A worker that is silent for this long is taken for dead, just before its leases run out.
const DEAD_AFTER: Duration = Duration::from_millis(2_900);
/// And forgotten after this long.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(300);

/// One worker.
#[derive(Debug, Clone)]
pub struct WorkerView {
    /// Its last heartbeat.
    pub beat: Heartbeat,
    /// When that came.
    pub seen: Instant,
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

    fn take(&self, beat: Heartbeat) {
        let mut workers = lock(&self.workers);
        workers.retain(|_, worker| worker.seen.elapsed() < FORGOTTEN_AFTER);
        if !workers.contains_key(&beat.worker) {
            tracing::info!(worker = %beat.worker, capacity = beat.capacity, "worker joins");
        }
        workers.insert(beat.worker.clone(), WorkerView { beat, seen: Instant::now() });
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
                        Err(error) => tracing::warn!(subject = %message.subject, %error, "heartbeat ignored"),
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "heartbeats cannot be heard"),
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
