//! Taking records one by one into a working set; nothing is written yet.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use trafficlab_engine::traffic::counters::Counters;
use trafficlab_engine::traffic::timings::Timings;
use trafficlab_shared::protocol::codec;
use trafficlab_shared::protocol::report::{EndReason, Event, Record, Results};
use trafficlab_shared::protocol::subject;

use super::Incoming;
use crate::store::entries::SetAside;
use crate::store::runs::{RUNS, Run, SHARDS, Shard, ShardState, TOMBSTONES};
use crate::store::workers::WorkerFigures;
use crate::store::{Store, StoreError};

/// Most bytes of a message that is set aside.
const ASIDE_BYTES: usize = 48 * 1024;

/// Everything a batch of messages changes.
#[derive(Debug, Default)]
pub(super) struct Work {
    pub(super) shards: HashMap<(String, u32), Shard>,
    pub(super) runs: HashMap<String, Option<Run>>,
    pub(super) counters: HashMap<String, Counters>,
    pub(super) timings: HashMap<String, Timings>,
    /// By job and worker.
    pub(super) workers: BTreeMap<(String, String), WorkerFigures>,
    pub(super) blocks: Vec<Block>,
    pub(super) events: Vec<LifeEvent>,
    pub(super) aside: Vec<(u64, SetAside)>,
    pub(super) dropped: u64,
    pub(super) last_sequence: u64,
    pub(super) last_stored_ns: u64,
}

/// Entries on their way to a segment.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) job: String,
    pub(super) campaign: String,
    pub(super) record: Record,
    pub(super) count: u32,
    pub(super) payload: Bytes,
    pub(super) counters: Bytes,
}

/// Something happened to a shard that its run must know.
#[derive(Debug, Clone)]
pub(super) struct LifeEvent {
    pub(super) job: String,
    pub(super) started_at: Option<u64>,
    pub(super) failure: Option<String>,
}

impl Work {
    /// Takes one message.
    pub(super) fn take(&mut self, store: &Store, message: &Incoming) -> Result<(), StoreError> {
        self.last_sequence = message.sequence;
        self.last_stored_ns = message.stored_ns;
        let Some((job, shard)) = subject::parse_traffic_results(&message.subject) else {
            self.set_aside(message, "nothing is expected on this subject".into());
            return Ok(());
        };
        let record: Record = match codec::decode(&message.payload) {
            Ok(record) => record,
            Err(error) => {
                self.set_aside(message, error.to_string());
                return Ok(());
            }
        };
        if record.job != job || record.shard != shard {
            self.set_aside(message, "the record names another shard than its subject".into());
            return Ok(());
        }
        let Some(campaign) = self.campaign_of(store, job)? else {
            self.dropped += 1;
            return Ok(());
        };
        self.take_record(store, message, record, campaign)
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
    ) -> Result<(), StoreError> {
        let key = (record.job.clone(), record.shard);
        let mut shard = match self.shards.remove(&key) {
            Some(shard) => shard,
            None => SHARDS.get(store, &key)?.unwrap_or_default(),
        };
        if record.from < shard.next {
            self.dropped += 1;
        } else if record.from > shard.next || shard.state == ShardState::Quarantined {
            let reason = format!("results from {:?} to {:?} are missing", shard.next, record.from);
            self.set_aside(message, reason.clone());
            self.event(&record, None, Some(reason.clone()));
            shard.state = ShardState::Quarantined;
            shard.reason = Some(reason);
            shard.sequence = message.sequence;
        } else {
            match decode_results(record.results.as_ref()) {
                Ok(figures) => self.add(&mut shard, message, record, campaign, figures),
                Err(reason) => {
                    self.set_aside(message, reason.clone());
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

    fn set_aside(&mut self, message: &Incoming, reason: String) {
        tracing::warn!(subject = %message.subject, sequence = message.sequence, %reason, "message set aside");
        let payload = message.payload.get(..ASIDE_BYTES).unwrap_or(&message.payload);
        self.aside.push((
            message.sequence,
            SetAside {
                subject: message.subject.chars().take(500).collect(),
                reason,
                at_ns: message.stored_ns,
                payload: payload.to_vec(),
            },
        ));
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
