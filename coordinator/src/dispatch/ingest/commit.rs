//! One commit: frames to the segments, then everything else in one batch of the store.

use std::collections::HashSet;

use trafficlab_engine::traffic::counters::Counters;
use trafficlab_engine::traffic::timings::Timings;

use super::Incoming;
use super::captures::TakenCaptures;
use super::exports::TakenExports;
use super::take::Work;
use crate::dispatch::exports::ExportFiles;
use crate::store::entries::{POSITION, Position, QUARANTINE};
use crate::store::segment::{Frame, FrameMeta, Location, SegmentDir, SegmentError, SegmentLog};
use crate::store::{Batch, Store, StoreError};

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
    /// What changed of captures.
    pub captures: TakenCaptures,
    /// What changed of exports.
    pub exports: TakenExports,
}

/// The only writer of results.
pub struct Ingester {
    store: Store,
    log: SegmentLog,
    exports: ExportFiles,
    position: Position,
}

impl Ingester {
    /// Takes over the segments at the stored position; files of exports go where `exports` says.
    ///
    /// # Errors
    /// When the store or the segments cannot be read.
    pub fn open(store: Store, folder: &std::path::Path, exports: ExportFiles) -> Result<Self, IngestError> {
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
        Ok(Self { store, log, exports, position })
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
        if work.common.last_sequence == 0 {
            return Ok(Taken::default());
        }
        work.exports.write(&self.exports);
        let frames = Frames { traffic: work.traffic.frames(&self.store)?, captures: work.captures.frames() };
        let locations = self.append(&work, &frames)?;
        let position = Position {
            stream_ns: self.position.stream_ns,
            sequence: work.common.last_sequence,
            committed: self.log.position(),
        };
        let taken = self.write(work, &frames, &locations, position)?;
        self.store.durable_blocking()?;
        self.position = position;
        Ok(taken)
    }

    fn append(&mut self, work: &Work, frames: &Frames) -> Result<Vec<Location>, SegmentError> {
        let traffic = frames.traffic.iter().zip(work.traffic.payloads());
        let captures = frames.captures.iter().zip(work.captures.payloads());
        let frames: Vec<Frame<'_>> = traffic.chain(captures).map(|(meta, payload)| Frame { meta, payload }).collect();
        let locations = self.log.append(&frames)?;
        if !locations.is_empty() {
            self.log.sync()?;
        }
        Ok(locations)
    }

    /// Everything but the frames, under the lock that keeps requests from changing jobs meanwhile.
    fn write(
        &self,
        work: Work,
        frames: &Frames,
        locations: &[Location],
        position: Position,
    ) -> Result<Taken, IngestError> {
        let Work { traffic, captures, exports, common } = work;
        let mut batch = Batch::new();
        let mut taken = Taken { aside: count(&common.aside), dropped: common.dropped, ..Taken::default() };
        let (entries, packs) = locations.split_at(frames.traffic.len().min(locations.len()));
        let guard = self.store.lock();
        traffic.put(&self.store, (&frames.traffic, entries), common.last_stored_ns, &mut batch, &mut taken)?;
        captures.put(&self.store, packs, &mut batch, &mut taken.captures)?;
        exports.put(&self.store, &mut batch, &mut taken.exports)?;
        for (sequence, aside) in &common.aside {
            QUARANTINE.put(&mut batch, sequence, aside)?;
        }
        POSITION.put(&mut batch, &0, &position)?;
        self.store.apply(batch)?;
        drop(guard);
        Ok(taken)
    }
}

/// What stands before each payload of a commit.
struct Frames {
    traffic: Vec<FrameMeta>,
    captures: Vec<FrameMeta>,
}

fn count<T>(items: &[T]) -> u64 {
    u64::try_from(items.len()).unwrap_or(u64::MAX)
}
