//! What is done by the clock: retention each hour, the ownership of public targets each ten minutes.

use std::sync::Arc;
use std::time::Duration;

use super::recheck::Recheck;
use super::retention;
use crate::http::App;

const RETENTION: Duration = Duration::from_secs(3600);
const OWNERSHIP: Duration = Duration::from_secs(600);

/// Runs for ever; begins with what a crash interrupted.
pub async fn run(app: &Arc<App>) {
    if let Err(fault) = app.active_targets.remember(app.store()) {
        tracing::error!(%fault, "the targets of active runs cannot be read");
    }
    let mut recheck = Recheck::default();
    let mut clearing = tokio::time::interval(RETENTION);
    let mut asking = tokio::time::interval(OWNERSHIP);
    loop {
        tokio::select! {
            _ = clearing.tick() => retention::pass(app).await,
            _ = asking.tick() => recheck.pass(app).await,
        }
    }
}
