//! Blocking work beside the actors: how it shows that it lives and is told to stop.

use std::io::Read;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::task::JoinHandle;
use trafficlab_shared::clock;

/// The flags of one thread; clones are the same flags.
#[derive(Debug, Clone)]
pub(crate) struct Flags {
    alive_at: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    broken: Arc<OnceLock<String>>,
}

impl Flags {
    pub(crate) fn new(alive_at: &Arc<AtomicU64>) -> Self {
        Self { alive_at: Arc::clone(alive_at), stop: Arc::default(), broken: Arc::default() }
    }

    /// Shows life.
    pub(crate) fn bump(&self) {
        self.alive_at.store(clock::boot_ns(), Ordering::Relaxed);
    }

    /// Asks the thread to end.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Why the bytes broke off, if they did. To the engine that looks like a damaged file; it is none.
    pub(crate) fn broken(&self) -> Option<&str> {
        self.broken.get().map(String::as_str)
    }

    /// Whether it was asked to.
    pub(crate) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// Stops the thread when its task ends early, whatever the reason.
#[derive(Debug)]
pub(crate) struct StopOnDrop(pub(crate) Flags);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// A reader that shows life with every read and ends when it is told to.
pub(crate) struct Watched<R> {
    pub(crate) inner: R,
    pub(crate) flags: Flags,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.flags.stopped() {
            return Err(std::io::Error::other("stopped"));
        }
        self.flags.bump();
        let read = self.inner.read(into);
        if let Err(error) = &read
            && error.kind() != std::io::ErrorKind::Interrupted
        {
            self.flags.broken.get_or_init(|| error.to_string());
        }
        read
    }
}

/// What a blocking thread came back with. A panic there goes on as a panic here, which the actor sees.
pub(crate) async fn joined<T>(thread: &mut JoinHandle<T>) -> T {
    match thread.await {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Blocking threads are cancelled only while the runtime goes away, and this task with it.
            Err(_cancelled) => std::future::pending().await,
        },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn a_reader_ends_when_it_is_told_to() {
        let alive_at = Arc::new(AtomicU64::new(0));
        let flags = Flags::new(&alive_at);
        let mut reader = Watched { inner: &b"abcdef"[..], flags: flags.clone() };
        let mut three = [0; 3];
        reader.read_exact(&mut three).unwrap();
        assert!(alive_at.load(Ordering::Relaxed) > 0);
        flags.stop();
        assert_eq!(reader.read(&mut three).unwrap_err().to_string(), "stopped");
    }
}
