//! One folder per document: routes take requests apart, types are what callers see, services do the work.

pub mod cluster;
pub mod fault;
pub mod fields;
pub mod sessions;
pub mod time;
pub mod traffic;

pub use fault::{Code, Fault, Outcome};

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::http::App;

/// Runs what reads disks or computes for long beside the async threads.
///
/// # Errors
/// What `work` answers, or an internal fault when it panics.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Outcome<T> + Send + 'static) -> Outcome<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Fault::internal("request handler", &error))?
}

const RETENTION: Duration = Duration::from_secs(3600);
const OWNERSHIP: Duration = Duration::from_secs(600);

/// Starts the loops of the systems: retention each hour, ownership of public targets each ten minutes. They run until
/// the set is dropped.
///
/// # Errors
/// When the store cannot be read.
pub fn start(app: &Arc<App>) -> Outcome<JoinSet<&'static str>> {
    app.active_targets.remember(app.store())?;
    let mut loops = JoinSet::new();
    let own = Arc::clone(app);
    loops.spawn(async move {
        let mut ticks = tokio::time::interval(RETENTION);
        loop {
            ticks.tick().await;
            traffic::retention::pass(&own).await;
        }
    });
    let own = Arc::clone(app);
    loops.spawn(async move {
        let mut watch = traffic::recheck::Recheck::default();
        let mut ticks = tokio::time::interval(OWNERSHIP);
        loop {
            ticks.tick().await;
            watch.pass(&own).await;
        }
    });
    Ok(loops)
}
