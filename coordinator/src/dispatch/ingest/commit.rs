//! One commit: frames to the segments, then everything else in one batch of the store.

use std::collections::{BTreeMap, HashMap, HashSet};

use trafficlab_engine::traffic::counters::Counters;
use trafficlab_engine::traffic::timings::Timings;
use trafficlab_shared::clock;
use uuid::Uuid;

use super::take::{Block, Work};
use super::{Incoming, lifecycle, workers};
use crate::store::entries::{ENTRIES_FRAME, EXTENTS, Extent, POSITION, Position, QUARANTINE, SEQUENCES};
use crate::store::runs::{HISTOGRAMS, RUNS, SHARDS, TOTALS, Timing};
use crate::store::segment::{Frame, FrameMeta, Location, SegmentDir, SegmentError, SegmentLog};
use crate::store::series::{BLOCK_SECONDS, SERIES};
use crate::store::{Batch, Store, StoreError};

/// Buckets of a stored histogram, each at most six bytes, so that it fits into a record of the store.
const MAX_BUCKETS: usize = 8192;

/// Why a commit failed. It may be tried again from the position.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The segments.
    #[error(transparent)]
    Segment(#[from] SegmentError),
    /// Segments without the metadata that explains them.
    #[error("the store is empty and its segments are not: restore a dump, or move the folder aside")]
    Orphans,
}

/// What a commit changed, for those who act on it.
#[derive(Debug, Default)]
pub struct Taken {
    /// Campaigns with new figures.
    pub campaigns: HashSet<String>,
    /// Runs whose state or desired state changed.
    pub runs: HashSet<String>,
    /// The last sequence taken of each shard's log.
    pub shards: Vec<(String, u32, u64)>,
    /// What was added to each run's figures.
    pub figures: Vec<(String, Counters, Timings)>,
    /// Entries stored.
    pub entries: u64,
    /// Messages set aside.
    pub aside: u64,
    /// Records that were known already or belong to no run.
    pub dropped: u64,
}

/// The only writer of results.
pub struct Ingester {
    store: Store,
    log: SegmentLog,
    position: Position,
}

impl Ingester {
    /// Takes over the segments at the stored position.
    ///
    /// # Errors
    /// When the store or the segments cannot be read.
    pub fn open(store: Store, folder: &std::path::Path) -> Result<Self, IngestError> {
        let position = match POSITION.get(&store, &0)? {
            Some(position) => position,
            // Opening the log at position zero would remove every result.
            None if folder.exists() && SegmentDir::new(folder).bytes()? > 0 => return Err(IngestError::Orphans),
            None => {
                let mut batch = Batch::new();
                POSITION.put(&mut batch, &0, &Position::default())?;
                store.commit_blocking(batch)?;
                Position::default()
            }
        };
        let log = SegmentLog::open(folder, position.committed, crate::store::segment::SegmentOptions::default())?;
        Ok(Self { store, log, position })
    }

    /// The position in the stream made at `stream_ns`: its beginning when that is another one than
    /// before. What is replayed then is recognised by each shard's mark.
    pub fn position_in(&mut self, stream_ns: u64) -> Position {
        if self.position.stream_ns != stream_ns {
            self.position.stream_ns = stream_ns;
            self.position.sequence = 0;
        }
        self.position
    }

    /// Commits a batch; durable when this returns.
    ///
    /// # Errors
    /// When a disk refuses; nothing of the batch counts then.
    pub fn commit(&mut self, messages: &[Incoming]) -> Result<Taken, IngestError> {
        let mut work = Work::default();
        let messages = messages.iter().filter(|message| message.sequence > self.position.sequence);
        for message in messages {
            work.take(&self.store, message)?;
        }
        if work.last_sequence == 0 {
            return Ok(Taken::default());
        }
        let firsts = self.sequences(&work.blocks)?;
        let locations = self.append(&work.blocks, &firsts)?;
        let position = Position {
            stream_ns: self.position.stream_ns,
            sequence: work.last_sequence,
            committed: self.log.position(),
        };
        let taken = self.write(work, &firsts, &locations, position)?;
        self.store.durable_blocking()?;
        self.position = position;
        Ok(taken)
    }

    /// The first sequence of each block: without gaps, per campaign, in the order of arrival.
    fn sequences(&self, blocks: &[Block]) -> Result<Vec<u64>, StoreError> {
        let mut next: HashMap<&str, u64> = HashMap::new();
        let mut firsts = Vec::with_capacity(blocks.len());
        for block in blocks {
            let first = match next.get(block.campaign.as_str()) {
                Some(first) => *first,
                None => SEQUENCES.get(&self.store, &block.campaign)?.unwrap_or(1),
            };
            firsts.push(first);
            next.insert(&block.campaign, first + u64::from(block.count));
        }
        Ok(firsts)
    }

    fn append(&mut self, blocks: &[Block], firsts: &[u64]) -> Result<Vec<Location>, SegmentError> {
        let metas: Vec<FrameMeta> = blocks
            .iter()
            .zip(firsts)
            .map(|(block, first)| FrameMeta {
                kind: ENTRIES_FRAME,
                job: Uuid::parse_str(&block.job).unwrap_or_default().into_bytes(),
                shard: block.record.shard,
                first_sequence: *first,
                count: block.count,
                counters: block.counters.to_vec(),
            })
            .collect();
        let frames: Vec<Frame<'_>> =
            metas.iter().zip(blocks).map(|(meta, block)| Frame { meta, payload: &block.payload }).collect();
        let locations = self.log.append(&frames)?;
        if !locations.is_empty() {
            self.log.sync()?;
        }
        Ok(locations)
    }

