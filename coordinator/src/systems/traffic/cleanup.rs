//! Removing what a campaign generated: first it is gone for readers and workers, then from the disk.
//!
//! A campaign can have a million extents, so only a mark, the runs and their figures go in the first batch; the
//! extents follow piece by piece. The mark stays until the last piece, and a restart goes on from it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use trafficlab_shared::clock;
use trafficlab_shared::model::campaign::CampaignStatus;

use super::lookup;
use crate::dispatch::runs::bury;
use crate::http::App;
use crate::store::campaigns::{CAMPAIGNS, Campaign};
use crate::store::entries::{EXTENTS, Extent, SEQUENCES};
use crate::store::erase::{self, EraseError};
use crate::store::runs::{HISTOGRAMS, RUNS_OF, SHARDS, TOTALS, Timing};
use crate::store::segment::SegmentDir;
use crate::store::series::SERIES;
use crate::store::thresholds::RULES;
use crate::store::workers::WORKERS;
use crate::store::{Batch, FirstVersion, Store, Table};
use crate::systems::{Fault, Outcome};

/// Campaigns whose extents are being removed.
pub const CLEANUPS: Table<String, Cleanup> = Table::new("cleanup");

/// What is being removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cleanup {
    /// One run, or all of the campaign.
    pub job: Option<String>,
    /// When it was asked for, in nanoseconds.
    pub since_ns: u64,
}

impl FirstVersion for Cleanup {}

/// Refuses to begin anything on a campaign that is still being removed.
///
/// # Errors
/// 409.
pub fn refuse_pending(store: &Store, campaign: &str) -> Outcome<()> {
    if CLEANUPS.contains(store, &campaign.to_owned())? {
        let fault =
            Fault::conflict(format!("The data of campaign `{campaign}` is still being removed; try again in a moment"));
        return Err(Fault { retry_after: Some(1), ..fault });
    }
    Ok(())
}

/// Stops a campaign and removes what it generated; the session stays.
///
/// # Errors
/// No such campaign, or the store fails.
pub async fn clean(app: &Arc<App>, id: &str) -> Outcome<()> {
    let jobs = {
        let store = app.store();
        let _guard = store.lock();
        let mut campaign = lookup::campaign(store, id)?;
        let mut batch = Batch::new();
        let jobs = forget_runs(store, &mut batch, id, None)?;
        app.dispatch.forget_live(&mut batch, id)?;
        stop(&mut campaign);
        CAMPAIGNS.put(&mut batch, &campaign.id, &campaign)?;
        store.apply(batch)?;
        jobs
    };
    settle(app, id, jobs).await?;
    tracing::info!(campaign = %id, "campaign is cleaned up");
    Ok(())
}

/// Removes a campaign altogether; one that runs only when `force` says so.
///
/// # Errors
/// No such campaign, it runs, or the store fails.
pub async fn remove_campaign(app: &Arc<App>, id: &str, force: bool) -> Outcome<()> {
    let jobs = {
        let store = app.store();
        let _guard = store.lock();
        let campaign = lookup::campaign(store, id)?;
        if campaign.status == CampaignStatus::Running && !force {
            return Err(Fault::conflict(format!(
                "Session `{id}` is running; stop it first, or delete it with `?force=true`"
            )));
        }
        let mut batch = Batch::new();
        let jobs = forget_runs(store, &mut batch, id, None)?;
        app.dispatch.forget_live(&mut batch, id)?;
        CAMPAIGNS.delete(&mut batch, &campaign.id);
        store.apply(batch)?;
        jobs
    };
    settle(app, id, jobs).await
}

/// Removes one finished run; what came after it keeps its sequences.
///
/// # Errors
/// When the store fails.
pub async fn remove_run(app: &Arc<App>, campaign: &str, job: &str) -> Outcome<()> {
    let jobs = {
        let store = app.store();
        let _guard = store.lock();
        if CLEANUPS.contains(store, &campaign.to_owned())? {
            return Ok(());
        }
        let mut batch = Batch::new();
        let jobs = forget_runs(store, &mut batch, campaign, Some(job))?;
        store.apply(batch)?;
        jobs
    };
    settle(app, campaign, jobs).await
}

