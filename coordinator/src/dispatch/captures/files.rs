//! Files and inputs through the broker's object store, for workers that do not see the coordinator's folders.

use async_nats::jetstream::object_store::{DeleteErrorKind, InfoErrorKind, ObjectMetadata, ObjectStore};
use tokio::io::AsyncRead;
use trafficlab_shared::model::capture::work::Work;
use trafficlab_shared::protocol::subject;

use super::{CaptureFault, Dispatch, inputs};
use crate::dispatch::exports;
use crate::store::captures::{CaptureWork, WORKS};
use crate::store::exports::EXPORT_JOBS;

/// Bytes of one message of an object.
const CHUNK_BYTES: usize = 256 * 1024;

/// Why an object is not there.
#[derive(Debug, thiserror::Error)]
pub(in crate::dispatch) enum FileFault {
    /// It will not be there however often it is tried.
    #[error("{0}")]
    Never(String),
    /// The broker may take it later.
    #[error("object store: {0}")]
    Later(String),
}

impl From<CaptureFault> for FileFault {
    fn from(fault: CaptureFault) -> Self {
        Self::Later(fault.to_string())
    }
}

fn later(error: impl std::fmt::Display) -> FileFault {
    FileFault::Later(error.to_string())
}

/// Puts what a job needs into the object store under the job's id, unless it is there.
pub(super) async fn provide(dispatch: &std::sync::Arc<Dispatch>, job: &str) -> Result<(), FileFault> {
    let work = WORKS.get(&dispatch.store, &job.to_owned()).map_err(later)?;
    let export = EXPORT_JOBS.contains(&dispatch.store, &job.to_owned()).map_err(later)?;
    if work.is_none() && !export {
        return Ok(());
    }
    let bucket = dispatch.broker.context().get_object_store(subject::FILES_BUCKET).await.map_err(later)?;
    match bucket.info(job).await {
        Ok(info) if !info.deleted => return Ok(()),
        Err(error) if error.kind() != InfoErrorKind::NotFound => return Err(later(error)),
        _ => {}
    }
    let Some(CaptureWork { work, input }) = work else {
        return exports::provide(dispatch, &bucket, job).await;
    };
    match (work, input) {
        (Work::File { path, bytes, .. }, _) => put_file(dispatch, &bucket, job, &path, bytes).await,
        (_, Some(input)) => {
            let (mut reader, writer) = tokio::io::duplex(CHUNK_BYTES);
            let (written, put) = tokio::join!(inputs::write(dispatch, &input, writer), put(&bucket, job, &mut reader));
            match written {
                Ok(()) => put,
                // What was put is cut off, and must not be taken for the whole.
                Err(fault) => {
                    remove(&bucket, job).await?;
                    Err(fault.into())
                }
            }
        }
        (_, None) => Ok(()),
    }
}

async fn put_file(
    dispatch: &Dispatch,
    bucket: &ObjectStore,
    job: &str,
    path: &str,
    bytes: u64,
) -> Result<(), FileFault> {
    let lost = |error: std::io::Error| FileFault::Never(format!("the capture file cannot be read any more: {error}"));
    let mut file = tokio::fs::File::open(path).await.map_err(lost)?;
    let found = file.metadata().await.map_err(lost)?.len();
    if found != bytes {
        return Err(FileFault::Never(format!("the capture file had {bytes} bytes and has {found} now")));
    }
    let stream = format!("OBJ_{}", subject::FILES_BUCKET);
    let stream = dispatch.broker.context().get_stream(stream).await.map_err(later)?;
    let most = u64::try_from(stream.cached_info().config.max_bytes).unwrap_or(u64::MAX);
    // Each chunk has some bytes of its own.
    if bytes.saturating_add(bytes / 100) > most {
        let message = "no worker that takes the job sees the file, and it is larger than `nats.files_max_bytes`";
        return Err(FileFault::Never(message.into()));
    }
    tracing::info!(%job, bytes, "a capture file goes to a worker through the broker");
    put(bucket, job, &mut file).await
}

pub(in crate::dispatch) async fn put(
    bucket: &ObjectStore,
    job: &str,
    from: &mut (impl AsyncRead + Unpin + Send),
) -> Result<(), FileFault> {
    let meta = ObjectMetadata { name: job.to_owned(), chunk_size: Some(CHUNK_BYTES), ..ObjectMetadata::default() };
    bucket.put(meta, from).await.map(drop).map_err(later)
}

async fn remove(bucket: &ObjectStore, job: &str) -> Result<(), FileFault> {
    match bucket.delete(job).await {
        Err(error) if error.kind() != DeleteErrorKind::NotFound => Err(later(error)),
        _ => Ok(()),
    }
}

/// Removes a job's object, if there is one.
pub(super) async fn forget(dispatch: &Dispatch, job: &str) -> Result<(), FileFault> {
    let bucket = dispatch.broker.context().get_object_store(subject::FILES_BUCKET).await.map_err(later)?;
    remove(&bucket, job).await
}
