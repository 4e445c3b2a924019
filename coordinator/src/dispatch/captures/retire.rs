//! The end of capture jobs on the broker: what is over, gone or taken leaves it.

use futures_util::{StreamExt, stream};
use trafficlab_shared::clock;
use trafficlab_shared::protocol::control::{Desired, DesiredState};
use trafficlab_shared::protocol::subject;

use super::reconcile::{AT_ONCE, PassError, write_desired};
use super::{Dispatch, files, lock, remove};
use crate::store::Batch;
use crate::store::captures::{CAPTURE_JOBS, CaptureJobRow, GONE_JOBS, WORKS};

/// The last record of a finished job stays this long, so that a worker that slept finds the end.
pub(in crate::dispatch) const KEEP_END_NS: u64 = 600_000_000_000;

/// A finished job leaves the broker: its message and object at once, its log when nobody can still be asleep over it.
pub(super) async fn retire(dispatch: &Dispatch, row: CaptureJobRow) -> Result<(), PassError> {
    let work = WORKS.get(&dispatch.store, &row.job)?;
    let object = row.file_wanted || work.is_some_and(|work| work.input.is_some());
    tidy(dispatch, &row.job, object).await?;
    if clock::wall_ns().saturating_sub(row.ended_ns.unwrap_or(row.created_ns)) < KEEP_END_NS {
        return Ok(());
    }
    remove_messages(dispatch, &row.job).await?;
    remove::forget_superseded(dispatch, &row)?;
    {
        let _guard = dispatch.store.lock();
        if let Some(mut row) = CAPTURE_JOBS.get(&dispatch.store, &row.job)? {
            let mut batch = Batch::new();
            row.cleared = true;
            CAPTURE_JOBS.put(&mut batch, &row.job, &row)?;
            WORKS.delete(&mut batch, &row.job);
            dispatch.store.apply(batch)?;
        }
    }
    dispatch.store.durable().await?;
    lock(&dispatch.captures.active).remove(&row.job);
    Ok(())
}

/// A job whose rows are gone: first everybody learns it, later its messages go.
pub(super) async fn clear_away(dispatch: &Dispatch, job: &str) -> Result<(), PassError> {
    let Some(since) = GONE_JOBS.get(&dispatch.store, &job.to_owned())? else {
        lock(&dispatch.captures.active).remove(job);
        return Ok(());
    };
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
    tidy(dispatch, job, true).await?;
    if clock::wall_ns().saturating_sub(since) < KEEP_END_NS {
        return Ok(());
    }
    remove_messages(dispatch, job).await?;
    let mut batch = Batch::new();
    GONE_JOBS.delete(&mut batch, &job.to_owned());
    dispatch.store.commit(batch).await?;
    lock(&dispatch.captures.active).remove(job);
    Ok(())
}

/// Removes a job's message and its object, once.
pub(in crate::dispatch) async fn tidy(dispatch: &Dispatch, job: &str, object: bool) -> Result<(), PassError> {
    if lock(&dispatch.captures.active).get(job).is_some_and(|active| active.tidied) {
        return Ok(());
    }
    dispatch.broker.purge_single_job(job).await?;
    if object {
        files::forget(dispatch, job).await?;
    }
    if let Some(active) = lock(&dispatch.captures.active).get_mut(job) {
        active.tidied = true;
    }
    Ok(())
}

pub(in crate::dispatch) async fn remove_messages(dispatch: &Dispatch, job: &str) -> Result<(), PassError> {
    dispatch.broker.purge_single_job(job).await?;
    dispatch.broker.purge_results(&subject::single_results(job), None).await?;
    dispatch.broker.forget_desired(job).await?;
    Ok(())
}

/// Removes ingested records of each log but the last, which is its checkpoint.
pub(super) async fn purge_taken(dispatch: &Dispatch) {
    let taken: Vec<(String, u64)> = lock(&dispatch.captures.purges).drain().collect();
    stream::iter(taken)
        .for_each_concurrent(AT_ONCE, |(job, sequence)| async move {
            let filter = subject::single_results(&job);
            if let Err(error) = dispatch.broker.purge_results(&filter, Some(sequence)).await {
                tracing::debug!(%filter, %error, "taken records stay until the next pass");
                lock(&dispatch.captures.purges).entry(job).or_insert(sequence);
            }
        })
        .await;
}
