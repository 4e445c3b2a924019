//! From stored anomalies to rows of the outbox. The cursor of a capture moves in the batch that adds its rows.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use trafficlab_shared::clock;
use trafficlab_shared::config::AlertHook;
use trafficlab_shared::model::capture::anomaly::Anomaly;

use super::{Alerts, policy};
use crate::dispatch::Dispatch;
use crate::dispatch::captures::CaptureNews;
use crate::store::alerts::{ALERT_CURSORS, ALERT_OUTBOX, ALERT_QUIET, ALERT_SINCE, Alert, DeliveryStatus, Quiet};
use crate::store::captures::{ANOMALIES, CAPTURES, Capture, Source};
use crate::store::{Batch, Store, StoreError};
use crate::windows;

/// Anomalies of one batch: bounds the batch, and by how much an outbox may pass its bound for a moment.
const PAGE: u64 = 100;
/// Rest after the store failed.
const STORE_REST: Duration = Duration::from_secs(5);

impl Alerts {
    /// Adds rows for ever.
    pub(super) async fn intake(&self, dispatch: &Dispatch) {
        let store = &dispatch.store;
        // Subscribed before the first look, so that nothing falls between.
        let mut news = dispatch.news();
        while let Err(error) = self.begin(store).await {
            tracing::error!(%error, "alerts cannot begin");
            tokio::time::sleep(STORE_REST).await;
        }
        let mut all = true;
        loop {
            let looked = if std::mem::take(&mut all) { self.look_at_all(store).await } else { Ok(()) };
            let done = match looked {
                Ok(()) => match news.recv().await {
                    Ok(CaptureNews::Anomalies { capture, .. }) => self.look_at(store, &capture).await,
                    Ok(_) => Ok(()),
                    Err(RecvError::Lagged(_)) => {
                        all = true;
                        Ok(())
                    }
                    // The dispatcher lives as long as the process.
                    Err(RecvError::Closed) => return,
                },
                Err(error) => Err(error),
            };
            if let Err(error) = done {
                tracing::error!(%error, "anomalies cannot be turned into alerts yet");
                all = true;
                tokio::time::sleep(STORE_REST).await;
            }
        }
    }

    /// Rows of hooks that are no more go. The first time there are hooks, what is stored already is left alone.
    pub(super) async fn begin(&self, store: &Store) -> Result<(), StoreError> {
        {
            let _guard = store.lock();
            let mut batch = Batch::new();
            let known: BTreeSet<&str> = self.config.hooks.iter().map(|hook| hook.name.as_str()).collect();
            for row in ALERT_OUTBOX.scan(store, false) {
                let (key, _) = row?;
                if !known.contains(key.0.as_str()) {
                    ALERT_OUTBOX.delete(&mut batch, &key);
                }
            }
            self.forget_old(store, &mut batch)?;
            match (known.is_empty(), ALERT_SINCE.get(store, &0)?) {
                (true, Some(_)) => ALERT_SINCE.delete(&mut batch, &0),
                (false, None) => {
                    for row in CAPTURES.scan(store, false) {
                        let (id, capture) = row?;
                        ALERT_CURSORS.put(&mut batch, &id, &found(store, &capture)?)?;
                    }
                    ALERT_SINCE.put(&mut batch, &0, &clock::wall_ns())?;
                }
                _ => {}
            }
            store.apply(batch)?;
        }
        store.durable().await
    }

    /// Removes what no longer decides anything: cursors of captures that are gone, quiet periods that are over.
    fn forget_old(&self, store: &Store, batch: &mut Batch) -> Result<(), StoreError> {
        let periods: BTreeMap<&str, u64> =
            self.config.hooks.iter().map(|hook| (hook.name.as_str(), hook.quiet_period.nanoseconds())).collect();
        let now = clock::wall_ns();
        for row in ALERT_QUIET.scan(store, false) {
            let (key, quiet) = row?;
            let period = periods.get(key.0.as_str());
            if period.is_none_or(|period| quiet.suppressed == 0 && quiet.told_ns.saturating_add(*period) < now) {
                ALERT_QUIET.delete(batch, &key);
            }
        }
        for row in ALERT_CURSORS.scan(store, false) {
            let (capture, _) = row?;
            if !CAPTURES.contains(store, &capture)? {
                ALERT_CURSORS.delete(batch, &capture);
            }
        }
        Ok(())
    }

    pub(super) async fn look_at_all(&self, store: &Store) -> Result<(), StoreError> {
        if self.config.hooks.is_empty() {
            return Ok(());
        }
        let ids: Vec<String> =
            CAPTURES.scan(store, false).map(|row| row.map(|(id, _)| id)).collect::<Result<_, _>>()?;
        for id in ids {
            self.look_at(store, &id).await?;
        }
        Ok(())
    }

    /// Turns the anomalies behind a capture's cursor into rows.
    pub(super) async fn look_at(&self, store: &Store, capture: &str) -> Result<(), StoreError> {
        if self.config.hooks.is_empty() {
            return Ok(());
        }
        while self.page(store, capture)? {
            store.durable().await?;
            for hook in &self.config.hooks {
                self.wake(&hook.name);
            }
        }
        Ok(())
    }

