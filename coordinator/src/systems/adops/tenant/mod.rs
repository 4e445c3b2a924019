//! The settings of a tenant, over HTTP.

pub mod routes;
