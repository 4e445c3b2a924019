//! Actors: life cycle, state and control of each shard. They never generate.

pub mod generator;
