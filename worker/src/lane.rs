//! Lanes: one thread with one current-thread runtime per core. Shards run here, never in actors.

use std::any::Any;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use tokio::runtime::LocalOptions;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinError;

use crate::io::pacer::Pacer;
use crate::load::LaneLoad;
use crate::shard::{ShardEnd, ShardFault, ShardTask, start};

/// Shards that may wait for a lane to look at them.
const WAITING: usize = 4096;

/// How a shard's task ended, whatever happened to it.
#[derive(Debug)]
pub enum Outcome {
    /// By itself.
    Ended(ShardEnd),
    /// With a fault.
    Faulted(ShardFault),
    /// With a panic, whose message this is.
    Panicked(String),
}

struct Start {
    task: ShardTask,
    done: oneshot::Sender<Outcome>,
}

/// A lane as the shards on it see it.
#[derive(Clone)]
pub struct Lane {
    pacer: Rc<Pacer>,
}

impl Lane {
    /// Waits until this boot time in nanoseconds.
    pub async fn sleep_until(&self, boot_ns: u64) {
        self.pacer.sleep_until(boot_ns).await;
    }
}

/// All lanes of the process.
#[derive(Debug)]
pub struct Lanes {
    senders: Vec<mpsc::Sender<Start>>,
    threads: Vec<JoinHandle<()>>,
    loads: Vec<Arc<LaneLoad>>,
    next: AtomicUsize,
}

impl Lanes {
    /// Starts `count` lanes, each pinned to a core the process may use.
    ///
    /// # Errors
    /// When a thread cannot be made.
    pub fn start(count: usize) -> std::io::Result<Self> {
        let cores = usable_cores();
        let mut lanes = Self { senders: Vec::new(), threads: Vec::new(), loads: Vec::new(), next: AtomicUsize::new(0) };
        for index in 0..count.max(1) {
            let (sender, receiver) = mpsc::channel(WAITING);
            let core = cores.get(index % cores.len().max(1)).copied();
            let load = Arc::new(LaneLoad::default());
            let own = Arc::clone(&load);
            let thread = std::thread::Builder::new()
                .name(format!("lane-{index}"))
                .spawn(move || run_lane(core, own, receiver))?;
            lanes.senders.push(sender);
            lanes.threads.push(thread);
            lanes.loads.push(load);
        }
        Ok(lanes)
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.senders.len()
    }

    /// How busy each of them is.
    #[must_use]
    pub fn loads(&self) -> &[Arc<LaneLoad>] {
        &self.loads
    }

    /// Whether there is none, which `start` never makes.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.senders.is_empty()
    }

    /// Runs a shard on the next lane; its end comes through the receiver. `None` when the lane's
    /// queue is full or its thread is gone.
    #[must_use]
    pub fn launch(&self, task: ShardTask) -> Option<oneshot::Receiver<Outcome>> {
        let index = self.next.fetch_add(1, Ordering::Relaxed) % self.senders.len().max(1);
        let (done, outcome) = oneshot::channel();
        self.senders.get(index)?.try_send(Start { task, done }).ok()?;
        Some(outcome)
    }

    /// Closes the lanes and waits for their threads.
    pub fn join(self) {
        drop(self.senders);
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a lane's thread panicked");
            }
        }
    }
}

/// The cores this process may run on, ascending.
pub(crate) fn usable_cores() -> Vec<usize> {
    let Ok(set) = sched_getaffinity(None) else {
        return Vec::new();
    };
    (0..CpuSet::MAX_CPU).filter(|core| set.is_set(*core)).collect()
}

/// Keeps the calling thread on one core.
pub(crate) fn pin(core: usize) {
    let mut set = CpuSet::new();
    set.set(core);
    if let Err(error) = sched_setaffinity(None, &set) {
        tracing::warn!(core, %error, "lane is not pinned");
    }
}

fn run_lane(core: Option<usize>, load: Arc<LaneLoad>, mut starts: mpsc::Receiver<Start>) {
    if let Some(core) = core {
        pin(core);
    }
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build_local(LocalOptions::default())
    {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "lane has no runtime");
            return;
        }
    };
    runtime.block_on(async move {
        let pacer = match Pacer::new() {
            Ok(pacer) => Rc::new(pacer),
            Err(error) => {
                tracing::error!(%error, "lane has no timer");
                return;
            }
        };
        let noting = tokio::task::spawn_local(load.keep_noting());
        while let Some(Start { task, done }) = starts.recv().await {
            let lane = Lane { pacer: Rc::clone(&pacer) };
            let running = tokio::task::spawn_local(start::run(task, lane));
            tokio::task::spawn_local(report(running, done));
        }
        noting.abort();
    });
}

/// Turns the end of a shard's task, a panic too, into a message to its actor.
pub(crate) async fn report(
    running: tokio::task::JoinHandle<Result<ShardEnd, ShardFault>>,
    done: oneshot::Sender<Outcome>,
) {
    let outcome = match running.await {
        Ok(Ok(end)) => Outcome::Ended(end),
        Ok(Err(fault)) => Outcome::Faulted(fault),
        Err(error) => Outcome::Panicked(panic_message(error)),
    };
    if done.send(outcome).is_err() {
        tracing::warn!("a shard ended and its actor was gone");
    }
}

pub(crate) fn panic_message(error: JoinError) -> String {
    let Ok(panic) = error.try_into_panic() else {
        return "cancelled".into();
    };
    let text = |panic: &Box<dyn Any + Send>| {
        panic.downcast_ref::<&str>().map(|text| (*text).to_owned()).or_else(|| panic.downcast_ref::<String>().cloned())
    };
    text(&panic).unwrap_or_else(|| "panicked without a message".into())
}
