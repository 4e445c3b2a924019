//! Capture jobs: begun, stopped, removed and waited for here; `reconcile` makes the broker agree with the store.
//!
//! Every change is stored first and is durable when its method comes back; the broker learns it a moment later, or when it
//! is there again.

pub(super) mod change;
pub(in crate::dispatch) mod files;
mod inputs;
mod live;
mod news;
mod place;
pub(in crate::dispatch) mod reconcile;
mod remove;
pub(in crate::dispatch) mod retire;
mod room;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Notify, broadcast, watch};
use trafficlab_shared::config::CapturesConfig;
use trafficlab_shared::model::capture::work::Work;
use trafficlab_shared::protocol::capture::Progress;

use super::exports::ExportFiles;
use super::ingest::TakenCaptures;
use super::{Dispatch, lock};
use crate::store::captures::{CAPTURE_JOBS, CAPTURES, Capture, CaptureJobRow, CaptureState, WORKS};
use crate::store::segment::SegmentError;
use crate::store::{Store, StoreError};

pub use change::Between;
pub(super) use live::{KEY as LIVE_KEY, tell as tell_live};
pub use news::CaptureNews;
pub use place::Capturer;
pub use room::Full;

/// News that a slow listener may be behind; then it is told that it lags.
const NEWS: usize = 1024;

