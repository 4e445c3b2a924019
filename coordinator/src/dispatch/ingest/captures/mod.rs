//! Records of capture jobs, taken into the working set; `put` writes them.
//!
//! A job's log counts three things: windows, anomalies and connections. A record names where it begins in each, so one
//! that is known is dropped and one behind a hole ends the job with the reason, and neither changes what is counted.

mod put;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use bytes::Bytes;
use trafficlab_shared::model::capture::anomaly::Anomaly;
use trafficlab_shared::protocol::capture::{CaptureEvent, CaptureRecord, Outcome};
use trafficlab_shared::protocol::codec;
use trafficlab_shared::protocol::report::EndReason;
use uuid::Uuid;

use super::Incoming;
use super::take::Common;
use crate::packs;
use crate::store::captures::{
    CAPTURE_JOBS, CONNECTIONS_FRAME, CaptureJobRow, CaptureState, GONE_JOBS, Gap, JobKind, WINDOWS_FRAME,
};
use crate::store::segment::FrameMeta;
use crate::store::{Store, StoreError};

pub use put::TakenCaptures;

/// Longest text of a record that is kept.
const TEXT_BYTES: usize = 2000;
/// Largest anomaly, summary or baseline as a record of the store.
const ROW_BYTES: usize = 32 * 1024;

/// What a batch changes of captures.
#[derive(Debug, Default)]
pub(super) struct Captures {
    jobs: HashMap<String, Option<CaptureJobRow>>,
    packs: Vec<Pack>,
    anomalies: Vec<(String, u64, Anomaly)>,
    events: Vec<(String, Happening)>,
}

/// Windows or connections on their way to a segment.
#[derive(Debug)]
struct Pack {
    kind: u8,
    job: String,
    capture: String,
    first: u64,
    count: u32,
    payload: Bytes,
}

/// Something its capture must know.
#[derive(Debug)]
enum Happening {
    /// Broker time in nanoseconds.
    Started(u64),
    Origin(i64),
    Gap(Gap),
    /// With broker time in nanoseconds.
    Ended(Option<Box<Outcome>>, u64),
    Failed(String, u64),
}

/// What a record adds, decoded and checked.
struct Content {
    anomalies: Vec<Anomaly>,
    anomalies_from: u64,
    connections_from: u64,
    outcome: Option<Box<Outcome>>,
}

impl Captures {
    /// Takes one message of a job's log.
    pub(super) fn take(
        &mut self,
        store: &Store,
        message: &Incoming,
        job: &str,
        common: &mut Common,
    ) -> Result<(), StoreError> {
        let record: CaptureRecord = match codec::decode(&message.payload) {
            Ok(record) => record,
            Err(error) => {
                common.set_aside(message, error.to_string());
                return Ok(());
            }
        };
        if record.job != job {
            common.set_aside(message, "the record names another job than its subject".into());
            return Ok(());
        }
        let Some(mut row) = self.row(store, job)? else {
            common.dropped += 1;
            return Ok(());
        };
        self.take_record(&mut row, message, record, common);
        self.jobs.insert(job.to_owned(), Some(row));
        Ok(())
    }

    /// The job's row with what this batch has shown so far; none when the job is gone.
    fn row(&mut self, store: &Store, job: &str) -> Result<Option<CaptureJobRow>, StoreError> {
        if let Some(known) = self.jobs.get(job) {
            return Ok(known.clone());
        }
        let key = job.to_owned();
        let gone = GONE_JOBS.contains(store, &key)?;
        let row = if gone { None } else { CAPTURE_JOBS.get(store, &key)? };
        self.jobs.insert(key, row.clone());
        Ok(row)
    }

