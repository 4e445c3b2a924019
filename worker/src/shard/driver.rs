//! The life of a running shard: walk the arrivals, hand records to the log, obey.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use trafficlab_engine::traffic::content::Content;
use trafficlab_engine::traffic::replay;
use trafficlab_engine::traffic::schedule::Schedule;
use trafficlab_shared::clock as clocks;
use trafficlab_shared::model::run::Mode;
use trafficlab_shared::protocol::control::{Desired, DesiredState};
use trafficlab_shared::protocol::report::{Cursor, EndReason, Event, Origin, Record, cursors, spans};

use super::arrivals::{Arrivals, Step};
use super::bidder::Asked;
use super::clock::ShardClock;
use super::gather::Gather;
use super::http::Sent;
use super::opening::Resume;
use super::simulate::Simulated;
use super::source::Source;
use super::writer::LogWriter;
use super::{ShardEnd, ShardFault, ShardTask};
use crate::io::pacer::wake_up_for;
use crate::lane::Lane;
use crate::outbox::ShardLog;

/// Shortest time between two records of a shard.
const MIN_INTERVAL_NS: u64 = 250_000_000;
const MAX_INTERVAL_NS: u64 = 2_000_000_000;
/// Records a second that all shards of a worker together aim at.
const RECORDS_PER_SECOND: u64 = 400;
/// Open requests get this long when a run is stopped or paused, and this when it is given back.
const STOP_GRACE_NS: u64 = 2_000_000_000;
const YIELD_GRACE_NS: u64 = 300_000_000;
/// Arrivals handled before the lane may look at its other shards.
const CHUNK: usize = 256;

/// Drives a claimed shard with the source its mode asks for.
pub(crate) async fn drive(
    task: ShardTask,
    lane: Lane,
    log: ShardLog<Record>,
    resume: Resume,
    desired: Desired,
    origin: Origin,
) -> Result<ShardEnd, ShardFault> {
    replay::check(&task.job.run.arrivals).map_err(|error| ShardFault::Hopeless(error.to_string()))?;
    let content = Content::new(&task.job.run.content).map_err(|error| ShardFault::Hopeless(error.to_string()))?;
    let content = Arc::new(content);
    let clock = ShardClock::new(origin, &task.worker.offset);
    match task.job.run.mode {
        Mode::Simulate => {
            let source = Simulated::new(content);
            Shard::new(task, lane, log, &resume, clock, source).run(&desired).await
        }
        Mode::Http if Asked::is_wanted(&task) => {
            let source = Asked::new(&task, content).await.map_err(ShardFault::Hopeless)?;
            Shard::new(task, lane, log, &resume, clock, source).run(&desired).await
        }
        Mode::Http => {
            let source = Sent::new(&task, content).await.map_err(ShardFault::Hopeless)?;
            Shard::new(task, lane, log, &resume, clock, source).run(&desired).await
        }
    }
}

struct Shard<S> {
    task: ShardTask,
    lane: Lane,
    writer: LogWriter,
    epoch: u32,
    revision: u64,
    clock: ShardClock,
    arrivals: Arrivals,
    source: S,
    gather: Gather,
    /// `next` of the last record handed to the log.
    recorded: Cursor,
    last_handed: u64,
    last_confirmed: u64,
    pause_at: Option<u32>,
    control: Option<u32>,
    reopen: Vec<Cursor>,
    over_since: Option<u64>,
}

/// Why the walk ends.
enum Leaving {
    Over,
    Stop,
    Pause,
    Yield,
}

impl<S: Source> Shard<S> {
    fn new(task: ShardTask, lane: Lane, log: ShardLog<Record>, resume: &Resume, clock: ShardClock, source: S) -> Self {
        let run = Arc::clone(&task.job.run);
        let schedule = Schedule::new(&run, task.job.shard, &resume.history);
        let now = clocks::boot_ns();
        Self {
            gather: Gather::new(run, task.job.shard),
            arrivals: Arrivals::new(schedule, resume.next),
            writer: LogWriter::new(log),
            epoch: resume.epoch,
            revision: task.job.revision,
            clock,
            source,
            recorded: resume.next,
            last_handed: now,
            last_confirmed: now,
            pause_at: None,
            control: None,
            reopen: cursors(&resume.open).collect(),
            over_since: None,
            task,
            lane,
        }
    }

    async fn run(mut self, desired: &Desired) -> Result<ShardEnd, ShardFault> {
        self.source.confirmed(self.last_confirmed);
        self.take_again();
        let mut leaving = self.obey(desired);
        loop {
            if let Some(leaving) = leaving {
                return self.leave(leaving).await;
            }
            self.task.alive_at.store(clocks::boot_ns(), Ordering::Relaxed);
            let wake = match self.walk() {
                Walked::Until(wake) => wake,
                Walked::More => clocks::boot_ns(),
                Walked::Pause => {
                    leaving = Some(Leaving::Pause);
                    continue;
                }
                Walked::Over if self.is_finished() => {
                    leaving = Some(Leaving::Over);
                    continue;
                }
                Walked::Over => u64::MAX,
            };
            self.hand_over()?;
            leaving = self.wait(wake).await?;
        }
    }

