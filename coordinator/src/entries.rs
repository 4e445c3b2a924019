//! Reading stored entries back: block by block, made whole by the engine.

use std::collections::HashMap;
use std::sync::Arc;

use trafficlab_engine::traffic::content::{Content, ContentError};
use trafficlab_engine::traffic::pack::{BlockError, BlockReader, WithBlob};
use trafficlab_engine::traffic::render::{EntryContext, EntryRow, write_json};
use trafficlab_engine::traffic::schedule::Schedule;
use trafficlab_shared::model::run::RunSpec;

use crate::store::entries::{EXTENTS, Extent};
use crate::store::runs::{PLANS, SHARDS};
use crate::store::segment::{SegmentDir, SegmentError};
use crate::store::{Store, StoreError};

/// Slots whose due times are kept while a block is read; real entries finish a little out of order.
const SLOTS: usize = 16;

/// A page of JSON that has reached this takes no more entries: with a last one it fits into a message of the broker.
const PAGE_BYTES: usize = 1024 * 1024;

/// Why entries cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The segment.
    #[error(transparent)]
    Segment(#[from] SegmentError),
    /// The block.
    #[error("block of run `{job}` cannot be read: {source}")]
    Block {
        /// The run.
        job: String,
        /// Why.
        source: BlockError,
    },
    /// The run's content.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// The run's plan is not there.
    #[error("plan of run `{0}` is missing")]
    NoPlan(String),
}

/// A run's plan with its content prepared.
#[derive(Debug)]
pub struct Prepared {
    /// The plan.
    pub spec: RunSpec,
    content: Content,
    /// Of its first shard. Those of the others are made of it, since they share what is large.
    schedule: Schedule,
}

/// Reads a campaign's entries in the order of their sequences.
pub struct EntryReader<'a> {
    store: &'a Store,
    segments: &'a SegmentDir,
    campaign: String,
    next: u64,
    end: u64,
    run: Option<String>,
    prepared: HashMap<String, Arc<Prepared>>,
    schedules: HashMap<(String, u32), Schedule>,
}

/// One stored block, cut to what was asked for.
pub struct Block {
    /// Sequence of its first entry.
    pub first_sequence: u64,
    /// Its entries, each with what is stored beside it.
    pub entries: Vec<WithBlob>,
    extent: Extent,
    prepared: Arc<Prepared>,
    schedule: Schedule,
}

/// Entries as the inside of a JSON array.
#[derive(Debug)]
pub struct Page {
    /// `[…]`.
    pub json: String,
    /// First sequence in it.
    pub first_sequence: u64,
    /// Last sequence in it.
    pub last_sequence: u64,
}

impl<'a> EntryReader<'a> {
    /// Begins at sequence `from`, which counts from 1.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn open(store: &'a Store, segments: &'a SegmentDir, campaign: &str, from: u64) -> Result<Self, ReadError> {
        Ok(Self {
            store,
            segments,
            campaign: campaign.to_owned(),
            next: from.max(1),
            end: u64::MAX,
            run: None,
            prepared: HashMap::new(),
            schedules: HashMap::new(),
        })
    }

    /// Ends before sequence `end`.
    #[must_use]
    pub const fn until(mut self, end: u64) -> Self {
        self.end = end;
        self
    }

    /// Leaves out the entries of other runs.
    #[must_use]
    pub fn of_run(mut self, job: Option<String>) -> Self {
        self.run = job;
        self
    }

    /// The next block; `None` at the end.
    ///
    /// # Errors
    /// [`ReadError`]; what follows cannot be read without a gap.
    pub fn next_block(&mut self) -> Result<Option<Block>, ReadError> {
        loop {
            let Some((first, extent)) = self.next_extent()? else {
                return Ok(None);
            };
            let after = first + u64::from(extent.count);
            let from = self.next.max(first);
            self.next = after;
            if self.run.as_ref().is_some_and(|run| *run != extent.job) {
                continue;
            }
            let frame = self.segments.read(extent.location)?;
            let mut entries = BlockReader::read_with_blobs(&frame.payload)
                .map_err(|source| ReadError::Block { job: extent.job.clone(), source })?;
            let cut = |sequences: u64| usize::try_from(sequences).unwrap_or(usize::MAX);
            entries.truncate(cut(self.end.saturating_sub(first)));
            entries.drain(..cut(from - first).min(entries.len()));
            let prepared = self.prepare(&extent.job)?;
            let schedule = self.schedule(&prepared, extent.shard)?;
            return Ok(Some(Block { first_sequence: from, entries, extent, prepared, schedule }));
        }
    }

    /// The extent that holds `next`, or the first one behind it: sequences of removed runs are gaps.
    fn next_extent(&self) -> Result<Option<(u64, Extent)>, ReadError> {
        if self.next >= self.end {
            return Ok(None);
        }
        let key = |sequence: u64| (self.campaign.clone(), sequence);
        let before = EXTENTS.range(self.store, &key(0), &key(self.next.saturating_add(1)), true).next().transpose()?;
        if let Some(((_, first), extent)) = before
            && first + u64::from(extent.count) > self.next
        {
            return Ok(Some((first, extent)));
        }
        let behind = EXTENTS.range(self.store, &key(self.next), &key(self.end), false).next().transpose()?;
        Ok(behind.map(|((_, first), extent)| (first, extent)))
    }

    fn prepare(&mut self, job: &str) -> Result<Arc<Prepared>, ReadError> {
        if let Some(known) = self.prepared.get(job) {
            return Ok(Arc::clone(known));
        }
        let spec = PLANS.get(self.store, &job.to_owned())?.ok_or_else(|| ReadError::NoPlan(job.to_owned()))?;
        let (content, schedule) = (Content::new(&spec.content)?, Schedule::new(&spec, 0, &[]));
        let prepared = Arc::new(Prepared { spec, content, schedule });
        self.prepared.insert(job.to_owned(), Arc::clone(&prepared));
        Ok(prepared)
    }

    /// The schedule tells when each entry was due; later changes of rate do not touch earlier slots.
    fn schedule(&mut self, prepared: &Prepared, shard: u32) -> Result<Schedule, ReadError> {
        let key = (prepared.spec.job.clone(), shard);
        if let Some(known) = self.schedules.get(&key) {
            return Ok(known.clone());
        }
        let history = SHARDS.get(self.store, &key)?.unwrap_or_default().history;
        let mut schedule = prepared.schedule.of_shard(shard);
        for change in history {
            schedule.apply(change);
        }
        self.schedules.insert(key, schedule.clone());
        Ok(schedule)
    }

    /// The next entries as JSON, at most `limit` of them and of one block, and no more after `PAGE_BYTES`; `None` at
    /// the end.
    ///
    /// # Errors
    /// As `next_block`.
    pub fn next_json(&mut self, limit: usize) -> Result<Option<Page>, ReadError> {
        let Some(mut block) = self.next_block()? else {
            return Ok(None);
        };
        block.entries.truncate(limit);
        let page = block.page(PAGE_BYTES);
        self.next = page.last_sequence + 1;
        Ok(Some(page))
    }
}

