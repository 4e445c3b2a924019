//! Saved views, over HTTP.

pub mod routes;
