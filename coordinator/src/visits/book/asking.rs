//! Questions run beside the requests, few at a time, and end when their client goes.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Questions at once; each of them uses every core, so more would only make all of them late.
const AT_ONCE: usize = 2;
/// Questions that may wait for their turn.
const WAITING: usize = 64;
/// How long one waits.
const PATIENCE: Duration = Duration::from_secs(20);

/// How many questions run.
#[derive(Debug)]
pub struct Asking {
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
    threads: NonZeroUsize,
}

/// Too many questions are asked at once.
#[derive(Debug, thiserror::Error)]
#[error("too many questions are asked at once")]
pub struct Busy;

/// The right to ask. The question is given up when this is dropped before it was answered.
#[derive(Debug)]
pub struct Turn {
    stop: Arc<AtomicBool>,
    permit: Arc<OwnedSemaphorePermit>,
    threads: NonZeroUsize,
}

/// What a question's thread holds while it works, so that the next one waits until it is really over.
#[derive(Debug)]
pub struct Work {
    /// Set when nobody waits for the answer any more.
    pub stop: Arc<AtomicBool>,
    /// Threads it may use.
    pub threads: NonZeroUsize,
    _permit: Arc<OwnedSemaphorePermit>,
}

impl Default for Asking {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self { permits: Arc::new(Semaphore::new(AT_ONCE)), waiting: AtomicUsize::new(0), threads }
    }
}

impl Asking {
    /// Waits for a turn.
    ///
    /// # Errors
    /// When too many wait, or it takes too long.
    pub async fn turn(&self) -> Result<Turn, Busy> {
        let _waiting = Waiting::new(&self.waiting)?;
        let permit = tokio::time::timeout(PATIENCE, Arc::clone(&self.permits).acquire_owned()).await;
        let permit = permit.map_err(|_elapsed| Busy)?.map_err(|_closed| Busy)?;
        Ok(Turn { stop: Arc::default(), permit: Arc::new(permit), threads: self.threads })
    }
}

impl Turn {
    /// What the thread takes along.
    #[must_use]
    pub fn work(&self) -> Work {
        Work { stop: Arc::clone(&self.stop), threads: self.threads, _permit: Arc::clone(&self.permit) }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// A place among those who wait.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Result<Self, Busy> {
        let place = Self(count);
        if count.fetch_add(1, Ordering::Relaxed) < WAITING { Ok(place) } else { Err(Busy) }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
