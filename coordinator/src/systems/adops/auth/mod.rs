//! Registering, signing in, tokens and one's own account, over HTTP.

mod credentials;
pub mod routes;
pub mod types;
