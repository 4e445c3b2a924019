//! Everything between the store and the broker: jobs out, results in. The only place that knows NATS.
//!
//! `runs` changes what a run should do, `reconciler` makes the broker agree with the store,
//! `ingest` takes results, `judge` holds runs to their thresholds, `registry` and `rebalance` know the workers,
//! `live` tells subscribers; `captures` does all of this for the analyzer's jobs, and `exports` for files that are asked
//! for.

pub mod broker;
pub mod captures;
pub mod exports;
pub mod ingest;
mod judge;
pub mod live;
mod rebalance;
mod reconciler;
pub mod registry;
pub mod runs;
mod streams;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::task::JoinSet;
use trafficlab_engine::traffic::counters::Counters;

use crate::store::segment::SegmentDir;
use crate::store::{Batch, Store, StoreError};
use broker::Broker;
use ingest::{Ingester, Taken};
use reconciler::Active;
use registry::Registry;

/// Counts of what ingest did since the process started.
#[derive(Debug, Default)]
pub struct IngestMetrics {
    /// Entries stored.
    pub entries: AtomicU64,
    /// Windows stored.
    pub windows: AtomicU64,
    /// Anomalies stored.
    pub anomalies: AtomicU64,
    /// Messages set aside.
    pub aside: AtomicU64,
    /// Records known already or of no run.
    pub dropped: AtomicU64,
    /// Commits.
    pub commits: AtomicU64,
    /// Requests sent, or drawn, of all runs.
    pub sent: AtomicU64,
    /// Of these, failures.
    pub failed: AtomicU64,
    /// Of these, more than 10 ms late.
    pub late: AtomicU64,
    /// Arrivals dropped at a full queue.
    pub arrivals_dropped: AtomicU64,
    /// Arrivals nobody was there for.
    pub arrivals_missed: AtomicU64,
}

impl IngestMetrics {
    fn add(&self, counters: &Counters) {
        let counts = [
            (&self.sent, counters.sent),
            (&self.failed, counters.failed),
            (&self.late, counters.late),
            (&self.arrivals_dropped, counters.dropped),
            (&self.arrivals_missed, counters.missed),
        ];
        for (sum, count) in counts {
            sum.fetch_add(count, Ordering::Relaxed);
        }
    }
}

/// The coordinator's engine side.
pub struct Dispatch {
    /// Metadata.
    pub store: Store,
    /// Entries.
    pub segments: SegmentDir,
    /// The broker.
    pub broker: Broker,
    /// The workers.
    pub registry: Registry,
    /// What ingest did.
    pub metrics: IngestMetrics,
    active: Mutex<HashMap<String, Active>>,
    touched: Mutex<HashSet<String>>,
    purges: Mutex<HashMap<(String, u32), u64>>,
    captures: captures::Desk,
    fresh: Mutex<judge::Fresh>,
    wake: Notify,
}

impl Dispatch {
    /// Puts the parts together; `start` sets them going.
    #[must_use]
    pub fn new(store: Store, segments: SegmentDir, broker: Broker, captures: captures::Desk) -> Arc<Self> {
        Arc::new(Self {
            store,
            segments,
            broker,
            registry: Registry::default(),
            metrics: IngestMetrics::default(),
            active: Mutex::default(),
            touched: Mutex::default(),
            purges: Mutex::default(),
            captures,
            fresh: Mutex::default(),
            wake: Notify::new(),
        })
    }

    /// Starts all loops. They run until the set is dropped; one that ends by itself is a fault.
    #[must_use]
    pub fn start(self: &Arc<Self>, ingester: Ingester) -> JoinSet<&'static str> {
        let mut tasks = JoinSet::new();
        let own = Arc::clone(self);
        tasks.spawn(async move {
            let Err(error) = own.broker.arrive().await;
            tracing::error!(%error, "the broker cannot be used");
            "broker"
        });
        let own = Arc::clone(self);
        tasks.spawn(async move {
            ingest::run(own, ingester).await;
            "ingest"
        });
        let own = Arc::clone(self);
        tasks.spawn(async move {
            reconciler::run(&own).await;
            "reconciler"
        });
        let own = Arc::clone(self);
        tasks.spawn(async move {
            captures::run(&own).await;
            "captures"
        });
        let own = Arc::clone(self);
        tasks.spawn(async move {
            registry::listen(&own).await;
            "registry"
        });
        let own = Arc::clone(self);
        tasks.spawn(async move {
            rebalance::run(&own).await;
            "rebalance"
        });
        let own = Arc::clone(self);
        tasks.spawn(async move {
            judge::run(&own).await;
            "judge"
        });
        let own = Arc::clone(self);
        tasks.spawn(async move {
            live::run(&own).await;
            "live"
        });
        tasks
    }

    /// Looks after a run from now on; called after its desired state was stored.
    pub fn attend(&self, job: &str) {
        lock(&self.active).entry(job.to_owned()).or_default();
        self.wake.notify_one();
    }

    /// Adds to `batch` that the live messages of a campaign are to be removed, which follows soon.
    ///
    /// # Errors
    /// When the record cannot be encoded.
    pub fn forget_live(&self, batch: &mut Batch, campaign: &str) -> Result<(), StoreError> {
        live::forget(batch, campaign)?;
        lock(&self.touched).insert(campaign.to_owned());
        Ok(())
    }

    /// Tells the loops what a commit changed.
    fn after_commit(&self, taken: Taken) {
        self.metrics.commits.fetch_add(1, Ordering::Relaxed);
        self.metrics.entries.fetch_add(taken.entries, Ordering::Relaxed);
        self.metrics.aside.fetch_add(taken.aside, Ordering::Relaxed);
        self.metrics.dropped.fetch_add(taken.dropped, Ordering::Relaxed);
        self.metrics.windows.fetch_add(taken.captures.windows, Ordering::Relaxed);
        self.metrics.anomalies.fetch_add(taken.captures.anomalies, Ordering::Relaxed);
        self.after_captures(taken.captures);
        self.after_exports(taken.exports);
        lock(&self.touched).extend(taken.campaigns);
        let mut fresh = lock(&self.fresh);
        for (job, counters, timings) in &taken.figures {
            self.metrics.add(counters);
            if let Some(figures) = fresh.get_mut(job) {
                judge::add(figures, counters, timings);
            }
        }
        drop(fresh);
        let mut purges = lock(&self.purges);
        for (job, shard, sequence) in taken.shards {
            purges.insert((job, shard), sequence);
        }
        drop(purges);
        if !taken.runs.is_empty() {
            let mut active = lock(&self.active);
            for job in taken.runs {
                active.entry(job).or_default();
            }
            drop(active);
            self.wake.notify_one();
        }
    }
}

/// These maps stay usable whatever a panicking holder was doing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
