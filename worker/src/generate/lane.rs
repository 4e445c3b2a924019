//! A sending thread: pinned to a core, with a runtime, a pool and counts of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::LocalOptions;
use tokio::sync::mpsc;
use trafficlab_shared::clock::boot_ns;

use super::counts::{Counting, Counts, Times};
use super::plan::{Pace, Plan, What};
use super::{closed, open, simulated};
use crate::lane::{pin, usable_cores};

const SECOND_NS: u64 = 1_000_000_000;
/// Requests in flight get this long when a run is stopped.
pub(super) const GRACE: Duration = Duration::from_secs(2);

/// Whether threads should go on.
#[derive(Debug, Default)]
pub(super) struct Stop(AtomicU8);

impl Stop {
    /// Sends nothing more; what is in flight gets its grace.
    pub(super) fn ask(&self) {
        self.0.store(1, Ordering::Relaxed);
    }

    pub(super) fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed) != 0
    }
}

/// What a thread is given.
#[derive(Clone)]
pub(super) struct LaneTask {
    pub(super) plan: Arc<Plan>,
    pub(super) shard: u32,
    /// Boot time of active time 0, the same for all threads.
    pub(super) origin_ns: u64,
    /// Whether the owner of the target has agreed.
    pub(super) proven: bool,
    pub(super) stop: Arc<Stop>,
    pub(super) out: mpsc::Sender<Snapshot>,
}

impl LaneTask {
    /// Boot time at which the asked-for length is over.
    pub(super) fn end_ns(&self) -> u64 {
        let length = match &self.plan.pace {
            Pace::Open { duration_ms, .. } => duration_ms.saturating_mul(1_000_000),
            Pace::Closed { duration_ns, .. } => duration_ns.unwrap_or(u64::MAX),
        };
        self.origin_ns.saturating_add(length)
    }
}

/// What happened in a thread since its last snapshot.
#[derive(Debug, Clone, Default)]
pub(super) struct Snapshot {
    /// The second of the run that it closes.
    pub(super) second: u64,
    pub(super) counts: Counts,
    pub(super) times: Times,
    pub(super) shard: u32,
    /// What the thread did meanwhile.
    pub(super) used: Used,
    /// In the last one.
    pub(super) end: Option<LaneEnd>,
}

/// What a thread got of its core, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Used {
    /// It ran.
    pub(super) running: u64,
    /// It could have run and others did.
    pub(super) waiting: u64,
    /// Time passed.
    pub(super) passed: u64,
}

impl Used {
    fn now() -> Self {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
        let running = seconds * SECOND_NS + u64::try_from(time.tv_nsec).unwrap_or(0);
        // Linux: time on the processor, time on the run queue, number of slices. Other systems do not tell.
        let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
        let waiting = told.split_whitespace().nth(1).and_then(|ns| ns.parse().ok()).unwrap_or(0);
        Self { running, waiting, passed: boot_ns() }
    }

    const fn since(self, before: Self) -> Self {
        Self {
            running: self.running.saturating_sub(before.running),
            waiting: self.waiting.saturating_sub(before.waiting),
            passed: self.passed.saturating_sub(before.passed),
        }
    }

    pub(super) const fn add(&mut self, other: Self) {
        self.running += other.running;
        self.waiting += other.waiting;
        self.passed += other.passed;
    }
}

/// How a thread ended; boot times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LaneEnd {
    /// Its arrivals were over.
    pub(super) over_ns: u64,
    /// Its last request was sent.
    pub(super) last_sent_ns: u64,
    /// Its last request ended.
    pub(super) last_done_ns: u64,
}

/// Counts, and hands them to the collector once a second.
pub(super) struct Reporter {
    pub(super) counting: Counting,
    out: mpsc::Sender<Snapshot>,
    shard: u32,
    origin_ns: u64,
    pub(super) next_ns: u64,
    used: Used,
}

impl Reporter {
    fn new(task: &LaneTask) -> Self {
        let warm_up = u64::try_from(task.plan.warm_up.as_nanos()).unwrap_or(u64::MAX);
        Self {
            counting: Counting::new(task.origin_ns.saturating_add(warm_up)),
            out: task.out.clone(),
            shard: task.shard,
            origin_ns: task.origin_ns,
            next_ns: task.origin_ns + SECOND_NS,
            used: Used::now(),
        }
    }

    /// Reports when a second is over. A collector that lags gets more in one piece, nothing is lost.
    pub(super) fn tick(&mut self, now_ns: u64) {
        if now_ns < self.next_ns {
            return;
        }
        if let Ok(place) = self.out.clone().try_reserve() {
            place.send(self.snapshot(None));
        }
        self.next_ns = now_ns - (now_ns - self.origin_ns) % SECOND_NS + SECOND_NS;
    }

    /// The last report; waits until it is taken.
    async fn end(mut self, over_ns: u64) -> Result<(), String> {
        let Counting { last_sent_ns, last_done_ns, .. } = self.counting;
        let end = LaneEnd { over_ns, last_sent_ns, last_done_ns };
        let snapshot = self.snapshot(Some(end));
        self.out.send(snapshot).await.map_err(|_gone| "the collector is gone".to_owned())
    }

    fn snapshot(&mut self, end: Option<LaneEnd>) -> Snapshot {
        let (counts, times) = self.counting.take();
        let now = Used::now();
        let used = now.since(std::mem::replace(&mut self.used, now));
        let second = (self.next_ns - self.origin_ns) / SECOND_NS - 1;
        Snapshot { second, counts, times, shard: self.shard, used, end }
    }
}

/// Starts the thread of a task.
pub(super) fn start(task: LaneTask) -> std::io::Result<JoinHandle<Result<(), String>>> {
    std::thread::Builder::new().name(format!("lane-{}", task.shard)).spawn(move || run(task))
}

fn run(task: LaneTask) -> Result<(), String> {
    // From the last core down: the first one has the interrupts, and often the target.
    let cores = usable_cores();
    let place = usize::try_from(task.shard).unwrap_or(0) % cores.len().max(1);
    if let Some(core) = cores.iter().rev().nth(place) {
        pin(*core);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build_local(LocalOptions::default());
    let runtime = runtime.map_err(|error| format!("a sending thread has no runtime: {error}"))?;
    runtime.block_on(async move {
        let mut reporter = Reporter::new(&task);
        let plan = Arc::clone(&task.plan);
        let over_ns = match (&plan.what, &plan.pace) {
            (What::Simulated, _) => simulated::run(&task, &mut reporter).await?,
            (What::Http(request), Pace::Open { catch_up_ns, .. }) => {
                open::run(&task, request, *catch_up_ns, &mut reporter).await?
            }
            (What::Http(request), Pace::Closed { cap, .. }) => closed::run(&task, request, *cap, &mut reporter).await?,
        };
        reporter.end(over_ns).await
    })
}
