//! The actor of one job's shard: starts it, watches it, restarts it, answers its job message.
//!
//! What is started is the business of a [`Task`]: a traffic shard on a lane, a capture job beside the actors.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix::prelude::*;
use futures_util::future::LocalBoxFuture;
use tokio::sync::{oneshot, watch};
use trafficlab_shared::clock;

use crate::intake::Lease;
use crate::lane::Outcome;
use crate::shard::{ShardEnd, ShardFault};
use crate::supervisor::{ShardEnded, ShardKey, ShardState, StateChanged, Supervisor};

/// A job message is renewed this often.
const RENEW_EVERY: Duration = Duration::from_secs(1);
/// A task that shows no life for this long loses its lease.
const SILENT_NS: u64 = 5_000_000_000;
/// Restarts within the window before a shard fails for good.
const RESTARTS: usize = 5;
const WINDOW_NS: u64 = 60_000_000_000;

/// Work that can be started again and again until its log has an end.
pub(crate) trait Task: Unpin + 'static {
    /// What it is called when it panics.
    const NAME: &'static str;

    /// Boot time at which the work last showed life.
    fn alive_at(&self) -> &AtomicU64;

    /// Starts the work; its end comes through the receiver. `None` when there is no room for it.
    fn launch(&self) -> Option<oneshot::Receiver<Outcome>>;

    /// Writes into the log that the work cannot be done.
    fn fail(&self, reason: String) -> LocalBoxFuture<'static, Result<(), ShardFault>>;
}

/// One shard's actor.
pub(crate) struct Job<T> {
    pub(crate) key: ShardKey,
    /// Which actor of that shard.
    pub(crate) id: u64,
    pub(crate) task: T,
    pub(crate) lease: Arc<Lease>,
    pub(crate) supervisor: Addr<Supervisor>,
    pub(crate) give_back: watch::Sender<bool>,
    pub(crate) restarts: VecDeque<u64>,
}

/// Give the shard back after its next record.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub(crate) struct GiveBack;

impl<T: Task> Job<T> {
    fn launch(&mut self, context: &mut Context<Self>) {
        self.task.alive_at().store(clock::boot_ns(), Ordering::Relaxed);
        let Some(outcome) = self.task.launch() else {
            self.retry("there is no room to run it".into(), context);
            return;
        };
        self.tell(ShardState::Running, None);
        context.spawn(outcome.into_actor(self).map(|outcome, actor, context| {
            match outcome.unwrap_or_else(|_| Outcome::Panicked("its thread is gone".into())) {
                Outcome::Ended(end) => actor.finish(end, context),
                Outcome::Faulted(ShardFault::Hopeless(reason)) => actor.fail(reason, context),
                Outcome::Faulted(fault) => actor.retry(fault.to_string(), context),
                Outcome::Panicked(reason) => {
                    actor.retry(format!("{} panicked: {reason}", T::NAME), context);
                }
            }
        }));
    }

    /// Starts the shard again from its cursor, later each time, until the budget is spent.
    fn retry(&mut self, reason: String, context: &mut Context<Self>) {
        let now = clock::boot_ns();
        self.restarts.retain(|at| now.saturating_sub(*at) < WINDOW_NS);
        if self.restarts.len() >= RESTARTS {
            self.fail(format!("{reason} (restarted {RESTARTS} times in a minute)"), context);
            return;
        }
        let delay = backoff(self.restarts.len());
        self.restarts.push_back(now);
        tracing::warn!(job = %self.key.job, shard = self.key.shard, %reason, ?delay, "shard is restarted");
        self.tell(ShardState::BackingOff, Some(reason));
        self.task.alive_at().store(now, Ordering::Relaxed);
        context.run_later(delay, Self::launch);
    }

    /// Logs that the shard cannot run and lets go of its job message.
    fn fail(&mut self, reason: String, context: &mut Context<Self>) {
        tracing::error!(job = %self.key.job, shard = self.key.shard, %reason, "shard failed");
        self.tell(ShardState::Failed, Some(reason.clone()));
        let writing = self.task.fail(reason);
        context.spawn(writing.into_actor(self).map(|written, actor, context| match written {
            Ok(()) => actor.finish(ShardEnd::Settled, context),
            Err(error) => {
                tracing::warn!(job = %actor.key.job, %error, "failure could not be logged; the job comes again");
                actor.finish(ShardEnd::Fenced, context);
            }
        }));
    }

    fn finish(&mut self, end: ShardEnd, context: &mut Context<Self>) {
        let lease = Arc::clone(&self.lease);
        let answering = async move {
            match end {
                ShardEnd::Settled => lease.done().await,
                ShardEnd::Yielded => lease.give_back().await,
                ShardEnd::Fenced => {}
            }
        };
        context.spawn(answering.into_actor(self).map(|(), _, context| context.stop()));
    }

    fn renew(&mut self, context: &mut Context<Self>) {
        let silent = clock::boot_ns().saturating_sub(self.task.alive_at().load(Ordering::Relaxed));
        if silent > SILENT_NS {
            tracing::warn!(job = %self.key.job, shard = self.key.shard, "shard shows no life, its lease runs out");
            return;
        }
        let lease = Arc::clone(&self.lease);
        context.spawn(async move { lease.renew().await }.into_actor(self));
    }

    fn tell(&self, state: ShardState, reason: Option<String>) {
        let change = StateChanged { key: self.key.clone(), state, reason };
        if self.supervisor.try_send(change).is_err() {
            tracing::debug!("supervisor is busy, a state change was not told");
        }
    }
}

impl<T: Task> Actor for Job<T> {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.run_interval(RENEW_EVERY, Self::renew);
        self.launch(context);
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        if self.supervisor.try_send(ShardEnded { key: self.key.clone(), id: self.id }).is_err() {
            tracing::debug!("supervisor is busy, it will notice the end by itself");
        }
    }
}

impl<T: Task> Handler<GiveBack> for Job<T> {
    type Result = ();

    fn handle(&mut self, _: GiveBack, _: &mut Self::Context) {
        self.give_back.send_replace(true);
    }
}

/// 100 ms, 200 ms, 400 ms … at most 5 s.
fn backoff(restarts: usize) -> Duration {
    let doublings = u32::try_from(restarts.min(6)).unwrap_or(6);
    Duration::from_millis((100 << doublings).min(5000))
}
