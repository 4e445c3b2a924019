//! Sharing the shards out by capacity: told before a run's jobs are published, mended when workers join or leave.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use trafficlab_shared::protocol::control::WorkerDirective;

use super::Dispatch;

const TICK: Duration = Duration::from_millis(500);
/// A worker is not asked again before what it gave back can have been taken.
const SETTLE: Duration = Duration::from_secs(4);

/// Loads are as of each worker's last heartbeat: what they show together counts once everybody has beaten again.
const SEEN_TWICE: Duration = Duration::from_millis(1_200);
/// A worker that has just come has nothing, and nothing else is to be waited for.
const NEW: Duration = Duration::from_secs(3);

/// A worker's load and weight.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Load {
    worker: String,
    running: u32,
    capacity: u32,
    new: bool,
}

/// Rebalances for ever.
pub(super) async fn run(dispatch: &Arc<Dispatch>) {
    let mut asked: HashMap<String, Instant> = HashMap::new();
    let mut uneven_since: Option<Instant> = None;
    loop {
        tokio::time::sleep(TICK).await;
        asked.retain(|_, at| at.elapsed() < SETTLE);
        let loads = loads(dispatch);
        let shares = shares(&loads, 0);
        if !is_uneven(&loads, &shares) {
            uneven_since = None;
            continue;
        }
        let since = uneven_since.get_or_insert_with(Instant::now);
        if since.elapsed() < SEEN_TWICE && !loads.iter().any(|load| load.new && load.running == 0) {
            continue;
        }
        let mut directives = Vec::new();
        for (load, share) in loads.iter().zip(&shares).filter(|(load, _)| !asked.contains_key(&load.worker)) {
            let limit = Some(*share).filter(|share| load.running > *share);
            if let Some(limit) = limit {
                tracing::info!(worker = %load.worker, limit, "worker is asked to give shards back");
            }
            directives.push((load.worker.clone(), limit, *share));
        }
        for worker in tell(dispatch, directives).await {
            asked.insert(worker, Instant::now());
        }
    }
}

/// Tells every worker its share as it will be with `coming` more shards, so that it leaves the others theirs.
pub(super) async fn announce(dispatch: &Dispatch, coming: u32) {
    let loads = loads(dispatch);
    if loads.len() < 2 {
        return;
    }
    let shares = shares(&loads, coming);
    let directives = loads.into_iter().zip(shares).map(|(load, share)| (load.worker, None, share)).collect();
    tell(dispatch, directives).await;
}

/// Sends (worker, limit, share); comes back with the workers whose directive is stored.
async fn tell(dispatch: &Dispatch, directives: Vec<(String, Option<u32>, u32)>) -> Vec<String> {
    let put = |(worker, limit, share): (String, Option<u32>, u32)| async move {
        let directive = WorkerDirective { v: 1, limit, drain: false, share: Some(share) };
        match dispatch.broker.put_directive(&worker, &directive).await {
            Ok(()) => {
                mend_drain(dispatch, &worker).await;
                Some(worker)
            }
            Err(error) => {
                tracing::debug!(%worker, %error, "directive not sent");
                None
            }
        }
    };
    join_all(directives.into_iter().map(put)).await.into_iter().flatten().collect()
}

/// A worker has one directive: one to drain that was stored while its share was on the way is stored once more.
async fn mend_drain(dispatch: &Dispatch, worker: &str) {
    if !dispatch.registry.is_drained(worker) {
        return;
    }
    let directive = WorkerDirective { v: 1, limit: None, drain: true, share: None };
    if let Err(error) = dispatch.broker.put_directive(worker, &directive).await {
        tracing::warn!(%worker, %error, "a worker was not asked to drain again");
    }
}

/// The workers that take shards.
fn loads(dispatch: &Dispatch) -> Vec<Load> {
    let live = dispatch.registry.live().into_iter();
    live.filter(|worker| !worker.beat.draining && !dispatch.registry.is_drained(&worker.beat.worker))
        .map(|worker| Load {
            running: worker.beat.running,
            capacity: worker.beat.capacity,
            new: worker.joined.elapsed() < NEW,
            worker: worker.beat.worker,
        })
        .collect()
}

/// Everybody's share of all shards and `coming` more, by capacity: whole numbers that add up, the largest remainders
/// rounded up.
fn shares(loads: &[Load], coming: u32) -> Vec<u32> {
    let capacity: u64 = loads.iter().map(|load| u64::from(load.capacity)).sum();
    let total: u64 = loads.iter().map(|load| u64::from(load.running)).sum::<u64>() + u64::from(coming);
    if capacity == 0 {
        return vec![0; loads.len()];
    }
    let exact = |load: &Load| u128::from(total) * u128::from(load.capacity);
    let whole = |load: &Load| u64::try_from(exact(load) / u128::from(capacity)).unwrap_or(u64::MAX);
    let mut shares: Vec<u64> = loads.iter().map(whole).collect();
    let mut by_remainder: Vec<usize> = (0..loads.len()).collect();
    // Of equal remainders the one that holds more keeps it, so that nothing moves for nothing.
    by_remainder.sort_by_key(|at| {
        loads.get(*at).map(|load| std::cmp::Reverse((exact(load) % u128::from(capacity), load.running)))
    });
    let left = total - shares.iter().sum::<u64>();
    for at in by_remainder.into_iter().take(usize::try_from(left).unwrap_or(0)) {
        if let Some(share) = shares.get_mut(at) {
            *share += 1;
        }
    }
    shares.into_iter().map(|share| u32::try_from(share).unwrap_or(u32::MAX)).collect()
}

/// Whether somebody has nothing, or is short of more than one shard; a single one is no reason to move it.
fn is_uneven(loads: &[Load], shares: &[u32]) -> bool {
    loads.iter().zip(shares).any(|(load, share)| load.running + 1 < *share || (load.running == 0 && *share > 0))
}

#[cfg(test)]
mod tests {
    use super::{Load, is_uneven, shares};

    fn loads(of: &[(u32, u32)]) -> Vec<Load> {
        of.iter().map(|&(running, capacity)| Load { worker: "w".into(), running, capacity, new: false }).collect()
    }

    fn uneven(of: &[(u32, u32)]) -> bool {
        let loads = loads(of);
        is_uneven(&loads, &shares(&loads, 0))
    }

    #[test]
    fn shares_follow_capacity_and_add_up() {
        assert_eq!(shares(&loads(&[(8, 1000), (0, 1000)]), 0), [4, 4]);
        assert_eq!(shares(&loads(&[(500, 1000), (500, 1000), (0, 1000)]), 0), [334, 333, 333]);
        assert_eq!(shares(&loads(&[(0, 100), (0, 200), (0, 100)]), 8), [2, 4, 2]);
        assert_eq!(shares(&loads(&[(3, 100), (4, 200), (2, 100)]), 0), [2, 5, 2]);
        assert_eq!(shares(&loads(&[(1, 100), (2, 100)]), 0), [1, 2]);
        assert_eq!(shares(&loads(&[(5, 0)]), 3), [0]);
        assert!(shares(&[], 5).is_empty());
    }

    #[test]
    fn balanced_workers_are_left_alone() {
        assert!(uneven(&[(8, 1000), (0, 1000)]));
        assert!(uneven(&[(3, 100), (2, 200), (3, 100)]));
        assert!(!uneven(&[(4, 1000), (4, 1000)]));
        assert!(!uneven(&[(5, 1000), (4, 1000)]));
        assert!(!uneven(&[(1, 1000), (0, 1000)]));
        assert!(!uneven(&[(3, 100), (3, 200), (2, 100)]));
        assert!(!uneven(&[]));
    }
}