    fn take_record(&mut self, row: &mut CaptureJobRow, message: &Incoming, record: CaptureRecord, common: &mut Common) {
        row.sequence = message.sequence;
        if row.broken {
            common.set_aside(message, "an earlier record of this job is missing or cannot be read".into());
            return;
        }
        if row.state.is_over() {
            common.dropped += 1;
            return;
        }
        let content = match Content::of(row, &record) {
            Ok(content) => content,
            Err(reason) => return self.give_up(row, message, reason, common),
        };
        let marks = [
            ("windows", record.from, row.windows),
            ("anomalies", content.anomalies_from, row.anomalies),
            ("connections", content.connections_from, row.connections),
        ];
        if marks.iter().any(|(_, from, known)| from < known) {
            common.dropped += 1;
        } else if let Some((what, from, known)) = marks.iter().find(|(_, from, known)| from > known) {
            let reason = format!("{what} from {known} to {from} are missing");
            self.give_up(row, message, reason, common);
        } else {
            self.add(row, message, record, content);
        }
    }

    /// A log that cannot be followed ends its job; what came before stays.
    fn give_up(&mut self, row: &mut CaptureJobRow, message: &Incoming, reason: String, common: &mut Common) {
        common.set_aside(message, reason.clone());
        row.broken = true;
        self.fail(row, reason, message.stored_ns);
    }

    fn fail(&mut self, row: &mut CaptureJobRow, reason: String, at_ns: u64) {
        row.state = CaptureState::Failed;
        row.ended_ns = Some(at_ns);
        row.reason = Some(reason.clone());
        self.events.push((row.job.clone(), Happening::Failed(reason, at_ns)));
    }

    fn add(&mut self, row: &mut CaptureJobRow, message: &Incoming, record: CaptureRecord, content: Content) {
        self.add_pack(row, WINDOWS_FRAME, row.windows, record.next - record.from, record.windows);
        self.add_pack(row, CONNECTIONS_FRAME, row.connections, record.connection_count.into(), record.connections);
        let numbers = content.anomalies_from..;
        self.anomalies
            .extend(numbers.zip(content.anomalies).map(|(number, anomaly)| (row.job.clone(), number, anomaly)));
        row.windows = record.next;
        row.anomalies = record.anomalies_told;
        row.connections = record.connections_told;
        row.epoch = record.epoch;
        row.worker = record.worker;
        row.revision = record.revision;
        row.progress = record.progress;
        row.stored_ns = message.stored_ns;
        if let Some(origin) = record.origin_ns {
            self.events.push((row.job.clone(), Happening::Origin(origin)));
        }
        self.follow(row, record.event, content.outcome, message.stored_ns);
    }

    fn add_pack(&mut self, row: &CaptureJobRow, kind: u8, first: u64, count: u64, payload: Bytes) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        if count > 0 {
            self.packs.push(Pack { kind, job: row.job.clone(), capture: row.capture.clone(), first, count, payload });
        }
    }

    fn follow(&mut self, row: &mut CaptureJobRow, event: CaptureEvent, outcome: Option<Box<Outcome>>, at_ns: u64) {
        let happening = match event {
            CaptureEvent::Start { .. } => {
                row.state = CaptureState::Running;
                row.started_ns.get_or_insert(at_ns);
                Happening::Started(at_ns)
            }
            CaptureEvent::FileWanted => {
                row.file_wanted = true;
                return;
            }
            CaptureEvent::Batch => return,
            CaptureEvent::Gap { from_ns, to_ns, reason } => Happening::Gap(Gap { from_ns, to_ns, reason: cut(reason) }),
            CaptureEvent::Yield => {
                row.state = CaptureState::Queued;
                return;
            }
            CaptureEvent::End { reason, .. } => {
                // Whoever stops a live capture has all of it.
                let whole = reason == EndReason::Completed || outcome.is_some();
                row.state = if whole { CaptureState::Done } else { CaptureState::Stopped };
                row.ended_ns = Some(at_ns);
                Happening::Ended(outcome, at_ns)
            }
            CaptureEvent::Failed { reason, .. } => return self.fail(row, cut(reason), at_ns),
        };
        self.events.push((row.job.clone(), happening));
    }

    /// What stands before each pack.
    pub(super) fn frames(&self) -> Vec<FrameMeta> {
        let frame = |pack: &Pack| FrameMeta {
            kind: pack.kind,
            job: Uuid::parse_str(&pack.job).unwrap_or_default().into_bytes(),
            shard: 0,
            first_sequence: pack.first,
            count: pack.count,
            counters: Vec::new(),
        };
        self.packs.iter().map(frame).collect()
    }

    /// The packs, in the order of their frames.
    pub(super) fn payloads(&self) -> impl Iterator<Item = &[u8]> {
        self.packs.iter().map(|pack| pack.payload.as_ref())
    }
}

