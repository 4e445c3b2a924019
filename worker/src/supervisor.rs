//! Owns the actors of all shards of this worker and knows how each is doing.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix::prelude::*;
use tokio::sync::watch;
use trafficlab_shared::clock;
use trafficlab_shared::protocol::heartbeat::ActorReport;
use trafficlab_shared::protocol::job::ShardJob;

use crate::actors::generator::{Generator, GiveBack};
use crate::control::Control;
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

/// Take a delivered job.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Take {
    /// The job message.
    pub job: ShardJob,
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

/// Keep at most this many shards; give the rest back.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Keep(pub usize);

/// How is everybody?
#[derive(Message, Debug)]
#[rtype(result = "Snapshot")]
pub struct Ask;

/// The answer, for heartbeats.
#[derive(Debug, MessageResponse)]
pub struct Snapshot {
    /// Shards held.
    pub running: usize,
    /// Actors in trouble, at most 100.
    pub troubled: Vec<ActorReport>,
    /// Restarts so far.
    pub restarts: u64,
}

struct Held {
    id: u64,
    actor: Addr<Generator>,
    state: ShardState,
    reason: Option<String>,
}

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

    fn count(&self) {
        let active = u32::try_from(self.held.len()).unwrap_or(u32::MAX);
        self.worker.active.store(active, Ordering::Relaxed);
    }

    /// A panic kills an actor without a word; its job message then runs out and comes again.
    fn bury_the_dead(&mut self) {
        self.held.retain(|key, held| {
            let alive = held.actor.connected();
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
        let key = ShardKey { job: job.run.job.clone(), shard: job.shard };
        if self.held.get(&key).is_some_and(|held| held.actor.connected()) {
            // Our own lease ran out and the message came back to us: the log decides, later.
            tracing::warn!(job = %key.job, shard = key.shard, "shard is here already, delivery ignored");
            return;
        }
        let (give_back, wish) = watch::channel(false);
        let task = ShardTask {
            worker: Arc::clone(&self.worker),
            desired: self.control.job(&key.job),
            job: Arc::new(job),
            delivery: lease.delivery,
            give_back: wish,
            alive_at: Arc::new(AtomicU64::new(clock::boot_ns())),
        };
        let lanes = Arc::clone(&self.lanes);
        self.next_id += 1;
        let id = self.next_id;
        let actor = Generator {
            key: key.clone(),
            id,
            task,
            lease: Arc::new(lease),
            lanes,
            supervisor: context.address(),
            give_back,
            restarts: VecDeque::new(),
        };
        let actor = actor.start();
        self.held.insert(key, Held { id, actor, state: ShardState::Running, reason: None });
        self.count();
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

    fn handle(&mut self, Keep(limit): Keep, _: &mut Self::Context) {
        let staying = self.held.values().filter(|held| held.state != ShardState::Leaving).count();
        let excess = staying.saturating_sub(limit);
        let leaving = self.held.values_mut().filter(|held| held.state != ShardState::Leaving).take(excess);
        for held in leaving {
            if held.actor.try_send(GiveBack).is_ok() {
                held.state = ShardState::Leaving;
            }
        }
    }
}

impl Handler<Ask> for Supervisor {
    type Result = Snapshot;

    fn handle(&mut self, _: Ask, _: &mut Self::Context) -> Snapshot {
        let troubled = self.held.iter().filter(|(_, held)| held.state != ShardState::Running).take(100);
        Snapshot {
            running: self.held.len(),
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
