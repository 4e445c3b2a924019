//! Making room: runs that are old, or too many together, and coarser series.

use std::sync::Arc;

use trafficlab_shared::clock;

use super::cleanup::{self, CLEANUPS};
use crate::http::{App, idempotency};
use crate::store::captures::{CONNECTION_EXTENTS, WINDOW_EXTENTS};
use crate::store::entries::{EXTENTS, POSITION};
use crate::store::erase::EraseError;
use crate::store::runs::{RUNS, Run, RunState, TOTALS};
use crate::store::segment::{LiveBytes, SegmentDir};
use crate::store::series::{BLOCK_SECONDS, SERIES};
use crate::store::{Batch, Store, StoreError};
use crate::systems::time::SECOND_NS;
use crate::systems::{Code, Fault, Outcome};

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;
/// Runs whose series changed within this time are looked at; older ones are coarse already.
const COARSEN_WITHIN: u64 = 3 * DAY;

/// One pass: old captures, interrupted clean-ups, old runs, the quota, old answers, coarser series.
pub async fn pass(app: &Arc<App>) {
    if let Err(fault) = app.dispatch.remove_old_captures().await {
        tracing::warn!(%fault, "retention of captures will try again");
    }
    let steps: [(&str, Outcome<()>); 4] = [
        ("interrupted clean-ups", cleanup::go_on(app).await),
        ("old runs", remove_old(app).await),
        ("the quota", make_room(app).await),
        ("old answers", idempotency::forget_old(app.store()).await.map_err(Fault::from)),
    ];
    for (step, outcome) in steps {
        if let Err(fault) = outcome {
            tracing::warn!(%fault, step, "retention will try again");
        }
    }
    let own = Arc::clone(app);
    let quiet = tokio::task::spawn_blocking(move || {
        let files = remove_dead_files(own.store(), &own.dispatch.segments)?;
        let blocks = coarsen_all(own.store(), clock::wall_ns() / SECOND_NS)?;
        Ok::<_, EraseError>((files, blocks))
    });
    match quiet.await {
        Ok(Ok((files, blocks))) => tracing::debug!(files, blocks, "segment files removed, series made coarser"),
        Ok(Err(error)) => tracing::warn!(%error, "retention will try again"),
        Err(error) => tracing::error!(%error, "retention failed"),
    }
}

/// Removes segment files in which nothing is alive; comes back with how many.
fn remove_dead_files(store: &Store, segments: &SegmentDir) -> Result<usize, EraseError> {
    // The position comes first: frames that are appended from now on lie in its file or behind it.
    let position = POSITION.get(store, &0)?.unwrap_or_default();
    let files = segments.files()?;
    let mut live = LiveBytes::new();
    for row in EXTENTS.scan(store, false) {
        live.add(row?.1.location);
    }
    for extents in [WINDOW_EXTENTS, CONNECTION_EXTENTS] {
        for row in extents.scan(store, false) {
            live.add(row?.1.location);
        }
    }
    let dead = live.dead_files(&files, position.committed.file);
    for file in &dead {
        segments.remove_file(*file)?;
    }
    Ok(dead.len())
}

/// Removes runs that ended more than `generator.keep_days` ago.
///
/// # Errors
/// When the store fails.
pub async fn remove_old(app: &Arc<App>) -> Outcome<()> {
    let keep_ns = u64::from(app.config.generator.keep_days) * DAY * SECOND_NS;
    let now = clock::wall_ns();
    for run in over(app.store())? {
        if now.saturating_sub(ended(&run)) > keep_ns {
            tracing::info!(campaign = %run.campaign, job = %run.job, "run is removed: it is older than `generator.keep_days`");
            cleanup::remove_run(app, &run.campaign, &run.job).await?;
        }
    }
    Ok(())
}

/// Keeps all runs within `generator.quota_bytes` by removing the oldest finished one, again and again.
///
/// # Errors
/// 507 when nothing more can be removed.
pub async fn make_room(app: &Arc<App>) -> Outcome<()> {
    let quota = app.config.generator.quota_bytes.0;
    // Two starts at once would each remove a run where one is enough.
    let _one_at_a_time = app.making_room.lock().await;
    while used(app.store())? >= quota {
        let pending = |run: &Run| CLEANUPS.contains(app.store(), &run.campaign).unwrap_or(true);
        let Some(oldest) = over(app.store())?.into_iter().filter(|run| !pending(run)).min_by_key(ended) else {
            let message = "The results fill `generator.quota_bytes` and no finished run is left to remove";
            return Err(Fault::new(Code::InsufficientStorage, message));
        };
        tracing::warn!(campaign = %oldest.campaign, job = %oldest.job, "run is removed: `generator.quota_bytes` is reached");
        cleanup::remove_run(app, &oldest.campaign, &oldest.job).await?;
    }
    Ok(())
}

