//! The statistics of visits, with the parameters and answers of Plausible's Stats API v1.

pub mod answer;
pub mod csv;
pub mod filters;
pub mod interval;
pub mod labels;
pub mod metrics;
pub mod period;
#[cfg(test)]
mod period_tests;
pub mod realtime;
pub mod reply;
pub mod routes;
pub mod scope;
pub mod service;
mod sides;
pub mod types;

use crate::systems::{Code, Fault};

/// A parameter or field that cannot be used: 422, as the tracker's document has it.
pub fn wrong(field: &str, message: impl Into<String>) -> Fault {
    Fault { code: Code::Unprocessable, ..Fault::field(field, message) }
}
