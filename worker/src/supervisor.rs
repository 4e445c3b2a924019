//! Owns the actors of all shards of this worker and knows how each is doing.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix::prelude::*;
use tokio::sync::watch;
use trafficlab_shared::clock;
use trafficlab_shared::model::capture::work::Work;
use trafficlab_shared::protocol::capture::CaptureJob;
use trafficlab_shared::protocol::export::ExportJob;
use trafficlab_shared::protocol::heartbeat::ActorReport;
use trafficlab_shared::protocol::job::ShardJob;

use crate::actors::job::{GiveBack, Job, Task};
use crate::actors::traffic::OnLane;
use crate::capture::CaptureTask;
use crate::control::Control;
use crate::export::ExportTask;
use crate::intake::Lease;
use crate::lane::Lanes;
use crate::shard::ShardTask;
use crate::shared::Worker;

/// Which shard of which job.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ShardKey {
    /// The job.
    pub job: String,
    /// Its shard.
    pub shard: u32,
}

/// What a shard's actor is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShardState {
    /// Its task runs on a lane.
    Running,
    /// Its task ended badly and is started again soon.
    BackingOff,
    /// It has been given up.
    Failed,
    /// It was asked to give the shard back.
    Leaving,
}

impl ShardState {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::BackingOff => "backing_off",
            Self::Failed => "failed",
            Self::Leaving => "stopping",
        }
    }
}

/// A job message of any queue.
#[derive(Debug)]
pub enum AnyJob {
    /// One shard of a traffic run.
    Shard(ShardJob),
    /// A capture job.
    Capture(CaptureJob),
    /// An export.
    Export(ExportJob),
}

impl AnyJob {
    /// The job's id and the shard it is.
    #[must_use]
    pub fn key(&self) -> ShardKey {
        match self {
            Self::Shard(job) => ShardKey { job: job.run.job.clone(), shard: job.shard },
            Self::Capture(job) => ShardKey { job: job.job.clone(), shard: 0 },
            Self::Export(job) => ShardKey { job: job.job.clone(), shard: 0 },
        }
    }
}

/// Take a delivered job.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Take {
    /// The job message.
    pub job: AnyJob,
    /// Its lease.
    pub lease: Lease,
}

/// A shard's actor has stopped.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct ShardEnded {
    pub(crate) key: ShardKey,
    /// Which actor of that shard, for a newer one may be there already.
    pub(crate) id: u64,
}

/// A shard's actor does something else now.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct StateChanged {
    pub(crate) key: ShardKey,
    pub(crate) state: ShardState,
    pub(crate) reason: Option<String>,
}

/// Give back what is too much.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Keep {
    /// Traffic shards that stay at the most.
    pub shards: usize,
    /// Whether capture jobs and exports stay.
    pub captures: bool,
}

/// How is everybody?
#[derive(Message, Debug)]
#[rtype(result = "Snapshot")]
pub struct Ask;

/// The answer, for heartbeats.
#[derive(Debug, MessageResponse)]
pub struct Snapshot {
    /// Traffic shards held.
    pub running: usize,
    /// Capture jobs and exports held.
    pub captures: usize,
    /// Actors in trouble, at most 100.
    pub troubled: Vec<ActorReport>,
    /// Restarts so far.
    pub restarts: u64,
}

/// What kind of work an actor holds; each has a capacity of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Shard,
    Analysis,
    Live,
}

struct Held {
    id: u64,
    kind: Kind,
    actor: Addressed,
    state: ShardState,
    reason: Option<String>,
}

impl Held {
    fn give_back(&mut self) {
        if self.actor.0.try_send(GiveBack).is_ok() {
            self.state = ShardState::Leaving;
        }
    }
}

/// A job's actor, whatever its task is.
struct Addressed(Recipient<GiveBack>);

/// How others reach the supervisor.
pub type SupervisorAddr = Addr<Supervisor>;

/// The supervisor.
pub struct Supervisor {
    worker: Arc<Worker>,
    control: Control,
    lanes: Arc<Lanes>,
    held: HashMap<ShardKey, Held>,
    restarts: u64,
    next_id: u64,
}

impl Supervisor {
    /// Owns nothing yet.
    #[must_use]
    pub fn new(worker: Arc<Worker>, control: Control, lanes: Arc<Lanes>) -> Self {
        Self { worker, control, lanes, held: HashMap::new(), restarts: 0, next_id: 0 }
    }