    /// One page; false when there was nothing.
    fn page(&self, store: &Store, id: &str) -> Result<bool, StoreError> {
        let _guard = store.lock();
        let key = id.to_owned();
        let Some(capture) = CAPTURES.get(store, &key)? else { return Ok(false) };
        let Some(job) = capture.analysis_job.clone() else { return Ok(false) };
        let from = ALERT_CURSORS.get(store, &key)?.unwrap_or(0);
        let range = ANOMALIES.range(store, &(job.clone(), from), &(job, from.saturating_add(PAGE)), false);
        let anomalies: Vec<Anomaly> = range.map(|row| row.map(|(_, anomaly)| anomaly)).collect::<Result<_, _>>()?;
        if anomalies.is_empty() {
            return Ok(false);
        }
        let told = u64::try_from(anomalies.len()).unwrap_or(PAGE);
        let mut batch = Batch::new();
        for hook in &self.config.hooks {
            self.rows_for(store, &mut batch, hook, &capture, &anomalies)?;
        }
        ALERT_CURSORS.put(&mut batch, &key, &(from + told))?;
        store.apply(batch)?;
        for hook in &self.config.hooks {
            self.trim(store, &hook.name)?;
        }
        Ok(true)
    }

    fn rows_for(
        &self,
        store: &Store,
        batch: &mut Batch,
        hook: &AlertHook,
        capture: &Capture,
        anomalies: &[Anomaly],
    ) -> Result<(), StoreError> {
        let live = capture.source.is_live();
        let place = place(capture);
        // What this batch changes is not in the store yet.
        let mut quiets: BTreeMap<String, Quiet> = BTreeMap::new();
        for anomaly in anomalies.iter().filter(|anomaly| policy::wants(hook, live, anomaly)) {
            let now = clock::wall_ns();
            let subject = policy::subject(&place, anomaly);
            let known = match quiets.get(&subject) {
                Some(quiet) => Some(*quiet),
                None => ALERT_QUIET.get(store, &(hook.name.clone(), subject.clone()))?,
            };
            let until = known.map_or(0, |quiet| quiet.told_ns.saturating_add(hook.quiet_period.nanoseconds()));
            if let Some(quiet) = known.filter(|_| now < until) {
                quiets.insert(subject, Quiet { suppressed: quiet.suppressed + 1, ..quiet });
                self.count(&hook.name, |counts| &counts.suppressed, 1);
                continue;
            }
            let suppressed = known.map_or(0, |quiet| quiet.suppressed);
            quiets.insert(subject.clone(), Quiet { told_ns: now, suppressed: 0 });
            let alert = alert(capture, &place, subject, anomaly, suppressed, now);
            ALERT_OUTBOX.put(batch, &(hook.name.clone(), self.next_sequence()), &alert)?;
        }
        for (subject, quiet) in quiets {
            ALERT_QUIET.put(batch, &(hook.name.clone(), subject), &quiet)?;
        }
        Ok(())
    }

    /// Drops the oldest rows beyond the bound.
    fn trim(&self, store: &Store, hook: &str) -> Result<(), StoreError> {
        let most = usize::try_from(self.config.pending).unwrap_or(usize::MAX);
        let surplus = Self::waiting(store, hook)?.saturating_sub(most);
        for row in ALERT_OUTBOX.scan_prefix(store, &hook.to_owned(), false).take(surplus) {
            let ((_, sequence), alert) = row?;
            let mut batch = Batch::new();
            self.end(store, &mut batch, hook, sequence, alert, DeliveryStatus::Dropped)?;
            store.apply(batch)?;
        }
        if surplus > 0 {
            tracing::warn!(%hook, dropped = surplus, "too many alerts wait, the oldest are dropped");
        }
        Ok(())
    }
}

fn alert(capture: &Capture, place: &str, subject: String, anomaly: &Anomaly, suppressed: u64, now_ns: u64) -> Alert {
    Alert {
        capture: capture.id.clone(),
        capture_name: capture.name.clone(),
        live: capture.source.is_live(),
        place: place.to_owned(),
        key: policy::key(&capture.id, &subject, anomaly),
        subject,
        anomaly: anomaly.clone(),
        suppressed,
        created_ns: now_ns,
        attempts: 0,
        not_before_ns: 0,
        error: None,
    }
}

/// Where a capture's packets come from, for people: two captures of one interface are one place, two files never are.
fn place(capture: &Capture) -> String {
    match &capture.source {
        Source::Live { spec, host, .. } => match host {
            Some(host) => format!("{}@{host}", spec.interface),
            None => spec.interface.clone(),
        },
        Source::Upload { file_name, .. } => format!("{file_name} ({})", capture.id),
        Source::Path { .. } => format!("{} ({})", capture.name, capture.id),
    }
}

/// Anomalies that the analysis of a capture has found so far.
fn found(store: &Store, capture: &Capture) -> Result<u64, StoreError> {
    let Some(job) = &capture.analysis_job else { return Ok(0) };
    windows::anomalies_found(store, job)
}
