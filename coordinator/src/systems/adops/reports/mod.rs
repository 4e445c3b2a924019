//! Scheduled reports, over HTTP.

pub mod routes;
pub mod types;
