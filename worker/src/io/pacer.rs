//! One timer descriptor per lane: wakes many shards at their absolute moments, to the microsecond.
//!
//! The runtime's own timer has a wheel of 1 ms, too coarse for even arrivals at thousands a second.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use tokio::io::unix::AsyncFd;
use tokio::task::JoinSet;
use tokio::time::{Sleep, sleep};
use trafficlab_shared::clock::boot_ns;

/// Arrivals a second from which wake-ups are shared, and their grid.
const FAST: u64 = 10_000;
const GRID_NS: u64 = 100_000;

/// When to wake for what is due at the boot time `due_ns` in a run of this rate. Fast runs are woken on a grid that all
/// shards of a lane share: a wake-up then serves many arrivals, each at most 0.1 ms after its moment, which its send lag
/// shows.
#[must_use]
pub fn wake_up_for(due_ns: u64, rate_per_second: u64) -> u64 {
    if rate_per_second < FAST { due_ns } else { due_ns.checked_next_multiple_of(GRID_NS).unwrap_or(u64::MAX) }
}

/// Sleeps of one lane. Cheap to clone; the last clone ends the driver.
#[derive(Clone)]
pub struct Pacer {
    shared: Rc<Shared>,
    /// The driver's task, ended with the last clone.
    _driver: Rc<JoinSet<()>>,
}

struct Shared {
    timer: AsyncFd<OwnedFd>,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    /// Who waits for what moment; the number tells sleepers of the same moment apart.
    sleepers: BTreeMap<(u64, u64), Waker>,
    next_number: u64,
    /// The moment the descriptor is set to; `u64::MAX` when it is not.
    armed_ns: u64,
    /// The descriptor failed; sleeps use the runtime's coarser timer from then on.
    failed: bool,
}

impl Pacer {
    /// Makes the timer and starts its driver on the current `LocalRuntime` or `LocalSet`.
    ///
    /// # Errors
    /// When the system gives no timer descriptor.
    pub fn new() -> io::Result<Self> {
        let timer = timerfd_create(TimerfdClockId::Boottime, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        let state = State { armed_ns: u64::MAX, ..State::default() };
        #[allow(
            deprecated,
            reason = "an `OwnedFd` names the same open descriptor for as long as it lives, all that the unsafe successor asks for"
        )]
        let timer = AsyncFd::new(timer)?;
        let shared = Rc::new(Shared { timer, state: RefCell::new(state) });
        let mut driver = JoinSet::new();
        driver.spawn_local(drive(Rc::clone(&shared)));
        Ok(Self { shared, _driver: Rc::new(driver) })
    }

    /// Sleeps until the boot-time moment `deadline_ns`, never shorter; returns at once when it has passed.
    pub fn sleep_until(&self, deadline_ns: u64) -> Sleeping {
        Sleeping { shared: Rc::clone(&self.shared), deadline_ns, number: None, coarse: None }
    }
}

/// A sleep in progress; dropping it cancels it.
#[must_use = "a sleep does nothing unless it is awaited"]
pub struct Sleeping {
    shared: Rc<Shared>,
    deadline_ns: u64,
    number: Option<u64>,
    /// The way out when the descriptor failed.
    coarse: Option<Pin<Box<Sleep>>>,
}

impl Future for Sleeping {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let now = boot_ns();
        if now >= self.deadline_ns {
            return Poll::Ready(());
        }
        let deadline_ns = self.deadline_ns;
        let shared = Rc::clone(&self.shared);
        let mut state = shared.state.borrow_mut();
        if state.failed {
            let left = Duration::from_nanos(deadline_ns - now);
            return self.coarse.get_or_insert_with(|| Box::pin(sleep(left))).as_mut().poll(context);
        }
        let number = *self.number.get_or_insert_with(|| {
            state.next_number += 1;
            state.next_number
        });
        state.sleepers.insert((deadline_ns, number), context.waker().clone());
        if let Err(error) = shared.arm_for(&mut state, deadline_ns) {
            state.fail(&error);
        }
        Poll::Pending
    }
}

impl Drop for Sleeping {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            drop(self.shared.state.borrow_mut().sleepers.remove(&(self.deadline_ns, number)));
        }
    }
}

impl State {
    fn fail(&mut self, error: &io::Error) {
        tracing::error!(%error, "the lane's timer failed, arrivals are paced by the millisecond");
        self.failed = true;
        for (_, waker) in std::mem::take(&mut self.sleepers) {
            waker.wake();
        }
    }
}

