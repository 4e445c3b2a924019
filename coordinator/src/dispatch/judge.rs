//! Holding runs to their thresholds: each second, on what is committed, beside ingest and never in its way.

mod window;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use trafficlab_engine::traffic::judge::{self, Observed};
use trafficlab_shared::clock;
use trafficlab_shared::model::campaign::CampaignStatus;
use trafficlab_shared::model::threshold::ThresholdRule;

use super::runs::{self, Change};
use super::{Dispatch, lock};
use crate::measured::Measured;
use crate::store::campaigns::CAMPAIGNS;
use crate::store::runs::{RUNS, Run};
use crate::store::thresholds::{Crossing, RULES, Rules};
use crate::store::{Batch, Store, StoreError};
use window::Window;
pub(super) use window::{Fresh, add};

const TICK: Duration = Duration::from_secs(1);

/// What the judge remembers of the runs that are looked after.
type Watches = HashMap<String, Watch>;

/// A run's rules, when it has any that are judged while it goes on, and its last seconds.
#[derive(Debug, Default)]
struct Watch {
    rules: Option<Rules>,
    window: Window,
}

/// Judges for ever.
pub(super) async fn run(dispatch: &Arc<Dispatch>) {
    let mut watches = Watches::new();
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let own = Arc::clone(dispatch);
        let mut known = std::mem::take(&mut watches);
        let passed = tokio::task::spawn_blocking(move || {
            pass(&own, &mut known);
            known
        });
        match passed.await {
            Ok(known) => watches = known,
            Err(error) => tracing::error!(%error, "thresholds were not judged"),
        }
    }
}

fn pass(dispatch: &Dispatch, watches: &mut Watches) {
    let jobs: HashSet<String> = lock(&dispatch.active).keys().cloned().collect();
    watches.retain(|job, _| jobs.contains(job));
    lock(&dispatch.fresh).retain(|job, _| watches.contains_key(job));
    for job in jobs {
        if let Err(error) = look(dispatch, watches, &job) {
            tracing::warn!(%job, %error, "thresholds cannot be judged yet");
        }
    }
}

fn look(dispatch: &Dispatch, watches: &mut Watches, job: &String) -> Result<(), StoreError> {
    let store = &dispatch.store;
    let watch = match watches.get_mut(job) {
        Some(known) => known,
        None => watches.entry(job.clone()).or_insert(watch(store, job)?),
    };
    let Some(rules) = &mut watch.rules else {
        return Ok(());
    };
    let Some(run) = RUNS.get(store, job)?.filter(Run::is_generating) else {
        return Ok(());
    };
    let whole = Measured::of(store, &run)?;
    let mut lately = Vec::new();
    if let Some(longest) = rules.rules.iter().filter_map(|rule| rule.window_ms).max() {
        let step = std::mem::take(lock(&dispatch.fresh).entry(job.clone()).or_default());
        watch.window.advance(step, whole.active_ms, longest);
        lately = rules.rules.iter().map(|rule| rule.window_ms.and_then(|length| watch.window.last(length))).collect();
    }
    let crossings = crossed(rules, &whole, &lately);
    if crossings.is_empty() {
        return Ok(());
    }
    let judged = Rules { rules: rules.rules.clone(), crossings: [rules.crossings.clone(), crossings.clone()].concat() };
    let stop = crossings.iter().find_map(|crossing| {
        let rule = rules.rules.get(crossing.rule).filter(|rule| rule.abort_on)?;
        Some(sentence(rule, crossing))
    });
    if store_crossings(store, &run, &judged, stop.as_deref())? {
        tracing::info!(campaign = %run.campaign, %job, reason = stop.as_deref(), "a threshold stops the run");
        dispatch.attend(job);
    }
    *rules = judged;
    lock(&dispatch.touched).insert(run.campaign);
    Ok(())
}

/// Without a rule that is judged while the run goes on, its final figures tell everything.
fn watch(store: &Store, job: &String) -> Result<Watch, StoreError> {
    let rules = RULES.get(store, job)?.filter(|rules| rules.rules.iter().any(judged_on_the_way));
    Ok(Watch { rules, window: Window::default() })
}

const fn judged_on_the_way(rule: &ThresholdRule) -> bool {
    rule.abort_on || rule.window_ms.is_some()
}

/// The rules that do not hold now and did until now. `lately` has a place for each rule when any has a window.
fn crossed(rules: &Rules, whole: &Measured, lately: &[Option<Measured>]) -> Vec<Crossing> {
    let judged = |(index, rule): (usize, &ThresholdRule)| {
        if !judged_on_the_way(rule) || whole.active_ms < rule.after_ms || rules.crossing(index).is_some() {
            return None;
        }
        let seen: Observed<'_> = match rule.window_ms {
            Some(_) => lately.get(index)?.as_ref()?.observed(),
            None => whole.observed(),
        };
        let value = judge::measure(&rule.threshold.metric(), &seen)?;
        let crossing = Crossing { rule: index, value, active_ms: whole.active_ms };
        (!rule.threshold.holds(value)).then_some(crossing)
    };
    rules.rules.iter().enumerate().filter_map(judged).collect()
}

/// Such as "threshold `p99<50ms` crossed: 73.2 ms after 12 s".
fn sentence(rule: &ThresholdRule, crossing: &Crossing) -> String {
    let unit = rule.threshold.metric().unit();
    let value = if unit.is_empty() { format!("{}", crossing.value) } else { format!("{:.1}{unit}", crossing.value) };
    let text = rule.threshold.text();
    let over = rule.window_ms.map(|length| format!(" over {} s", Duration::from_millis(length).as_secs_f64()));
    let over = over.unwrap_or_default();
    format!("threshold `{text}` crossed: {value}{over} after {} s", crossing.active_ms / 1000)
}

/// Keeps the crossings and, when `stop` gives a reason, ends the run unless somebody did before; true when this did it.
fn store_crossings(store: &Store, run: &Run, rules: &Rules, stop: Option<&str>) -> Result<bool, StoreError> {
    let mut batch = Batch::new();
    let stopped;
    {
        let _guard = store.lock();
        if !RUNS.contains(store, &run.job)? {
            return Ok(false);
        }
        RULES.put(&mut batch, &run.job, rules)?;
        stopped = match stop {
            Some(reason) => end(store, &mut batch, &run.job, reason)?,
            None => false,
        };
        store.apply(batch)?;
    }
    store.durable_blocking()?;
    Ok(stopped)
}

/// Adds the end of a run to `batch`, for this reason. The store's lock is held.
fn end(store: &Store, batch: &mut Batch, job: &str, reason: &str) -> Result<bool, StoreError> {
    let Some(mut run) = runs::change(store, batch, job, Change::Stop)? else {
        return Ok(false);
    };
    run.stopped_by = Some(reason.to_owned());
    RUNS.put(batch, &run.job.clone(), &run)?;
    let campaign = CAMPAIGNS.get(store, &run.campaign)?.filter(|campaign| campaign.run.as_deref() == Some(job));
    if let Some(mut campaign) = campaign {
        let now = clock::wall_ns();
        campaign.status = CampaignStatus::Stopped;
        campaign.reason = Some(reason.to_owned());
        campaign.updated_ns = now;
        campaign.ended_ns = Some(now);
        CAMPAIGNS.put(batch, &campaign.id.clone(), &campaign)?;
    }
    Ok(true)
}

#[cfg(test)]
mod tests;
