//! Makes the broker agree with the stored capture jobs and exports: desired states, job messages, files on their way, and the end of
//! all of these. Looks every second and whenever something changed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use tokio::task::JoinSet;
use trafficlab_shared::clock;
use trafficlab_shared::protocol::capture::{CaptureJob, KnownCapture};
use trafficlab_shared::protocol::control::{Desired, DesiredState};

use super::files::{self, FileFault};
use super::retire::{clear_away, purge_taken, retire};
use super::{CaptureFault, Dispatch, capture, change, interface, lock, place};
use crate::dispatch::broker::BrokerFault;
use crate::dispatch::exports;
use crate::store::captures::{CAPTURE_JOBS, CaptureJobRow, CaptureState, CaptureWork, GONE_JOBS, WORKS};
use crate::store::exports::EXPORT_JOBS;
use crate::store::{Batch, StoreError};

const TICK: Duration = Duration::from_secs(1);
/// A job that nobody took is published again after this long; the broker refuses it while the first is there.
const REPUBLISH: Duration = Duration::from_secs(5);
/// A running job whose log is silent for this long may have lost its job message.
pub(in crate::dispatch) const SILENT_NS: u64 = 20_000_000_000;
/// A job that is to stop and whose worker is gone is over after this long; nobody needs to take it only to end it.
const ABANDONED_NS: u64 = 10_000_000_000;
/// The object is looked for again after this long while its job is not over, and tried again this soon after a failure.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
const TRY_AGAIN: Duration = Duration::from_secs(2);
/// Requests to the broker at once.
pub(super) const AT_ONCE: usize = 16;
/// Objects on their way at once; each goes as fast as the broker takes it.
const UPLOADS: usize = 2;

/// What the reconciler remembers of a job.
#[derive(Debug, Default)]
pub(super) struct Active {
    /// Revision last written to the bucket.
    written: Option<u64>,
    published: Option<Published>,
    object: Object,
    /// Whether a finished job's message and object are gone.
    pub(super) tidied: bool,
}

#[derive(Debug, Clone, Copy)]
struct Published {
    at: Instant,
    attempts: u32,
    revision: u64,
}

/// A job's object on the broker.
#[derive(Debug, Clone, Copy, Default)]
enum Object {
    #[default]
    Unknown,
    OnItsWay,
    There(Instant),
    Failed(Instant),
}

