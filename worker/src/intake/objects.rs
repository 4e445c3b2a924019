//! Objects the coordinator hands to a worker through the broker: files, and windows to be judged.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::jetstream::object_store::Object;
use bytes::Bytes;
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;
use trafficlab_shared::clock;
use trafficlab_shared::protocol::subject;

/// How long an object may take to appear.
const APPEARS_WITHIN: Duration = Duration::from_secs(600);
/// How long the next bytes of one may take.
const BYTES_WITHIN: Duration = Duration::from_secs(30);
/// Waiting for an object looks this often, a little less often each time.
const LOOK_FIRST: Duration = Duration::from_millis(50);
const LOOK_LAST: Duration = Duration::from_secs(1);
/// Bytes handed on at once.
const PIECE: usize = 256 * 1024;

/// Why an object cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ObjectError {
    /// Nobody put it there.
    #[error("the data did not arrive through the object store within {} minutes", APPEARS_WITHIN.as_secs() / 60)]
    Missing,
    /// It broke off.
    #[error("the data could not be read from the object store: {0}")]
    Broken(String),
}

/// Waits until the object named by a job is there. Waiting is a sign of life.
///
/// # Errors
/// [`ObjectError::Missing`] after ten minutes.
pub(crate) async fn wait_for(context: &Context, job: &str, alive_at: &AtomicU64) -> Result<Object, ObjectError> {
    let deadline = tokio::time::Instant::now() + APPEARS_WITHIN;
    let mut pause = LOOK_FIRST;
    loop {
        alive_at.store(clock::boot_ns(), Ordering::Relaxed);
        let error = match context.get_object_store(subject::FILES_BUCKET).await {
            Ok(bucket) => match bucket.get(job).await {
                Ok(object) => return Ok(object),
                Err(error) => error.to_string(),
            },
            Err(error) => error.to_string(),
        };
        if tokio::time::Instant::now() >= deadline {
            tracing::warn!(job, %error, "object did not arrive");
            return Err(ObjectError::Missing);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LOOK_LAST);
    }
}

/// Hands an object on piece by piece, as fast as the other side takes it; ends quietly when that goes away.
///
/// # Errors
/// [`ObjectError::Broken`] when the next bytes do not come, or are not what was stored.
pub(crate) async fn pump(
    mut object: Object,
    to: mpsc::Sender<std::io::Result<Bytes>>,
    alive_at: &AtomicU64,
) -> Result<(), ObjectError> {
    loop {
        let mut piece = bytes::BytesMut::with_capacity(PIECE);
        while piece.len() < PIECE {
            let read = tokio::time::timeout(BYTES_WITHIN, object.read_buf(&mut piece)).await;
            alive_at.store(clock::boot_ns(), Ordering::Relaxed);
            let error = match read {
                Ok(Ok(0)) => break,
                Ok(Ok(_)) => continue,
                Ok(Err(error)) => error.to_string(),
                Err(_elapsed) => "no bytes for 30 s".to_owned(),
            };
            // Whoever reads must not take what it has for the whole.
            let broken = std::io::Error::other(error.clone());
            if to.send(Err(broken)).await.is_err() {
                tracing::debug!("nobody reads the object any more");
            }
            return Err(ObjectError::Broken(error));
        }
        if piece.is_empty() || to.send(Ok(piece.freeze())).await.is_err() {
            return Ok(());
        }
    }
}
