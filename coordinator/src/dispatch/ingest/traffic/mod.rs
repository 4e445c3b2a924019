//! Records of traffic runs, taken into the working set; `put` writes them, `lifecycle` follows their events.

mod lifecycle;
mod put;
mod workers;

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use trafficlab_engine::traffic::counters::Counters;
use trafficlab_engine::traffic::timings::Timings;
use trafficlab_shared::protocol::codec;
use trafficlab_shared::protocol::report::{EndReason, Event, Record, Results};
use uuid::Uuid;

use super::Incoming;
use super::take::Common;
use crate::store::entries::{ENTRIES_FRAME, SEQUENCES};
use crate::store::runs::{RUNS, Run, SHARDS, Shard, ShardState, TOMBSTONES};
use crate::store::segment::FrameMeta;
use crate::store::workers::WorkerFigures;
use crate::store::{Store, StoreError};

/// What a batch changes of traffic runs.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    shards: HashMap<(String, u32), Shard>,
    runs: HashMap<String, Option<Run>>,
    counters: HashMap<String, Counters>,
    timings: HashMap<String, Timings>,
    /// By job and worker.
    workers: BTreeMap<(String, String), WorkerFigures>,
    blocks: Vec<Block>,
    events: Vec<LifeEvent>,
}

/// Entries on their way to a segment.
#[derive(Debug)]
struct Block {
    job: String,
    campaign: String,
    record: Record,
    count: u32,
    payload: Bytes,
    counters: Bytes,
}

/// Something happened to a shard that its run must know.
#[derive(Debug, Clone)]
struct LifeEvent {
    job: String,
    started_at: Option<u64>,
    failure: Option<String>,
}

impl Traffic {
    /// Takes one message of a shard's log.
    pub(super) fn take(
        &mut self,
        store: &Store,
        message: &Incoming,
        (job, shard): (&str, u32),
        common: &mut Common,
    ) -> Result<(), StoreError> {
        let record: Record = match codec::decode(&message.payload) {
            Ok(record) => record,
            Err(error) => {
                common.set_aside(message, error.to_string());
                return Ok(());
            }
        };
        if record.job != job || record.shard != shard {
            common.set_aside(message, "the record names another shard than its subject".into());
            return Ok(());
        }
        let Some(campaign) = self.campaign_of(store, job)? else {
            common.dropped += 1;
            return Ok(());
        };
        self.take_record(store, message, record, campaign, common)
    }

    /// What stands before each block: sequences without gaps, per campaign, in the order of arrival.
    pub(super) fn frames(&self, store: &Store) -> Result<Vec<FrameMeta>, StoreError> {
        let mut next: HashMap<&str, u64> = HashMap::new();
        let mut frames = Vec::with_capacity(self.blocks.len());
        for block in &self.blocks {
            let first = match next.get(block.campaign.as_str()) {
                Some(first) => *first,
                None => SEQUENCES.get(store, &block.campaign)?.unwrap_or(1),
            };
            frames.push(FrameMeta {
                kind: ENTRIES_FRAME,
                job: Uuid::parse_str(&block.job).unwrap_or_default().into_bytes(),
                shard: block.record.shard,
                first_sequence: first,
                count: block.count,
                counters: block.counters.to_vec(),
            });
            next.insert(&block.campaign, first + u64::from(block.count));
        }
        Ok(frames)
    }

    /// The blocks, in the order of their frames.
    pub(super) fn payloads(&self) -> impl Iterator<Item = &[u8]> {
        self.blocks.iter().map(|block| block.payload.as_ref())
    }

    /// The campaign of a job that may still add results.
    fn campaign_of(&mut self, store: &Store, job: &str) -> Result<Option<String>, StoreError> {
        if !self.runs.contains_key(job) {
            let gone = TOMBSTONES.contains(store, &job.to_owned())?;
            let run = if gone { None } else { RUNS.get(store, &job.to_owned())? };
            self.runs.insert(job.to_owned(), run);
        }
        Ok(self.runs.get(job).and_then(|run| Some(run.as_ref()?.campaign.clone())))
    }

