//! Writing what a batch changes of traffic runs. The store's lock is held.

use std::collections::{BTreeMap, HashMap, HashSet};

use trafficlab_engine::traffic::timings::Timings;
use trafficlab_shared::clock;

use super::super::commit::Taken;
use super::{Traffic, lifecycle, workers};
use crate::store::entries::{EXTENTS, Extent, SEQUENCES};
use crate::store::runs::{HISTOGRAMS, RUNS, SHARDS, TOTALS, Timing};
use crate::store::segment::{FrameMeta, Location};
use crate::store::series::{BLOCK_SECONDS, SERIES};
use crate::store::{Batch, Store, StoreError};

/// Buckets of a stored histogram, each at most six bytes, so that it fits into a record of the store.
const MAX_BUCKETS: usize = 8192;

impl Traffic {
    /// Adds everything but the frames to `batch`; `frames` and `locations` belong to the blocks.
    pub(in super::super) fn put(
        mut self,
        store: &Store,
        (frames, locations): (&[FrameMeta], &[Location]),
        last_stored_ns: u64,
        batch: &mut Batch,
        taken: &mut Taken,
    ) -> Result<(), StoreError> {
        let gone = self.gone(store)?;
        lifecycle::follow(store, &mut self, &gone, last_stored_ns, batch, taken)?;
        self.put_blocks(&gone, frames, locations, batch, taken)?;
        self.put_figures(store, &gone, batch)?;
        workers::put(store, &self, &gone, batch)?;
        for (key, shard) in &self.shards {
            if !gone.contains(&key.0) {
                SHARDS.put(batch, key, shard)?;
                taken.shards.push((key.0.clone(), key.1, shard.sequence));
            }
        }
        let Self { counters, mut timings, .. } = self;
        let figures = counters.into_iter().filter_map(|(job, counters)| {
            let timings = timings.remove(&job)?;
            Some((job, counters, timings))
        });
        taken.figures = figures.collect();
        Ok(())
    }

    /// Runs that were removed since their records were looked at.
    fn gone(&self, store: &Store) -> Result<HashSet<String>, StoreError> {
        let mut gone = HashSet::new();
        for job in self.runs.keys() {
            if !RUNS.contains(store, job)? {
                gone.insert(job.clone());
            }
        }
        Ok(gone)
    }

    fn put_blocks(
        &self,
        gone: &HashSet<String>,
        frames: &[FrameMeta],
        locations: &[Location],
        batch: &mut Batch,
        taken: &mut Taken,
    ) -> Result<(), StoreError> {
        let mut next: HashMap<&String, u64> = HashMap::new();
        for ((block, frame), location) in self.blocks.iter().zip(frames).zip(locations) {
            let first = frame.first_sequence;
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
            EXTENTS.put(batch, &(block.campaign.clone(), first), &extent)?;
            next.insert(&block.campaign, first + u64::from(block.count));
            taken.entries += u64::from(block.count);
        }
        for (campaign, sequence) in next {
            SEQUENCES.put(batch, campaign, &sequence)?;
        }
        Ok(())
    }

    fn put_figures(&self, store: &Store, gone: &HashSet<String>, batch: &mut Batch) -> Result<(), StoreError> {
        let now = clock::wall_ns();
        for (job, counters) in self.counters.iter().filter(|(job, _)| !gone.contains(*job)) {
            let mut totals = TOTALS.get(store, job)?.unwrap_or_default();
            totals.counters.merge(counters);
            totals.updated_ns = now;
            for block in self.blocks.iter().filter(|block| block.job == *job) {
                totals.entries += u64::from(block.count);
                totals.bytes += u64::try_from(block.payload.len()).unwrap_or(u64::MAX);
            }
            TOTALS.put(batch, job, &totals)?;
        }
        for (job, timings) in self.timings.iter().filter(|(job, _)| !gone.contains(*job)) {
            put_timings(store, job, timings, batch)?;
        }
        Ok(())
    }
}

fn put_timings(store: &Store, job: &str, timings: &Timings, batch: &mut Batch) -> Result<(), StoreError> {
    let kinds =
        [(Timing::Response, &timings.response), (Timing::Service, &timings.service), (Timing::Lag, &timings.lag)];
    for (kind, added) in kinds.into_iter().filter(|(_, added)| added.count() > 0) {
        let key = (job.to_owned(), kind as u8);
        let mut histogram = HISTOGRAMS.get(store, &key)?.unwrap_or_default();
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
        let mut stored = SERIES.get(store, &key)?.unwrap_or_default();
        stored.merge(&points);
        SERIES.put(batch, &key, &stored)?;
    }
    Ok(())
}
