//! What a shard has to say until its next record leaves.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use trafficlab_engine::traffic::content::Dims;
use trafficlab_engine::traffic::counters::{BidderCounters, Counters};
use trafficlab_engine::traffic::pack::{BlockWriter, PackedEntry};
use trafficlab_engine::traffic::rng::EntryKey;
use trafficlab_engine::traffic::sampling;
use trafficlab_engine::traffic::timings::{Measured, TimingsBuilder};
use trafficlab_shared::model::run::RunSpec;
use trafficlab_shared::protocol::codec::{self, CodecError};
use trafficlab_shared::protocol::report::{Cursor, Results};

use super::clock::ShardClock;

/// Entries that fill a record.
const FULL: usize = 4096;
/// Bytes of bidders' answers that fill a record; compressed they are some 64 KB at most.
const FULL_BLOBS: usize = 256 * 1024;

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
    waiting: VecDeque<Finished>,
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
            waiting: VecDeque::new(),
            touched: false,
        }
    }

    /// Whether a record should leave without waiting for its time.
    pub(crate) fn is_full(&self) -> bool {
        self.block.len() >= FULL || self.block.blob_bytes() >= FULL_BLOBS
    }

    /// Whether one record cannot take everything.
    pub(crate) fn is_overfull(&self) -> bool {
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
        self.answered(entry, dims, due_active, lag_us, clock, Answered::default());
    }

    /// Takes a finished request with what a bidder answered.
    pub(crate) fn answered(
        &mut self,
        entry: &PackedEntry,
        dims: &Dims,
        due_active: u64,
        lag_us: Option<u64>,
        clock: &ShardClock,
        answer: Answered,
    ) {
        self.touched = true;
        let second = second(clock, due_active);
        let finished = Finished { entry: *entry, dims: *dims, due_active, lag_us, second, answer };
        if self.is_overfull() || !self.has_room(&finished) {
            self.waiting.push_back(finished);
        } else {
            self.count(&finished);
        }
    }

    /// Counts notices to a bidder, which are no entries.
    pub(crate) fn noticed(&mut self, counters: &BidderCounters) {
        if *counters != BidderCounters::default() {
            self.touched = true;
            self.counters.rtb.bidder.merge(counters);
        }
    }

    fn has_room(&self, finished: &Finished) -> bool {
        self.block.has_room(finished.answer.blob.as_ref().map_or(0, |blob| blob.len()))
    }

    fn count(&mut self, finished: &Finished) {
        let Finished { entry, dims, due_active, lag_us, second, answer } = finished;
        self.counters.add_entry(entry, dims);
        self.counters.rtb.bidder.merge(&answer.counters);
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
            let fits = self.block.push_with(entry, answer.blob.as_deref());
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
        while !self.is_full()
            && let Some(finished) = self.waiting.pop_front()
        {
            self.touched = true;
            self.count(&finished);
        }
        Ok(Some(results))
    }
}

/// What a real bidder adds to an entry.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answered {
    /// Its answer as it is stored.
    pub(crate) blob: Option<Box<[u8]>>,
    /// What it counts.
    pub(crate) counters: BidderCounters,
}

/// A finished request on its way into a record.
#[derive(Debug, Clone)]
struct Finished {
    entry: PackedEntry,
    dims: Dims,
    due_active: u64,
    lag_us: Option<u64>,
    second: u64,
    answer: Answered,
}

fn second(clock: &ShardClock, due_active: u64) -> u64 {
    clock.wall_at(due_active) / 1_000_000_000
}
