//! What captures should do: begun, given more work, stopped. Stored here; the reconciler passes it on.

use trafficlab_shared::clock;
use trafficlab_shared::model::capture::work::Work;
use trafficlab_shared::protocol::control::{Desired, DesiredState};
use uuid::Uuid;

use super::{CaptureFault, CaptureNews, Dispatch, capture};
use crate::store::captures::{
    CAPTURE_JOBS, CAPTURES, Capture, CaptureJobRow, CaptureState, CaptureWork, Input, JOBS_OF, JobKind, Source, WORKS,
};
use crate::store::{Batch, Store, StoreError};

/// Which windows a job on windows is given: those that begin within, nanoseconds since 1970, half open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Between {
    /// None has no lower bound.
    pub from_ns: Option<i64>,
    /// None has no upper bound.
    pub to_ns: Option<i64>,
}

impl Dispatch {
    /// Stores a capture together with the job that analyses it. Its states, jobs and counts are set here; what was in
    /// those fields is ignored. Comes back with the job's id when both are durable, whether or not the broker is there.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn begin_capture(&self, capture: Capture, work: Work) -> Result<String, CaptureFault> {
        let mut batch = Batch::new();
        let (capture, job) = plan(&mut batch, capture, work)?;
        self.store.commit(batch).await?;
        self.captures.tell(CaptureNews::State { capture: capture.id, state: CaptureState::Queued });
        self.captures.attend(&job);
        Ok(job)
    }

    /// Stores a job on windows of a known capture ([`Work::Baseline`], [`Work::Detect`]). It gets the windows that are
    /// stored now and begin `between`. The anomalies of a detection count from its end on, in place of those before;
    /// while a live capture is running they do not, and lie under the detection's job id for ten minutes.
    ///
    /// # Errors
    /// No such capture, or the store fails.
    pub async fn begin_on(&self, id: &str, work: Work, between: Between) -> Result<String, CaptureFault> {
        let job = {
            let _guard = self.store.lock();
            let mut batch = Batch::new();
            let job = plan_on(&mut batch, capture(&self.store, id)?, work, between)?;
            self.store.apply(batch)?;
            job
        };
        self.store.durable().await?;
        self.captures.attend(&job);
        Ok(job)
    }

    /// Stops all jobs of a capture: those no worker has at once, the others when their worker sees it. Comes back with
    /// the capture when the wish is durable; a second call changes nothing.
    ///
    /// # Errors
    /// No such capture, or the store fails.
    pub async fn stop_capture(&self, id: &str) -> Result<Capture, CaptureFault> {
        let (before, stopped, jobs) = {
            let _guard = self.store.lock();
            let mut batch = Batch::new();
            let before = capture(&self.store, id)?.state;
            let (stopped, jobs) = plan_stop(&self.store, &mut batch, id)?;
            self.store.apply(batch)?;
            (before, stopped, jobs)
        };
        self.store.durable().await?;
        if before != stopped.state {
            self.captures.tell(CaptureNews::State { capture: stopped.id.clone(), state: stopped.state });
        }
        for job in &jobs {
            self.captures.attend(job);
        }
        self.captures.changed();
        Ok(stopped)
    }

    /// Ends a job from this side, when no worker can or will: the store's lock is taken here.
    pub(super) fn end_job(&self, job: &str, state: CaptureState, reason: Option<String>) -> Result<(), CaptureFault> {
        let _guard = self.store.lock();
        let Some(row) = CAPTURE_JOBS.get(&self.store, &job.to_owned())?.filter(|row| !row.state.is_over()) else {
            return Ok(());
        };
        let mut batch = Batch::new();
        let mut capture = capture(&self.store, &row.capture)?;
        let told = (row.kind == JobKind::Analysis).then(|| CaptureNews::State { capture: capture.id.clone(), state });
        end(row, &mut capture, state, reason, &mut batch)?;
        CAPTURES.put(&mut batch, &capture.id, &capture)?;
        self.store.apply(batch)?;
        told.into_iter().for_each(|news| self.captures.tell(news));
        self.captures.changed();
        Ok(())
    }
}

/// Adds a new capture and the job that analyses it to `batch`.
pub(in crate::dispatch) fn plan(
    batch: &mut Batch,
    capture: Capture,
    work: Work,
) -> Result<(Capture, String), StoreError> {
    let job = Uuid::now_v7().to_string();
    let now = clock::wall_ns();
    let host = match &capture.source {
        Source::Live { host, .. } => host.clone(),
        Source::Upload { .. } | Source::Path { .. } => None,
    };
    let capture = Capture {
        state: CaptureState::Queued,
        reason: None,
        analysis_job: Some(job.clone()),
        anomaly_job: Some(job.clone()),
        detect_job: None,
        windows: 0,
        anomalies: 0,
        connections: 0,
        created_ns: if capture.created_ns == 0 { now } else { capture.created_ns },
        ..capture
    };
    CAPTURES.put(batch, &capture.id, &capture)?;
    put_job(batch, &row(&job, &capture.id, &work, host, now), &CaptureWork { work, input: None })?;
    Ok((capture, job))
}

