//! What the coordinator and this worker want of a job with one shard: one place to wait for both.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use trafficlab_shared::clock;
use trafficlab_shared::protocol::control::{Desired, DesiredState};

use crate::shard::ShardFault;

/// How long the control bucket may stay silent.
const DESIRED_TIMEOUT: Duration = Duration::from_secs(30);

/// A reason to leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// End the job; the desired revision that says so.
    Stop(u64),
    /// Give it back to the queue.
    GiveBack,
}

/// Where orders come from.
pub(crate) struct Orders {
    desired: watch::Receiver<Option<Desired>>,
    give_back: watch::Receiver<bool>,
    alive_at: Arc<AtomicU64>,
    /// Desired revision of the job message: an older state says nothing of this job.
    revision: u64,
}

impl Orders {
    pub(crate) fn new(
        desired: &watch::Receiver<Option<Desired>>,
        give_back: &watch::Receiver<bool>,
        alive_at: &Arc<AtomicU64>,
        revision: u64,
    ) -> Self {
        Self { desired: desired.clone(), give_back: give_back.clone(), alive_at: Arc::clone(alive_at), revision }
    }

    /// Waits until the desired state is at least as new as the job message; `None` is the word to go.
    ///
    /// # Errors
    /// [`ShardFault::NoDesiredState`] after 30 s without any.
    pub(crate) async fn word(&mut self) -> Result<Option<Order>, ShardFault> {
        let deadline = tokio::time::Instant::now() + DESIRED_TIMEOUT;
        loop {
            if let Some(order) = self.now() {
                return Ok(Some(order));
            }
            if self.desired.borrow().as_ref().is_some_and(|desired| desired.revision >= self.revision) {
                return Ok(None);
            }
            self.alive_at.store(clock::boot_ns(), Ordering::Relaxed);
            tokio::select! {
                changed = self.desired.changed() => if changed.is_err() {
                    return Ok(Some(Order::Stop(self.revision)));
                },
                changed = self.give_back.changed() => if changed.is_err() {
                    return Ok(Some(Order::GiveBack));
                },
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
            }
            if tokio::time::Instant::now() >= deadline && self.desired.borrow().is_none() {
                return Err(ShardFault::NoDesiredState);
            }
        }
    }

    /// The next reason to leave; waits for ever while there is none. Cancel safe.
    pub(crate) async fn next(&mut self) -> Order {
        loop {
            if let Some(order) = self.now() {
                return order;
            }
            tokio::select! {
                // The job's entry is gone from the bucket, so the job is.
                changed = self.desired.changed() => if changed.is_err() {
                    return Order::Stop(self.revision);
                },
                changed = self.give_back.changed() => if changed.is_err() {
                    return Order::GiveBack;
                },
            }
        }
    }

    /// The reason to leave, if there is one now.
    pub(crate) fn now(&self) -> Option<Order> {
        let stop = self.desired.borrow().as_ref().and_then(|desired| {
            let over = matches!(desired.state, DesiredState::Stop | DesiredState::Tombstone);
            (over && desired.revision >= self.revision).then_some(Order::Stop(desired.revision))
        });
        stop.or_else(|| self.give_back.borrow().then_some(Order::GiveBack))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    fn desired(state: DesiredState, revision: u64) -> Desired {
        Desired { v: 1, revision, activation: 1, state, rate: 0, duration_ms: 0, at_slot: 0, origin_ns: None }
    }

    fn orders(first: Option<Desired>) -> (watch::Sender<Option<Desired>>, watch::Sender<bool>, Orders) {
        let (say, desired) = watch::channel(first);
        let (back, give_back) = watch::channel(false);
        (say, back, Orders { desired, give_back, alive_at: Arc::default(), revision: 2 })
    }

    #[tokio::test]
    async fn the_word_is_that_of_the_messages_revision_or_a_newer_one() {
        let (_say, _back, mut orders) = orders(Some(desired(DesiredState::Run, 2)));
        assert_eq!(orders.word().await.unwrap(), None);
        let (say, _back, mut orders) = self::orders(Some(desired(DesiredState::Stop, 1)));
        let saying = async {
            tokio::task::yield_now().await;
            say.send_replace(Some(desired(DesiredState::Stop, 3)));
        };
        let (word, ()) = tokio::join!(orders.word(), saying);
        assert_eq!(word.unwrap(), Some(Order::Stop(3)), "a stop before this message was for an earlier one");
    }

    #[tokio::test]
    async fn a_stop_goes_before_giving_back_and_a_job_that_is_gone_is_stopped() {
        let (say, back, mut orders) = orders(Some(desired(DesiredState::Run, 2)));
        back.send_replace(true);
        assert_eq!(orders.next().await, Order::GiveBack);
        say.send_replace(Some(desired(DesiredState::Tombstone, 2)));
        assert_eq!(orders.next().await, Order::Stop(2));
        let (say, _back, mut orders) = self::orders(None);
        drop(say);
        assert_eq!(orders.next().await, Order::Stop(2));
    }
}
