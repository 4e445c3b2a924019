//! The closed loop of one thread: every connection sends its next request as soon as the last is answered.

use trafficlab_shared::clock::boot_ns;

use super::lane::{GRACE, LaneTask, Reporter};
use super::open::pool;
use super::plan::share;
use super::request::Request;
use crate::io::http::{Done, HttpPool};
use crate::io::pacer::Pacer;

/// How often completions are collected and the right to send is topped up.
const TICK_NS: u64 = 5_000_000;
/// Parts of a second for which the right to send may be saved up.
const SAVED: u64 = 20;

const SECOND_NS: u128 = 1_000_000_000;

/// A share of the configuration's cap, handed out as time goes by.
struct Allowance {
    per_second: u64,
    left: u64,
    since_ns: u64,
}

impl Allowance {
    /// Requests that may be taken by `now` beyond the `unused` ones handed out before.
    fn grant(&mut self, now: u64, unused: u64) -> u64 {
        let passed = u128::from(now.saturating_sub(self.since_ns));
        let earned = u64::try_from(u128::from(self.per_second) * passed / SECOND_NS).unwrap_or(u64::MAX);
        let most = (self.per_second / SAVED).max(1).saturating_sub(unused);
        // What was earned in part goes on to count, what is beyond the limit is lost.
        let paid = u128::from(earned) * SECOND_NS / u128::from(self.per_second);
        self.since_ns = if earned > most { now } else { self.since_ns + u64::try_from(paid).unwrap_or(0) };
        let granted = earned.min(most).min(self.left);
        self.left -= granted;
        granted
    }
}

/// Sends until the time or the requests are used up; says when that was.
pub(super) async fn run(task: &LaneTask, request: &Request, cap: u64, reporter: &mut Reporter) -> Result<u64, String> {
    let mut pool = pool(task, request)?;
    let pacer = Pacer::new().map_err(|error| format!("no timer: {error}"))?;
    pacer.sleep_until(task.origin_ns).await;
    let end_ns = task.end_ns();
    pool.set_send_deadline(end_ns);
    let mut allowance = Allowance {
        per_second: share(cap, task.plan.threads, task.shard).max(1),
        left: task.plan.budget(task.shard).unwrap_or(u64::MAX),
        since_ns: task.origin_ns.saturating_sub(TICK_NS),
    };
    let mut done = Vec::new();
    loop {
        let now = boot_ns();
        let unused = pool.closed_loop_left();
        let granted = allowance.grant(now, unused);
        if now >= end_ns || task.stop.is_asked() || unused == 0 && granted == 0 && allowance.left == 0 {
            break;
        }
        if granted > 0 {
            pool.start_closed_loop(granted);
        }
        reporter.tick(now);
        pacer.sleep_until(now + TICK_NS).await;
        collect(&mut pool, &mut done, reporter);
    }
    pool.stop_closed_loop();
    finish(task, request, pool, &pacer, reporter).await;
    Ok(boot_ns().min(end_ns))
}

fn collect(pool: &mut HttpPool, done: &mut Vec<Done>, reporter: &mut Reporter) {
    pool.drain(done);
    for done in done.drain(..) {
        reporter.counting.counts.scheduled += 1;
        reporter.counting.done(&done);
    }
}

/// Waits for what is in flight.
async fn finish(task: &LaneTask, request: &Request, mut pool: HttpPool, pacer: &Pacer, reporter: &mut Reporter) {
    let patience_ns = boot_ns().saturating_add(request.patience_ns());
    let mut done = Vec::new();
    while pool.open_count() > 0 && boot_ns() < patience_ns && !task.stop.is_asked() {
        pacer.sleep_until(boot_ns() + TICK_NS).await;
        collect(&mut pool, &mut done, reporter);
        reporter.tick(boot_ns());
    }
    let grace = if task.stop.is_asked() { GRACE } else { std::time::Duration::ZERO };
    // Tickets that were taken and not written were never due: nobody asked for them at any moment.
    for done in pool.close(grace).await.done {
        reporter.counting.counts.scheduled += 1;
        reporter.counting.done(&done);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_allowance_keeps_to_the_rate_and_the_budget() {
        let mut allowance = Allowance { per_second: 1000, left: u64::MAX, since_ns: 0 };
        assert_eq!(allowance.grant(5_000_000, 0), 5);
        // A pause is not made up for beyond a twentieth of a second.
        assert_eq!(allowance.grant(10_000_000_000, 0), 50);
        assert_eq!(allowance.grant(20_000_000_000, 45), 5);
        assert_eq!(allowance.grant(20_000_000_000, 0), 0);
        // Fractions add up: 1.5 each tick.
        let mut slow = Allowance { per_second: 300, left: u64::MAX, since_ns: 0 };
        let granted: u64 = (1..=200).map(|tick| slow.grant(tick * TICK_NS, 0)).sum();
        assert_eq!(granted, 300);
        let mut counted = Allowance { per_second: 1000, left: 7, since_ns: 0 };
        assert_eq!((counted.grant(5_000_000, 0), counted.grant(10_000_000, 0), counted.left), (5, 2, 0));
    }
}
