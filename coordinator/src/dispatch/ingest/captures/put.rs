//! Writing what a batch changes of captures. The store's lock is held.

use std::collections::HashMap;

use trafficlab_shared::model::capture::baseline::Baselines;
use trafficlab_shared::protocol::capture::Outcome;

use super::{Captures, Happening, Pack};
use crate::dispatch::captures::CaptureNews;
use crate::store::captures::{
    ANOMALIES, BASELINES, CAPTURE_JOBS, CAPTURES, CONNECTION_EXTENTS, Capture, CaptureJobRow, CaptureState, Gap,
    JobKind, MOST_GAPS, PackExtent, StoredBaseline, WINDOW_EXTENTS, WINDOWS_FRAME, WIRES,
};
use crate::store::segment::Location;
use crate::store::{Batch, Store, StoreError};

/// Longest text of the figures to compare with tshark.
const WIRE_BYTES: usize = 56 * 1024;

/// What a commit changed of captures, for those who act on it.
#[derive(Debug, Default)]
pub struct TakenCaptures {
    /// Jobs that are to be looked at: their state changed, or they want something.
    pub jobs: Vec<String>,
    /// The last sequence taken of each job's log.
    pub sequences: Vec<(String, u64)>,
    /// For everybody who listens.
    pub news: Vec<CaptureNews>,
    /// Windows stored.
    pub windows: u64,
    /// Anomalies stored.
    pub anomalies: u64,
}

/// The rows of a commit.
#[derive(Default)]
struct Rows {
    jobs: HashMap<String, CaptureJobRow>,
    captures: HashMap<String, Capture>,
}

impl Captures {
    /// Adds everything but the frames to `batch`; `locations` belong to the packs.
    pub(in super::super) fn put(
        self,
        store: &Store,
        locations: &[Location],
        batch: &mut Batch,
        taken: &mut TakenCaptures,
    ) -> Result<(), StoreError> {
        let Self { jobs, packs, anomalies, events } = self;
        let mut rows = Rows::load(store, jobs, taken)?;
        for (pack, location) in packs.iter().zip(locations) {
            rows.put_pack(pack, *location, batch, taken)?;
        }
        for (job, number, anomaly) in anomalies.iter().filter(|(job, ..)| rows.jobs.contains_key(job)) {
            ANOMALIES.put(batch, &(job.clone(), *number), anomaly)?;
            taken.anomalies += 1;
        }
        rows.follow_counts(taken);
        for (job, happening) in events {
            rows.follow(&job, happening, store, batch, taken)?;
        }
        for (job, row) in &rows.jobs {
            CAPTURE_JOBS.put(batch, job, row)?;
        }
        for (id, capture) in &rows.captures {
            CAPTURES.put(batch, id, capture)?;
        }
        Ok(())
    }
}

impl Rows {
    /// The rows as they are now: what requests changed meanwhile counts, and what they removed is left out.
    fn load(
        store: &Store,
        jobs: HashMap<String, Option<CaptureJobRow>>,
        taken: &mut TakenCaptures,
    ) -> Result<Self, StoreError> {
        let mut rows = Self::default();
        for (job, row) in jobs {
            let (Some(mut row), Some(now)) = (row, CAPTURE_JOBS.get(store, &job)?) else {
                continue;
            };
            let Some(capture) = CAPTURES.get(store, &row.capture)? else {
                continue;
            };
            if now.state.is_over() {
                row.state = now.state;
                row.reason.clone_from(&now.reason);
                row.ended_ns = now.ended_ns;
            }
            if row.state != now.state || row.file_wanted != now.file_wanted {
                taken.jobs.push(job.clone());
            }
            row.desired = now.desired;
            row.host = now.host;
            row.cleared = now.cleared;
            taken.sequences.push((job.clone(), row.sequence));
            rows.captures.entry(row.capture.clone()).or_insert(capture);
            rows.jobs.insert(job, row);
        }
        Ok(rows)
    }

    fn put_pack(
        &mut self,
        pack: &Pack,
        location: Location,
        batch: &mut Batch,
        taken: &mut TakenCaptures,
    ) -> Result<(), StoreError> {
        let Some(capture) = self.captures.get_mut(&pack.capture).filter(|_| self.jobs.contains_key(&pack.job)) else {
            return Ok(());
        };
        capture.bytes_on_disk += u64::from(location.len);
        let key = (pack.capture.clone(), pack.first);
        let extent = PackExtent { location, count: pack.count };
        if pack.kind == WINDOWS_FRAME {
            taken.windows += u64::from(pack.count);
            WINDOW_EXTENTS.put(batch, &key, &extent)
        } else {
            CONNECTION_EXTENTS.put(batch, &key, &extent)
        }
    }

