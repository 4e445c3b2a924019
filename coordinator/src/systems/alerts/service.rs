//! What is known of hooks and deliveries, and trying a hook.

use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::join_all;
use trafficlab_shared::clock;
use trafficlab_shared::config::{AlertHook, HookKind, Secret};
use url::Url;

use super::types::{AlertsView, DeliveryView, HookView, TestResult, TestView};
use crate::alerts::{Alerts, HookCounts, Sent};
use crate::http::App;
use crate::store::Store;
use crate::store::alerts::{ALERT_LOG, ALERT_OUTBOX, Alert};
use crate::systems::time::{SECOND_NS, rfc3339};
use crate::systems::{Fault, Outcome};

/// Waiting alerts that are shown.
const SHOWN: usize = 100;

/// Hooks and deliveries.
///
/// # Errors
/// When the store fails.
pub fn view(app: &App) -> Outcome<AlertsView> {
    let store = app.store();
    let hooks = app.alerts.hooks().map(|(hook, counts)| hook_view(app, hook, counts)).collect::<Outcome<_>>()?;
    let mut deliveries = waiting(store)?;
    for row in ALERT_LOG.scan(store, true) {
        let (_, ended) = row?;
        let status = ended.status.as_str();
        deliveries.push(delivery(ended.hook, status, Some(ended.at_ns), ended.alert));
    }
    Ok(AlertsView { success: true, hooks, deliveries })
}

fn waiting(store: &Store) -> Outcome<Vec<DeliveryView>> {
    let rows = ALERT_OUTBOX.scan(store, false).take(SHOWN);
    rows.map(|row| row.map(|((hook, _), alert)| delivery(hook, "waiting", None, alert)).map_err(Fault::from)).collect()
}

fn delivery(hook: String, status: &str, ended_ns: Option<u64>, alert: Alert) -> DeliveryView {
    DeliveryView {
        hook,
        status: status.to_owned(),
        created_at: rfc3339(alert.created_ns),
        ended_at: ended_ns.map(rfc3339),
        next_attempt_at: ended_ns.is_none().then(|| rfc3339(alert.not_before_ns.max(alert.created_ns))),
        attempts: alert.attempts,
        error: alert.error,
        key: alert.key,
        capture: alert.capture,
        place: alert.place,
        kind: alert.anomaly.kind.as_str().to_owned(),
        severity: alert.anomaly.severity.as_str().to_owned(),
        message: alert.anomaly.message,
        suppressed: alert.suppressed,
    }
}

fn hook_view(app: &App, hook: &AlertHook, counts: &HookCounts) -> Outcome<HookView> {
    let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let url = match hook.kind {
        HookKind::Pagerduty => Some(app.config.pagerduty.base_url.as_str()),
        HookKind::Slack | HookKind::Webhook => hook.url.as_ref().map(Secret::expose),
    };
    let host = url.and_then(|url| Url::parse(url).ok()).and_then(|url| Some(url.host_str()?.to_owned()));
    let waiting = Alerts::waiting(app.store(), &hook.name)?;
    Ok(HookView {
        name: hook.name.clone(),
        kind: hook.kind.as_str().to_owned(),
        host,
        severities: hook.severities.iter().map(|severity| severity.as_str().to_owned()).collect(),
        types: hook.types.iter().map(|kind| kind.as_str().to_owned()).collect(),
        quiet_period_s: hook.quiet_period.nanoseconds() / SECOND_NS,
        quiet_now: hook.quiet_hours.is_some_and(|hours| hours.left_ns(clock::wall_ns()).is_some()),
        files: hook.files,
        waiting: u64::try_from(waiting).unwrap_or(u64::MAX),
        delivered: get(&counts.delivered),
        failed: get(&counts.failed),
        dropped: get(&counts.dropped),
        suppressed: get(&counts.suppressed),
        retried: get(&counts.retried),
    })
}

/// Sends a made-up alert once through one hook, or through all of them.
///
/// # Errors
/// 404 for an unknown hook, or when there is none.
pub async fn test(app: &App, name: Option<&str>) -> Outcome<TestView> {
    let wanted = |hook: &&AlertHook| name.is_none_or(|name| hook.name == name);
    let hooks: Vec<&AlertHook> = app.alerts.hooks().map(|(hook, _)| hook).filter(wanted).collect();
    if hooks.is_empty() {
        return Err(Fault::not_found(match name {
            Some(_) => "No alert hook has this name",
            None => "No alert hook is configured; see `[alerts]` in the configuration",
        }));
    }
    let results = join_all(hooks.into_iter().map(async |hook| {
        let (delivered, error, retryable) = match app.alerts.test(hook).await {
            Sent::Delivered => (true, None, false),
            Sent::Retry { reason, .. } => (false, Some(reason), true),
            Sent::Refused(reason) => (false, Some(reason), false),
        };
        TestResult { hook: hook.name.clone(), delivered, error, retryable }
    }));
    let results = results.await;
    let taken = results.iter().filter(|result| result.delivered).count();
    let message = format!("{taken} of {} receivers took the test alert", results.len());
    Ok(TestView { success: taken == results.len(), message, results })
}
