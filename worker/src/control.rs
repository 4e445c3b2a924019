//! Desired state as this worker sees it: one watch on the control bucket feeds every shard.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::jetstream::kv::{Entry, Operation};
use futures_util::StreamExt;
use tokio::sync::watch;
use trafficlab_shared::protocol::control::{Desired, WorkerDirective};
use trafficlab_shared::protocol::{codec, subject};

/// Keeps the latest desired state of every job somebody here asks for.
#[derive(Debug, Clone)]
pub struct Control {
    jobs: Arc<Mutex<HashMap<String, watch::Sender<Option<Desired>>>>>,
    directive: watch::Sender<Option<WorkerDirective>>,
    directive_revision: Arc<AtomicU64>,
}

impl Default for Control {
    fn default() -> Self {
        Self { jobs: Arc::default(), directive: watch::Sender::new(None), directive_revision: Arc::default() }
    }
}

impl Control {
    /// The desired state of a job, now and as it changes; `None` until the broker has said it.
    #[must_use]
    pub fn job(&self, job: &str) -> watch::Receiver<Option<Desired>> {
        self.lock().entry(job.to_owned()).or_insert_with(|| watch::Sender::new(None)).subscribe()
    }

    /// What the coordinator asks of this worker.
    #[must_use]
    pub fn directive(&self) -> watch::Receiver<Option<WorkerDirective>> {
        self.directive.subscribe()
    }

    /// Watches the bucket for ever; comes back only when the task is cancelled.
    pub async fn follow(&self, context: &Context, worker: &str) {
        loop {
            if let Err(error) = self.follow_once(context, worker).await {
                tracing::warn!(%error, "control bucket cannot be watched, trying again");
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    async fn follow_once(&self, context: &Context, worker: &str) -> Result<(), async_nats::Error> {
        let client = context.client();
        let connects = trafficlab_broker::connects(&client);
        let bucket = context.get_key_value(subject::CONTROL_BUCKET).await?;
        let mut changes = bucket.watch_with_history(">").await?;
        let own_key = subject::worker_key(worker);
        loop {
            tokio::select! {
                entry = changes.next() => match entry {
                    Some(entry) => self.take(&entry?, &own_key),
                    None => return Ok(()),
                },
                () = trafficlab_broker::renewed(&client, connects) => return Ok(()),
            }
        }
    }

    fn take(&self, entry: &Entry, own_key: &str) {
        if entry.operation != Operation::Put {
            if let Some(job) = entry.key.strip_prefix("job.") {
                self.lock().remove(job);
            }
            return;
        }
        if entry.key == own_key {
            // A new watch repeats the last directive, which is not asked for again by that.
            if self.directive_revision.swap(entry.revision, Ordering::Relaxed) == entry.revision {
                return;
            }
            match codec::decode::<WorkerDirective>(&entry.value) {
                Ok(directive) => drop(self.directive.send_replace(Some(directive))),
                Err(error) => tracing::warn!(key = %entry.key, %error, "control entry ignored"),
            }
        } else if let Some(job) = entry.key.strip_prefix("job.") {
            match codec::decode::<Desired>(&entry.value) {
                Ok(desired) => self.put(job, desired),
                Err(error) => tracing::warn!(key = %entry.key, %error, "control entry ignored"),
            }
        }
    }

    /// A watch may repeat older entries after a reconnect; only a newer state counts.
    fn put(&self, job: &str, desired: Desired) {
        let mut jobs = self.lock();
        let sender = jobs.entry(job.to_owned()).or_insert_with(|| watch::Sender::new(None));
        sender.send_if_modified(|known| {
            let newer = known.as_ref().is_none_or(|known| {
                (known.revision, known.origin_ns.is_some()) < (desired.revision, desired.origin_ns.is_some())
            });
            if newer {
                *known = Some(desired);
            }
            newer
        });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, watch::Sender<Option<Desired>>>> {
        // A map of senders stays usable whatever a panicking holder was doing.
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