impl Content {
    /// Takes a record apart; the error says why it cannot be one of this job.
    fn of(row: &CaptureJobRow, record: &CaptureRecord) -> Result<Self, String> {
        if record.capture != row.capture {
            return Err("the record names another capture than its job".into());
        }
        if record.worker.len() > TEXT_BYTES {
            return Err("the name of the worker is too long".into());
        }
        let told = record.next.checked_sub(record.from).ok_or("it ends before it begins")?;
        let windows = packs::windows(&record.windows).map_err(|error| error.to_string())?;
        same_count("windows", told, windows.len())?;
        let connections = packs::connections(&record.connections).map_err(|error| error.to_string())?;
        same_count("connections", record.connection_count.into(), connections.len())?;
        if row.kind != JobKind::Analysis && told + u64::from(record.connection_count) > 0 {
            return Err("only an analysis has windows and connections".into());
        }
        let anomalies = packs::anomalies(&record.anomalies).map_err(|error| error.to_string())?;
        if anomalies.iter().any(|anomaly| !fits(anomaly)) {
            return Err("an anomaly is too large".into());
        }
        let before = |told: u64, here: usize| told.checked_sub(u64::try_from(here).ok()?);
        let anomalies_from =
            before(record.anomalies_told, anomalies.len()).ok_or("it has more anomalies than it told")?;
        let connections_from =
            before(record.connections_told, connections.len()).ok_or("it has more connections than it told")?;
        Ok(Self { anomalies, anomalies_from, connections_from, outcome: outcome(row, &record.event)? })
    }
}

fn same_count(what: &str, told: u64, found: usize) -> Result<(), String> {
    if u64::try_from(found) == Ok(told) { Ok(()) } else { Err(format!("{told} {what} are told and {found} are there")) }
}

/// What a finished job found; a stopped one may have nothing.
fn outcome(row: &CaptureJobRow, event: &CaptureEvent) -> Result<Option<Box<Outcome>>, String> {
    let CaptureEvent::End { outcome, .. } = event else {
        return Ok(None);
    };
    if outcome.is_empty() {
        return Ok(None);
    }
    let outcome: Outcome = serde_json::from_slice(outcome).map_err(|error| format!("outcome: {error}"))?;
    let (fitting, small) = match (&outcome, row.kind) {
        (Outcome::Analysis { summary, .. }, JobKind::Analysis) => (true, fits(summary)),
        (Outcome::Baselines { baselines }, JobKind::Baseline) => (true, fits(baselines)),
        (Outcome::Detection { .. }, JobKind::Detection) => (true, true),
        _ => (false, true),
    };
    match (fitting, small) {
        (true, true) => Ok(Some(Box::new(outcome))),
        (true, false) => Err("its outcome is too large".into()),
        (false, _) => Err("its outcome is of another kind of job".into()),
    }
}

/// Whether a value is small enough for a record of the store.
fn fits<T: serde::Serialize>(value: &T) -> bool {
    rmp_serde::to_vec_named(value).is_ok_and(|bytes| bytes.len() <= ROW_BYTES)
}

fn cut(mut text: String) -> String {
    if text.len() > TEXT_BYTES {
        text = text.chars().take(TEXT_BYTES / 4).collect();
    }
    text
}
