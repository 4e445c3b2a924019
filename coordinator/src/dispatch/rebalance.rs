//! Sharing the shards out when workers join: those with too many are asked to give some back.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use trafficlab_shared::protocol::control::WorkerDirective;

use super::Dispatch;

const TICK: Duration = Duration::from_millis(500);
/// A worker is not asked again before what it gave back can have been taken.
const SETTLE: Duration = Duration::from_secs(4);

/// A worker's share of the work.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Load {
    worker: String,
    running: u32,
    capacity: u32,
}

/// Rebalances for ever.
pub(super) async fn run(dispatch: &Arc<Dispatch>) {
    let mut asked: HashMap<String, Instant> = HashMap::new();
    loop {
        tokio::time::sleep(TICK).await;
        asked.retain(|_, at| at.elapsed() < SETTLE);
        let loads: Vec<Load> = dispatch
            .registry
            .live()
            .into_iter()
            .filter(|worker| !worker.beat.draining && !dispatch.registry.is_drained(&worker.beat.worker))
            .map(|worker| Load {
                running: worker.beat.running,
                capacity: worker.beat.capacity,
                worker: worker.beat.worker,
            })
            .collect();
        for (worker, limit) in limits(&loads) {
            if asked.contains_key(&worker) {
                continue;
            }
            tracing::info!(%worker, limit, "worker is asked to give shards back");
            let directive = WorkerDirective { v: 1, limit: Some(limit), drain: false };
            match dispatch.broker.put_directive(&worker, &directive).await {
                Ok(()) => drop(asked.insert(worker, Instant::now())),
                Err(error) => tracing::debug!(%error, "directive not sent"),
            }
        }
    }
}

/// Who should keep how many: nobody is asked unless somebody else has room below its own share,
/// and a single shard more than the share is no reason to move it.
fn limits(loads: &[Load]) -> Vec<(String, u32)> {
    let total: u64 = loads.iter().map(|load| u64::from(load.running)).sum();
    let capacity: u64 = loads.iter().map(|load| u64::from(load.capacity)).sum();
    if capacity == 0 {
        return Vec::new();
    }
    let share = |load: &Load| (total * u64::from(load.capacity)).div_ceil(capacity);
    let hungry = loads.iter().any(|load| u64::from(load.running) + 1 < share(load));
    let idle = loads.iter().any(|load| load.running == 0 && share(load) > 0);
    if !hungry && !idle {
        return Vec::new();
    }
    loads
        .iter()
        .filter(|load| u64::from(load.running) > share(load))
        .map(|load| (load.worker.clone(), u32::try_from(share(load)).unwrap_or(u32::MAX)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Load, limits};

    fn load(worker: &str, running: u32) -> Load {
        Load { worker: worker.into(), running, capacity: 1000 }
    }

    #[test]
    fn a_newcomer_gets_its_share() {
        assert_eq!(limits(&[load("a", 8), load("b", 0)]), [("a".to_owned(), 4)]);
        let three = limits(&[load("a", 500), load("b", 500), load("c", 0)]);
        assert_eq!(three, [("a".to_owned(), 334), ("b".to_owned(), 334)]);
    }

    #[test]
    fn balanced_workers_are_left_alone() {
        assert!(limits(&[load("a", 4), load("b", 4)]).is_empty());
        assert!(limits(&[load("a", 5), load("b", 4)]).is_empty());
        assert!(limits(&[load("a", 1), load("b", 0)]).is_empty());
        assert!(limits(&[]).is_empty());
    }
}
