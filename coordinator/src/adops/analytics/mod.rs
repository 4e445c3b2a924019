//! Questions about figures, answered from memory: key figures, breakdowns, time series, cohorts, pacing.
//!
//! Invariants: a question reads the campaigns of one tenant once and sees each as it was at that moment; deleted campaigns
//! are never part, archived ones are; money of different currencies is added only where rates are configured.

pub mod breakdown;
pub mod cohorts;
pub mod ground;
pub mod overview;
pub mod pacing;
pub mod range;
pub mod timeline;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use trafficlab_engine::ads::exchange::Exchange;
use trafficlab_shared::config::Config;

use crate::systems::{Code, Fault, Outcome, blocking};

/// Questions that are answered at once. More threads than cores only make each of them slower.
const AT_ONCE: usize = 4;
/// How long a question waits for its turn.
const WAIT: Duration = Duration::from_secs(10);

/// What questions need beside the campaigns.
#[derive(Debug)]
pub struct Questions {
    /// The operator's rates.
    pub exchange: Arc<Exchange>,
    turns: Arc<Semaphore>,
}

impl Questions {
    /// With the rates of the configuration.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let exchange = Exchange::new(&config.currency.base, &config.currency.rates);
        Self { exchange: Arc::new(exchange), turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Answers a question beside the async threads, when it is its turn.
    ///
    /// # Errors
    /// What `work` answers, or `service_unavailable` when too many others are being answered.
    pub async fn answer<T: Send + 'static>(&self, work: impl FnOnce() -> Outcome<T> + Send + 'static) -> Outcome<T> {
        let busy = || Fault {
            retry_after: Some(1),
            ..Fault::new(Code::Unavailable, "Too many questions are being answered; ask again")
        };
        let turn = tokio::time::timeout(WAIT, Arc::clone(&self.turns).acquire_owned()).await;
        let turn = turn.map_err(|_elapsed| busy())?.map_err(|_closed| busy())?;
        blocking(move || {
            // Held by the work itself: a caller that goes away does not make room before the thread is free.
            let _turn = turn;
            work()
        })
        .await
    }
}

#[cfg(test)]
mod tests;
