//! What to do with a delivered capture job, by the last record of its log.

use trafficlab_shared::protocol::capture::{CaptureEvent, CaptureJob, CaptureRecord, Progress};
use trafficlab_shared::protocol::report::Delivery;

use crate::job::verdict::{self, LOST_LOG, Last, Verdict};

/// The decision.
#[derive(Debug, PartialEq)]
pub(super) enum Opening {
    /// Take it and go on from here.
    Run(Resume),
    /// It is over or served by a newer message: acknowledge and leave it.
    Leave,
    /// The same message was delivered to another worker since: it is not ours to acknowledge.
    Fenced,
    /// It cannot be done; the sentence says why.
    GiveUp {
        /// For people.
        reason: String,
        /// Where the log stands.
        at: Resume,
    },
}

/// What a log tells already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Told {
    pub(super) windows: u64,
    pub(super) anomalies: u64,
    pub(super) connections: u64,
}

/// Where a capture job goes on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Resume {
    /// This owner's epoch.
    pub(super) epoch: u32,
    pub(super) told: Told,
    pub(super) origin_ns: Option<i64>,
    pub(super) began_ns: Option<i64>,
    pub(super) told_until_ns: Option<i64>,
    pub(super) progress: Progress,
    /// Starts without progress, this one included.
    pub(super) starts: u32,
    /// The worker that wrote last, when there was one.
    pub(super) before: Option<String>,
}

/// Decides about a delivery of `job`.
pub(super) fn decide(job: &CaptureJob, delivery: Delivery, last: Option<&CaptureRecord>) -> Opening {
    let Some(last) = last else {
        let told = Told { windows: job.known.windows, ..Told::default() };
        let at = Resume { epoch: job.known.epoch + 1, told, starts: 1, ..Resume::default() };
        if job.known.started {
            return Opening::GiveUp { reason: LOST_LOG.into(), at };
        }
        return Opening::Run(at);
    };
    let over = match &last.event {
        CaptureEvent::End { .. } => true,
        CaptureEvent::Failed { .. } => job.revision <= last.revision,
        CaptureEvent::Start { .. }
        | CaptureEvent::FileWanted
        | CaptureEvent::Batch
        | CaptureEvent::Gap { .. }
        | CaptureEvent::Yield => false,
    };
    let known = Last { over, delivery: last.delivery, starts: last.starts, worker: &last.worker };
    match verdict::judge(&known, delivery) {
        Verdict::Run => Opening::Run(resume(last)),
        Verdict::Leave => Opening::Leave,
        Verdict::Fenced => Opening::Fenced,
        Verdict::GiveUp(reason) => Opening::GiveUp { reason, at: resume(last) },
    }
}

fn resume(last: &CaptureRecord) -> Resume {
    let told = Told { windows: last.next, anomalies: last.anomalies_told, connections: last.connections_told };
    Resume {
        epoch: last.epoch + 1,
        told,
        origin_ns: last.origin_ns,
        began_ns: last.began_ns,
        told_until_ns: last.told_until_ns,
        progress: last.progress,
        starts: last.starts + 1,
        before: Some(last.worker.clone()),
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]
    use std::sync::Arc;

    use bytes::Bytes;
    use trafficlab_shared::model::capture::work::Work;
    use trafficlab_shared::protocol::capture::KnownCapture;
    use trafficlab_shared::protocol::report::EndReason;

    use super::*;
    use crate::shard::opening::MAX_IDLE_STARTS;

    pub(in crate::capture) fn job(revision: u64, started: bool) -> CaptureJob {
        CaptureJob {
            v: 1,
            job: "j".into(),
            capture: "c".into(),
            work: Arc::new(Work::Baseline { kinds: vec![] }),
            attempt: 1,
            revision,
            known: KnownCapture { started, epoch: 3, windows: 7 },
        }
    }

    pub(in crate::capture) fn last(event: CaptureEvent, revision: u64, starts: u32) -> CaptureRecord {
        CaptureRecord {
            v: 1,
            job: "j".into(),
            capture: "c".into(),
            epoch: 3,
            worker: "w".into(),
            delivery: delivery(10, 2),
            revision,
            event,
            from: 4,
            next: 9,
            origin_ns: Some(5),
            progress: Progress { packets: 100, ..Progress::default() },
            windows: Bytes::new(),
            anomalies: Bytes::new(),
            connections: Bytes::new(),
            connection_count: 0,
            anomalies_told: 2,
            connections_told: 1,
            starts,
            began_ns: Some(2),
            told_until_ns: Some(50),
        }
    }

    const fn delivery(sequence: u64, count: u64) -> Delivery {
        Delivery { sequence, count }
    }

    #[test]
    fn a_new_job_begins_and_a_lost_log_does_not() {
        assert!(matches!(decide(&job(1, false), delivery(1, 1), None), Opening::Run(_)));
        let Opening::GiveUp { at, .. } = decide(&job(1, true), delivery(1, 1), None) else {
            panic!("not given up");
        };
        assert_eq!((at.told.windows, at.epoch), (7, 4), "ingest takes a record that goes on where the log ended");
    }

    #[test]
    fn a_takeover_leaves_out_what_is_told() {
        let Opening::Run(at) = decide(&job(1, true), delivery(10, 3), Some(&last(CaptureEvent::Batch, 1, 0))) else {
            panic!("not taken");
        };
        assert_eq!(at.told, Told { windows: 9, anomalies: 2, connections: 1 });
        assert_eq!(
            (at.epoch, at.origin_ns, at.began_ns, at.told_until_ns, at.starts),
            (4, Some(5), Some(2), Some(50), 1)
        );
        assert_eq!(at.progress.packets, 100);
    }

    #[test]
    fn what_is_over_stays_over_and_an_older_delivery_is_left() {
        let end = last(CaptureEvent::End { reason: EndReason::Completed, outcome: Bytes::new() }, 1, 0);
        assert_eq!(decide(&job(9, true), delivery(99, 1), Some(&end)), Opening::Leave);
        let failed = last(CaptureEvent::Failed { reason: String::new(), attempts: 1 }, 2, 0);
        assert_eq!(decide(&job(2, true), delivery(99, 1), Some(&failed)), Opening::Leave);
        assert!(matches!(decide(&job(3, true), delivery(99, 1), Some(&failed)), Opening::Run(_)), "a retry");
        let batch = last(CaptureEvent::Batch, 1, 0);
        assert_eq!(decide(&job(1, true), delivery(9, 5), Some(&batch)), Opening::Leave);
        assert_eq!(decide(&job(1, true), delivery(10, 1), Some(&batch)), Opening::Fenced);
    }

    #[test]
    fn starts_without_progress_end_somewhere() {
        let start = |starts| last(CaptureEvent::Start { idle_starts: starts }, 1, starts);
        assert!(matches!(decide(&job(1, true), delivery(10, 2), Some(&start(MAX_IDLE_STARTS - 1))), Opening::Run(_)));
        let given_up = decide(&job(1, true), delivery(10, 2), Some(&start(MAX_IDLE_STARTS)));
        assert!(matches!(given_up, Opening::GiveUp { .. }));
        // Reports of progress in bytes between the starts do not hide that no window came.
        let reported = last(CaptureEvent::Batch, 1, MAX_IDLE_STARTS);
        assert!(matches!(decide(&job(1, true), delivery(10, 2), Some(&reported)), Opening::GiveUp { .. }));
    }
}
