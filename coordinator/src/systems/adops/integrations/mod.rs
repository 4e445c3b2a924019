//! Credentials of outside services, over HTTP.

pub mod routes;
pub mod types;
