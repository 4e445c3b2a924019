//! The workers, and what ingest could not use.

pub mod routes;
pub mod service;
pub mod types;
