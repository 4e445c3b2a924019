//! The message that asks for one shard of a run.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::codec::versioned;
use super::report::Cursor;
use crate::model::run::RunSpec;

/// One shard's job message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShardJob {
    /// Message version.
    pub v: u16,
    /// The run.
    pub run: Arc<RunSpec>,
    /// Which of its shards.
    pub shard: u32,
    /// How often this shard was published, from 1.
    pub attempt: u32,
    /// Desired revision when it was published; an older one already ended is not run again.
    pub revision: u64,
    /// Which activation of the job this message serves.
    pub activation: u32,
    /// What the coordinator knows of the shard's log.
    pub known: KnownLog,
}

/// The coordinator's knowledge of a shard's log when it published a job message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KnownLog {
    /// Whether the shard ever started: then an empty log is an error, never slot 0.
    pub started: bool,
    /// Epoch of the last ingested record.
    pub epoch: u32,
    /// Next arrival after the last ingested record.
    pub cursor: Cursor,
}

versioned!(ShardJob => 1);