/// Adds a job on windows of a capture to `batch`. The store's lock is held.
pub(in crate::dispatch) fn plan_on(
    batch: &mut Batch,
    mut capture: Capture,
    work: Work,
    between: Between,
) -> Result<String, StoreError> {
    let job = Uuid::now_v7().to_string();
    let Between { from_ns, to_ns } = between;
    let input = Some(Input { capture: capture.id.clone(), from_ns, to_ns, windows: capture.windows });
    if JobKind::of(&work) == JobKind::Detection {
        capture.detect_job = Some(job.clone());
        CAPTURES.put(batch, &capture.id, &capture)?;
    }
    let row = row(&job, &capture.id, &work, None, clock::wall_ns());
    put_job(batch, &row, &CaptureWork { work, input })?;
    Ok(job)
}

/// Adds to `batch` that all jobs of a capture are to stop; comes back with the capture and those jobs. The store's lock
/// is held.
pub(in crate::dispatch) fn plan_stop(
    store: &Store,
    batch: &mut Batch,
    id: &str,
) -> Result<(Capture, Vec<String>), CaptureFault> {
    let mut capture = capture(store, id)?;
    let mut jobs = Vec::new();
    for row in jobs_of(store, id)? {
        if !row.state.is_over() && row.desired.state != DesiredState::Stop {
            jobs.push(row.job.clone());
            stop(row, &mut capture, batch)?;
        }
    }
    CAPTURES.put(batch, &capture.id, &capture)?;
    Ok((capture, jobs))
}

/// The jobs of a capture, oldest first.
pub(super) fn jobs_of(store: &Store, id: &str) -> Result<Vec<CaptureJobRow>, StoreError> {
    let mut jobs = Vec::new();
    for row in JOBS_OF.scan_prefix(store, &id.to_owned(), false) {
        let ((_, job), ()) = row?;
        jobs.extend(CAPTURE_JOBS.get(store, &job)?);
    }
    Ok(jobs)
}

fn row(job: &str, capture: &str, work: &Work, host: Option<String>, now: u64) -> CaptureJobRow {
    let desired = Desired {
        v: 1,
        revision: 1,
        activation: 1,
        state: DesiredState::Run,
        rate: 0,
        duration_ms: 0,
        at_slot: 0,
        origin_ns: None,
    };
    CaptureJobRow {
        job: job.to_owned(),
        capture: capture.to_owned(),
        kind: JobKind::of(work),
        desired,
        state: CaptureState::Queued,
        reason: None,
        host,
        worker: String::new(),
        epoch: 0,
        windows: 0,
        anomalies: 0,
        connections: 0,
        sequence: 0,
        stored_ns: 0,
        revision: 0,
        progress: Default::default(),
        file_wanted: false,
        broken: false,
        created_ns: now,
        started_ns: None,
        ended_ns: None,
        cleared: false,
    }
}

fn put_job(batch: &mut Batch, row: &CaptureJobRow, work: &CaptureWork) -> Result<(), StoreError> {
    WORKS.put(batch, &row.job, work)?;
    JOBS_OF.put(batch, &(row.capture.clone(), row.job.clone()), &())?;
    CAPTURE_JOBS.put(batch, &row.job, row)
}

/// Adds to `batch` that a job is to stop; one that no worker holds is over with that.
fn stop(mut row: CaptureJobRow, capture: &mut Capture, batch: &mut Batch) -> Result<(), StoreError> {
    row.desired.state = DesiredState::Stop;
    row.desired.revision += 1;
    if row.state != CaptureState::Queued {
        return CAPTURE_JOBS.put(batch, &row.job.clone(), &row);
    }
    let state = stopped_as(capture, &row);
    end(row, capture, state, None, batch)
}

/// What was captured live stays good when it is stopped; half a file is nothing.
pub(super) fn stopped_as(capture: &Capture, row: &CaptureJobRow) -> CaptureState {
    if capture.source.is_live() && row.kind == JobKind::Analysis && row.windows > 0 {
        CaptureState::Done
    } else {
        CaptureState::Stopped
    }
}

fn end(
    mut row: CaptureJobRow,
    capture: &mut Capture,
    state: CaptureState,
    reason: Option<String>,
    batch: &mut Batch,
) -> Result<(), StoreError> {
    let now = clock::wall_ns();
    row.desired.state = DesiredState::Stop;
    row.desired.revision += 1;
    row.state = state;
    row.reason.clone_from(&reason);
    row.ended_ns = Some(now);
    if row.kind == JobKind::Analysis {
        capture.state = state;
        capture.reason = reason;
        capture.ended_ns = Some(now);
    }
    CAPTURE_JOBS.put(batch, &row.job.clone(), &row)
}