impl Shared {
    /// Sets the descriptor when `deadline_ns` is before what it is set to.
    fn arm_for(&self, state: &mut State, deadline_ns: u64) -> io::Result<()> {
        if deadline_ns < state.armed_ns {
            set(&self.timer, deadline_ns)?;
            state.armed_ns = deadline_ns;
        }
        Ok(())
    }

    /// Wakes everyone whose moment has come and sets the descriptor for the next one.
    fn fire(&self) -> io::Result<()> {
        let mut state = self.state.borrow_mut();
        state.armed_ns = u64::MAX;
        while let Some(first) = state.sleepers.first_entry() {
            let (deadline_ns, _) = *first.key();
            if boot_ns() < deadline_ns {
                return self.arm_for(&mut state, deadline_ns);
            }
            first.remove().wake();
        }
        Ok(())
    }
}

/// Waits for the descriptor for ever; a failure is told to every sleeper.
async fn drive(shared: Rc<Shared>) {
    loop {
        if let Err(error) = expiration(&shared.timer).await.and_then(|()| shared.fire()) {
            shared.state.borrow_mut().fail(&error);
            return;
        }
    }
}

/// Returns when the descriptor has expired.
async fn expiration(timer: &AsyncFd<OwnedFd>) -> io::Result<()> {
    // The count of expirations is left unread: setting the descriptor anew resets it, and readiness is told by edges, so
    // that the next expiration is told again. A wake-up too many finds nobody whose moment has come.
    timer.readable().await?.clear_ready();
    Ok(())
}

fn set(timer: &AsyncFd<OwnedFd>, deadline_ns: u64) -> io::Result<()> {
    let seconds = i64::try_from(deadline_ns / 1_000_000_000).unwrap_or(i64::MAX);
    // A moment of zero would switch the timer off.
    let nanoseconds = i64::try_from(deadline_ns.max(1) % 1_000_000_000).unwrap_or(0);
    let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
    let moment = Itimerspec { it_interval: zero, it_value: Timespec { tv_sec: seconds, tv_nsec: nanoseconds } };
    timerfd_settime(timer.get_ref(), TimerfdTimerFlags::ABSTIME, &moment)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use tokio::task::LocalSet;
    use tokio::time::timeout;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    #[test]
    fn only_fast_runs_share_wake_ups() {
        assert_eq!((wake_up_for(1_234_567, FAST - 1), wake_up_for(1_234_567, FAST)), (1_234_567, 1_300_000));
        assert_eq!((wake_up_for(1_300_000, FAST), wake_up_for(u64::MAX, FAST)), (1_300_000, u64::MAX));
    }

    #[tokio::test]
    async fn sleepers_wake_in_the_order_of_their_moments_and_never_early() {
        LocalSet::new()
            .run_until(async {
                let pacer = Pacer::new().unwrap();
                let start = boot_ns();
                let woken = Rc::new(RefCell::new(Vec::new()));
                let mut tasks = JoinSet::new();
                for milliseconds in [30u64, 10, 20, 10, 0] {
                    let (pacer, woken) = (pacer.clone(), Rc::clone(&woken));
                    tasks.spawn_local(async move {
                        let deadline = start + milliseconds * 1_000_000;
                        pacer.sleep_until(deadline).await;
                        assert!(boot_ns() >= deadline);
                        woken.borrow_mut().push(milliseconds);
                    });
                }
                timeout(LIMIT, tasks.join_all()).await.unwrap();
                assert_eq!(*woken.borrow(), [0, 10, 10, 20, 30]);
            })
            .await;
    }

    #[tokio::test]
    async fn a_cancelled_sleep_leaves_nothing_and_the_next_one_still_fires() {
        LocalSet::new()
            .run_until(async {
                let pacer = Pacer::new().unwrap();
                let far = pacer.sleep_until(boot_ns() + 3_600_000_000_000);
                assert!(timeout(Duration::from_millis(5), far).await.is_err());
                assert!(pacer.shared.state.borrow().sleepers.is_empty());
                let soon = boot_ns() + 2_000_000;
                timeout(LIMIT, pacer.sleep_until(soon)).await.unwrap();
                assert!(boot_ns() >= soon);
            })
            .await;
    }

    #[tokio::test]
    async fn many_short_sleeps_in_a_row() {
        LocalSet::new()
            .run_until(async {
                let pacer = Pacer::new().unwrap();
                let start = boot_ns();
                for step in 1..=500 {
                    timeout(LIMIT, pacer.sleep_until(start + step * 20_000)).await.unwrap();
                }
                assert!(boot_ns() >= start + 500 * 20_000);
            })
            .await;
    }
}
