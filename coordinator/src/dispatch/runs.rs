//! What a run should do: planned, changed, held, stopped. Only the store is written here, so that
//! every change is taken while the broker is away; `Dispatch::attend` passes it on.

use trafficlab_engine::traffic::schedule::SLOT_NS;
use trafficlab_shared::clock;
use trafficlab_shared::model::run::RunSpec;
use trafficlab_shared::protocol::control::{Desired, DesiredState};
use trafficlab_shared::protocol::report::Origin;

use crate::store::runs::{PLANS, RUNS, RUNS_OF, Run, RunState, SHARDS, ShardState, TOMBSTONES};
use crate::store::{Batch, Store, StoreError};

/// Adds a new run to `batch`. The caller holds the store's lock until the batch is applied.
///
/// # Errors
/// When a record cannot be encoded.
pub fn plan(batch: &mut Batch, spec: &RunSpec) -> Result<Run, StoreError> {
    let run = Run {
        job: spec.job.clone(),
        campaign: spec.campaign.clone(),
        shards: spec.shards,
        desired: Desired {
            v: 1,
            revision: 1,
            activation: 1,
            state: DesiredState::Run,
            rate: spec.rate,
            duration_ms: spec.duration_ms,
            at_slot: 0,
            origin_ns: None,
        },
        state: RunState::Starting,
        reason: None,
        stopped_by: None,
        created_ns: clock::wall_ns(),
        started_ns: None,
        ended_ns: None,
        cleared: false,
    };
    PLANS.put(batch, &spec.job, spec)?;
    RUNS.put(batch, &spec.job, &run)?;
    RUNS_OF.put(batch, &(spec.campaign.clone(), spec.job.clone()), &())?;
    Ok(run)
}

/// A change of what a run should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Hold at the next slot boundary.
    Pause,
    /// Go on.
    Resume,
    /// End at once.
    Stop,
    /// A failed run goes on: its failed shards at their cursors, the held ones where they stopped.
    Retry,
    /// Another rate (millionths of a request per minute) or length from the next slot on.
    Pace {
        /// The rate.
        rate: u64,
        /// The whole length in milliseconds of active time.
        duration_ms: u64,
    },
}

/// Adds a change of `job` to `batch`; `None` when there is no such run or it is over. The caller
/// holds the store's lock until the batch is applied.
///
/// # Errors
/// When the store cannot be read.
pub fn change(store: &Store, batch: &mut Batch, job: &str, change: Change) -> Result<Option<Run>, StoreError> {
    let Some(mut run) = RUNS.get(store, &job.to_owned())? else {
        return Ok(None);
    };
    let wanted = match change {
        Change::Retry => run.state == RunState::Failed && !has_gap(store, job)?,
        _ => !run.state.is_over() && run.desired.state != DesiredState::Stop,
    };
    if !wanted {
        return Ok(None);
    }
    run.desired.at_slot = next_common_slot(store, &run)?;
    run.desired.revision += 1;
    match change {
        Change::Pause => run.desired.state = DesiredState::Pause,
        Change::Stop => run.desired.state = DesiredState::Stop,
        Change::Resume if run.desired.state == DesiredState::Run => return Ok(Some(run)),
        Change::Resume => activate(&mut run),
        Change::Retry => {
            activate(&mut run);
            run.state = RunState::Starting;
            run.reason = None;
            run.ended_ns = None;
        }
        Change::Pace { rate, duration_ms } => {
            run.desired.rate = rate;
            run.desired.duration_ms = duration_ms;
        }
    }
    RUNS.put(batch, &run.job.clone(), &run)?;
    Ok(Some(run))
}

