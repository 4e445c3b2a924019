//! Questions about figures over HTTP: key figures, breakdowns, time series, cohorts, pacing.

mod asked;
pub mod routes;
pub mod rows;
mod service;
pub mod types;
