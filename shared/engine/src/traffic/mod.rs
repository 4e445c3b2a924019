//! Synthetic web and `OpenRTB` traffic.

pub mod auction;
pub(crate) mod cast;
pub mod content;
pub mod counters;
pub mod histogram;
pub mod pack;
pub mod poisson;
pub mod render;
pub mod rng;
pub(crate) mod sample;
pub mod sampling;
pub mod schedule;
pub mod simulate;
pub mod tables;
pub mod timings;
pub mod visitor;
pub(crate) mod weights;
