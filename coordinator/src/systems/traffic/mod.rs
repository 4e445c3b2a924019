//! The traffic document: runs started, steered, watched, and their data.

pub mod campaign_routes;
pub mod cleanup;
pub mod compare;
pub mod control;
pub mod data_routes;
pub mod data_types;
pub mod figures;
pub mod info;
pub mod lookup;
pub mod monitor;
pub mod ownership;
pub mod recheck;
pub mod resolve;
pub mod retention;
pub mod routes;
pub mod select;
pub mod series;
pub mod spec;
pub mod start;
pub mod stream;
pub mod targets;
pub mod trial;
mod trial_rtb;
pub mod types;
pub mod upkeep;
pub mod verdicts;
pub mod workers;

#[cfg(test)]
mod stream_tests;
#[cfg(test)]
mod tests;
