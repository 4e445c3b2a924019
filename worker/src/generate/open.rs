//! The open loop of one thread: arrivals come when they are due, whatever the target does.

use std::rc::Rc;

use trafficlab_shared::clock::boot_ns;
use trafficlab_shared::protocol::report::Cursor;

use super::lane::{GRACE, LaneTask, Reporter};
use super::request::{self, Request};
use crate::io::http::{Closed, Done, HttpPool, Offered, RequestPlan};
use crate::io::pacer::{Pacer, wake_up_for};
use crate::shard::arrivals::{Arrivals, Step};

/// Arrivals handled before connections have their turn.
const CHUNK: usize = 256;
/// Longest sleep: how soon a stop is noticed.
const LOOK_UP_NS: u64 = 20_000_000;

struct Open<'a> {
    task: &'a LaneTask,
    reporter: &'a mut Reporter,
    arrivals: Arrivals,
    pool: HttpPool,
    done: Vec<Done>,
    catch_up_ns: u64,
    /// Number of the next arrival, and how many are left to take.
    next: u64,
    left: u64,
    /// Boot time at which the arrivals were over.
    over_ns: Option<u64>,
}

/// Where the walk stands.
enum Walked {
    Until(u64),
    More,
    Over(u64),
}

/// Sends until the arrivals are over and answered; says when they were over.
pub(super) async fn run(
    task: &LaneTask,
    request: &Request,
    catch_up_ns: u64,
    reporter: &mut Reporter,
) -> Result<u64, String> {
    let mut pool = pool(task, request)?;
    pool.set_send_deadline(u64::MAX);
    let schedule = task.plan.schedule(task.shard).ok_or("a run without a rate has no arrivals")?;
    let pacer = Pacer::new().map_err(|error| format!("no timer: {error}"))?;
    let patience = request.patience_ns();
    let mut open = Open {
        task,
        reporter,
        arrivals: Arrivals::new(schedule, Cursor { slot: 0, k: 0 }),
        pool,
        done: Vec::new(),
        catch_up_ns,
        next: 0,
        left: task.plan.budget(task.shard).unwrap_or(u64::MAX),
        over_ns: None,
    };
    pacer.sleep_until(task.origin_ns).await;
    loop {
        open.collect();
        let now = boot_ns();
        if task.stop.is_asked() {
            open.over_ns.get_or_insert(now);
            break;
        }
        if let Some(over) = open.over_ns
            && (open.pool.open_count() == 0 || now > over.saturating_add(patience))
        {
            break;
        }
        let wake = open.wake(now);
        open.reporter.tick(now);
        open.wait(&pacer, wake).await;
    }
    Ok(open.close().await)
}

/// When the arrival after the last wanted one would be due: so long lasts a run of a number of requests. In a run
/// that is slower than one an hour the search ends with none.
pub(super) fn next_due(arrivals: &mut Arrivals) -> Option<u64> {
    const HOUR: u32 = 3600;
    for _ in 0..HOUR {
        match arrivals.step(u64::MAX) {
            Step::Due(_, due) => return Some(due),
            Step::Boundary(slot) => arrivals.enter(slot),
            Step::Wait(_) | Step::Over => return None,
        }
    }
    None
}

/// The pool of one thread.
pub(super) fn pool(task: &LaneTask, request: &Request) -> Result<HttpPool, String> {
    let target = request.target();
    let proof = task.proven.then_some((target.host.as_str(), target.port));
    let plan = RequestPlan::new(request.spec(task.shard, task.plan.threads, proof));
    let plan = plan.map_err(|error| error.to_string())?;
    Ok(HttpPool::new(Rc::new(plan), request.content(&task.plan, task.shard)))
}

impl Open<'_> {
    fn collect(&mut self) {
        self.pool.drain(&mut self.done);
        for done in self.done.drain(..) {
            self.reporter.counting.done(&done);
        }
    }

    /// Takes what is due; when to look again.
    fn wake(&mut self, now: u64) -> u64 {
        if self.over_ns.is_some() {
            return u64::MAX;
        }
        match self.walk(now) {
            Walked::More => now,
            Walked::Until(due) => wake_up_for(due, self.arrivals.rate_per_second()),
            Walked::Over(at) => {
                self.over_ns = Some(at);
                now
            }
        }
    }

    fn walk(&mut self, now: u64) -> Walked {
        let origin = self.task.origin_ns;
        let active = now.saturating_sub(origin);
        if self.left == 0 {
            let over = next_due(&mut self.arrivals).map_or(now, |due| origin.saturating_add(due));
            return Walked::Over(over);
        }
        for _ in 0..CHUNK {
            match self.arrivals.step(active) {
                Step::Due(..) if self.left == 0 => return Walked::More,
                Step::Due(_, due) => {
                    self.take(due, active);
                    self.arrivals.advance();
                }
                Step::Boundary(slot) => self.arrivals.enter(slot),
                Step::Wait(at) => return Walked::Until(origin.saturating_add(at)),
                Step::Over => return Walked::Over(now.min(self.task.end_ns())),
            }
        }
        Walked::More
    }

    fn take(&mut self, due: u64, active: u64) {
        let ticket = request::ticket(self.next, self.task.origin_ns + due);
        self.next += 1;
        self.left -= 1;
        let counts = &mut self.reporter.counting.counts;
        counts.scheduled += 1;
        if active - due > self.catch_up_ns {
            counts.missed += 1;
        } else if self.pool.offer(ticket) == Offered::Dropped {
            counts.dropped += 1;
        }
    }

    async fn wait(&self, pacer: &Pacer, wake: u64) {
        let now = boot_ns();
        let until = wake.min(self.reporter.next_ns).min(now + LOOK_UP_NS);
        if until <= now {
            tokio::task::yield_now().await;
            return;
        }
        tokio::select! {
            biased;
            // While arrivals come, finished requests are collected with them.
            () = self.pool.wait_progress(), if self.over_ns.is_some() => {}
            () = pacer.sleep_until(until) => {}
        }
    }

    /// What is in flight gets its grace when somebody stops the run, none when its patience is used up.
    async fn close(mut self) -> u64 {
        let grace = if self.task.stop.is_asked() { GRACE } else { std::time::Duration::ZERO };
        self.collect();
        let Closed { done, unsent } = self.pool.close(grace).await;
        for done in &done {
            self.reporter.counting.done(done);
        }
        self.reporter.counting.counts.dropped += u64::try_from(unsent.len()).unwrap_or(0);
        self.over_ns.unwrap_or_else(boot_ns)
    }
}
