//! The property of the engine: whatever is killed or stopped, stored entries equal the plan, which is
//! built from the control records in the shards' logs, and every id is there once.

use std::time::Duration;

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng as _, SeedableRng as _};
use serde_json::json;
use tokio::time::sleep;
use trafficlab_shared::model::arrivals::Arrivals;

use crate::harness::{Cluster, Entries, Logs, Plan};

/// Steps after which the run is paused, goes on, and becomes faster; the fault of step `HELD`
/// happens while it is held.
const HELD_FROM: usize = 2;
const HELD: usize = 3;
const FASTER_FROM: usize = 1;

/// What the driver does to the processes.
#[derive(Debug, Clone, Copy)]
enum Fault {
    KillWorker(usize),
    FreezeWorker(usize),
    KillCoordinator,
    KillBroker,
}

/// Draws faults and pauses; the same seed does the same things in the same order.
struct Driver(Xoshiro256PlusPlus);

impl Driver {
    fn below(&mut self, limit: u64) -> u64 {
        self.0.next_u64() % limit
    }

    fn place(&mut self, limit: usize) -> usize {
        usize::try_from(self.below(limit as u64)).unwrap()
    }

    /// Every kind of fault at least once, in any order. A frozen worker matters only while the run is
    /// not held.
    fn faults(&mut self) -> Vec<Fault> {
        let frozen = self.place(2);
        let mut faults = vec![
            Fault::FreezeWorker(frozen),
            Fault::KillWorker(1 - frozen),
            Fault::KillWorker(frozen),
            Fault::KillCoordinator,
            Fault::KillBroker,
            Fault::FreezeWorker(1 - frozen),
        ];
        for last in (1..faults.len()).rev() {
            let other = self.place(last + 1);
            faults.swap(last, other);
        }
        if matches!(faults[HELD], Fault::FreezeWorker(_)) {
            faults.swap(HELD, 0);
        }
        faults
    }

    async fn wait(&mut self, from_ms: u64, to_ms: u64) {
        let wait = from_ms + self.below(to_ms - from_ms);
        sleep(Duration::from_millis(wait)).await;
    }

    async fn strike(&mut self, cluster: &mut Cluster, fault: Fault) {
        trace(&format!("{fault:?}"));
        match fault {
            Fault::KillWorker(worker) => {
                cluster.workers[worker].kill();
                self.wait(0, 1500).await;
                cluster.workers[worker].up();
            }
            Fault::FreezeWorker(worker) => {
                cluster.workers[worker].freeze();
                self.wait(4000, 6000).await;
                cluster.workers[worker].thaw();
            }
            Fault::KillCoordinator => {
                cluster.coordinator.kill();
                self.wait(0, 1500).await;
                cluster.coordinator.up();
            }
            Fault::KillBroker => {
                cluster.broker.kill();
                self.wait(0, 1500).await;
                cluster.broker.up().await;
            }
        }
    }
}

#[allow(clippy::print_stderr, reason = "a failed run is repeated by its order of events")]
fn trace(what: &str) {
    eprintln!("chaos: {what}");
}

/// Pause, resume and a change of rate, each once, between the faults.
async fn control(cluster: &mut Cluster, id: &str, step: usize) {
    let change = match step {
        HELD_FROM => json!({"status": "paused"}),
        HELD => json!({"status": "running"}),
        FASTER_FROM => json!({"requests_per_minute": 24_000}),
        _ => return,
    };
    trace(&change.to_string());
    cluster.ready().await;
    let path = match step {
        FASTER_FROM => format!("/api/sessions/{id}"),
        _ => format!("/api/traffic/campaigns/{id}/status"),
    };
    cluster.api.put(&path, &change).await.expect(200);
}

/// `CHAOS_SEED` tries another order of events.
fn seed_or(default: u64) -> u64 {
    std::env::var("CHAOS_SEED").map_or(default, |seed| seed.parse().unwrap())
}

async fn survives(seed: u64, arrivals: Arrivals) {
    let mut cluster = Cluster::with_workers(2).await;
    let plan = Plan { arrivals, ..Plan::constant(seed, 300, 22.5) };
    let (id, job) = cluster.api.start(&plan.session()).await;
    cluster.api.wait_for_entries(&id, 100).await;
    let mut driver = Driver(Xoshiro256PlusPlus::seed_from_u64(seed));
    for (step, fault) in driver.faults().into_iter().enumerate() {
        driver.strike(&mut cluster, fault).await;
        driver.wait(500, 1500).await;
        control(&mut cluster, &id, step).await;
    }
    cluster.ready().await;
    cluster.api.wait_for(&id, "completed", Duration::from_secs(90)).await;
    let logs = Logs(cluster.broker.jetstream().await);
    let planned = plan.ids(&logs, &job).await;
    assert!(planned.len() > 5000, "{} arrivals are too few for this test to mean something", planned.len());
    Entries::read(&cluster.api, &id).await.must_be(&planned);
    let stats = cluster.api.stats(&id).await;
    assert_eq!(stats["total_requests"].as_u64(), Some(planned.len() as u64), "{stats}");
}

#[tokio::test]
async fn chaos_seed_1() {
    survives(seed_or(1), Arrivals::Constant).await;
}

#[tokio::test]
async fn chaos_seed_2() {
    survives(seed_or(2), Arrivals::Poisson).await;
}
