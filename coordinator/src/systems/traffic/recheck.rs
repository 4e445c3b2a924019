//! The owner of a public target may change their mind: the proof is fetched again during a run.

use std::collections::HashMap;
use std::sync::Arc;

use trafficlab_shared::clock;
use trafficlab_shared::model::campaign::CampaignStatus;
use trafficlab_shared::target::TargetUrl;

use super::{lookup, ownership, resolve};
use crate::dispatch::runs::{self, Change};
use crate::http::App;
use crate::store::Batch;
use crate::store::campaigns::CAMPAIGNS;
use crate::store::runs::{PLANS, RUNS, Run};
use crate::systems::Outcome;

/// Failures in a row that stop a run.
const PATIENCE: u32 = 2;

/// How often the proof failed, by job.
#[derive(Debug, Default)]
pub struct Recheck {
    failures: HashMap<String, u32>,
}

impl Recheck {
    /// Looks at every run against a public target.
    pub async fn pass(&mut self, app: &Arc<App>) {
        let active = match active(app) {
            Ok(active) => active,
            Err(fault) => {
                tracing::warn!(%fault, "ownership cannot be checked again yet");
                return;
            }
        };
        self.failures.retain(|job, _| active.iter().any(|(run, _)| run.job == *job));
        for (run, target) in active {
            match proof(app, &target).await {
                Ok(()) => drop(self.failures.remove(&run.job)),
                Err(why) => self.failed(app, &run, &why).await,
            }
        }
    }

    async fn failed(&mut self, app: &Arc<App>, run: &Run, why: &str) {
        let failures = self.failures.entry(run.job.clone()).or_default();
        *failures += 1;
        tracing::warn!(campaign = %run.campaign, job = %run.job, failures, %why, "the owner's agreement is not found");
        if *failures < PATIENCE {
            return;
        }
        if let Err(fault) = stop(app, run, why).await {
            tracing::error!(campaign = %run.campaign, job = %run.job, %fault, "run cannot be stopped");
        }
    }
}

/// Runs whose target's owner had to agree.
fn active(app: &App) -> Outcome<Vec<(Run, TargetUrl)>> {
    let mut found = Vec::new();
    for job in app.active_targets.active(app.store()) {
        let (Some(run), Some(plan)) = (RUNS.get(app.store(), &job)?, PLANS.get(app.store(), &job)?) else {
            continue;
        };
        let proven = plan.http.filter(|http| http.ownership_proven);
        if let Some(target) = proven.and_then(|http| TargetUrl::parse(&http.url).ok()) {
            found.push((run, target));
        }
    }
    Ok(found)
}

async fn proof(app: &App, target: &TargetUrl) -> Result<(), String> {
    let addresses = resolve::addresses(&app.targets, target).await.map_err(|fault| fault.message)?;
    let secret = app.config.generator.ownership_secret.as_ref();
    match (resolve::public(&addresses), secret) {
        (None, _) => Ok(()),
        (Some(_), None) => Err("`generator.ownership_secret` is not set".to_owned()),
        (Some(address), Some(secret)) => ownership::prove(secret, target, address).await.map_err(|unproven| unproven.0),
    }
}

async fn stop(app: &Arc<App>, run: &Run, why: &str) -> Outcome<()> {
    {
        let store = app.store();
        let _guard = store.lock();
        let mut batch = Batch::new();
        runs::change(store, &mut batch, &run.job, Change::Stop)?;
        let mut campaign = lookup::campaign(store, &run.campaign)?;
        if campaign.run.as_deref() == Some(&run.job) {
            let now = clock::wall_ns();
            campaign.status = CampaignStatus::Error;
            campaign.reason = Some(format!("The target's owner no longer agrees: {why}"));
            campaign.updated_ns = now;
            campaign.ended_ns = Some(now);
            CAMPAIGNS.put(&mut batch, &campaign.id, &campaign)?;
        }
        store.apply(batch)?;
    }
    app.store().durable().await?;
    app.dispatch.attend(&run.job);
    Ok(())
}