/// What could not be done with a capture.
#[derive(Debug, thiserror::Error)]
pub enum CaptureFault {
    /// There is none of this id.
    #[error("capture `{0}` does not exist")]
    Unknown(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The segments.
    #[error(transparent)]
    Segment(#[from] SegmentError),
    /// A file or folder of the capture.
    #[error("files of capture `{capture}`: {source}")]
    Files {
        /// The capture.
        capture: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A task of ours ended early.
    #[error("interrupted: {0}")]
    Interrupted(String),
}

/// Where a job stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobView {
    /// Its id.
    pub job: String,
    /// Its capture.
    pub capture: String,
    /// Where it stands.
    pub state: CaptureState,
    /// How far it is.
    pub progress: Progress,
    /// Why it failed, or what it waits for.
    pub reason: Option<String>,
}

/// What the coordinator remembers of captures and exports besides the store.
#[derive(Debug)]
pub struct Desk {
    folder: PathBuf,
    pub(super) exports: ExportFiles,
    quota_bytes: u64,
    keep_days: u32,
    active: Mutex<HashMap<String, reconcile::Active>>,
    purges: Mutex<HashMap<String, u64>>,
    hosts: Mutex<place::Hosts>,
    removing: Mutex<HashSet<String>>,
    making_room: tokio::sync::Mutex<()>,
    news: broadcast::Sender<CaptureNews>,
    changes: watch::Sender<u64>,
    wake: Notify,
}

impl Desk {
    /// Captures whose files lie in `folder`, one folder each by the capture's id, and exports with files of their own.
    #[must_use]
    pub fn new(config: &CapturesConfig, folder: PathBuf, exports: ExportFiles) -> Self {
        Self {
            folder,
            exports,
            quota_bytes: config.quota_bytes.0,
            keep_days: config.keep_days,
            active: Mutex::default(),
            purges: Mutex::default(),
            hosts: Mutex::default(),
            removing: Mutex::default(),
            making_room: tokio::sync::Mutex::default(),
            news: broadcast::channel(NEWS).0,
            changes: watch::channel(0).0,
            wake: Notify::new(),
        }
    }

    /// Looks after a job from now on.
    pub(super) fn attend(&self, job: &str) {
        lock(&self.active).entry(job.to_owned()).or_default();
        self.wake.notify_one();
    }

    /// Tells everybody who waits that rows have changed.
    pub(super) fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// A sign whenever rows have changed.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Logs whose records were taken up to a sequence.
    pub(super) fn purge(&self, sequences: Vec<(String, u64)>) {
        lock(&self.purges).extend(sequences);
    }

    fn tell(&self, news: CaptureNews) {
        // Nobody needs to listen.
        if self.news.send(news).is_err() {
            tracing::trace!("nobody listens to captures");
        }
    }
}

impl Dispatch {
    /// The folder of a capture's own files. Whatever lies in it is removed with the capture.
    #[must_use]
    pub fn capture_folder(&self, id: &str) -> PathBuf {
        self.captures.folder.join(id)
    }

    /// The folder of all captures' files, for temporary ones that are renamed into a capture's own.
    #[must_use]
    pub fn captures_folder(&self) -> &Path {
        &self.captures.folder
    }

    /// News of all captures from now on, each told after its commit. Bounded: who reads too slowly is told how much was
    /// missed and reads the store.
    #[must_use]
    pub fn news(&self) -> broadcast::Receiver<CaptureNews> {
        self.captures.news.subscribe()
    }

    /// Waits until a job is over, at most so long; comes back with where it stands then. Durable states only.
    ///
    /// # Errors
    /// `Unknown` names the job when it does not exist or was removed meanwhile.
    pub async fn wait(&self, job: &str, within: Duration) -> Result<JobView, CaptureFault> {
        let mut changes = self.captures.changes.subscribe();
        let over = async {
            loop {
                changes.borrow_and_update();
                let view = view(&self.store, job)?;
                if view.state.is_over() || changes.changed().await.is_err() {
                    return Ok(view);
                }
            }
        };
        match tokio::time::timeout(within, over).await {
            Ok(view) => view,
            Err(_elapsed) => Ok(self.explained(view(&self.store, job)?)?),
        }
    }

    /// Says of a queued job what it waits for.
    fn explained(&self, view: JobView) -> Result<JobView, StoreError> {
        let (row, work) = (CAPTURE_JOBS.get(&self.store, &view.job)?, WORKS.get(&self.store, &view.job)?);
        let waits = row.zip(work).and_then(|(row, work)| self.waits_for(&row, &work));
        Ok(JobView { reason: view.reason.clone().or(waits), ..view })
    }

    /// Captures by state, every state once.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn captures_by_state(&self) -> Result<Vec<(CaptureState, u64)>, StoreError> {
        let mut counts: Vec<(CaptureState, u64)> = CaptureState::ALL.into_iter().map(|state| (state, 0)).collect();
        for row in CAPTURES.scan(&self.store, false) {
            let state = row?.1.state;
            if let Some((_, count)) = counts.iter_mut().find(|(known, _)| *known == state) {
                *count += 1;
            }
        }
        Ok(counts)
    }

    /// Tells the loops and the listeners what a commit changed of captures.
    pub(super) fn after_captures(&self, taken: TakenCaptures) {
        if taken.sequences.is_empty() {
            return;
        }
        self.captures.purge(taken.sequences);
        for job in &taken.jobs {
            self.captures.attend(job);
        }
        let mut touched = lock(&self.touched);
        touched.extend(taken.news.iter().map(|news| live::key(news.capture())));
        drop(touched);
        for news in taken.news {
            self.captures.tell(news);
        }
        self.captures.changed();
    }
}

fn view(store: &Store, job: &str) -> Result<JobView, CaptureFault> {
    let row = CAPTURE_JOBS.get(store, &job.to_owned())?.ok_or_else(|| CaptureFault::Unknown(job.to_owned()))?;
    let CaptureJobRow { job, capture, state, progress, reason, .. } = row;
    Ok(JobView { job, capture, state, progress, reason })
}

/// Reconciles and holds the quota, for ever.
pub(super) async fn run(dispatch: &Arc<Dispatch>) {
    tokio::join!(reconcile::run(dispatch), room::run(dispatch));
}

/// The file a live capture's windows are written to on request; the folder of captures lies in the data folder.
fn output_file(folder: &Path, capture: &Capture) -> Option<PathBuf> {
    Some(folder.parent()?.join(capture.output_file.as_ref()?))
}

/// The interface of live work.
fn interface(work: &Work) -> Option<&str> {
    match work {
        Work::Live { live, .. } => Some(&live.interface),
        _ => None,
    }
}

/// Runs something that blocks on the disk.
async fn blocking<T: Send + 'static>(
    dispatch: &Arc<Dispatch>,
    run: impl FnOnce(&Dispatch) -> Result<T, CaptureFault> + Send + 'static,
) -> Result<T, CaptureFault> {
    let own = Arc::clone(dispatch);
    let done = tokio::task::spawn_blocking(move || run(&own)).await;
    done.map_err(|error| CaptureFault::Interrupted(error.to_string()))?
}

/// A capture by id.
fn capture(store: &Store, id: &str) -> Result<Capture, CaptureFault> {
    CAPTURES.get(store, &id.to_owned())?.ok_or_else(|| CaptureFault::Unknown(id.to_owned()))
}
