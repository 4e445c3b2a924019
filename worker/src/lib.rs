//! The worker: takes shards of runs, generates or simulates their traffic, analyses captures, writes exports, logs the results.
//!
//! Invariants: it never writes to the coordinator's store and never publishes jobs. What it may do
//! with a shard follows from the shard's log alone. Only `io` touches the world outside the broker.

pub(crate) mod actors;
pub mod analyze;
pub(crate) mod capture;
pub mod cli;
pub mod control;
pub(crate) mod export;
#[cfg(debug_assertions)]
mod fault;
pub mod generate;
pub mod heartbeat;
pub mod intake;
pub mod io;
pub(crate) mod job;
pub mod lane;
pub mod load;
pub mod outbox;
pub mod runtime;
pub mod shard;
pub mod shared;
pub mod supervisor;
