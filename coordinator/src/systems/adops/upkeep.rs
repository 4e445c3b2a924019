//! What ad operations do by themselves, now and then: the one loop for all of it. Each step is bounded, and one that
//! fails is told in the log and tried again at the next round.

use std::sync::Arc;
use std::time::Duration;

use trafficlab_shared::clock;

use crate::adops::campaigns::bulk::record;
use crate::adops::exports;
use crate::adops::privacy::Parts;
use crate::adops::reports;
use crate::http::App;

/// Between two rounds. Tests of erasure ask for less by `gdpr.erase_within`.
const ROUND: Duration = Duration::from_secs(30);

/// Runs until the server stops.
pub async fn run(app: &Arc<App>) {
    let mut rounds =
        tokio::time::interval(ROUND.min(app.config.gdpr.erase_within.duration() / 4).max(Duration::from_millis(250)));
    rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        told("bulk changes", record::forget_old(app.store(), clock::wall_ns()).await);
        let forgotten = app.adops.book.forget_deleted(app.store(), clock::wall_ns()).await;
        told("deleted campaigns", forgotten.map(drop));
        told("exports", exports::upkeep(&app.dispatch, &app.config.exports).await);
        told("reports", reports::send_due(app.store(), &app.adops.book, clock::wall_ns()).await);
        told("sessions", app.adops.accounts.forget_old(app.store()).await);
        let privacy = &app.adops.privacy;
        told("erasures", privacy.go_on(erased_parts(app)).await);
        told("archives of persons", privacy.forget_archives(app.store()).await);
        told("old addresses", privacy.retain(app.store()).await);
        told("compaction", privacy.compact(app.store()).await);
    }
}

/// What erasures reach into.
pub(super) fn erased_parts(app: &App) -> Parts<'_> {
    Parts { store: app.store(), book: &app.adops.book, dispatch: Some(&app.dispatch) }
}

/// Tells of a step that failed.
fn told<E: std::fmt::Display>(step: &str, outcome: Result<(), E>) {
    if let Err(error) = outcome {
        tracing::warn!(step, %error, "upkeep of ad operations failed, it is tried again");
    }
}
