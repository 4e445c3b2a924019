//! The audit log, over HTTP.

pub mod routes;
pub mod types;
