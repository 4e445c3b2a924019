//! Whether a delivered job with one shard is to be done, by the last record of its log.

use trafficlab_shared::protocol::report::Delivery;

use crate::shard::opening::MAX_IDLE_STARTS;

/// What the last record of a log says of a delivery.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Last<'a> {
    /// Whether it ends the job, as far as this job message is concerned.
    pub(crate) over: bool,
    /// Which delivery its writer held.
    pub(crate) delivery: Delivery,
    /// Starts in a row without progress.
    pub(crate) starts: u32,
    /// Its writer.
    pub(crate) worker: &'a str,
}

/// The decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Take it.
    Run,
    /// It is over or served by a newer message: acknowledge and leave it.
    Leave,
    /// The same message was delivered to another worker since: it is not ours to acknowledge.
    Fenced,
    /// It cannot be done; the sentence says why.
    GiveUp(String),
}

/// Judges a delivery.
pub(crate) fn judge(last: &Last<'_>, delivery: Delivery) -> Verdict {
    if last.over || delivery.sequence < last.delivery.sequence {
        return Verdict::Leave;
    }
    if delivery < last.delivery {
        return Verdict::Fenced;
    }
    if last.starts >= MAX_IDLE_STARTS {
        return Verdict::GiveUp(format!(
            "{MAX_IDLE_STARTS} workers in a row started the job and got nowhere; the last was `{}`",
            last.worker
        ));
    }
    Verdict::Run
}

/// Why a job that had started is not begun again when its log is empty.
pub(crate) const LOST_LOG: &str = "the job's log is empty though it had started: results were lost in the broker";
