//! The people of a tenant, over HTTP.

pub mod routes;
pub mod types;

pub use types::{UserView, view};
