//! Group commit: many callers, one flush. `Store` is what the rest of the coordinator uses.
//!
//! One thread owns flushing. It takes every waiter that is queued, flushes once and answers them all; whoever comes while
//! it works is served by the next round. A flush costs milliseconds, so under load hundreds of commits share one.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

use super::generations::Generations;
use super::kv::{self, Batch, KeyRange, Kv, Result, Scan, StoreError};

/// Waiters that may queue for the next flush; the next caller waits for a place.
const MAX_WAITERS: usize = 4096;

type Waiter = oneshot::Sender<Result<()>>;

/// The database with durable commits. Cheap to clone; the flusher thread ends with the last clone or with `close`.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    kv: Arc<dyn Kv>,
    read_modify_write: Mutex<()>,
    waiters: Mutex<Option<mpsc::Sender<Waiter>>>,
    flusher: Mutex<Option<JoinHandle<()>>>,
    flushes: Arc<AtomicU64>,
}

impl Store {
    /// Starts the flusher over `kv`.
    ///
    /// # Errors
    /// `Engine` when the system gives no thread.
    pub fn new(kv: Arc<dyn Kv>) -> Result<Self> {
        let (sender, receiver) = mpsc::channel(MAX_WAITERS);
        let flushes = Arc::new(AtomicU64::new(0));
        let flusher = std::thread::Builder::new()
            .name("store-flusher".into())
            .spawn({
                let (kv, flushes) = (Arc::clone(&kv), Arc::clone(&flushes));
                move || flush_until_closed(&*kv, receiver, &flushes)
            })
            .map_err(|error| StoreError::Engine { what: "start its flusher", message: error.to_string() })?;
        let inner = Inner {
            kv,
            read_modify_write: Mutex::new(()),
            waiters: Mutex::new(Some(sender)),
            flusher: Mutex::new(Some(flusher)),
            flushes,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Opens or makes the store on disk whose folder is `folder`; the key-value files lie in a folder inside.
    ///
    /// # Errors
    /// `Open` when another process has it open, or when its files are damaged or not accessible.
    pub fn open(folder: &Path) -> Result<Self> {
        Self::new(Arc::new(Generations::open(folder)?))
    }

    /// A store in memory, for tests.
    ///
    /// # Errors
    /// As `new`.
    pub fn in_memory() -> Result<Self> {
        Self::new(Arc::new(super::mem_kv::MemKv::new()))
    }

    /// The value of `key`, durable or not.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.inner.kv.get(key)
    }

    /// The pairs of `range` in key order, or backwards.
    pub fn scan(&self, range: KeyRange, reverse: bool) -> Scan<'_> {
        kv::scan(&*self.inner.kv, range, reverse)
    }

    /// Makes the changes visible. They are durable after the next `durable`; a crash before that loses all of them.
    pub fn apply(&self, batch: Batch) -> Result<()> {
        if batch.is_empty() { Ok(()) } else { self.inner.kv.apply(batch) }
    }

    /// Waits until everything applied before the call is on the disk.
    pub async fn durable(&self) -> Result<()> {
        let (waiter, answer) = oneshot::channel();
        self.queue()?.send(waiter).await.map_err(|_closed| StoreError::Closed)?;
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Applies the changes and waits until they are on the disk. When this is dropped half-way the changes are visible,
    /// and durable with the next commit of anybody.
    pub async fn commit(&self, batch: Batch) -> Result<()> {
        self.apply(batch)?;
        self.durable().await
    }

    /// `durable` for threads. Panics inside an async task, which it would block.
    pub fn durable_blocking(&self) -> Result<()> {
        let (waiter, answer) = oneshot::channel();
        self.queue()?.blocking_send(waiter).map_err(|_closed| StoreError::Closed)?;
        answer.blocking_recv().unwrap_or(Err(StoreError::Closed))
    }

    /// `commit` for threads. Panics inside an async task, which it would block.
    pub fn commit_blocking(&self, batch: Batch) -> Result<()> {
        self.apply(batch)?;
        self.durable_blocking()
    }

    /// Keeps every other read-modify-write sequence out until the guard is dropped.
    ///
    /// One lock for the whole store, because such sequences (read a campaign, check its state, apply the new one) take
    /// microseconds and are rare beside reads, which never take it. A lock of the standard library, because it must not
    /// be held across an await: release it after `apply` and then wait for `durable`. It guards no data of its own, so a
    /// panic of a holder leaves nothing half done: a batch is applied whole or not at all.
    pub fn lock(&self) -> MutexGuard<'_, ()> {
        unpoisoned(&self.inner.read_modify_write)
    }

    /// Takes what was replaced or removed off the disk. Blocks; writes wait only at its end.
    ///
    /// # Errors
    /// `Engine` when it could not be done; nothing is lost then.
    pub fn compact(&self) -> Result<()> {
        self.inner.kv.compact()
    }

    /// Bytes on the disk.
    pub fn size(&self) -> Result<u64> {
        self.inner.kv.size()
    }

    /// Why writes are refused, when they are.
    pub fn read_only(&self) -> Option<String> {
        self.inner.kv.read_only()
    }

    /// Flushes since the start: a metric, and how tests see that commits share them.
    pub fn flushes(&self) -> u64 {
        self.inner.flushes.load(Ordering::Relaxed)
    }

    /// Ends the flusher after it has served everybody who waits. Later commits answer `Closed`.
    pub fn close(&self) {
        self.inner.close();
    }

    fn queue(&self) -> Result<mpsc::Sender<Waiter>> {
        unpoisoned(&self.inner.waiters).clone().ok_or(StoreError::Closed)
    }
}

impl Inner {
    fn close(&self) {
        drop(unpoisoned(&self.waiters).take());
        let flusher = unpoisoned(&self.flusher).take();
        if flusher.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the store's flusher thread panicked");
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn flush_until_closed(kv: &dyn Kv, mut waiters: mpsc::Receiver<Waiter>, flushes: &AtomicU64) {
    let mut round = Vec::new();
    while let Some(first) = waiters.blocking_recv() {
        round.push(first);
        // Everybody queued by now applied before this flush begins, so one flush covers them all.
        while let Ok(next) = waiters.try_recv() {
            round.push(next);
        }
        let result = kv.flush();
        flushes.fetch_add(1, Ordering::Relaxed);
        for waiter in round.drain(..) {
            if waiter.send(result.clone()).is_err() {
                tracing::trace!("a caller stopped waiting for its commit");
            }
        }
    }
}
