//! What shard events mean for their run and its campaign.

use std::collections::HashSet;

use trafficlab_shared::clock;
use trafficlab_shared::model::campaign::CampaignStatus;
use trafficlab_shared::protocol::control::DesiredState;

use super::super::commit::Taken;
use super::{LifeEvent, Traffic};
use crate::store::campaigns::CAMPAIGNS;
use crate::store::runs::{RUNS, Run, RunState, SHARDS, ShardState, run_state};
use crate::store::{Batch, Store, StoreError};

/// An activation's active time begins this long after its first start was stored, so that all
/// shards of a run begin together.
const LEAD_NS: u64 = 500_000_000;

/// Applies the events of a batch. The store's lock is held.
pub(super) fn follow(
    store: &Store,
    work: &mut Traffic,
    gone: &HashSet<String>,
    last_stored_ns: u64,
    batch: &mut Batch,
    taken: &mut Taken,
) -> Result<(), StoreError> {
    for (job, run) in &work.runs {
        if let Some(run) = run.as_ref().filter(|_| !gone.contains(job)) {
            taken.campaigns.insert(run.campaign.clone());
        }
    }
    let mut jobs: Vec<&str> = work.events.iter().map(|event| event.job.as_str()).collect();
    jobs.sort_unstable();
    jobs.dedup();
    for job in jobs {
        let Some(mut run) = RUNS.get(store, &job.to_owned())? else {
            continue;
        };
        let events = work.events.iter().filter(|event| event.job == job);
        for event in events {
            apply(&mut run, event);
        }
        let states = shard_states(store, work, &run)?;
        run.state = run_state(&states);
        if run.state.is_over() {
            run.ended_ns.get_or_insert(last_stored_ns);
        }
        follow_campaign(store, &run, batch)?;
        RUNS.put(batch, &run.job.clone(), &run)?;
        taken.runs.insert(run.job);
    }
    Ok(())
}

fn apply(run: &mut Run, event: &LifeEvent) {
    if let Some(started_at) = event.started_at {
        if run.desired.origin_ns.is_none() && run.desired.state == DesiredState::Run {
            run.desired.origin_ns = Some(started_at + LEAD_NS);
        }
        run.started_ns = run.started_ns.or(run.desired.origin_ns);
    }
    if let Some(reason) = &event.failure {
        run.reason.get_or_insert_with(|| reason.clone());
        // The other shards hold, so that a retry finds the run whole.
        if run.desired.state == DesiredState::Run {
            run.desired.state = DesiredState::Pause;
            run.desired.revision += 1;
        }
    }
}

fn shard_states(store: &Store, work: &Traffic, run: &Run) -> Result<Vec<ShardState>, StoreError> {
    (0..run.shards)
        .map(|shard| {
            let key = (run.job.clone(), shard);
            match work.shards.get(&key) {
                Some(shard) => Ok(shard.state),
                None => Ok(SHARDS.get(store, &key)?.map_or(ShardState::Waiting, |shard| shard.state)),
            }
        })
        .collect()
}

/// A campaign follows its latest run: over by itself, or failed.
fn follow_campaign(store: &Store, run: &Run, batch: &mut Batch) -> Result<(), StoreError> {
    let Some(mut campaign) = CAMPAIGNS.get(store, &run.campaign)? else {
        return Ok(());
    };
    if campaign.run.as_deref() != Some(&run.job) {
        return Ok(());
    }
    let next = match run.state {
        _ if run.reason.is_some() => CampaignStatus::Error,
        RunState::Completed => CampaignStatus::Completed,
        RunState::Stopped => CampaignStatus::Stopped,
        _ => return Ok(()),
    };
    // A pause that came too late leaves a finished run behind; the end is what counts.
    let follows = campaign.status.may_become(next) || campaign.status == CampaignStatus::Paused;
    if campaign.status == next || !follows {
        return Ok(());
    }
    let now = clock::wall_ns();
    campaign.status = next;
    campaign.reason.clone_from(&run.reason);
    campaign.updated_ns = now;
    campaign.ended_ns = Some(now);
    CAMPAIGNS.put(batch, &campaign.id.clone(), &campaign)
}
