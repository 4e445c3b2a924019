//! Makes the broker agree with the store: desired states written, missing jobs published, old
//! messages removed. Looks every second and whenever something changed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use trafficlab_shared::clock;
use trafficlab_shared::model::run::RunSpec;
use trafficlab_shared::protocol::control::{Desired, DesiredState};
use trafficlab_shared::protocol::job::{KnownLog, ShardJob};
use trafficlab_shared::protocol::subject;

use super::broker::BrokerFault;
use super::{Dispatch, lock, rebalance};
use crate::store::StoreError;
use crate::store::runs::{PLANS, RUNS, Run, RunState, SHARDS, Shard, ShardState, TOMBSTONES};

const TICK: Duration = Duration::from_secs(1);
/// A job that nobody took is published again after this long; the broker refuses it while the
/// first one is queued or leased.
const REPUBLISH: Duration = Duration::from_secs(5);
/// A running shard whose log is silent for this long may have lost its job message.
const SILENT_NS: u64 = 20_000_000_000;
/// Requests to the broker at once.
const AT_ONCE: usize = 32;
/// The last record of a finished shard stays this long, so that a worker that slept finds the end.
const KEEP_END_NS: u64 = 600_000_000_000;

/// What the reconciler remembers of a run it looks after.
#[derive(Debug, Default)]
pub(super) struct Active {
    /// Revision and origin last written to the bucket.
    written: Option<(u64, bool)>,
    /// Whether the workers were told their shares of it.
    announced: bool,
    published: HashMap<u32, Published>,
}

#[derive(Debug)]
struct Published {
    at: Instant,
    attempts: u32,
    revision: u64,
}

/// A problem in one pass; the next pass tries again.
#[derive(Debug, thiserror::Error)]
enum PassError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Broker(#[from] BrokerFault),
}

/// Reconciles for ever.
pub(super) async fn run(dispatch: &Arc<Dispatch>) {
    if let Err(error) = remember(dispatch) {
        tracing::error!(%error, "runs cannot be read from the store");
    }
    loop {
        tokio::select! {
            () = dispatch.wake.notified() => {}
            () = tokio::time::sleep(TICK) => {}
        }
        if dispatch.broker.is_connected() {
            pass(dispatch).await;
        }
    }
}

/// After a start every run that still has messages on the broker is looked after again.
fn remember(dispatch: &Dispatch) -> Result<(), StoreError> {
    let mut active = lock(&dispatch.active);
    for row in RUNS.scan(&dispatch.store, false) {
        let (job, run) = row?;
        if !run.cleared {
            active.insert(job, Active::default());
        }
    }
    for row in TOMBSTONES.scan(&dispatch.store, false) {
        active.insert(row?.0, Active::default());
    }
    Ok(())
}

async fn pass(dispatch: &Arc<Dispatch>) {
    let jobs: Vec<String> = lock(&dispatch.active).keys().cloned().collect();
    stream::iter(jobs)
        .for_each_concurrent(AT_ONCE, |job| async move {
            if let Err(error) = reconcile(dispatch, &job).await {
                tracing::warn!(%job, %error, "run cannot be reconciled yet");
            }
        })
        .await;
    purge_taken(dispatch).await;
}

async fn reconcile(dispatch: &Dispatch, job: &str) -> Result<(), PassError> {
    let Some(run) = RUNS.get(&dispatch.store, &job.to_owned())? else {
        return clear_away(dispatch, job).await;
    };
    write_desired(dispatch, job, &run.desired).await?;
    if run.state.is_over() {
        return retire(dispatch, run).await;
    }
    let plan = PLANS.get(&dispatch.store, &run.job)?;
    let Some(plan) = plan.map(Arc::new) else {
        return Ok(());
    };
    if run.state == RunState::Starting && run.shards > 1 && announce_once(dispatch, job) {
        rebalance::announce(dispatch, run.shards).await;
    }
    for shard in 0..run.shards {
        let state = SHARDS.get(&dispatch.store, &(run.job.clone(), shard))?.unwrap_or_default();
        if wants_job(&run, &state) {
            publish(dispatch, &run, &plan, shard, &state).await?;
        }
    }
    Ok(())
}

/// True the first time.
fn announce_once(dispatch: &Dispatch, job: &str) -> bool {
    let mut active = lock(&dispatch.active);
    active.get_mut(job).is_some_and(|active| !std::mem::replace(&mut active.announced, true))
}

async fn write_desired(dispatch: &Dispatch, job: &str, desired: &Desired) -> Result<(), PassError> {
    let now = (desired.revision, desired.origin_ns.is_some());
    let written = lock(&dispatch.active).get(job).and_then(|active| active.written);
    if written == Some(now) {
        return Ok(());
    }
    dispatch.broker.put_desired(job, desired).await?;
    if let Some(active) = lock(&dispatch.active).get_mut(job) {
        active.written = Some(now);
    }
    Ok(())
}

