//! Telling people of anomalies: from stored anomalies to rows of an outbox to calls of hooks.
//!
//! `intake` reads the anomalies behind a stored cursor and adds rows; cursor and rows lie in one batch. `deliver` sends
//! the rows of one hook in their order and removes each in the batch that says what became of it. So a crash may repeat an
//! alert, under the same key, and never loses one. `policy` decides, `payload` writes, `send` calls.

mod deliver;
mod intake;
mod payload;
mod policy;
mod send;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;
use tokio::task::JoinSet;
use trafficlab_shared::clock;
use trafficlab_shared::config::{AlertHook, AlertsConfig, Config};

use crate::dispatch::Dispatch;
use crate::outbound::Outbound;
use crate::store::Store;
pub(crate) use send::Sent;

/// What one hook has seen since the process started.
#[derive(Debug, Default)]
pub(crate) struct HookCounts {
    /// Taken by the receiver.
    pub(crate) delivered: AtomicU64,
    /// Refused, or tried too often.
    pub(crate) failed: AtomicU64,
    /// Dropped because too many waited.
    pub(crate) dropped: AtomicU64,
    /// Kept back by the quiet period.
    pub(crate) suppressed: AtomicU64,
    /// Attempts that will be repeated.
    pub(crate) retried: AtomicU64,
}

/// The hooks and everything they need.
pub struct Alerts {
    config: AlertsConfig,
    pagerduty: String,
    outbound: Outbound,
    counts: BTreeMap<String, HookCounts>,
    /// Wakes the sender of each hook.
    wake: BTreeMap<String, Notify>,
    sequence: AtomicU64,
}

impl Alerts {
    /// The hooks of the configuration.
    ///
    /// # Errors
    /// When the client for outside calls cannot be made.
    pub fn new(config: &Config) -> Result<Self, reqwest::Error> {
        let names = || config.alerts.hooks.iter().map(|hook| hook.name.clone());
        Ok(Self {
            config: config.alerts.clone(),
            pagerduty: config.pagerduty.base_url.trim_end_matches('/').to_owned(),
            outbound: Outbound::new(&config.outbound)?,
            counts: names().map(|name| (name, HookCounts::default())).collect(),
            wake: names().map(|name| (name, Notify::new())).collect(),
            sequence: AtomicU64::new(0),
        })
    }

    /// Every hook with what it has seen.
    pub(crate) fn hooks(&self) -> impl Iterator<Item = (&AlertHook, &HookCounts)> {
        self.config.hooks.iter().filter_map(|hook| Some((hook, self.counts.get(&hook.name)?)))
    }

    /// Sends one made-up alert through a hook, past outbox and quiet times.
    pub(crate) async fn test(&self, hook: &AlertHook) -> Sent {
        self.send(hook, &policy::sample(clock::wall_ns())).await
    }

    /// Runs for ever; comes back only when a part has failed.
    pub async fn run(self: &Arc<Self>, dispatch: &Arc<Dispatch>) {
        let mut tasks = JoinSet::new();
        for hook in self.config.hooks.clone() {
            let (alerts, store) = (Arc::clone(self), dispatch.store.clone());
            tasks.spawn(async move { alerts.deliver(&store, &hook).await });
        }
        let (alerts, own) = (Arc::clone(self), Arc::clone(dispatch));
        tasks.spawn(async move { alerts.intake(&own).await });
        if let Some(Err(error)) = tasks.join_next().await {
            tracing::error!(%error, "a part of the alerts failed");
        }
    }

    /// Rows of the outbox, by hook.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) fn waiting(store: &Store, hook: &str) -> Result<usize, crate::store::StoreError> {
        let rows = crate::store::alerts::ALERT_OUTBOX.scan_prefix(store, &hook.to_owned(), false);
        rows.map(|row| row.map(drop)).collect::<Result<Vec<()>, _>>().map(|rows| rows.len())
    }

    /// A sequence above all that were given, also by processes before this one.
    fn next_sequence(&self) -> u64 {
        let now = clock::wall_ns();
        let before = self.sequence.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some((last + 1).max(now)));
        before.unwrap_or(now).saturating_add(1).max(now)
    }

    fn count(&self, hook: &str, which: fn(&HookCounts) -> &AtomicU64, by: u64) {
        if let Some(counts) = self.counts.get(hook) {
            which(counts).fetch_add(by, Ordering::Relaxed);
        }
    }

    fn wake(&self, hook: &str) {
        if let Some(wake) = self.wake.get(hook) {
            wake.notify_one();
        }
    }
}
