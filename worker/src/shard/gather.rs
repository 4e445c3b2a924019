//! What a shard has to say until its next record leaves.

use std::sync::Arc;

use bytes::Bytes;
use trafficlab_engine::traffic::content::Dims;
use trafficlab_engine::traffic::counters::Counters;
use trafficlab_engine::traffic::pack::{BlockWriter, MAX_BLOCK_ENTRIES, PackedEntry};
use trafficlab_engine::traffic::rng::EntryKey;
use trafficlab_engine::traffic::sampling;
use trafficlab_engine::traffic::timings::{Measured, TimingsBuilder};
use trafficlab_shared::model::run::RunSpec;
use trafficlab_shared::protocol::codec::{self, CodecError};
use trafficlab_shared::protocol::report::{Cursor, Results};

use super::clock::ShardClock;

/// Entries that fill a record.
const FULL: usize = 4096;

/// Send lag from which a request counts as late, in microseconds.
const LATE_US: u64 = 10_000;

/// Gathers entries and figures; empty again after each record.
#[derive(Debug)]
pub(crate) struct Gather {
    run: Arc<RunSpec>,
    shard: u32,
    block: BlockWriter,
    counters: Counters,
    timings: TimingsBuilder,
    /// Requests that found the block full, which takes a log that does not answer. They are neither
    /// counted nor stored yet: they stay open until a later record takes them.
    waiting: Vec<Finished>,
    touched: bool,
}

impl Gather {
    pub(crate) fn new(run: Arc<RunSpec>, shard: u32) -> Self {
        Self {
            run,
            shard,
            block: BlockWriter::new(),
            counters: Counters::default(),
            timings: TimingsBuilder::default(),
            waiting: Vec::new(),
            touched: false,
        }
    }

    /// Whether a record should leave without waiting for its time.
    pub(crate) fn is_full(&self) -> bool {
        self.block.len() >= FULL
    }

    /// Whether one record cannot take everything.
    pub(crate) const fn is_overfull(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether there is anything to report.
    pub(crate) const fn is_touched(&self) -> bool {
        self.touched
    }

    /// The random key of an arrival of this shard.
    pub(crate) fn key(&self, at: Cursor) -> EntryKey {
        EntryKey { seed: self.run.seed, shard: self.shard, slot: at.slot, k: at.k }
    }

    /// Counts an arrival whose moment has come.
    pub(crate) fn scheduled(&mut self) {
        self.touched = true;
        self.counters.scheduled += 1;
    }

    /// Counts an arrival that found the queue full, or was still unsent at the end.
    pub(crate) fn dropped(&mut self, due_active: u64, clock: &ShardClock) {
        self.touched = true;
        self.counters.dropped += 1;
        self.timings.lost(second(clock, due_active), 1, 0);
    }

    /// Counts an arrival that came due while nobody was there.
    pub(crate) fn missed(&mut self, due_active: u64, clock: &ShardClock) {
        self.touched = true;
        self.counters.missed += 1;
        self.timings.lost(second(clock, due_active), 0, 1);
    }

    /// Finished requests that no record has taken yet.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = Cursor> {
        self.waiting.iter().map(|finished| Cursor { slot: finished.entry.slot, k: finished.entry.k })
    }

    /// Takes a finished request. `lag_us` is the send lag of a real one.
    pub(crate) fn finished(
        &mut self,
        entry: &PackedEntry,
        dims: &Dims,
        due_active: u64,
        lag_us: Option<u64>,
        clock: &ShardClock,
    ) {
        self.touched = true;
        let finished = Finished { entry: *entry, dims: *dims, due_active, lag_us, second: second(clock, due_active) };
        if self.is_overfull() || self.block.len() >= MAX_BLOCK_ENTRIES {
            self.waiting.push(finished);
        } else {
            self.count(&finished);
        }
    }

    fn count(&mut self, finished: &Finished) {
        let Finished { entry, dims, due_active, lag_us, second } = finished;
        self.counters.add_entry(entry, dims);
        self.counters.late += u64::from(lag_us.is_some_and(|lag| lag > LATE_US));
        self.timings.finished(Measured {
            second: *second,
            response: u64::from(entry.response_us),
            service_and_lag: lag_us.map(|lag| (u64::from(entry.service_us), lag)),
            success: entry.success,
            warm_up: *due_active < self.run.warm_up_ms.saturating_mul(1_000_000),
        });
        let key = self.key(Cursor { slot: entry.slot, k: entry.k });
        if sampling::is_kept(key, self.run.keep_one_in) {
            let fits = self.block.push(entry);
            debug_assert!(fits, "the caller has seen that there is room");
        }
    }

    /// Everything so far as a record's results; `None` when there is nothing.
    pub(crate) fn take(&mut self) -> Result<Option<Results>, CodecError> {
        if !self.touched {
            return Ok(None);
        }
        self.touched = false;
        let count = u32::try_from(self.block.len()).unwrap_or(u32::MAX);
        let block = std::mem::take(&mut self.block);
        let counters = std::mem::take(&mut self.counters);
        let results = Results {
            count,
            block: Bytes::from(block.finish()),
            counters: Bytes::from(codec::encode(&counters)?),
            timings: Bytes::from(codec::encode(&self.timings.take())?),
        };
        let refill = self.waiting.len().min(FULL);
        for finished in self.waiting.drain(..refill).collect::<Vec<_>>() {
            self.touched = true;
            self.count(&finished);
        }
        Ok(Some(results))
    }
}

/// A finished request on its way into a record.
#[derive(Debug, Clone, Copy)]
struct Finished {
    entry: PackedEntry,
    dims: Dims,
    due_active: u64,
    lag_us: Option<u64>,
    second: u64,
}

fn second(clock: &ShardClock, due_active: u64) -> u64 {
    clock.wall_at(due_active) / 1_000_000_000
}
