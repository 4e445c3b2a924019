//! How many clients of streams and exports there may be, and telling them that the server stops.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::systems::{Code, Fault, Outcome};

/// Exports at once: each holds a thread while its client reads.
const EXPORTS: usize = 16;

/// The clients of all streams and exports.
#[derive(Debug)]
pub struct Clients {
    most: usize,
    places: Arc<Semaphore>,
    exports: Arc<Semaphore>,
    closing: watch::Sender<bool>,
}

/// A client's place; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
    /// Becomes true when the server stops.
    pub(super) closing: watch::Receiver<bool>,
}

impl Clients {
    /// Places for so many.
    #[must_use]
    pub fn new(most: u32) -> Self {
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        let exports = Arc::new(Semaphore::new(EXPORTS));
        Self { most, places: Arc::new(Semaphore::new(most)), exports, closing: watch::Sender::new(false) }
    }

    /// A place.
    ///
    /// # Errors
    /// 503 when all are taken.
    pub(super) fn enter(&self) -> Outcome<Place> {
        let full = "All places for clients of streams are taken (`limits.stream_clients`)";
        Ok(Place { _permit: take(&self.places, full)?, closing: self.closing.subscribe() })
    }

    /// A place for an export.
    ///
    /// # Errors
    /// 503 when all are taken.
    pub(in crate::systems) fn export(&self) -> Outcome<OwnedSemaphorePermit> {
        take(&self.exports, "Too many exports are being read at once")
    }

    /// Clients of streams at this moment.
    #[must_use]
    pub fn present(&self) -> u64 {
        u64::try_from(self.most.saturating_sub(self.places.available_permits())).unwrap_or(0)
    }

    /// Ends all streams, so that the server can stop at once.
    pub fn close(&self) {
        self.closing.send_replace(true);
    }
}

fn take(places: &Arc<Semaphore>, full: &str) -> Outcome<OwnedSemaphorePermit> {
    let full = |_| Fault { retry_after: Some(10), ..Fault::new(Code::Unavailable, full) };
    Arc::clone(places).try_acquire_owned().map_err(full)
}
