//! Makes the broker agree with the stored exports; the loop is that of capture jobs.

use std::io::ErrorKind;
use std::sync::Arc;

use async_nats::jetstream::object_store::ObjectStore;
use trafficlab_shared::clock;
use trafficlab_shared::protocol::export::{ExportJob, KnownExport};

use super::Dispatch;
use crate::dispatch::captures::files::{FileFault, put};
use crate::dispatch::captures::reconcile::{
    PassError, SILENT_NS, forget, is_there, next_attempt, published, wants_object, write_desired,
};
use crate::dispatch::captures::retire::{KEEP_END_NS, remove_messages, tidy};
use crate::store::captures::CaptureState;
use crate::store::exports::{EXPORT_JOBS, ExportJobRow};
use crate::store::{Batch, StoreError};

/// The jobs that still have messages on the broker.
///
/// # Errors
/// When the store cannot be read.
pub(in crate::dispatch) fn remember(dispatch: &Dispatch) -> Result<Vec<String>, StoreError> {
    let rows = EXPORT_JOBS.scan(&dispatch.store, false);
    rows.filter(|row| !matches!(row, Ok((_, row)) if row.cleared)).map(|row| row.map(|(job, _)| job)).collect()
}

/// One job; true when its rows are to be put on the broker.
pub(in crate::dispatch) async fn reconcile(dispatch: &Dispatch, row: ExportJobRow) -> Result<bool, PassError> {
    write_desired(dispatch, &row.job, &row.desired).await?;
    if row.state.is_over() {
        retire(dispatch, row).await?;
        return Ok(false);
    }
    if is_there(dispatch, &row.job) && wants_job(&row) {
        publish(dispatch, &row).await?;
    }
    Ok(wants_object(dispatch, &row.job))
}

fn wants_job(row: &ExportJobRow) -> bool {
    match row.state {
        CaptureState::Queued => true,
        CaptureState::Running => clock::wall_ns().saturating_sub(row.stored_ns) > SILENT_NS,
        CaptureState::Done | CaptureState::Failed | CaptureState::Stopped => false,
    }
}

async fn publish(dispatch: &Dispatch, row: &ExportJobRow) -> Result<(), PassError> {
    let revision = row.desired.revision;
    let Some(attempt) = next_attempt(dispatch, &row.job, revision) else {
        return Ok(());
    };
    let job = ExportJob {
        v: 1,
        job: row.job.clone(),
        spec: Arc::new(row.spec.clone()),
        attempt,
        revision,
        known: KnownExport { started: row.epoch > 0, epoch: row.epoch },
    };
    dispatch.broker.publish_export(&job).await?;
    published(dispatch, &row.job, attempt, revision);
    Ok(())
}

/// Puts a job's rows into the object store.
///
/// # Errors
/// For ever when they are gone, else until the broker takes them.
pub(in crate::dispatch) async fn provide(
    dispatch: &Dispatch,
    bucket: &ObjectStore,
    job: &str,
) -> Result<(), FileFault> {
    match tokio::fs::File::open(dispatch.export_files().rows(job)).await {
        Ok(mut rows) => put(bucket, job, &mut rows).await,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(FileFault::Never("the rows of the export are not there any more".into()))
        }
        Err(error) => Err(FileFault::Later(error.to_string())),
    }
}

/// Ends a job from this side, when no worker can; the store's lock is taken here.
///
/// # Errors
/// When the store fails.
pub(in crate::dispatch) fn end(dispatch: &Dispatch, job: &str, reason: Option<&str>) -> Result<(), StoreError> {
    let _guard = dispatch.store.lock();
    let Some(mut row) = EXPORT_JOBS.get(&dispatch.store, &job.to_owned())?.filter(|row| !row.state.is_over()) else {
        return Ok(());
    };
    row.state = CaptureState::Failed;
    row.reason = reason.map(str::to_owned);
    row.ended_ns = Some(clock::wall_ns());
    row.desired.state = trafficlab_shared::protocol::control::DesiredState::Stop;
    row.desired.revision += 1;
    let mut batch = Batch::new();
    EXPORT_JOBS.put(&mut batch, &row.job, &row)?;
    dispatch.store.apply(batch)
}

/// A finished job leaves the broker: its message and rows at once, its log when nobody can still be asleep over it.
async fn retire(dispatch: &Dispatch, row: ExportJobRow) -> Result<(), PassError> {
    tidy(dispatch, &row.job, true).await?;
    if let Err(error) = dispatch.export_files().remove_rows(&row.job) {
        tracing::warn!(job = %row.job, %error, "the rows of a finished export cannot be removed yet");
    }
    if clock::wall_ns().saturating_sub(row.ended_ns.unwrap_or(row.created_ns)) < KEEP_END_NS {
        return Ok(());
    }
    remove_messages(dispatch, &row.job).await?;
    {
        let _guard = dispatch.store.lock();
        if let Some(mut row) = EXPORT_JOBS.get(&dispatch.store, &row.job)? {
            row.cleared = true;
            let mut batch = Batch::new();
            EXPORT_JOBS.put(&mut batch, &row.job, &row)?;
            dispatch.store.apply(batch)?;
        }
    }
    dispatch.store.durable().await?;
    forget(dispatch, &row.job);
    Ok(())
}