    fn take_record(
        &mut self,
        store: &Store,
        message: &Incoming,
        record: Record,
        campaign: String,
        common: &mut Common,
    ) -> Result<(), StoreError> {
        let key = (record.job.clone(), record.shard);
        let mut shard = match self.shards.remove(&key) {
            Some(shard) => shard,
            None => SHARDS.get(store, &key)?.unwrap_or_default(),
        };
        if record.from < shard.next {
            common.dropped += 1;
        } else if record.from > shard.next || shard.state == ShardState::Quarantined {
            let reason = format!("results from {:?} to {:?} are missing", shard.next, record.from);
            common.set_aside(message, reason.clone());
            self.event(&record, None, Some(reason.clone()));
            shard.state = ShardState::Quarantined;
            shard.reason = Some(reason);
            shard.sequence = message.sequence;
        } else {
            match decode_results(record.results.as_ref()) {
                Ok(figures) => self.add(&mut shard, message, record, campaign, figures),
                Err(reason) => {
                    common.set_aside(message, reason.clone());
                    self.event(&record, None, Some(reason.clone()));
                    shard.state = ShardState::Quarantined;
                    shard.reason = Some(reason);
                    shard.sequence = message.sequence;
                }
            }
        }
        self.shards.insert(key, shard);
        Ok(())
    }

    fn add(
        &mut self,
        shard: &mut Shard,
        message: &Incoming,
        mut record: Record,
        campaign: String,
        figures: Option<(Counters, Timings)>,
    ) {
        self.follow_event(shard, &record, message.stored_ns);
        shard.epoch = record.epoch;
        shard.next = record.next;
        shard.sequence = message.sequence;
        shard.stored_ns = message.stored_ns;
        shard.revision = record.revision;
        shard.origin = record.origin.or(shard.origin);
        shard.history = std::mem::take(&mut record.history);
        shard.worker.clone_from(&record.worker);
        let (Some((counters, timings)), Some(results)) = (figures, record.results.take()) else {
            return;
        };
        let job = record.job.clone();
        let worker = self.workers.entry((job.clone(), record.worker.clone())).or_default();
        worker.counts.merge(&(&counters).into());
        worker.lag.merge(&timings.lag);
        self.counters.entry(job.clone()).or_default().merge(&counters);
        self.timings.entry(job.clone()).or_default().merge(&timings);
        if results.count > 0 {
            self.blocks.push(Block {
                job,
                campaign,
                record,
                count: results.count,
                payload: results.block,
                counters: results.counters,
            });
        }
    }

    fn follow_event(&mut self, shard: &mut Shard, record: &Record, stored_ns: u64) {
        let next = match &record.event {
            Event::Start { .. } => {
                self.event(record, Some(stored_ns), None);
                shard.reason = None;
                ShardState::Running
            }
            Event::Batch | Event::Control { .. } => ShardState::Running,
            Event::Pause => ShardState::Paused,
            Event::Yield => ShardState::Yielded,
            Event::End { reason: EndReason::Completed } => ShardState::Ended,
            Event::End { reason: EndReason::Stopped } => ShardState::Stopped,
            Event::Failed { reason, .. } => {
                self.event(record, None, Some(reason.clone()));
                shard.reason = Some(reason.clone());
                ShardState::Failed
            }
        };
        if next != shard.state {
            self.event(record, None, None);
            shard.state = next;
        }
    }

    fn event(&mut self, record: &Record, started_at: Option<u64>, failure: Option<String>) {
        self.events.push(LifeEvent { job: record.job.clone(), started_at, failure });
    }
}

fn decode_results(results: Option<&Results>) -> Result<Option<(Counters, Timings)>, String> {
    let Some(results) = results else {
        return Ok(None);
    };
    let counters = rmp_serde::from_slice(&results.counters).map_err(|error| format!("counters: {error}"))?;
    let timings = rmp_serde::from_slice(&results.timings).map_err(|error| format!("timings: {error}"))?;
    Ok(Some((counters, timings)))
}
