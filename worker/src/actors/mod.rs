//! Actors: life cycle, state and control of each shard. They never generate and never analyse.

pub(crate) mod capture;
pub(crate) mod export;
pub(crate) mod job;
pub(crate) mod traffic;
