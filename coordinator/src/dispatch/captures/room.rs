//! Keeping captures within `captures.quota_bytes` and `captures.keep_days`: the oldest finished ones go first, and a live
//! capture that fills all of it by itself is stopped.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use trafficlab_shared::clock;

use super::{CaptureFault, Dispatch, blocking, capture};
use crate::store::captures::{CAPTURES, Capture};
use crate::store::{Batch, Store, StoreError};

const DAY_NS: u64 = 24 * 3600 * 1_000_000_000;
/// How often the quota is looked at while a live capture runs: nothing else bounds what it stores.
const LOOK_EVERY: Duration = Duration::from_secs(5);

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
            let (used, finished) = blocking(self, |own| Ok(usage(&own.store, &own.captures.folder)?)).await?;
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
        let (_, finished) = blocking(self, |own| Ok(usage(&own.store, &own.captures.folder)?)).await?;
        for old in finished.iter().filter(|capture| now.saturating_sub(ended(capture)) > keep_ns) {
            tracing::info!(capture = %old.id, "capture is removed: it is older than `captures.keep_days`");
            self.remove_capture(&old.id).await?;
        }
        Ok(())
    }
}

/// Holds the quota while live captures run, for ever.
pub(super) async fn run(dispatch: &Arc<Dispatch>) {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(fault) = hold_quota(dispatch).await {
            tracing::warn!(%fault, "`captures.quota_bytes` cannot be held yet");
        }
    }
}

/// Makes room for the live captures that run; without any left to make they are stopped, and say why.
async fn hold_quota(dispatch: &Arc<Dispatch>) -> Result<(), Full> {
    let live = live(&dispatch.store)?;
    if live.is_empty() {
        return Ok(());
    }
    let full = match dispatch.make_room(0).await {
        Err(full @ Full::Quota { .. }) => full,
        other => return other,
    };
    for id in live {
        tracing::warn!(capture = %id, "live capture is stopped: `captures.quota_bytes` is reached");
        dispatch.stop_capture(&id).await?;
        note(dispatch, &id, &format!("stopped: {full}"))?;
    }
    Ok(())
}

/// Live captures that are not over.
fn live(store: &Store) -> Result<Vec<String>, StoreError> {
    let mut live = Vec::new();
    for row in CAPTURES.scan(store, false) {
        let (id, capture) = row?;
        if capture.source.is_live() && !capture.state.is_over() {
            live.push(id);
        }
    }
    Ok(live)
}

/// Writes why a capture ends.
fn note(dispatch: &Dispatch, id: &str, reason: &str) -> Result<(), CaptureFault> {
    let _guard = dispatch.store.lock();
    let mut capture = capture(&dispatch.store, id)?;
    capture.reason = Some(reason.to_owned());
    let mut batch = Batch::new();
    CAPTURES.put(&mut batch, &capture.id, &capture)?;
    Ok(dispatch.store.apply(batch)?)
}

/// Bytes of all captures with their files of lines, and those that are over. Blocks.
fn usage(store: &Store, folder: &Path) -> Result<(u64, Vec<Capture>), StoreError> {
    let (mut used, mut finished) = (0_u64, Vec::new());
    for row in CAPTURES.scan(store, false) {
        let (_, capture) = row?;
        used = used.saturating_add(capture.bytes_on_disk).saturating_add(lines(folder, &capture));
        if capture.state.is_over() {
            finished.push(capture);
        }
    }
    Ok((used, finished))
}

/// Bytes of the files of lines that are written from what is stored.
fn lines(folder: &Path, capture: &Capture) -> u64 {
    let own = ["metrics.jsonl", "anomalies.jsonl"].map(|name| folder.join(&capture.id).join(name));
    let files = own.into_iter().chain(super::output_file(folder, capture));
    files.filter_map(|file| std::fs::symlink_metadata(file).ok()).map(|found| found.len()).sum()
}

fn ended(capture: &Capture) -> u64 {
    capture.ended_ns.unwrap_or(capture.created_ns)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use crate::store::captures::{CaptureState, Source};

    #[test]
    fn files_of_lines_count_and_only_what_is_over_may_go() {
        let (store, data) = (Store::in_memory().unwrap(), tempfile::tempdir().unwrap());
        let folder = data.path().join("captures");
        std::fs::create_dir_all(folder.join("b")).unwrap();
        std::fs::write(folder.join("b/metrics.jsonl"), [0; 30]).unwrap();
        std::fs::write(data.path().join("out.jsonl"), [0; 500]).unwrap();
        let source = || Source::Live { spec: Default::default(), host: None, worker: None };
        let of = |id: &str, state, output_file: Option<&str>| Capture {
            id: id.into(),
            source: source(),
            state,
            bytes_on_disk: 7000,
            output_file: output_file.map(str::to_owned),
            ..Capture::default()
        };
        let mut batch = Batch::new();
        for capture in [of("a", CaptureState::Running, Some("out.jsonl")), of("b", CaptureState::Done, None)] {
            CAPTURES.put(&mut batch, &capture.id, &capture).unwrap();
        }
        store.apply(batch).unwrap();
        let (used, finished) = usage(&store, &folder).unwrap();
        assert_eq!(used, 7500 + 7030);
        assert_eq!(finished.iter().map(|capture| capture.id.as_str()).collect::<Vec<_>>(), ["b"]);
        assert_eq!(live(&store).unwrap(), ["a"]);
    }
}
