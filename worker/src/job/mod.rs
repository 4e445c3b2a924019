//! What jobs with one shard share, whatever they do: orders to leave, the bytes they are given, their blocking threads,
//! and the judgement of a delivery by the last record of the log.

pub(crate) mod orders;
pub(crate) mod pieces;
pub(crate) mod thread;
pub(crate) mod verdict;