impl Block {
    /// Sequence of its last entry.
    #[must_use]
    pub fn last_sequence(&self) -> u64 {
        let count = u64::try_from(self.entries.len()).unwrap_or(u64::MAX);
        (self.first_sequence + count).saturating_sub(1)
    }

    /// Its first entries as JSON: none is added once there are `enough` bytes.
    #[must_use]
    pub fn page(&self, enough: usize) -> Page {
        let mut last_sequence = self.first_sequence.saturating_sub(1);
        let mut json = vec![b'['];
        self.for_each(|row| {
            if json.len() >= enough {
                return;
            }
            if json.len() > 1 {
                json.push(b',');
            }
            write_json(&mut json, row);
            last_sequence = row.sequence;
        });
        json.push(b']');
        let json = String::from_utf8_lossy(&json).into_owned();
        Page { json, first_sequence: self.first_sequence, last_sequence }
    }

    /// Shows every entry whole, in order.
    pub fn for_each(&self, mut show: impl FnMut(&EntryRow<'_>)) {
        let spec = &self.prepared.spec;
        let http = spec.http.as_ref();
        let context = EntryContext {
            campaign_id: &spec.campaign,
            run_id: &spec.job,
            worker_id: &self.extent.worker,
            seed: spec.seed,
            shard: self.extent.shard,
            method: http.map_or("GET", |http| http.method.as_str()),
            url: http.map(|http| http.url.as_str()).or(spec.shown_url.as_deref()),
        };
        let mut due = DueTimes { schedule: &self.schedule, slots: Vec::new() };
        for ((entry, blob), sequence) in self.entries.iter().zip(self.first_sequence..) {
            let active = due.of(entry.slot, entry.k);
            show(&EntryRow {
                content: &self.prepared.content,
                context: &context,
                sequence,
                scheduled_ns: self.wall(active),
                entry,
                blob: blob.as_deref(),
            });
        }
    }

    fn wall(&self, active_ns: u64) -> u64 {
        let origin = self.extent.origin;
        let wall = i128::from(origin.wall_ns) + i128::from(active_ns) - i128::from(origin.active_ns);
        u64::try_from(wall.max(0)).unwrap_or(u64::MAX)
    }
}

/// Due times by slot, the latest few.
struct DueTimes<'a> {
    schedule: &'a Schedule,
    slots: Vec<(u32, Vec<u64>)>,
}

impl DueTimes<'_> {
    fn of(&mut self, slot: u32, k: u32) -> u64 {
        let at = usize::try_from(k).unwrap_or(usize::MAX);
        if let Some((_, due)) = self.slots.iter().rev().find(|(known, _)| *known == slot) {
            return due.get(at).copied().unwrap_or(0);
        }
        let mut due = Vec::new();
        self.schedule.slot(slot, &mut due);
        let found = due.get(at).copied().unwrap_or(0);
        if self.slots.len() >= SLOTS {
            self.slots.remove(0);
        }
        self.slots.push((slot, due));
        found
    }
}
