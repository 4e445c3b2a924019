//! What to do with a delivered job, by the last record of its shard's log.

use trafficlab_shared::model::arrivals::RateChange;
use trafficlab_shared::protocol::job::ShardJob;
use trafficlab_shared::protocol::report::{Cursor, Delivery, Event, Origin, Record, Span};

/// Starts without any progress after which a shard is given up: one more than an actor's restarts,
/// so that an actor which fails again and again is the one who tells why.
pub(crate) const MAX_IDLE_STARTS: u32 = 6;

/// The decision.
#[derive(Debug, PartialEq)]
pub(crate) enum Opening {
    /// Take it and go on from here.
    Run(Box<Resume>),
    /// It is over, paused or served by a newer message: acknowledge and leave it.
    Leave,
    /// The same message was delivered to another worker since: it is not ours to acknowledge.
    Fenced,
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

/// Decides about a delivery of `job`.
pub(crate) fn decide(job: &ShardJob, delivery: Delivery, last: Option<&Record>) -> Opening {
    let Some(last) = last else {
        let known = Resume { epoch: job.known.epoch + 1, next: job.known.cursor, idle_starts: 1, ..Resume::default() };
        let at = Box::new(known);
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
        // A newer revision of the same activation stops what is paused.
        Event::Pause => job.activation <= activation && job.revision <= last.revision,
        Event::Start { .. } | Event::Batch | Event::Control { .. } | Event::Yield => {
            delivery.sequence < last.delivery.sequence
        }
    };
    if leave {
        return Opening::Leave;
    }
    if delivery < last.delivery {
        return Opening::Fenced;
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
            reason: format!(
                "{MAX_IDLE_STARTS} workers in a row started the shard and got nowhere; the last was `{}`",
                last.worker
            ),
            at,
        };
    }
    Opening::Run(at)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]
    use std::sync::Arc;

    use trafficlab_shared::model::arrivals::Arrivals;
    use trafficlab_shared::model::content::ContentSpec;
    use trafficlab_shared::model::run::{Mode, RunSpec};
    use trafficlab_shared::protocol::job::{KnownLog, ShardJob};
    use trafficlab_shared::protocol::report::{Cursor, Delivery, EndReason, Event, Origin, Record};

    use super::{MAX_IDLE_STARTS, Opening, decide};

    fn job(revision: u64, activation: u32, started: bool) -> ShardJob {
        let run = RunSpec {
            job: "j".into(),
            campaign: "c".into(),
            seed: 1,
            mode: Mode::Simulate,
            shards: 1,
            arrivals: Arrivals::Constant,
            rate: 1,
            duration_ms: 1,
            warm_up_ms: 0,
            catch_up_ms: 0,
            keep_one_in: 1,
            live_entries: false,
            shown_url: None,
            content: ContentSpec::default(),
            http: None,
        };
        let known = KnownLog { started, epoch: 3, cursor: Cursor::default() };
        ShardJob { v: 1, run: Arc::new(run), shard: 0, attempt: 1, revision, activation, known }
    }

    fn last(event: Event, revision: u64) -> Record {
        Record {
            v: 1,
            job: "j".into(),
            shard: 0,
            epoch: 3,
            worker: "w".into(),
            delivery: delivery(10, 2),
            event,
            revision,
            origin: Some(Origin { activation: 1, active_ns: 0, wall_ns: 0 }),
            from: Cursor::default(),
            next: Cursor { slot: 4, k: 2 },
            open: vec![],
            history: vec![],
            results: None,
        }
    }

    const fn delivery(sequence: u64, count: u64) -> Delivery {
        Delivery { sequence, count }
    }

    fn runs(opening: &Opening) -> bool {
        match opening {
            Opening::Run(_) => true,
            Opening::Leave | Opening::Fenced | Opening::GiveUp { .. } => false,
        }
    }

    #[test]
    fn a_new_shard_begins_and_a_lost_log_does_not() {
        assert!(runs(&decide(&job(1, 1, false), delivery(1, 1), None)));
        let mut lost = job(1, 1, true);
        lost.known.cursor = Cursor { slot: 9, k: 1 };
        let Opening::GiveUp { at, .. } = decide(&lost, delivery(1, 1), None) else {
            panic!("not given up");
        };
        assert_eq!(at.next, lost.known.cursor, "ingest takes a record that goes on where the log ended");
    }

    #[test]
    fn a_takeover_goes_on_at_the_cursor_with_the_next_epoch() {
        let Opening::Run(at) = decide(&job(1, 1, true), delivery(10, 3), Some(&last(Event::Batch, 1))) else {
            panic!("not taken");
        };
        assert_eq!((at.epoch, at.next, at.idle_starts), (4, Cursor { slot: 4, k: 2 }, 1));
    }

    #[test]
    fn an_older_delivery_is_left() {
        let last = last(Event::Batch, 1);
        assert_eq!(decide(&job(1, 1, true), delivery(9, 5), Some(&last)), Opening::Leave);
        assert_eq!(decide(&job(1, 1, true), delivery(10, 1), Some(&last)), Opening::Fenced);
        assert!(runs(&decide(&job(1, 1, true), delivery(10, 2), Some(&last))), "a restart in place");
    }

    #[test]
    fn what_is_over_stays_over() {
        let end = last(Event::End { reason: EndReason::Completed }, 1);
        assert_eq!(decide(&job(9, 2, true), delivery(99, 1), Some(&end)), Opening::Leave);
        let failed = last(Event::Failed { reason: String::new(), attempts: 1 }, 2);
        assert_eq!(decide(&job(2, 1, true), delivery(99, 1), Some(&failed)), Opening::Leave);
        assert!(runs(&decide(&job(3, 1, true), delivery(99, 1), Some(&failed))), "a retry has a newer revision");
    }

    #[test]
    fn a_pause_holds_until_it_is_ended() {
        let pause = last(Event::Pause, 2);
        assert_eq!(decide(&job(2, 1, true), delivery(99, 1), Some(&pause)), Opening::Leave);
        assert!(runs(&decide(&job(3, 2, true), delivery(99, 1), Some(&pause))));
        assert!(runs(&decide(&job(3, 1, true), delivery(99, 1), Some(&pause))), "a stop has no activation of its own");
    }

    #[test]
    fn starts_without_progress_end_somewhere() {
        let start = |idle_starts| last(Event::Start { idle_starts }, 1);
        assert!(runs(&decide(&job(1, 1, true), delivery(10, 2), Some(&start(MAX_IDLE_STARTS - 1)))));
        let given_up = decide(&job(1, 1, true), delivery(10, 2), Some(&start(MAX_IDLE_STARTS)));
        assert!(matches!(given_up, Opening::GiveUp { .. }));
    }
}
