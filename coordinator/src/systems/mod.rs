//! One folder per document: routes take requests apart, types are what callers see, services do the work.

pub mod adops;
pub mod alerts;
pub mod analyzer;
pub mod cluster;
pub mod fault;
pub mod fields;
pub mod sessions;
pub mod time;
pub mod traffic;
pub mod upload;
pub mod visits;

pub use fault::{Code, Fault, Outcome};

/// Runs what reads disks or computes for long beside the async threads.
///
/// # Errors
/// What `work` answers, or an internal fault when it panics.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Outcome<T> + Send + 'static) -> Outcome<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Fault::internal("request handler", &error))?
}