    fn held(&self, kind: Kind) -> u32 {
        let count = self.held.values().filter(|held| held.kind == kind).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    fn count(&self) {
        self.worker.active.store(self.held(Kind::Shard), Ordering::Relaxed);
        self.worker.analyses.store(self.held(Kind::Analysis), Ordering::Relaxed);
        self.worker.live_captures.store(self.held(Kind::Live), Ordering::Relaxed);
    }

    fn start<T: Task>(
        &mut self,
        key: ShardKey,
        kind: Kind,
        task: T,
        lease: Lease,
        give_back: watch::Sender<bool>,
        supervisor: SupervisorAddr,
    ) {
        self.next_id += 1;
        let id = self.next_id;
        let lease = Arc::new(lease);
        let actor = Job { key: key.clone(), id, task, lease, supervisor, give_back, restarts: VecDeque::new() };
        let actor = Addressed(actor.start().recipient());
        self.held.insert(key, Held { id, kind, actor, state: ShardState::Running, reason: None });
        self.count();
    }

    /// A panic kills an actor without a word; its job message then runs out and comes again.
    fn bury_the_dead(&mut self) {
        self.held.retain(|key, held| {
            let alive = held.actor.0.connected();
            if !alive {
                tracing::warn!(job = %key.job, shard = key.shard, "an actor was found dead");
            }
            alive
        });
        self.count();
    }
}

impl Actor for Supervisor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.set_mailbox_capacity(8192);
        context.run_interval(Duration::from_secs(1), |actor, _| actor.bury_the_dead());
    }
}

impl Handler<Take> for Supervisor {
    type Result = ();

    fn handle(&mut self, Take { job, lease }: Take, context: &mut Self::Context) {
        let key = job.key();
        if self.held.get(&key).is_some_and(|held| held.actor.0.connected()) {
            // Our own lease ran out and the message came back to us: the log decides, later.
            tracing::warn!(job = %key.job, shard = key.shard, "shard is here already, delivery ignored");
            return;
        }
        let (give_back, wish) = watch::channel(false);
        let worker = Arc::clone(&self.worker);
        let desired = self.control.job(&key.job);
        let alive_at = Arc::new(AtomicU64::new(clock::boot_ns()));
        let delivery = lease.delivery;
        match job {
            AnyJob::Shard(job) => {
                let job = Arc::new(job);
                let task = ShardTask { worker, desired, job, delivery, give_back: wish, alive_at };
                let task = OnLane { task, lanes: Arc::clone(&self.lanes) };
                self.start(key, Kind::Shard, task, lease, give_back, context.address());
            }
            AnyJob::Capture(job) => {
                let kind = if matches!(*job.work, Work::Live { .. }) { Kind::Live } else { Kind::Analysis };
                let job = Arc::new(job);
                let task = CaptureTask { worker, desired, job, delivery, give_back: wish, alive_at };
                self.start(key, kind, task, lease, give_back, context.address());
            }
            AnyJob::Export(job) => {
                let task = ExportTask { worker, desired, job: Arc::new(job), delivery, give_back: wish, alive_at };
                self.start(key, Kind::Analysis, task, lease, give_back, context.address());
            }
        }
    }
}

impl Handler<ShardEnded> for Supervisor {
    type Result = ();

    fn handle(&mut self, ended: ShardEnded, _: &mut Self::Context) {
        if self.held.get(&ended.key).is_some_and(|held| held.id == ended.id) {
            self.held.remove(&ended.key);
        }
        self.count();
    }
}

impl Handler<StateChanged> for Supervisor {
    type Result = ();

    fn handle(&mut self, change: StateChanged, _: &mut Self::Context) {
        self.restarts += u64::from(change.state == ShardState::BackingOff);
        if let Some(held) = self.held.get_mut(&change.key) {
            held.state = change.state;
            held.reason = change.reason;
        }
    }
}

impl Handler<Keep> for Supervisor {
    type Result = ();

    fn handle(&mut self, keep: Keep, _: &mut Self::Context) {
        let staying = |held: &&mut Held| held.state != ShardState::Leaving;
        let of_captures = |held: &&mut Held| held.kind != Kind::Shard;
        let shards = self.held.values_mut().filter(staying).filter(|held| !of_captures(held)).count();
        let excess = shards.saturating_sub(keep.shards);
        for held in self.held.values_mut().filter(staying).filter(|held| !of_captures(held)).take(excess) {
            held.give_back();
        }
        if !keep.captures {
            for held in self.held.values_mut().filter(staying).filter(of_captures) {
                held.give_back();
            }
        }
    }
}

impl Handler<Ask> for Supervisor {
    type Result = Snapshot;

    fn handle(&mut self, _: Ask, _: &mut Self::Context) -> Snapshot {
        let troubled = self.held.iter().filter(|(_, held)| held.state != ShardState::Running).take(100);
        Snapshot {
            running: self.held.values().filter(|held| held.kind == Kind::Shard).count(),
            captures: self.held.values().filter(|held| held.kind != Kind::Shard).count(),
            troubled: troubled
                .map(|(key, held)| ActorReport {
                    job: key.job.clone(),
                    shard: key.shard,
                    state: held.state.as_str().to_owned(),
                    reason: held.reason.clone(),
                })
                .collect(),
            restarts: self.restarts,
        }
    }
}
