//! What to do with a delivered job, by the last record of its shard's log.

use trafficlab_shared::protocol::job::ShardJob;
use trafficlab_shared::protocol::report::{Cursor, Event, Origin, Record, Span};
use trafficlab_shared::model::arrivals::RateChange;

/// Starts without any progress after which a shard is given up.
pub(crate) const MAX_IDLE_STARTS: u32 = 5;

/// The decision.
#[derive(Debug, PartialEq)]
pub(crate) enum Opening {
    /// Take it and go on from here.
    Run(Box<Resume>),
    /// It is over, paused or taken by a newer delivery: acknowledge and leave it.
    Leave,
    /// It cannot be run; the sentence says why. The epoch is the one to write with.
    GiveUp {
        /// For people.
        reason: String,
        /// Where the log stands.
        at: Box<Resume>,
    },
}

/// Where a shard goes on.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Resume {
    /// This owner's epoch.
    pub(crate) epoch: u32,
    pub(crate) next: Cursor,
    pub(crate) open: Vec<Span>,
    pub(crate) history: Vec<RateChange>,
    pub(crate) origin: Option<Origin>,
    pub(crate) idle_starts: u32,
}

/// Decides. `job_sequence` is the stream sequence of the delivered message.
pub(crate) fn decide(job: &ShardJob, job_sequence: u64, last: Option<&Record>) -> Opening {
    let Some(last) = last else {
        let at = Box::new(Resume { epoch: job.known.epoch + 1, idle_starts: 1, ..Resume::default() });
        if job.known.started {
            return Opening::GiveUp {
                reason: "the shard's log is empty though it had started: results were lost in the broker".into(),
                at,
            };
        }
        return Opening::Run(at);
    };
    let activation = last.origin.map_or(0, |origin| origin.activation);
    let leave = match &last.event {
        Event::End { .. } => true,
        Event::Failed { .. } => job.revision <= last.revision,
        Event::Pause => job.activation <= activation,
        Event::Start { .. } | Event::Batch | Event::Control { .. } | Event::Yield => {
            job_sequence < last.job_sequence
        }
    };
    if leave {
        return Opening::Leave;
    }
    let idle_starts = match &last.event {
        Event::Start { idle_starts } => idle_starts + 1,
        _ => 1,
    };
    let at = Box::new(Resume {
        epoch: last.epoch + 1,
        next: last.next,
        open: last.open.clone(),
        history: last.history.clone(),
        origin: last.origin,
        idle_starts,
    });
    if idle_starts > MAX_IDLE_STARTS {
        return Opening::GiveUp {
            reason: format!("{MAX_IDLE_STARTS} workers in a row started the shard and got nowhere; the last was `{}`", last.worker),
            at,
        };
    }
    Opening::Run(at)
}
