//! What an import that runs shows, and how it is told to stop.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::store::visit_imports::ImportTally;

/// Shared between the thread that imports and those who look on.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    tally: Mutex<ImportTally>,
    stop: AtomicBool,
}

impl Watch {
    /// Shows how far it is; answers whether to go on.
    pub(crate) fn show(&self, tally: &ImportTally) -> bool {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner).clone_from(tally);
        !self.stop.load(Ordering::Relaxed)
    }

    /// How far it is.
    pub(crate) fn tally(&self) -> ImportTally {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells it to stop.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Tells an import to stop when whoever waits for it is gone.
pub(super) struct StopOnDrop<'a>(pub(super) &'a Watch);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}
