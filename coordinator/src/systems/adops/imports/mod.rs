//! Figures from files: the endpoints.

mod report;
pub mod routes;
mod service;
pub mod types;

pub(crate) use service::PATH as IMPORT_PATH;
