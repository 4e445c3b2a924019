//! Stopping, and the status machine with its effects on a generation. None of this needs the broker.

use std::sync::Arc;

use trafficlab_shared::clock;
use trafficlab_shared::model::campaign::CampaignStatus;

use super::{cleanup, lookup, targets};
use crate::dispatch::runs::{self, Change};
use crate::http::App;
use crate::store::campaigns::{CAMPAIGNS, Campaign};
use crate::store::{Batch, Store};
use crate::systems::{Code, Fault, Outcome};

/// A status that was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// The status before.
    pub previous: CampaignStatus,
    /// The status now.
    pub next: CampaignStatus,
    /// When, in nanoseconds.
    pub updated_ns: u64,
}

/// Stops a generation, also one that is held.
///
/// # Errors
/// 404 for an unknown campaign or one that does not generate.
pub async fn stop(app: &Arc<App>, id: &str) -> Outcome<String> {
    let job = stop_in(app.store(), id)?;
    app.store().durable().await?;
    app.dispatch.attend(&job);
    tracing::info!(campaign = %id, %job, "run is stopped");
    Ok(job)
}

/// Stores the stop; comes back with the job.
pub(super) fn stop_in(store: &Store, id: &str) -> Outcome<String> {
    let _guard = store.lock();
    let mut campaign = lookup::campaign(store, id)?;
    let Some(run) = lookup::active_run(store, &campaign)? else {
        let message = format!("Traffic generation is not running for campaign `{id}`");
        return Err(Fault::new(Code::NotRunning, message).with("status", campaign.status.as_str()));
    };
    let mut batch = Batch::new();
    runs::change(store, &mut batch, &run.job, Change::Stop)?;
    leave(&mut campaign, CampaignStatus::Stopped);
    CAMPAIGNS.put(&mut batch, &campaign.id, &campaign)?;
    store.apply(batch)?;
    Ok(run.job)
}

/// Goes on with a run that failed, once its cause is mended.
///
/// # Errors
/// 404 for an unknown campaign, 409 for one whose last run did not fail.
pub async fn retry(app: &Arc<App>, id: &str) -> Outcome<String> {
    let job = retry_in(app, id)?;
    app.store().durable().await?;
    app.dispatch.attend(&job);
    tracing::info!(campaign = %id, %job, "failed run is retried");
    Ok(job)
}

fn retry_in(app: &App, id: &str) -> Outcome<String> {
    let store = app.store();
    let _guard = store.lock();
    let mut campaign = lookup::campaign(store, id)?;
    cleanup::refuse_pending(store, id)?;
    let mut batch = Batch::new();
    let job = campaign.run.clone().unwrap_or_default();
    if campaign.status != CampaignStatus::Error || runs::change(store, &mut batch, &job, Change::Retry)?.is_none() {
        let message = format!("Campaign `{id}` has no failed run to retry");
        return Err(Fault::conflict(message).with("status", campaign.status.as_str()));
    }
    targets::readmit(app, &job)?;
    leave(&mut campaign, CampaignStatus::Running);
    CAMPAIGNS.put(&mut batch, &campaign.id, &campaign)?;
    store.apply(batch)?;
    Ok(job)
}

/// Stops everything that generates or is held; comes back with the campaigns.
///
/// # Errors
/// When the store fails.
pub async fn stop_all(app: &Arc<App>) -> Outcome<Vec<String>> {
    let store = app.store();
    let (campaigns, jobs) = stop_all_in(store)?;
    store.durable().await?;
    for job in &jobs {
        app.dispatch.attend(job);
    }
    tracing::info!(count = campaigns.len(), "all runs are stopped");
    Ok(campaigns)
}

pub(super) fn stop_all_in(store: &Store) -> Outcome<(Vec<String>, Vec<String>)> {
    let _guard = store.lock();
    let mut batch = Batch::new();
    let (mut campaigns, mut jobs) = (Vec::new(), Vec::new());
    for row in CAMPAIGNS.scan(store, false) {
        let (id, mut campaign) = row?;
        if let Some(run) = lookup::active_run(store, &campaign)? {
            runs::change(store, &mut batch, &run.job, Change::Stop)?;
            leave(&mut campaign, CampaignStatus::Stopped);
            CAMPAIGNS.put(&mut batch, &id, &campaign)?;
            campaigns.push(id);
            jobs.push(run.job);
        }
    }
    store.apply(batch)?;
    Ok((campaigns, jobs))
}

/// Sets a status; leaving `running` stops or holds its generation, and `paused → running` goes on with a held one.
///
/// # Errors
/// 404, or 409 naming what is allowed.
pub async fn set_status(app: &Arc<App>, id: &str, next: CampaignStatus) -> Outcome<Transition> {
    let (transition, job) = set_status_in(app.store(), id, next)?;
    app.store().durable().await?;
    if let Some(job) = job {
        app.dispatch.attend(&job);
    }
    tracing::info!(campaign = %id, from = transition.previous.as_str(), to = transition.next.as_str(), "status is set");
    Ok(transition)
}

pub(super) fn set_status_in(store: &Store, id: &str, next: CampaignStatus) -> Outcome<(Transition, Option<String>)> {
    let _guard = store.lock();
    let mut campaign = lookup::campaign(store, id)?;
    let previous = campaign.status;
    if previous == next {
        return Ok((Transition { previous, next, updated_ns: campaign.updated_ns }, None));
    }
    if !previous.may_become(next) {
        return Err(not_allowed(previous, next));
    }
    cleanup::refuse_pending(store, id)?;
    let mut batch = Batch::new();
    let run = lookup::active_run(store, &campaign)?;
    let change = match next {
        CampaignStatus::Paused => Change::Pause,
        CampaignStatus::Running => Change::Resume,
        _ => Change::Stop,
    };
    let mut changed = None;
    if let Some(run) = run {
        runs::change(store, &mut batch, &run.job, change)?;
        changed = Some(run.job);
    } else if matches!(next, CampaignStatus::Running | CampaignStatus::Draft) {
        // What a run that is over or still stopping logs from now on must not touch the new status.
        campaign.run = None;
    }
    leave(&mut campaign, next);
    CAMPAIGNS.put(&mut batch, &campaign.id, &campaign)?;
    store.apply(batch)?;
    Ok((Transition { previous, next, updated_ns: campaign.updated_ns }, changed))
}

fn leave(campaign: &mut Campaign, next: CampaignStatus) {
    let now = clock::wall_ns();
    match next {
        CampaignStatus::Running if campaign.status != CampaignStatus::Paused => {
            campaign.started_ns = Some(now);
            campaign.ended_ns = None;
            campaign.reason = None;
        }
        CampaignStatus::Draft => campaign.reason = None,
        CampaignStatus::Completed | CampaignStatus::Stopped | CampaignStatus::Error => campaign.ended_ns = Some(now),
        CampaignStatus::Running | CampaignStatus::Paused => {}
    }
    campaign.status = next;
    campaign.updated_ns = now;
}

fn not_allowed(previous: CampaignStatus, next: CampaignStatus) -> Fault {
    let allowed: Vec<&str> = previous.allowed().iter().map(|status| status.as_str()).collect();
    let (from, to) = (previous.as_str(), next.as_str());
    let message = format!("Status `{from}` cannot become `{to}`; allowed are {}", allowed.join(", "));
    Fault::conflict(message).with("status", from).with("allowed", allowed)
}
