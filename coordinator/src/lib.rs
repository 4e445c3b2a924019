//! The coordinator: the HTTP API, the store, and the side of the engine that hands out work.
//!
//! Invariants: a request is answered after its change is on disk; results are visible after their
//! commit; only `dispatch` knows the broker, only `http` and `systems` know HTTP.

pub mod adops;
pub mod alerts;
pub mod archive;
pub mod cli;
pub mod dev;
pub mod dispatch;
pub mod entries;
pub mod http;
pub mod measured;
pub mod outbound;
pub mod packs;
pub mod remote;
pub mod run;
pub mod store;
pub mod systems;
pub mod visits;
pub mod windows;
