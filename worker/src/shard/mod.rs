//! One shard of a run on one lane: from the job message to the last record.
//!
//! `opening` decides where to go on, `start` claims the shard, `driver` walks the arrivals,
//! a `source` (`simulate`, `http`, `bidder`) turns them into results, `gather` packs these, and the
//! outbox appends them. `prepare` and `requests` are what both sources that really send have in common.

pub(crate) mod arrivals;
pub(crate) mod bidder;
pub(crate) mod clock;
pub(crate) mod csv;
pub(crate) mod driver;
pub(crate) mod gather;
pub(crate) mod http;
pub(crate) mod notices;
pub(crate) mod opening;
mod prepare;
pub(crate) mod request;
mod requests;
pub(crate) mod simulate;
pub(crate) mod source;
pub(crate) mod start;
pub(crate) mod writer;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio::sync::watch;
use trafficlab_shared::protocol::control::Desired;
use trafficlab_shared::protocol::job::ShardJob;
use trafficlab_shared::protocol::report::Delivery;

use crate::outbox::LogError;
use crate::shared::Worker;

/// Everything a shard's task needs.
#[derive(Debug, Clone)]
pub struct ShardTask {
    /// The process it runs in.
    pub worker: Arc<Worker>,
    /// The job message.
    pub job: Arc<ShardJob>,
    /// Which delivery of it this is.
    pub delivery: Delivery,
    /// Desired state of the job.
    pub desired: watch::Receiver<Option<Desired>>,
    /// Set when the shard should be given back.
    pub give_back: watch::Receiver<bool>,
    /// Boot time at which the task last showed life; a lease is renewed only while it does.
    pub alive_at: Arc<AtomicU64>,
}

/// How a shard's task ended without a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShardEnd {
    /// The log says so: the job message is done with.
    Settled,
    /// Given back: the job message goes to another worker.
    Yielded,
    /// Another worker owns the shard: the message is not ours to answer.
    Fenced,
}

/// Why a shard's task stopped before its end.
#[derive(Debug, thiserror::Error)]
pub enum ShardFault {
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A record that cannot be encoded.
    #[error(transparent)]
    Codec(#[from] trafficlab_shared::protocol::codec::CodecError),
    /// The shard can never run; the sentence is for people.
    #[error("{0}")]
    Hopeless(String),
    /// What the work needs did not come; it may come another time.
    #[error("{0}")]
    Input(String),
    /// The control bucket says nothing of the job.
    #[error("desired state of the job has not arrived in 30 s")]
    NoDesiredState,
}