/// A problem in one pass; the next one tries again.
#[derive(Debug, thiserror::Error)]
pub(in crate::dispatch) enum PassError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Broker(#[from] BrokerFault),
    #[error(transparent)]
    Capture(#[from] CaptureFault),
    #[error(transparent)]
    File(#[from] FileFault),
}

type Uploads = JoinSet<(String, Result<(), FileFault>)>;

/// Reconciles for ever.
pub(super) async fn run(dispatch: &Arc<Dispatch>) {
    if let Err(error) = remember(dispatch) {
        tracing::error!(%error, "capture jobs cannot be read from the store");
    }
    let mut uploads = Uploads::new();
    loop {
        tokio::select! {
            () = dispatch.captures.wake.notified() => {}
            () = tokio::time::sleep(TICK) => {}
            Some(ended) = uploads.join_next() => match ended {
                Ok((job, outcome)) => note(dispatch, &job, outcome),
                Err(error) => tracing::error!(%error, "a file on its way to a worker was dropped"),
            }
        }
        if dispatch.broker.is_connected() {
            pass(dispatch, &mut uploads).await;
        }
    }
}

/// After a start every job that still has messages on the broker is looked after again.
fn remember(dispatch: &Dispatch) -> Result<(), StoreError> {
    let mut active = lock(&dispatch.captures.active);
    for row in CAPTURE_JOBS.scan(&dispatch.store, false) {
        let (job, row) = row?;
        if !row.cleared {
            active.insert(job, Active::default());
        }
    }
    active.extend(exports::remember(dispatch)?.into_iter().map(|job| (job, Active::default())));
    for row in GONE_JOBS.scan(&dispatch.store, false) {
        active.insert(row?.0, Active::default());
    }
    Ok(())
}

async fn pass(dispatch: &Arc<Dispatch>, uploads: &mut Uploads) {
    if let Err(error) = place::ensure_consumers(dispatch).await {
        tracing::warn!(%error, "consumers of live captures cannot be made yet");
    }
    let jobs: Vec<String> = lock(&dispatch.captures.active).keys().cloned().collect();
    let wanted = tokio::sync::Mutex::new(Vec::new());
    stream::iter(jobs)
        .for_each_concurrent(AT_ONCE, |job| {
            let wanted = &wanted;
            async move {
                match reconcile(dispatch, &job).await {
                    Ok(true) => wanted.lock().await.push(job),
                    Ok(false) => {}
                    Err(error) => tracing::warn!(%job, %error, "capture job cannot be reconciled yet"),
                }
            }
        })
        .await;
    for job in wanted.into_inner() {
        if uploads.len() < UPLOADS {
            set_object(dispatch, &job, Object::OnItsWay);
            let own = Arc::clone(dispatch);
            uploads.spawn(async move {
                let outcome = files::provide(&own, &job).await;
                (job, outcome)
            });
        }
    }
    purge_taken(dispatch).await;
}

fn set_object(dispatch: &Dispatch, job: &str, object: Object) {
    if let Some(active) = lock(&dispatch.captures.active).get_mut(job) {
        active.object = object;
    }
}

/// Takes down what became of an object.
fn note(dispatch: &Dispatch, job: &str, outcome: Result<(), FileFault>) {
    match outcome {
        Ok(()) => set_object(dispatch, job, Object::There(Instant::now())),
        Err(FileFault::Later(message)) => {
            tracing::warn!(%job, %message, "a file does not reach its worker yet");
            set_object(dispatch, job, Object::Failed(Instant::now()));
        }
        Err(FileFault::Never(reason)) => {
            tracing::warn!(%job, %reason, "a capture job fails");
            set_object(dispatch, job, Object::Failed(Instant::now()));
            let ended = exports::end(dispatch, job, Some(&reason)).map_err(CaptureFault::from);
            let ended = ended.and_then(|()| dispatch.end_job(job, CaptureState::Failed, Some(reason)));
            dispatch.captures.changed();
            if let Err(error) = ended {
                tracing::error!(%job, %error, "a failed capture job cannot be stored");
            }
        }
    }
}

/// One job; true when its object is to be put on the broker.
async fn reconcile(dispatch: &Dispatch, job: &str) -> Result<bool, PassError> {
    if let Some(row) = EXPORT_JOBS.get(&dispatch.store, &job.to_owned())? {
        return exports::reconcile(dispatch, row).await;
    }
    let Some(row) = CAPTURE_JOBS.get(&dispatch.store, &job.to_owned())? else {
        clear_away(dispatch, job).await?;
        return Ok(false);
    };
    write_desired(dispatch, job, &row.desired).await?;
    if row.state.is_over() {
        retire(dispatch, row).await?;
        return Ok(false);
    }
    if is_abandoned(dispatch, &row) {
        let state = change::stopped_as(&capture(&dispatch.store, &row.capture)?, &row);
        dispatch.end_job(job, state, None)?;
        return Ok(false);
    }
    let Some(work) = WORKS.get(&dispatch.store, &row.job)? else {
        return Ok(false);
    };
    let puts = (work.input.is_some() || row.file_wanted) && wants_object(dispatch, job);
    // Work on windows is published once its windows are there; a file's worker waits for it.
    let ready = work.input.is_none() || is_there(dispatch, job);
    if ready && wants_job(&row) {
        publish(dispatch, row, work).await?;
    }
    Ok(puts)
}

fn object(dispatch: &Dispatch, job: &str) -> Object {
    lock(&dispatch.captures.active).get(job).map(|active| active.object).unwrap_or_default()
}

/// Whether a job's object is on the broker, as far as is known.
pub(in crate::dispatch) fn is_there(dispatch: &Dispatch, job: &str) -> bool {
    matches!(object(dispatch, job), Object::There(_))
}

/// Whether it is time to put a job's object on the broker, or to look whether it is still there.
pub(in crate::dispatch) fn wants_object(dispatch: &Dispatch, job: &str) -> bool {
    match object(dispatch, job) {
        Object::Unknown => true,
        Object::OnItsWay => false,
        Object::There(at) => at.elapsed() > LOOK_AGAIN,
        Object::Failed(at) => at.elapsed() > TRY_AGAIN,
    }
}

/// Looks after a job no more.
pub(in crate::dispatch) fn forget(dispatch: &Dispatch, job: &str) {
    lock(&dispatch.captures.active).remove(job);
}

/// Whether a job is to stop and nobody is there to do it.
fn is_abandoned(dispatch: &Dispatch, row: &CaptureJobRow) -> bool {
    let alive = || dispatch.registry.live().iter().any(|worker| worker.beat.worker == row.worker);
    row.desired.state == DesiredState::Stop && clock::wall_ns().saturating_sub(row.stored_ns) > ABANDONED_NS && !alive()
}

/// Whether a job needs a message that may not be there.
fn wants_job(row: &CaptureJobRow) -> bool {
    match row.state {
        CaptureState::Queued => true,
        CaptureState::Running => clock::wall_ns().saturating_sub(row.stored_ns) > SILENT_NS,
        CaptureState::Done | CaptureState::Failed | CaptureState::Stopped => false,
    }
}

pub(in crate::dispatch) async fn write_desired(
    dispatch: &Dispatch,
    job: &str,
    desired: &Desired,
) -> Result<(), PassError> {
    let written = lock(&dispatch.captures.active).get(job).and_then(|active| active.written);
    if written == Some(desired.revision) {
        return Ok(());
    }
    dispatch.broker.put_desired(job, desired).await?;
    if let Some(active) = lock(&dispatch.captures.active).get_mut(job) {
        active.written = Some(desired.revision);
    }
    Ok(())
}

async fn publish(dispatch: &Dispatch, mut row: CaptureJobRow, work: CaptureWork) -> Result<(), PassError> {
    let revision = row.desired.revision;
    let Some(attempt) = next_attempt(dispatch, &row.job, revision) else {
        return Ok(());
    };
    if let Some(interface) = interface(&work.work)
        && !settle_host(dispatch, &mut row, interface).await?
    {
        return Ok(());
    }
    let job = CaptureJob {
        v: 1,
        job: row.job.clone(),
        capture: row.capture,
        work: Arc::new(work.work),
        attempt,
        revision: row.desired.revision,
        known: KnownCapture { started: row.epoch > 0, epoch: row.epoch, windows: row.windows },
    };
    let host = row.host.as_deref();
    dispatch.broker.publish_capture(host, &job).await?;
    published(dispatch, &row.job, attempt, revision);
    Ok(())
}

/// Takes down that a job's message was published.
pub(in crate::dispatch) fn published(dispatch: &Dispatch, job: &str, attempts: u32, revision: u64) {
    if let Some(active) = lock(&dispatch.captures.active).get_mut(job) {
        active.published = Some(Published { at: Instant::now(), attempts, revision });
    }
}

/// The number of the next try, unless one was made for this revision a moment ago.
pub(in crate::dispatch) fn next_attempt(dispatch: &Dispatch, job: &str, revision: u64) -> Option<u32> {
    let active = lock(&dispatch.captures.active);
    match active.get(job)?.published {
        Some(last) if last.revision == revision && last.at.elapsed() < REPUBLISH => None,
        Some(last) => Some(last.attempts + 1),
        None => Some(1),
    }
}

/// Makes sure that a live job has a host; false when none can be found. What was captured on one host goes on there.
async fn settle_host(dispatch: &Dispatch, row: &mut CaptureJobRow, interface: &str) -> Result<bool, PassError> {
    if row.epoch > 0 && row.host.is_some() {
        return Ok(true);
    }
    let named = match capture(&dispatch.store, &row.capture)?.source {
        crate::store::captures::Source::Live { host, .. } => host,
        _ => None,
    };
    let Some(host) = place::choose(dispatch, interface, named.as_deref()) else {
        return Ok(false);
    };
    if row.host.as_ref() != Some(&host) {
        // It may wait on another host, whose workers are gone.
        dispatch.broker.purge_single_job(&row.job).await?;
        let _guard = dispatch.store.lock();
        let Some(mut now) = CAPTURE_JOBS.get(&dispatch.store, &row.job)? else {
            return Ok(false);
        };
        now.host = Some(host.clone());
        let mut batch = Batch::new();
        CAPTURE_JOBS.put(&mut batch, &row.job, &now)?;
        dispatch.store.apply(batch)?;
        row.host = Some(host);
    }
    Ok(true)
}
