//! Waiting until a visit is on the disk: one notification for everybody whose visit is in the same frame.

use std::sync::{Arc, OnceLock};

use tokio::sync::Notify;

use super::error::{Result, VisitsError};

/// The fate of a frame, known once.
#[derive(Debug, Default)]
pub(crate) struct FrameFate {
    /// Number of real visits before the frame, or why it was not written.
    fate: OnceLock<Result<u64>>,
    told: Notify,
}

impl FrameFate {
    /// Settles it and wakes everybody who waits.
    pub(crate) fn settle(&self, fate: Result<u64>) {
        if self.fate.set(fate).is_ok() {
            self.told.notify_waiters();
        }
    }

    fn get(&self) -> Option<&Result<u64>> {
        self.fate.get()
    }

    async fn wait(&self) -> &Result<u64> {
        loop {
            let told = self.told.notified();
            if let Some(fate) = self.get() {
                return fate;
            }
            told.await;
        }
    }
}

/// A claim on a visit's being durable. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Ticket {
    /// None when it was durable already.
    frame: Option<Arc<FrameFate>>,
    /// Real visits of the frame up to this one, itself counted; none when it is not counted or was before, and the count of
    /// the moment is told.
    nth: Option<u64>,
}

impl Ticket {
    pub(crate) const fn new(frame: Arc<FrameFate>, nth: Option<u64>) -> Self {
        Self { frame: Some(frame), nth }
    }

    /// For a visit that was recorded before; `frame` when that is not durable yet.
    pub(crate) const fn repeated(frame: Option<Arc<FrameFate>>) -> Self {
        Self { frame, nth: None }
    }

    /// Waits for the frame and answers the number of real visits after this one, or `now` for a repeated one.
    pub(crate) async fn wait(&self, now: impl Fn() -> u64) -> Result<u64> {
        let Some(frame) = &self.frame else { return Ok(now()) };
        let before = frame.wait().await.clone()?;
        Ok(self.nth.map_or_else(now, |nth| before + nth))
    }
}

/// What became of a visit.
#[derive(Debug, Clone)]
pub enum Recorded {
    /// It is in the frame being built.
    Accepted(Ticket),
    /// Its event id was seen before; the ticket waits until that first one is durable.
    Duplicate(Ticket),
    /// Nothing more fits at the moment: ask again in a second.
    Full,
}

impl Recorded {
    /// Whether nothing fitted, as an error.
    ///
    /// # Errors
    /// `Busy`.
    pub const fn ticket(&self) -> std::result::Result<&Ticket, VisitsError> {
        match self {
            Self::Accepted(ticket) | Self::Duplicate(ticket) => Ok(ticket),
            Self::Full => Err(VisitsError::Busy),
        }
    }
}
