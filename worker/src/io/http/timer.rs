//! A request's time-out that costs nothing per request.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};
use trafficlab_shared::clock::boot_ns;

/// A deadline that moves forward with every request. The runtime's timer is set anew only when it fires too early:
/// once per time-out and connection, not once per request.
pub(super) struct RequestTimer {
    sleep: Pin<Box<Sleep>>,
    deadline_ns: u64,
    /// The runtime's timer does not fire before this moment.
    fires_ns: u64,
    /// Whether it knows whom to wake.
    armed: bool,
    /// The present moment, if the deadline was set in this poll of the task.
    fresh_ns: Option<u64>,
}

impl RequestTimer {
    pub(super) fn new(timeout: Duration) -> Self {
        let fires_ns = boot_ns().saturating_add(u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX));
        Self { sleep: Box::pin(sleep(timeout)), deadline_ns: u64::MAX, fires_ns, armed: false, fresh_ns: None }
    }

    /// Sets the deadline, `timeout_ns` from `now`, which must be the present; it must not lie before the one set last.
    pub(super) const fn set(&mut self, now: u64, timeout_ns: u64) {
        self.deadline_ns = now.saturating_add(timeout_ns);
        self.fresh_ns = Some(now);
    }

    /// Time left until the deadline.
    pub(super) fn left(&self) -> Duration {
        Duration::from_nanos(self.deadline_ns.saturating_sub(boot_ns()))
    }

    /// Must be polled by one task only, which has the same waker for ever.
    pub(super) fn poll_expired(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if let Some(now) = self.fresh_ns.take()
            && self.armed
            && now < self.fires_ns
        {
            return Poll::Pending;
        }
        self.armed = true;
        loop {
            ready!(self.sleep.as_mut().poll(context));
            let left = self.left();
            if left.is_zero() {
                return Poll::Ready(());
            }
            self.sleep.as_mut().reset(Instant::now() + left);
            self.fires_ns = self.deadline_ns;
        }
    }
}
