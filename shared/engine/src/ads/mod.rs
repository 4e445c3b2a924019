//! Ad campaigns: days, money, figures and what is computed from them. Pure functions; the coordinator keeps the data.
//!
//! Invariants: money is whole minor units of one currency and never a float; figures of several days are sums, and every
//! ratio is a ratio of sums, rounded half up once, at the edge; a ratio whose divisor is 0 is nothing, not 0.

pub mod bucket;
pub mod cohort;
pub mod compare;
pub mod day;
pub mod exchange;
pub mod export;
pub mod figures;
pub mod kpi;
pub mod money;
pub mod pacing;
pub mod ratio;
pub mod series;
pub mod table;

#[cfg(test)]
mod golden_tests;