    /// Counts and progress of each capture, by its jobs.
    fn follow_counts(&mut self, taken: &mut TakenCaptures) {
        for row in self.jobs.values() {
            let Some(capture) = self.captures.get_mut(&row.capture) else {
                continue;
            };
            if capture.anomaly_job.as_ref() == Some(&row.job) && row.anomalies != capture.anomalies {
                let (from, next) = (capture.anomalies, row.anomalies);
                capture.anomalies = next;
                taken.news.push(CaptureNews::Anomalies {
                    capture: capture.id.clone(),
                    job: row.job.clone(),
                    from,
                    next,
                });
            }
            if row.kind != JobKind::Analysis {
                continue;
            }
            if row.windows != capture.windows {
                let (from, next) = (capture.windows, row.windows);
                taken.news.push(CaptureNews::Windows { capture: capture.id.clone(), from, next });
            }
            capture.windows = row.windows;
            capture.connections = row.connections;
            capture.progress = row.progress;
            let before = capture.state;
            if !capture.state.is_over() {
                capture.state = row.state;
            }
            if before != capture.state {
                taken.news.push(CaptureNews::State { capture: capture.id.clone(), state: capture.state });
            }
        }
    }

    fn follow(
        &mut self,
        job: &str,
        happening: Happening,
        store: &Store,
        batch: &mut Batch,
        taken: &mut TakenCaptures,
    ) -> Result<(), StoreError> {
        let Some(row) = self.jobs.get(job) else {
            return Ok(());
        };
        let Some(capture) = self.captures.get_mut(&row.capture) else {
            return Ok(());
        };
        let analysis = row.kind == JobKind::Analysis;
        match happening {
            Happening::Started(at_ns) if analysis => {
                capture.started_ns.get_or_insert(at_ns);
                note_worker(capture, row);
            }
            Happening::Origin(origin_ns) if analysis => capture.origin_ns = Some(origin_ns),
            Happening::Gap(gap) if analysis => add_gap(capture, gap, taken),
            Happening::Failed(reason, at_ns) if analysis => {
                capture.reason = Some(reason);
                capture.ended_ns = Some(at_ns);
            }
            Happening::Ended(outcome, at_ns) => {
                if analysis {
                    capture.ended_ns = Some(at_ns);
                }
                if let Some(outcome) = outcome {
                    found(capture, row, *outcome, at_ns, (store, batch), taken)?;
                }
            }
            Happening::Started(_) | Happening::Origin(_) | Happening::Gap(_) | Happening::Failed(..) => {}
        }
        Ok(())
    }
}

fn note_worker(capture: &mut Capture, row: &CaptureJobRow) {
    if let crate::store::captures::Source::Live { worker, .. } = &mut capture.source {
        *worker = Some(row.worker.clone());
    }
}

fn add_gap(capture: &mut Capture, gap: Gap, taken: &mut TakenCaptures) {
    if capture.gaps.last() == Some(&gap) {
        return;
    }
    taken.news.push(CaptureNews::Gap { capture: capture.id.clone(), gap: gap.clone() });
    let full = capture.gaps.len() >= MOST_GAPS;
    match capture.gaps.last_mut().filter(|_| full) {
        Some(last) => last.to_ns = gap.to_ns,
        None => capture.gaps.push(gap),
    }
}

/// Keeps what a job found at its end.
fn found(
    capture: &mut Capture,
    row: &CaptureJobRow,
    outcome: Outcome,
    at_ns: u64,
    (store, batch): (&Store, &mut Batch),
    taken: &mut TakenCaptures,
) -> Result<(), StoreError> {
    match outcome {
        Outcome::Analysis { summary, wire } => {
            capture.summary = Some(*summary);
            let text = wire.to_string();
            if text.len() <= WIRE_BYTES {
                WIRES.put(batch, &capture.id, &text)?;
            } else {
                tracing::warn!(capture = %capture.id, bytes = text.len(), "figures of the wire are too large to keep");
            }
        }
        Outcome::Baselines { baselines } => put_baselines(&capture.id, &baselines, at_ns, batch)?,
        Outcome::Detection { .. } => swap_anomalies(capture, row, store, batch, taken)?,
    }
    Ok(())
}

fn put_baselines(capture: &str, baselines: &Baselines, at_ns: u64, batch: &mut Batch) -> Result<(), StoreError> {
    for baseline in &baselines.all {
        let key = baseline.kind.as_str().to_owned();
        let stored = StoredBaseline { baseline: baseline.clone(), capture: capture.to_owned(), created_ns: at_ns };
        BASELINES.put(batch, &key, &stored)?;
    }
    Ok(())
}

/// From now on the anomalies of this detection count, unless a live capture still finds its own or a later detection
/// was faster. Those of the job before go when the reconciler retires it.
fn swap_anomalies(
    capture: &mut Capture,
    row: &CaptureJobRow,
    store: &Store,
    batch: &mut Batch,
    taken: &mut TakenCaptures,
) -> Result<(), StoreError> {
    let newer =
        capture.anomaly_job.as_ref().is_some_and(|job| *job > row.job && capture.detect_job.as_ref() == Some(job));
    if !capture.state.is_over() || newer || row.state != CaptureState::Done {
        return Ok(());
    }
    if let Some(before) = capture.anomaly_job.replace(row.job.clone())
        && let Some(mut superseded) = CAPTURE_JOBS.get(store, &before)?
    {
        superseded.cleared = false;
        CAPTURE_JOBS.put(batch, &before, &superseded)?;
        taken.jobs.push(before);
    }
    capture.anomalies = row.anomalies;
    let (id, job) = (capture.id.clone(), row.job.clone());
    taken.news.push(CaptureNews::Anomalies { capture: id, job, from: 0, next: row.anomalies });
    Ok(())
}