    /// What an earlier owner left open is sent again.
    fn take_again(&mut self) {
        let mut scratch = Vec::new();
        for at in std::mem::take(&mut self.reopen) {
            if let Some(due) = self.arrivals.due_of(at, &mut scratch) {
                self.source.take(at, due, &self.clock, &mut self.gather);
            }
        }
    }

    /// Takes what is due, at most a chunk.
    fn walk(&mut self) -> Walked {
        #[cfg(debug_assertions)]
        crate::fault::strike(self.task.job.shard);
        self.source.collect(&self.clock, &mut self.gather);
        let begins = self.clock.begins_at();
        if clocks::boot_ns() < begins {
            return Walked::Until(begins);
        }
        let now = self.clock.active_now();
        let catch_up = match self.task.job.run.mode {
            Mode::Simulate => u64::MAX,
            Mode::Http => self.task.job.run.catch_up_ms.saturating_mul(1_000_000),
        };
        for _ in 0..CHUNK {
            if self.gather.is_full() && !self.writer.is_idle() {
                return Walked::Until(clocks::boot_ns() + MAX_INTERVAL_NS);
            }
            match self.arrivals.step(now) {
                Step::Due(at, due) => {
                    self.gather.scheduled();
                    if now - due > catch_up {
                        self.gather.missed(due, &self.clock);
                    } else {
                        self.source.take(at, due, &self.clock, &mut self.gather);
                    }
                    self.arrivals.advance();
                }
                Step::Boundary(slot) => {
                    self.arrivals.enter(slot);
                    if self.pause_at.is_some_and(|at| at <= slot) {
                        return Walked::Pause;
                    }
                }
                Step::Wait(active) => return Walked::Until(self.clock.boot_at(active)),
                Step::Over => return Walked::Over,
            }
            if self.gather.is_full() && self.writer.is_idle() {
                return Walked::More;
            }
        }
        Walked::More
    }

    /// Hands a record to the log when one is due and the log is at rest.
    fn hand_over(&mut self) -> Result<(), ShardFault> {
        let now = clocks::boot_ns();
        let waited = now.saturating_sub(self.last_handed);
        let forced = self.control.is_some() || self.gather.is_full();
        let timely = self.gather.is_touched() && waited >= self.interval();
        let alive = S::KEEP_ALIVE_NS.is_some_and(|limit| waited >= limit);
        if !self.writer.is_idle() || !(forced || timely || alive) {
            return Ok(());
        }
        let event = match self.control.take() {
            Some(effective_slot) => Event::Control { effective_slot },
            None => Event::Batch,
        };
        let record = self.record(event)?;
        self.last_handed = now;
        if self.writer.begin(record).is_some() {
            tracing::error!(job = %self.task.job.run.job, "a record was made while the log was busy");
        }
        Ok(())
    }

    /// Many shards on a worker leave longer gaps each, so that the broker is not flooded.
    fn interval(&self) -> u64 {
        let shards = u64::from(self.task.worker.active.load(Ordering::Relaxed));
        let spread = shards * 1_000_000_000 / RECORDS_PER_SECOND;
        spread.clamp(MIN_INTERVAL_NS, S::KEEP_ALIVE_NS.unwrap_or(MAX_INTERVAL_NS))
    }

    fn record(&mut self, event: Event) -> Result<Record, ShardFault> {
        let next = self.arrivals.cursor();
        let from = std::mem::replace(&mut self.recorded, next);
        // Seen before `take`, which lets waiting requests move up into the next record.
        let mut open = self.source.open();
        open.extend(self.gather.waiting());
        open.sort_unstable();
        Ok(Record {
            v: 1,
            job: self.task.job.run.job.clone(),
            shard: self.task.job.shard,
            epoch: self.epoch,
            worker: self.task.worker.id.clone(),
            delivery: self.task.delivery,
            event,
            revision: self.revision,
            origin: Some(self.clock.origin()),
            from,
            next,
            open: spans(&open),
            history: self.arrivals.history(),
            results: self.gather.take()?,
        })
    }

    /// Waits for the next thing to do; says why to leave, if there is a reason.
    async fn wait(&mut self, wake: u64) -> Result<Option<Leaving>, ShardFault> {
        let until = self.wake_up_at(wake);
        if until <= clocks::boot_ns() {
            tokio::task::yield_now().await;
        }
        tokio::select! {
            biased;
            confirmed = self.writer.confirmed() => self.note_confirmed(confirmed?),
            changed = self.task.desired.changed() => {
                let desired = self.task.desired.borrow_and_update().clone();
                return Ok(match (changed, desired) {
                    (Err(_), _) => Some(Leaving::Stop),
                    (Ok(()), Some(desired)) => self.obey(&desired),
                    (Ok(()), None) => None,
                });
            }
            changed = self.task.give_back.changed() => {
                return Ok((changed.is_err() || *self.task.give_back.borrow()).then_some(Leaving::Yield));
            }
            // While arrivals come, finished requests are collected with them.
            () = self.source.progressed(), if self.over_since.is_some() => {}
            () = self.lane.sleep_until(until) => {}
        }
        Ok(None)
    }

