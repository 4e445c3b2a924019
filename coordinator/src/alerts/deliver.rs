//! The outbox of one hook, sent in its order. A row is removed in the batch that says what became of it.

use std::time::Duration;

use trafficlab_shared::clock;
use trafficlab_shared::config::AlertHook;

use super::{Alerts, Sent, policy};
use crate::store::alerts::{ALERT_LOG, ALERT_OUTBOX, Alert, Delivery, DeliveryStatus};
use crate::store::{Batch, Store, StoreError};

/// Alerts that are remembered after they are over.
pub(super) const REMEMBERED: usize = 100;
/// Longest nap; a clock that was set meanwhile is noticed by then.
const LONGEST_NAP: Duration = Duration::from_secs(30);
/// Rest after the store failed.
const STORE_REST: Duration = Duration::from_secs(5);

/// What the sender of a hook does next.
pub(super) enum Step {
    Send(u64, Box<Alert>),
    Wait(Option<Duration>),
}

impl Alerts {
    /// Sends for ever.
    pub(super) async fn deliver(&self, store: &Store, hook: &AlertHook) {
        loop {
            let done = match self.step(store, hook) {
                Ok(Step::Send(sequence, alert)) => self.attempt(store, hook, sequence, *alert).await,
                Ok(Step::Wait(nap)) => {
                    self.nap(&hook.name, nap).await;
                    continue;
                }
                Err(error) => Err(error),
            };
            if let Err(error) = done {
                tracing::error!(hook = %hook.name, %error, "alerts cannot be read or settled");
                tokio::time::sleep(STORE_REST).await;
            }
        }
    }

    async fn nap(&self, hook: &str, nap: Option<Duration>) {
        let Some(wake) = self.wake.get(hook) else { return };
        match nap {
            None => wake.notified().await,
            // Woken or slept out, it looks at the outbox again.
            Some(nap) => drop(tokio::time::timeout(nap.min(LONGEST_NAP), wake.notified()).await),
        }
    }

    pub(super) fn step(&self, store: &Store, hook: &AlertHook) -> Result<Step, StoreError> {
        let first = ALERT_OUTBOX.scan_prefix(store, &hook.name, false).next().transpose()?;
        let Some(((_, sequence), alert)) = first else {
            return Ok(Step::Wait(None));
        };
        // What becomes of a call could not be stored, and it would be made again and again.
        if store.read_only().is_some() {
            return Ok(Step::Wait(Some(LONGEST_NAP)));
        }
        let now = clock::wall_ns();
        let quiet = hook.quiet_hours.and_then(|hours| hours.left_ns(now)).unwrap_or(0);
        let rest = alert.not_before_ns.saturating_sub(now).max(quiet);
        if rest > 0 {
            return Ok(Step::Wait(Some(Duration::from_nanos(rest))));
        }
        Ok(Step::Send(sequence, Box::new(alert)))
    }

    async fn attempt(&self, store: &Store, hook: &AlertHook, sequence: u64, alert: Alert) -> Result<(), StoreError> {
        let sent = self.send(hook, &alert).await;
        if self.settle(store, hook, sequence, alert, sent)? { store.durable().await } else { Ok(()) }
    }

    /// Stores what became of an attempt; false when the row was dropped meanwhile.
    fn settle(
        &self,
        store: &Store,
        hook: &AlertHook,
        sequence: u64,
        mut alert: Alert,
        sent: Sent,
    ) -> Result<bool, StoreError> {
        let key = (hook.name.clone(), sequence);
        let _guard = store.lock();
        if !ALERT_OUTBOX.contains(store, &key)? {
            return Ok(false);
        }
        alert.attempts += 1;
        let mut batch = Batch::new();
        let (name, attempts) = (&hook.name, alert.attempts);
        match sent {
            Sent::Delivered => {
                alert.error = None;
                self.end(store, &mut batch, name, sequence, alert, DeliveryStatus::Delivered)?;
            }
            Sent::Retry { reason, after } if attempts < self.config.attempts => {
                let rest = policy::rest(&self.config, attempts, after, jitter());
                tracing::info!(hook = %name, attempts, %reason, ?rest, "alert not delivered yet");
                let rest_ns = u64::try_from(rest.as_nanos()).unwrap_or(u64::MAX);
                alert.not_before_ns = clock::wall_ns().saturating_add(rest_ns);
                alert.error = Some(reason);
                ALERT_OUTBOX.put(&mut batch, &key, &alert)?;
                self.count(name, |counts| &counts.retried, 1);
            }
            Sent::Retry { reason, .. } | Sent::Refused(reason) => {
                tracing::warn!(hook = %name, attempts, %reason, "alert given up");
                alert.error = Some(reason);
                self.end(store, &mut batch, name, sequence, alert, DeliveryStatus::Failed)?;
            }
        }
        store.apply(batch)?;
        Ok(true)
    }

    /// Adds to `batch` that an alert is over. The caller holds the store's lock.
    pub(super) fn end(
        &self,
        store: &Store,
        batch: &mut Batch,
        hook: &str,
        sequence: u64,
        alert: Alert,
        status: DeliveryStatus,
    ) -> Result<(), StoreError> {
        ALERT_OUTBOX.delete(batch, &(hook.to_owned(), sequence));
        let delivery = Delivery { hook: hook.to_owned(), status, at_ns: clock::wall_ns(), alert };
        ALERT_LOG.put(batch, &self.next_sequence(), &delivery)?;
        let old = ALERT_LOG.scan(store, true).skip(REMEMBERED - 1);
        for row in old {
            ALERT_LOG.delete(batch, &row?.0);
        }
        match status {
            DeliveryStatus::Delivered => self.count(hook, |counts| &counts.delivered, 1),
            DeliveryStatus::Failed => self.count(hook, |counts| &counts.failed, 1),
            DeliveryStatus::Dropped => self.count(hook, |counts| &counts.dropped, 1),
        }
        Ok(())
    }
}

/// Any number. Without random bytes all rests have the same jitter, which harms nobody but a busy receiver.
fn jitter() -> u64 {
    let mut bytes = [0; 8];
    if let Err(error) = getrandom::fill(&mut bytes) {
        tracing::debug!(%error, "no random bytes for jitter");
    }
    u64::from_be_bytes(bytes)
}