fn stop(campaign: &mut Campaign) {
    let now = clock::wall_ns();
    if matches!(campaign.status, CampaignStatus::Running | CampaignStatus::Paused) {
        campaign.status = CampaignStatus::Stopped;
        campaign.ended_ns = Some(now);
    }
    campaign.run = None;
    campaign.updated_ns = now;
}

/// Buries runs and removes their figures; the store's lock is held.
fn forget_runs(store: &Store, batch: &mut Batch, campaign: &str, only: Option<&str>) -> Outcome<Vec<String>> {
    let mut jobs = lookup::jobs(store, campaign)?;
    jobs.retain(|job| only.is_none_or(|only| only == job));
    for job in &jobs {
        bury(batch, job)?;
        RUNS_OF.delete(batch, &(campaign.to_owned(), job.clone()));
        TOTALS.delete(batch, job);
        RULES.delete(batch, job);
        for row in WORKERS.scan_prefix(store, job, false) {
            WORKERS.delete(batch, &row?.0);
        }
        for kind in [Timing::Response, Timing::Service, Timing::Lag] {
            HISTOGRAMS.delete(batch, &(job.clone(), kind as u8));
        }
        for row in SHARDS.scan_prefix(store, job, false) {
            SHARDS.delete(batch, &row?.0);
        }
        for row in SERIES.scan_prefix(store, job, false) {
            SERIES.delete(batch, &row?.0);
        }
    }
    let cleanup = Cleanup { job: only.map(str::to_owned), since_ns: clock::wall_ns() };
    CLEANUPS.put(batch, &campaign.to_owned(), &cleanup)?;
    Ok(jobs)
}

/// Makes the first batch durable, tells the workers, and removes the extents.
async fn settle(app: &Arc<App>, campaign: &str, jobs: Vec<String>) -> Outcome<()> {
    app.store().durable().await?;
    app.active_targets.prune(app.store());
    for job in &jobs {
        app.dispatch.attend(job);
    }
    let own = Arc::clone(app);
    let campaign = campaign.to_owned();
    let removed =
        tokio::task::spawn_blocking(move || remove_extents(own.store(), &own.dispatch.segments, &campaign)).await;
    removed.map_err(|error| Fault::internal("clean-up", &error))?.map_err(|error| Fault::internal("clean-up", &error))
}

/// Erases the frames of a campaign whose removal was asked for, then forgets them. May be repeated at any point.
///
/// # Errors
/// When a disk refuses.
pub fn remove_extents(store: &Store, segments: &SegmentDir, campaign: &str) -> Result<(), EraseError> {
    let key = campaign.to_owned();
    while let Some(cleanup) = CLEANUPS.get(store, &key)? {
        let meant = |extent: &Extent| cleanup.job.as_ref().is_none_or(|job| *job == extent.job);
        erase::rows_with_frames(store, segments, &EXTENTS, campaign, |extent| {
            meant(extent).then_some(extent.location)
        })?;
        let _guard = store.lock();
        // A wider removal may have been asked for meanwhile: then the mark is another one.
        if CLEANUPS.get(store, &key)?.is_none_or(|now| now == cleanup) {
            let mut batch = Batch::new();
            if cleanup.job.is_none() {
                SEQUENCES.delete(&mut batch, &key);
            }
            CLEANUPS.delete(&mut batch, &key);
            store.apply(batch)?;
        }
    }
    store.durable_blocking()?;
    Ok(())
}

/// Goes on with everything whose removal a crash or an error interrupted.
///
/// # Errors
/// When the store cannot be read.
pub async fn go_on(app: &Arc<App>) -> Outcome<()> {
    let pending: Vec<String> =
        CLEANUPS.scan(app.store(), false).map(|row| row.map(|(campaign, _)| campaign)).collect::<Result<_, _>>()?;
    for campaign in pending {
        tracing::info!(%campaign, "an interrupted clean-up goes on");
        settle(app, &campaign, Vec::new()).await?;
    }
    Ok(())
}
