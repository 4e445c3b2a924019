//! Visits that come from files and leave as files, a person's visits, and retention: the endpoints.

mod export;
mod imports;
mod people;
pub mod retention;
pub mod routes;
mod types;

pub(crate) use imports::PATH as IMPORT_PATH;
