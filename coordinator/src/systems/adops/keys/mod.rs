//! API keys, over HTTP.

pub mod routes;
pub mod types;
