//! Stopping a child, and how soon it may be started again.

use std::collections::VecDeque;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Child;

/// How long a child may take to end by itself.
pub(super) const STOP_GRACE: Duration = Duration::from_secs(5);

const RESTARTS: usize = 5;
const WINDOW: Duration = Duration::from_secs(60);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Asks the child to end, waits, and kills it when it does not.
pub(super) async fn terminate(name: &str, child: &mut Child) {
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let Some(pid) = pid else { return };
    if let Err(error) = kill_process(pid, Signal::TERM) {
        tracing::debug!(child = name, %error, "the child was gone before it was asked to end");
    }
    if tokio::time::timeout(STOP_GRACE, child.wait()).await.is_ok() {
        return;
    }
    tracing::warn!(child = name, "did not end in time and is killed");
    if let Err(error) = child.kill().await {
        tracing::error!(child = name, %error, "could not be killed");
    }
}

/// The end of a child in words.
pub(super) fn end_of(result: std::io::Result<ExitStatus>) -> String {
    match result {
        Ok(status) => status.to_string(),
        Err(error) => error.to_string(),
    }
}

/// Restarts of one child: at most five in a minute, with growing pauses between.
#[derive(Debug, Default)]
pub(super) struct RestartBudget {
    recent: VecDeque<Duration>,
}

impl RestartBudget {
    /// Notes a restart at `now` (time since any fixed moment) and says how long to wait before it:
    /// 0.1 s, 0.2 s, 0.4 s … up to 5 s, and from the sixth on until the first is a minute old.
    pub(super) fn pause(&mut self, now: Duration) -> Duration {
        while self.recent.front().is_some_and(|first| now.saturating_sub(*first) >= WINDOW) {
            self.recent.pop_front();
        }
        let doublings = u32::try_from(self.recent.len()).unwrap_or(u32::MAX).min(16);
        let mut pause = FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE);
        if self.recent.len() >= RESTARTS
            && let Some(first) = self.recent.pop_front()
        {
            pause = pause.max((first + WINDOW).saturating_sub(now));
        }
        self.recent.push_back(now + pause);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_five_restarts_fall_into_any_minute() {
        let mut budget = RestartBudget::default();
        let mut now = Duration::ZERO;
        let mut starts = Vec::new();
        for _ in 0..40 {
            now += budget.pause(now);
            starts.push(now);
        }
        for six in starts.windows(6) {
            let first = six.first().copied().unwrap_or_default();
            let last = six.last().copied().unwrap_or_default();
            assert!(last.saturating_sub(first) >= WINDOW, "{six:?}");
        }
    }

    #[test]
    fn a_calm_minute_makes_the_pause_short_again() {
        let mut budget = RestartBudget::default();
        assert_eq!(budget.pause(Duration::ZERO), Duration::from_millis(100));
        assert_eq!(budget.pause(Duration::from_secs(1)), Duration::from_millis(200));
        assert_eq!(budget.pause(Duration::from_secs(100)), Duration::from_millis(100));
    }
}
