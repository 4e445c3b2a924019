//! Group commit: commits share flushes, and nobody is answered before their changes are on the disk.
#![allow(clippy::unwrap_used, reason = "test code")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};

use tokio::task::JoinSet;

use super::commit::Store;
use super::kv::{Batch, KeyRange, Kv, Pair, Result, StoreError, scan};
use super::mem_kv::MemKv;

/// An engine whose disk is visible: a flush copies what was applied before it began.
#[derive(Default)]
struct ModelKv {
    memory: MemKv,
    disk: MemKv,
    broken: AtomicBool,
    /// When set, each flush tells that it has begun and waits for the word to go on.
    gate: Mutex<Option<(SyncSender<()>, Receiver<()>)>>,
}

impl Kv for ModelKv {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.memory.get(key)
    }
    fn chunk(&self, range: &KeyRange, reverse: bool, limit: usize) -> Result<Vec<Pair>> {
        self.memory.chunk(range, reverse, limit)
    }
    fn apply(&self, batch: Batch) -> Result<()> {
        self.memory.apply(batch)
    }
    fn flush(&self) -> Result<()> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(StoreError::ReadOnly { reason: "no space".into() });
        }
        let mut snapshot = Batch::new();
        for pair in scan(&self.memory, KeyRange::all(), false) {
            let (key, value) = pair?;
            snapshot.put(key, value);
        }
        if let Some((begun, go)) = &*self.gate.lock().unwrap() {
            begun.send(()).unwrap();
            go.recv().unwrap();
        }
        self.disk.apply(snapshot)
    }
    fn compact(&self) -> Result<()> {
        Ok(())
    }

    fn size(&self) -> Result<u64> {
        self.memory.size()
    }
}

fn one(key: u32) -> Batch {
    let mut batch = Batch::new();
    batch.put(key.to_be_bytes(), "x");
    batch
}

#[tokio::test]
async fn all_that_wait_during_a_flush_share_the_next_one() {
    let kv = Arc::new(ModelKv::default());
    let (begun, has_begun) = sync_channel(10);
    let (go, may_go) = sync_channel(10);
    *kv.gate.lock().unwrap() = Some((begun, may_go));
    let store = Store::new(Arc::clone(&kv) as Arc<dyn Kv>).unwrap();

    let mut tasks = JoinSet::new();
    let commit = |key: u32| {
        let store = store.clone();
        async move { store.commit(one(key)).await.unwrap() }
    };
    tasks.spawn(commit(0));
    let has_begun = tokio::task::spawn_blocking(move || has_begun.recv().map(|()| has_begun)).await.unwrap().unwrap();
    // On this one-thread runtime the tasks run in their order up to their first wait, and the gate opens after them.
    for key in 1..100 {
        tasks.spawn(commit(key));
    }
    tasks.spawn(async move {
        go.send(()).unwrap();
        go.send(()).unwrap();
    });
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    assert_eq!(store.flushes(), 2);
    assert_eq!(has_begun.try_iter().count(), 1);
    assert_eq!(scan(&kv.disk, KeyRange::all(), false).count(), 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answered_commit_is_on_the_disk() {
    let kv = Arc::new(ModelKv::default());
    let store = Store::new(Arc::clone(&kv) as Arc<dyn Kv>).unwrap();
    let mut tasks = JoinSet::new();
    for key in 0..500_u32 {
        let (store, kv) = (store.clone(), Arc::clone(&kv));
        tasks.spawn(async move {
            store.commit(one(key)).await.unwrap();
            assert!(kv.disk.get(&key.to_be_bytes()).unwrap().is_some(), "{key} is not durable");
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    assert!(store.flushes() <= 500);
}

#[tokio::test]
async fn a_failed_flush_reaches_every_waiter() {
    let kv = Arc::new(ModelKv::default());
    let store = Store::new(Arc::clone(&kv) as Arc<dyn Kv>).unwrap();
    kv.broken.store(true, Ordering::SeqCst);
    let (left, right) = tokio::join!(store.commit(one(1)), store.commit(one(2)));
    let expected = Err(StoreError::ReadOnly { reason: "no space".into() });
    assert_eq!((left, right), (expected.clone(), expected));
}

#[test]
fn a_closed_store_answers_reads_and_refuses_commits() {
    let store = Store::in_memory().unwrap();
    store.commit_blocking(one(1)).unwrap();
    store.close();
    store.close();
    assert_eq!(store.commit_blocking(one(2)), Err(StoreError::Closed));
    assert!(store.get(&1_u32.to_be_bytes()).unwrap().is_some());
}

#[test]
fn the_lock_makes_read_modify_write_exact() {
    let store = Store::in_memory().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..500 {
                    let guard = store.lock();
                    let old =
                        store.get(b"count").unwrap().map_or(0, |value| u32::from_be_bytes(value.try_into().unwrap()));
                    let mut batch = Batch::new();
                    batch.put("count", (old + 1).to_be_bytes());
                    store.apply(batch).unwrap();
                    drop(guard);
                }
            });
        }
    });
    assert_eq!(store.get(b"count").unwrap(), Some(2_000_u32.to_be_bytes().to_vec()));
}
