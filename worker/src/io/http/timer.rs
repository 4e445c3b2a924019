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
}

impl RequestTimer {
    pub(super) fn new(timeout: Duration) -> Self {
        Self { sleep: Box::pin(sleep(timeout)), deadline_ns: u64::MAX }
    }

    /// Sets the deadline; it must not lie before the one set last.
    pub(super) const fn set(&mut self, deadline_ns: u64) {
        self.deadline_ns = deadline_ns;
    }

    /// Time left until the deadline.
    pub(super) fn left(&self) -> Duration {
        Duration::from_nanos(self.deadline_ns.saturating_sub(boot_ns()))
    }

    pub(super) fn poll_expired(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.sleep.as_mut().poll(context));
            let left = self.left();
            if left.is_zero() {
                return Poll::Ready(());
            }
            self.sleep.as_mut().reset(Instant::now() + left);
        }
    }
}