/// Bytes of all results that are kept. What was removed does not count, though its blocks on the disk may be freed only
/// with the last neighbour in them.
fn used(store: &Store) -> Outcome<u64> {
    let mut bytes = 0;
    for row in TOTALS.scan(store, false) {
        bytes += row?.1.bytes;
    }
    Ok(bytes)
}

fn ended(run: &Run) -> u64 {
    run.ended_ns.unwrap_or(run.created_ns)
}

/// Finished runs.
fn over(store: &Store) -> Outcome<Vec<Run>> {
    let runs = RUNS.scan(store, false).map(|row| row.map(|(_, run)| run));
    let runs: Vec<Run> = runs.collect::<Result<_, _>>()?;
    Ok(runs.into_iter().filter(|run| run.state.is_over()).collect())
}

/// Series keep seconds for an hour, tens of seconds for a day, then minutes; comes back with how many blocks changed.
///
/// # Errors
/// When the store fails.
pub fn coarsen_all(store: &Store, now: u64) -> Result<usize, StoreError> {
    let mut changed = 0;
    for row in RUNS.scan(store, false) {
        let (job, run) = row?;
        let ended = run.ended_ns.map(|ns| ns / SECOND_NS);
        if run.state != RunState::Starting && ended.is_none_or(|ended| now.saturating_sub(ended) < COARSEN_WITHIN) {
            changed += coarsen(store, &job, now)?;
        }
    }
    Ok(changed)
}

fn coarsen(store: &Store, job: &str, now: u64) -> Result<usize, StoreError> {
    let key = |second: u64| (job.to_owned(), second / BLOCK_SECONDS);
    let mut changed = 0;
    for row in SERIES.range(store, &key(0), &key(now.saturating_sub(HOUR)), false) {
        let (at, _) = row?;
        let batch = {
            let _guard = store.lock();
            let batch = coarser(store, &at, now)?;
            store.apply(batch.clone())?;
            batch
        };
        changed += usize::from(!batch.is_empty());
    }
    Ok(changed)
}

/// What makes one block as coarse as its age asks for. The store's lock is held.
fn coarser(store: &Store, at: &(String, u64), now: u64) -> Result<Batch, StoreError> {
    let mut batch = Batch::new();
    let Some(mut block) = SERIES.get(store, at)? else {
        return Ok(batch);
    };
    let begins = at.1 * BLOCK_SECONDS;
    let step = if now.saturating_sub(begins) < DAY { BLOCK_SECONDS } else { 60 };
    let first = (at.0.clone(), (begins - begins % step) / BLOCK_SECONDS);
    if first != *at {
        // The minute's first block takes the points of the others.
        let mut minute = SERIES.get(store, &first)?.unwrap_or_default();
        block.coarsen(step);
        minute.merge(&block.points);
        minute.coarsen(step);
        SERIES.put(&mut batch, &first, &minute)?;
        SERIES.delete(&mut batch, at);
    } else if block.coarsen(step) {
        SERIES.put(&mut batch, at, &block)?;
    }
    Ok(batch)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::super::tests::run;
    use super::*;
    use crate::store::series::Block;
    use trafficlab_engine::traffic::timings::SecondPoint;

    #[test]
    fn seconds_become_tens_and_then_minutes_and_nothing_is_lost() {
        let store = Store::in_memory().unwrap();
        let mut batch = Batch::new();
        let running = Run { state: RunState::Running, ..run("job", 60_000) };
        RUNS.put(&mut batch, &running.job, &running).unwrap();
        for block in 0..12_u64 {
            let points =
                (0..10).map(|second| SecondPoint { second: block * 10 + second, sent: 1, ..SecondPoint::default() });
            SERIES.put(&mut batch, &("job".to_owned(), block), &Block { points: points.collect() }).unwrap();
        }
        store.apply(batch).unwrap();
        let shape = || -> Vec<(usize, u64)> {
            let rows = SERIES.scan(&store, false).map(|row| row.unwrap().1.points);
            rows.map(|points| (points.len(), points.iter().map(|point| point.sent).sum())).collect()
        };
        assert_eq!(coarsen_all(&store, 200).unwrap(), 0);
        assert_eq!(coarsen_all(&store, HOUR + 120).unwrap(), 12);
        assert_eq!(shape(), [(1, 10); 12]);
        coarsen_all(&store, DAY + 200).unwrap();
        assert_eq!(shape(), [(1, 60); 2]);
        assert_eq!(coarsen_all(&store, DAY + 200).unwrap(), 0);
    }
}