    /// When to look again at the latest: at the next due moment, when a record should leave, and
    /// at least once a second, which also shows that the task lives.
    fn wake_up_at(&self, wake: u64) -> u64 {
        let now = clocks::boot_ns();
        if wake <= now {
            return now;
        }
        let due =
            if S::PACED { wake_up_for(wake, self.arrivals.rate_per_second()) } else { wake.max(now + self.interval()) };
        let wants_record = self.gather.is_touched() || S::KEEP_ALIVE_NS.is_some();
        let record = if wants_record && self.writer.is_idle() { self.last_handed + self.interval() } else { u64::MAX };
        due.min(record).min(now + 1_000_000_000)
    }

    fn note_confirmed(&mut self, sent_at: u64) {
        self.last_confirmed = sent_at;
        self.source.confirmed(sent_at);
    }

    /// Applies a desired state; comes back with a reason to leave at once.
    fn obey(&mut self, desired: &Desired) -> Option<Leaving> {
        if desired.revision < self.revision {
            return None;
        }
        let now = self.clock.active_now();
        match desired.state {
            DesiredState::Stop | DesiredState::Tombstone => {
                self.revision = desired.revision;
                return Some(Leaving::Stop);
            }
            DesiredState::Pause => self.pause_at = Some(self.arrivals.next_boundary(now).max(desired.at_slot)),
            // Told to pause and to go on again in between: the pause is taken first.
            DesiredState::Run if desired.activation > self.clock.origin().activation => {
                self.pause_at = Some(self.arrivals.next_boundary(now));
                return None;
            }
            DesiredState::Run => {
                if self.arrivals.differs(desired.rate, desired.duration_ms) {
                    let from = self.arrivals.change(desired.rate, desired.duration_ms, desired.at_slot, now);
                    self.control = Some(from);
                }
            }
        }
        self.revision = desired.revision;
        None
    }

    async fn leave(mut self, leaving: Leaving) -> Result<ShardEnd, ShardFault> {
        let (grace, keep_open) = match leaving {
            Leaving::Over | Leaving::Stop | Leaving::Pause => (STOP_GRACE_NS, false),
            Leaving::Yield => (YIELD_GRACE_NS, true),
        };
        self.close_while_confirming(grace, keep_open).await?;
        while self.gather.is_overfull() {
            self.append(Event::Batch).await?;
        }
        let (event, end) = match leaving {
            Leaving::Over => (Event::End { reason: EndReason::Completed }, ShardEnd::Settled),
            Leaving::Stop => (Event::End { reason: EndReason::Stopped }, ShardEnd::Settled),
            Leaving::Pause => (Event::Pause, ShardEnd::Settled),
            Leaving::Yield => (Event::Yield, ShardEnd::Yielded),
        };
        self.append(event).await?;
        Ok(end)
    }

    /// Appends a record and waits for it; the log is at rest.
    async fn append(&mut self, event: Event) -> Result<(), ShardFault> {
        let record = self.record(event)?;
        self.writer.begin(record);
        self.writer.confirmed().await?;
        Ok(())
    }

    /// A run whose arrivals are over waits for its last responses as long as one may take.
    fn is_finished(&mut self) -> bool {
        let timeout = self.task.job.run.http.as_ref().map_or(0, |http| http.timeout_ms);
        let now = clocks::boot_ns();
        let since = *self.over_since.get_or_insert(now);
        self.source.is_idle() || now.saturating_sub(since) > timeout.saturating_mul(1_000_000)
    }

    /// Closes the source and waits for the append that is on its way. The lease is kept meanwhile,
    /// so that nobody else takes the shard before its last record is written.
    async fn close_while_confirming(&mut self, grace: u64, keep_open: bool) -> Result<(), ShardFault> {
        let Self { source, writer, clock, gather, task, .. } = self;
        let mut last = None;
        {
            let closing = source.close(grace, keep_open, clock, gather);
            tokio::pin!(closing);
            loop {
                task.alive_at.store(clocks::boot_ns(), Ordering::Relaxed);
                tokio::select! {
                    () = &mut closing => break,
                    confirmed = writer.confirmed() => last = Some(confirmed?),
                    () = tokio::time::sleep(std::time::Duration::from_secs(1)) => {}
                }
            }
        }
        if let Some(sent_at) = last {
            self.note_confirmed(sent_at);
        }
        if !self.writer.is_idle() {
            let confirmed = self.writer.confirmed().await?;
            self.note_confirmed(confirmed);
        }
        Ok(())
    }
}

/// Where a walk through the arrivals stopped.
enum Walked {
    /// Nothing is due before this boot time.
    Until(u64),
    /// There is more to take at once.
    More,
    Pause,
    Over,
}
