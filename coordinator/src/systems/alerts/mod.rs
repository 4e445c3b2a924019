//! Who is told of anomalies: the hooks, what became of the latest alerts, and trying a hook.

pub mod routes;
pub mod service;
pub mod types;