/// Whether a shard needs a job message that may not be there.
fn wants_job(run: &Run, shard: &Shard) -> bool {
    let silent = || clock::wall_ns().saturating_sub(shard.stored_ns) > SILENT_NS;
    match shard.state {
        ShardState::Waiting | ShardState::Yielded => true,
        ShardState::Running => silent(),
        ShardState::Paused => run.desired.state != DesiredState::Pause,
        ShardState::Failed => run.desired.revision > shard.revision && run.desired.state == DesiredState::Run,
        ShardState::Ended | ShardState::Stopped | ShardState::Quarantined => false,
    }
}

async fn publish(
    dispatch: &Dispatch,
    run: &Run,
    plan: &Arc<RunSpec>,
    shard: u32,
    state: &Shard,
) -> Result<(), PassError> {
    let Some(attempt) = next_attempt(dispatch, run, shard) else {
        return Ok(());
    };
    let job = ShardJob {
        v: 1,
        run: Arc::clone(plan),
        shard,
        attempt,
        revision: run.desired.revision,
        activation: run.desired.activation,
        known: KnownLog { started: state.epoch > 0, epoch: state.epoch, cursor: state.next },
    };
    dispatch.broker.publish_job(&job).await?;
    Ok(())
}

/// The number of the next try, unless one was made for this revision a moment ago.
fn next_attempt(dispatch: &Dispatch, run: &Run, shard: u32) -> Option<u32> {
    let mut active = lock(&dispatch.active);
    let published = &mut active.get_mut(&run.job)?.published;
    let attempts = match published.get(&shard) {
        Some(last) if last.revision == run.desired.revision && last.at.elapsed() < REPUBLISH => return None,
        Some(last) => last.attempts,
        None => 0,
    };
    let next = Published { at: Instant::now(), attempts: attempts + 1, revision: run.desired.revision };
    published.insert(shard, next);
    Some(attempts + 1)
}

/// A finished run leaves the broker once nobody can still be asleep over it.
async fn retire(dispatch: &Dispatch, run: Run) -> Result<(), PassError> {
    // A failed run keeps its logs until it is retried or removed.
    if run.state == RunState::Failed {
        return Ok(());
    }
    let ended = run.ended_ns.unwrap_or(run.created_ns);
    if clock::wall_ns().saturating_sub(ended) < KEEP_END_NS {
        return Ok(());
    }
    remove_messages(dispatch, &run.job, run.shards).await?;
    let mut batch = crate::store::Batch::new();
    {
        let _guard = dispatch.store.lock();
        if let Some(mut run) = RUNS.get(&dispatch.store, &run.job)? {
            run.cleared = true;
            RUNS.put(&mut batch, &run.job.clone(), &run)?;
            dispatch.store.apply(batch)?;
        }
    }
    dispatch.store.durable().await?;
    lock(&dispatch.active).remove(&run.job);
    Ok(())
}

/// A run whose rows are gone: first everybody learns it, later its messages go.
async fn clear_away(dispatch: &Dispatch, job: &str) -> Result<(), PassError> {
    let gone = Desired {
        v: 1,
        revision: u64::MAX,
        activation: u32::MAX,
        state: DesiredState::Tombstone,
        rate: 0,
        duration_ms: 0,
        at_slot: 0,
        origin_ns: None,
    };
    write_desired(dispatch, job, &gone).await?;
    let shards = PLANS.get(&dispatch.store, &job.to_owned())?.map_or(0, |plan| plan.shards);
    for shard in 0..shards {
        dispatch.broker.purge_jobs(job, shard).await?;
    }
    let since = TOMBSTONES.get(&dispatch.store, &job.to_owned())?.unwrap_or(0);
    if clock::wall_ns().saturating_sub(since) < KEEP_END_NS {
        return Ok(());
    }
    remove_messages(dispatch, job, shards).await?;
    let mut batch = crate::store::Batch::new();
    TOMBSTONES.delete(&mut batch, &job.to_owned());
    PLANS.delete(&mut batch, &job.to_owned());
    dispatch.store.commit(batch).await?;
    lock(&dispatch.active).remove(job);
    Ok(())
}

async fn remove_messages(dispatch: &Dispatch, job: &str, shards: u32) -> Result<(), PassError> {
    for shard in 0..shards {
        dispatch.broker.purge_jobs(job, shard).await?;
    }
    dispatch.broker.purge_results(&subject::traffic_results_of(job), None).await?;
    dispatch.broker.forget_desired(job).await?;
    Ok(())
}

/// Removes ingested records of each shard's log but the last, which is its checkpoint.
async fn purge_taken(dispatch: &Arc<Dispatch>) {
    let taken: Vec<((String, u32), u64)> = lock(&dispatch.purges).drain().collect();
    stream::iter(taken)
        .for_each_concurrent(AT_ONCE, |((job, shard), sequence)| async move {
            let filter = subject::traffic_results(&job, shard);
            if let Err(error) = dispatch.broker.purge_results(&filter, Some(sequence)).await {
                tracing::debug!(%filter, %error, "taken records stay until the next pass");
                lock(&dispatch.purges).entry((job, shard)).or_insert(sequence);
            }
        })
        .await;
}
