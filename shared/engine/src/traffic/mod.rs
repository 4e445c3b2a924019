//! Synthetic web and `OpenRTB` traffic.

pub mod auction;
pub mod bidder;
pub(crate) mod cast;
pub mod content;
pub mod counters;
pub(crate) mod daily;
pub mod fill;
pub mod histogram;
pub mod judge;
pub mod openrtb;
pub mod pack;
pub mod poisson;
pub mod recorder;
pub mod render;
pub mod replay;
pub mod rng;
pub(crate) mod sample;
pub mod sampling;
pub mod schedule;
pub mod session;
pub mod simulate;
pub mod tables;
pub mod timings;
pub mod visitor;
pub(crate) mod weights;