/// Whether a shard's log has a gap, which no retry can fill.
fn has_gap(store: &Store, job: &str) -> Result<bool, StoreError> {
    for row in SHARDS.scan_prefix(store, &job.to_owned(), false) {
        if row?.1.state == ShardState::Quarantined {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A new activation: its active time begins when its first shard has started.
const fn activate(run: &mut Run) {
    run.desired.state = DesiredState::Run;
    run.desired.activation += 1;
    run.desired.origin_ns = None;
}

/// Changes of a run at the most: each one travels in every later record of its shards.
pub const MAX_CHANGES: u64 = 1000;

/// The next slot that every shard can still reach together; 0 before the first one has begun.
fn next_common_slot(store: &Store, run: &Run) -> Result<u32, StoreError> {
    let mut latest = None;
    for row in SHARDS.scan_prefix(store, &run.job, false) {
        let (_, shard) = row?;
        // The slot clock of a held shard stands still.
        let moving =
            |origin: &Origin| origin.activation == run.desired.activation && shard.state == ShardState::Running;
        let active_ns = match shard.origin.filter(moving) {
            Some(origin) => origin.active_ns + clock::wall_ns().saturating_sub(origin.wall_ns),
            None => u64::from(shard.next.slot) * SLOT_NS,
        };
        latest = latest.max(Some(active_ns));
    }
    // A change needs some milliseconds to arrive; late in a slot the one after next is meant.
    const ARRIVES_WITHIN_NS: u64 = 300_000_000;
    let Some(active_ns) = latest else {
        return Ok(0);
    };
    Ok(u32::try_from((active_ns + ARRIVES_WITHIN_NS) / 1_000_000_000 + 1).unwrap_or(u32::MAX))
}

/// Marks a run as gone for good: nobody starts it again and nothing it still sends is stored.
/// Its rows are removed by the caller in the same batch.
///
/// # Errors
/// When a record cannot be encoded.
pub fn bury(batch: &mut Batch, job: &str) -> Result<(), StoreError> {
    TOMBSTONES.put(batch, &job.to_owned(), &clock::wall_ns())?;
    RUNS.delete(batch, &job.to_owned());
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use trafficlab_shared::protocol::report::Cursor;

    use super::*;
    use crate::store::runs::Shard;

    fn store_with(state: ShardState, began_ns_ago: u64) -> Store {
        let store = Store::in_memory().unwrap();
        let desired = Desired {
            v: 1,
            revision: 2,
            activation: 1,
            state: DesiredState::Run,
            rate: 60_000_000,
            duration_ms: 60_000,
            at_slot: 0,
            origin_ns: Some(1),
        };
        let run = Run {
            job: "job".into(),
            campaign: "campaign".into(),
            shards: 1,
            desired,
            state: RunState::Running,
            reason: None,
            stopped_by: None,
            created_ns: 1,
            started_ns: None,
            ended_ns: None,
            cleared: false,
        };
        let origin = Origin { activation: 1, active_ns: 0, wall_ns: clock::wall_ns() - began_ns_ago };
        let shard = Shard { state, next: Cursor { slot: 7, k: 0 }, origin: Some(origin), ..Shard::default() };
        let mut batch = Batch::new();
        RUNS.put(&mut batch, &run.job.clone(), &run).unwrap();
        SHARDS.put(&mut batch, &(run.job, 0), &shard).unwrap();
        store.apply(batch).unwrap();
        store
    }

    fn at_slot(state: ShardState, began_ns_ago: u64) -> u32 {
        let store = store_with(state, began_ns_ago);
        let pace = Change::Pace { rate: 1, duration_ms: 60_000 };
        change(&store, &mut Batch::new(), "job", pace).unwrap().unwrap().desired.at_slot
    }

    #[test]
    fn a_change_holds_from_the_next_slot_and_a_pause_does_not_move_it() {
        assert_eq!(at_slot(ShardState::Running, 7_100_000_000), 8);
        assert_eq!(at_slot(ShardState::Running, 7_900_000_000), 9, "too late in its slot");
        assert_eq!(at_slot(ShardState::Paused, 3_600_000_000_000), 8);
    }

    #[test]
    fn only_a_failed_run_without_a_gap_is_retried() {
        let retry = |store: &Store| change(store, &mut Batch::new(), "job", Change::Retry).unwrap();
        assert!(retry(&store_with(ShardState::Running, 1)).is_none());
        for (state, retried) in [(ShardState::Failed, true), (ShardState::Quarantined, false)] {
            let store = store_with(state, 1);
            let mut run = RUNS.get(&store, &"job".to_owned()).unwrap().unwrap();
            run.state = RunState::Failed;
            let mut batch = Batch::new();
            RUNS.put(&mut batch, &run.job.clone(), &run).unwrap();
            store.apply(batch).unwrap();
            assert_eq!(retry(&store).is_some(), retried);
        }
    }
}
