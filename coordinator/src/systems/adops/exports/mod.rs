//! The document's export, over HTTP.

pub mod file;
pub mod routes;
pub mod service;
pub mod types;
