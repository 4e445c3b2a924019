//! Keeping captures within `captures.quota_bytes` and `captures.keep_days`: the oldest finished ones go first.

use std::sync::Arc;

use trafficlab_shared::clock;

use super::{CaptureFault, Dispatch};
use crate::store::captures::{CAPTURES, Capture};
use crate::store::{Store, StoreError};

const DAY_NS: u64 = 24 * 3600 * 1_000_000_000;

/// There is no room, and no finished capture is left to remove.
#[derive(Debug, thiserror::Error)]
pub enum Full {
    /// The quota.
    #[error("captures fill `captures.quota_bytes` ({quota} bytes) and no finished capture is left to remove")]
    Quota {
        /// Its bytes.
        quota: u64,
    },
    /// What is asked for is more than the whole quota.
    #[error("{bytes} bytes are more than `captures.quota_bytes` ({quota} bytes)")]
    TooMuch {
        /// What was asked for.
        bytes: u64,
        /// The quota.
        quota: u64,
    },
    /// A capture could not be removed.
    #[error(transparent)]
    Fault(#[from] CaptureFault),
}

impl From<StoreError> for Full {
    fn from(error: StoreError) -> Self {
        Self::Fault(error.into())
    }
}

impl Dispatch {
    /// Makes room for `bytes` more within `captures.quota_bytes` by removing finished captures, the oldest first; with 0
    /// for anything at all. Nothing is reserved: the new bytes count once their capture is stored.
    ///
    /// # Errors
    /// When nothing more can be removed, or not even the whole quota would do; then nothing was removed for it.
    pub async fn make_room(self: &Arc<Self>, bytes: u64) -> Result<(), Full> {
        let quota = self.captures.quota_bytes;
        if bytes > quota {
            return Err(Full::TooMuch { bytes, quota });
        }
        // Two uploads at once would each remove a capture where one is enough.
        let _one_at_a_time = self.captures.making_room.lock().await;
        loop {
            let (used, finished) = usage(&self.store)?;
            let enough = used.saturating_add(bytes) <= quota && (bytes > 0 || used < quota);
            if enough {
                return Ok(());
            }
            let Some(oldest) = finished.into_iter().min_by_key(ended) else {
                return Err(Full::Quota { quota });
            };
            tracing::warn!(capture = %oldest.id, "capture is removed: `captures.quota_bytes` is reached");
            self.remove_capture(&oldest.id).await?;
        }
    }

    /// Removes captures that ended more than `captures.keep_days` ago, and goes on with interrupted removals.
    ///
    /// # Errors
    /// When a disk refuses; the next call tries again.
    pub async fn remove_old_captures(self: &Arc<Self>) -> Result<(), CaptureFault> {
        super::remove::go_on(self).await;
        let keep_ns = u64::from(self.captures.keep_days).saturating_mul(DAY_NS);
        let now = clock::wall_ns();
        let (_, finished) = usage(&self.store)?;
        for old in finished.iter().filter(|capture| now.saturating_sub(ended(capture)) > keep_ns) {
            tracing::info!(capture = %old.id, "capture is removed: it is older than `captures.keep_days`");
            self.remove_capture(&old.id).await?;
        }
        Ok(())
    }
}

/// Bytes of all captures, and those that are over.
fn usage(store: &Store) -> Result<(u64, Vec<Capture>), StoreError> {
    let (mut used, mut finished) = (0_u64, Vec::new());
    for row in CAPTURES.scan(store, false) {
        let (_, capture) = row?;
        used = used.saturating_add(capture.bytes_on_disk);
        if capture.state.is_over() {
            finished.push(capture);
        }
    }
    Ok((used, finished))
}

fn ended(capture: &Capture) -> u64 {
    capture.ended_ns.unwrap_or(capture.created_ns)
}