    /// Everything but the frames, under the lock that keeps requests from changing runs meanwhile.
    fn write(
        &self,
        mut work: Work,
        firsts: &[u64],
        locations: &[Location],
        position: Position,
    ) -> Result<Taken, IngestError> {
        let mut batch = Batch::new();
        let mut taken = Taken { aside: count(&work.aside), dropped: work.dropped, ..Taken::default() };
        let guard = self.store.lock();
        let gone = self.gone(&work)?;
        lifecycle::follow(&self.store, &mut work, &gone, &mut batch, &mut taken)?;
        self.put_blocks(&work, &gone, firsts, locations, &mut batch, &mut taken)?;
        self.put_figures(&work, &gone, &mut batch)?;
        workers::put(&self.store, &work, &gone, &mut batch)?;
        for (key, shard) in &work.shards {
            if !gone.contains(&key.0) {
                SHARDS.put(&mut batch, key, shard)?;
                taken.shards.push((key.0.clone(), key.1, shard.sequence));
            }
        }
        for (sequence, aside) in &work.aside {
            QUARANTINE.put(&mut batch, sequence, aside)?;
        }
        POSITION.put(&mut batch, &0, &position)?;
        self.store.apply(batch)?;
        drop(guard);
        let Work { counters, mut timings, .. } = work;
        let figures = counters.into_iter().filter_map(|(job, counters)| {
            let timings = timings.remove(&job)?;
            Some((job, counters, timings))
        });
        taken.figures = figures.collect();
        Ok(taken)
    }

    /// Runs that were removed since their records were looked at.
    fn gone(&self, work: &Work) -> Result<HashSet<String>, StoreError> {
        let mut gone = HashSet::new();
        for job in work.runs.keys() {
            if !RUNS.contains(&self.store, job)? {
                gone.insert(job.clone());
            }
        }
        Ok(gone)
    }

    fn put_blocks(
        &self,
        work: &Work,
        gone: &HashSet<String>,
        firsts: &[u64],
        locations: &[Location],
        batch: &mut Batch,
        taken: &mut Taken,
    ) -> Result<(), StoreError> {
        let mut next: HashMap<&String, u64> = HashMap::new();
        for ((block, first), location) in work.blocks.iter().zip(firsts).zip(locations) {
            if gone.contains(&block.job) {
                continue;
            }
            let extent = Extent {
                location: *location,
                count: block.count,
                job: block.job.clone(),
                shard: block.record.shard,
                worker: block.record.worker.clone(),
                origin: block.record.origin.unwrap_or_default(),
            };
            EXTENTS.put(batch, &(block.campaign.clone(), *first), &extent)?;
            next.insert(&block.campaign, first + u64::from(block.count));
            taken.entries += u64::from(block.count);
        }
        for (campaign, sequence) in next {
            SEQUENCES.put(batch, campaign, &sequence)?;
        }
        Ok(())
    }

    fn put_figures(&self, work: &Work, gone: &HashSet<String>, batch: &mut Batch) -> Result<(), StoreError> {
        let now = clock::wall_ns();
        for (job, counters) in work.counters.iter().filter(|(job, _)| !gone.contains(*job)) {
            let mut totals = TOTALS.get(&self.store, job)?.unwrap_or_default();
            totals.counters.merge(counters);
            totals.updated_ns = now;
            for block in work.blocks.iter().filter(|block| block.job == *job) {
                totals.entries += u64::from(block.count);
                totals.bytes += u64::try_from(block.payload.len()).unwrap_or(u64::MAX);
            }
            TOTALS.put(batch, job, &totals)?;
        }
        for (job, timings) in work.timings.iter().filter(|(job, _)| !gone.contains(*job)) {
            self.put_timings(job, timings, batch)?;
        }
        Ok(())
    }

    fn put_timings(&self, job: &str, timings: &Timings, batch: &mut Batch) -> Result<(), StoreError> {
        let kinds =
            [(Timing::Response, &timings.response), (Timing::Service, &timings.service), (Timing::Lag, &timings.lag)];
        for (kind, added) in kinds.into_iter().filter(|(_, added)| added.count() > 0) {
            let key = (job.to_owned(), kind as u8);
            let mut histogram = HISTOGRAMS.get(&self.store, &key)?.unwrap_or_default();
            histogram.merge(added);
            histogram.thin(MAX_BUCKETS);
            HISTOGRAMS.put(batch, &key, &histogram)?;
        }
        let mut blocks: BTreeMap<u64, Vec<_>> = BTreeMap::new();
        for point in &timings.seconds {
            blocks.entry(point.second / BLOCK_SECONDS).or_default().push(point.clone());
        }
        for (block, points) in blocks {
            let key = (job.to_owned(), block);
            let mut stored = SERIES.get(&self.store, &key)?.unwrap_or_default();
            stored.merge(&points);
            SERIES.put(batch, &key, &stored)?;
        }
        Ok(())
    }
}

fn count<T>(items: &[T]) -> u64 {
    u64::try_from(items.len()).unwrap_or(u64::MAX)
}
