//! Removing captures: first they are gone for readers and workers, then from the disk. A mark stays until the last piece
//! is gone, and a restart goes on from it.

use std::path::Path;
use std::sync::Arc;

use trafficlab_shared::clock;

use super::{CaptureFault, CaptureNews, Dispatch, blocking, capture, change, live, lock, output_file};
use crate::store::captures::{
    ANOMALIES, CAPTURE_JOBS, CAPTURES, CONNECTION_EXTENTS, CaptureJobRow, GONE_JOBS, JOBS_OF, PackExtent, REMOVALS,
    WINDOW_EXTENTS, WIRES, WORKS,
};
use crate::store::erase::{self, EraseError};
use crate::store::{Batch, StoreError};

impl From<EraseError> for CaptureFault {
    fn from(error: EraseError) -> Self {
        match error {
            EraseError::Store(error) => Self::Store(error),
            EraseError::Segment(error) => Self::Segment(error),
        }
    }
}

impl Dispatch {
    /// Removes a capture with its jobs, windows, connections, anomalies, its folder and its output file. Its jobs stop and nothing they
    /// still send is stored. Baselines made of it stay.
    ///
    /// # Errors
    /// No such capture, or a disk refuses; then the rest goes with the next start or pass of retention.
    pub async fn remove_capture(self: &Arc<Self>, id: &str) -> Result<(), CaptureFault> {
        let (output, jobs) = {
            let _guard = self.store.lock();
            let mut batch = Batch::new();
            let capture = capture(&self.store, id)?;
            let jobs = change::jobs_of(&self.store, id)?;
            for row in &jobs {
                GONE_JOBS.put(&mut batch, &row.job, &clock::wall_ns())?;
                CAPTURE_JOBS.delete(&mut batch, &row.job);
                WORKS.delete(&mut batch, &row.job);
            }
            CAPTURES.delete(&mut batch, &capture.id);
            WIRES.delete(&mut batch, &capture.id);
            REMOVALS.put(&mut batch, &capture.id, &clock::wall_ns())?;
            self.forget_live(&mut batch, &live::key(id))?;
            self.store.apply(batch)?;
            (output_file(self.captures_folder(), &capture), jobs)
        };
        self.store.durable().await?;
        for row in &jobs {
            self.captures.attend(&row.job);
        }
        self.captures.tell(CaptureNews::Removed { capture: id.to_owned() });
        self.captures.changed();
        if let Some(output) = output {
            remove_output(id, &output).await;
        }
        remove_bulk(self, id).await
    }
}

/// Removes the file that a live capture's windows were written to on request.
async fn remove_output(id: &str, file: &Path) {
    match tokio::fs::remove_file(file).await {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(capture = %id, %error, "the output file of a removed capture stays");
        }
        _ => {}
    }
}

/// Goes on with removals that a crash or an error interrupted.
pub(super) async fn go_on(dispatch: &Arc<Dispatch>) {
    let pending: Result<Vec<String>, StoreError> =
        REMOVALS.scan(&dispatch.store, false).map(|row| row.map(|(id, _)| id)).collect();
    let removals = match pending {
        Ok(removals) => removals,
        Err(error) => return tracing::error!(%error, "removals of captures cannot be read from the store"),
    };
    for id in removals {
        if let Err(error) = remove_bulk(dispatch, &id).await {
            tracing::warn!(capture = %id, %error, "the removal of a capture will go on later");
        }
    }
}

/// Removes what lies outside the rows of a capture; once at a time each.
async fn remove_bulk(dispatch: &Arc<Dispatch>, id: &str) -> Result<(), CaptureFault> {
    if !lock(&dispatch.captures.removing).insert(id.to_owned()) {
        return Ok(());
    }
    let own = id.to_owned();
    let removed = blocking(dispatch, move |dispatch| remove_from_disk(dispatch, &own)).await;
    lock(&dispatch.captures.removing).remove(id);
    removed
}

fn remove_from_disk(dispatch: &Dispatch, id: &str) -> Result<(), CaptureFault> {
    let (store, segments) = (&dispatch.store, &dispatch.segments);
    let place = |extent: &PackExtent| Some(extent.location);
    erase::rows_with_frames(store, segments, &WINDOW_EXTENTS, id, place)?;
    erase::rows_with_frames(store, segments, &CONNECTION_EXTENTS, id, place)?;
    let key = id.to_owned();
    for row in JOBS_OF.scan_prefix(store, &key, false) {
        let (pair, ()) = row?;
        erase::rows(store, &ANOMALIES, &pair.1)?;
        let mut batch = Batch::new();
        JOBS_OF.delete(&mut batch, &pair);
        store.apply(batch)?;
    }
    match std::fs::remove_dir_all(dispatch.capture_folder(id)) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            return Err(CaptureFault::Files { capture: key, source });
        }
        _ => {}
    }
    let mut batch = Batch::new();
    REMOVALS.delete(&mut batch, &key);
    Ok(store.commit_blocking(batch)?)
}

/// Removes the anomalies of a job whose capture counts those of another.
pub(super) fn forget_superseded(dispatch: &Dispatch, row: &CaptureJobRow) -> Result<(), StoreError> {
    let counted = CAPTURES.get(&dispatch.store, &row.capture)?.and_then(|capture| capture.anomaly_job);
    if counted.as_ref() == Some(&row.job) {
        return Ok(());
    }
    loop {
        let mut batch = Batch::new();
        for row in ANOMALIES.scan_prefix(&dispatch.store, &row.job, false).take(500) {
            ANOMALIES.delete(&mut batch, &row?.0);
        }
        if batch.is_empty() {
            return Ok(());
        }
        dispatch.store.apply(batch)?;
    }
}
