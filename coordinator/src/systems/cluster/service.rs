//! What is known of the workers, and what is asked of them.

use trafficlab_shared::protocol::control::WorkerDirective;
use trafficlab_shared::protocol::heartbeat::ActorReport;

use super::types::{AsideView, TroubledView, WorkerInfo};
use crate::dispatch::registry::WorkerView;
use crate::http::App;
use crate::store::Store;
use crate::store::entries::QUARANTINE;
use crate::systems::time::{ms, rfc3339, round3};
use crate::systems::{Fault, Outcome};

/// Bytes of a set-aside message that are shown.
const SHOWN_BYTES: usize = 64;

/// Every worker heard of lately.
#[must_use]
pub fn workers(app: &App) -> Vec<WorkerInfo> {
    app.dispatch.registry.all().into_iter().map(view).collect()
}

fn view(worker: WorkerView) -> WorkerInfo {
    let live = worker.is_live();
    let beat = worker.beat;
    let troubled = |report: ActorReport| TroubledView {
        job: report.job,
        shard: report.shard,
        state: report.state,
        reason: report.reason,
    };
    WorkerInfo {
        id: beat.worker,
        live,
        silent_ms: u64::try_from(worker.seen.elapsed().as_millis()).unwrap_or(u64::MAX),
        version: beat.version,
        host: beat.host,
        pid: beat.pid,
        capacity: beat.capacity,
        running: beat.running,
        lanes: beat.lanes,
        lane_busy: beat.lane_busy.iter().map(|share| round3(f64::from(*share))).collect(),
        draining: beat.draining,
        rss_bytes: beat.rss_bytes,
        cpu_seconds: ms(beat.cpu_ms),
        restarts: beat.restarts,
        malformed_jobs: beat.malformed_jobs,
        troubled: beat.troubled.into_iter().map(troubled).collect(),
    }
}

/// Asks a worker to give everything back, or to take work again.
///
/// # Errors
/// 404 for a worker nobody heard of, 503 while the broker is away.
pub async fn drain(app: &App, worker: &str, drain: bool) -> Outcome<()> {
    if !app.dispatch.registry.all().iter().any(|known| known.beat.worker == worker) {
        let shown: String = worker.chars().take(64).collect();
        return Err(Fault::not_found(format!("Worker `{}` not found", shown.escape_default())));
    }
    let directive = WorkerDirective { v: 1, limit: None, drain, share: None };
    app.dispatch.registry.note_drain(worker, drain);
    app.dispatch.broker.put_directive(worker, &directive).await.map_err(|error| {
        tracing::warn!(%worker, %error, "a worker cannot be asked");
        Fault::broker_away()
    })
}

/// Messages that ingest could not use, newest first.
///
/// # Errors
/// When the store fails.
pub fn quarantine(store: &Store, limit: usize) -> Outcome<Vec<AsideView>> {
    let mut found = Vec::new();
    for row in QUARANTINE.scan(store, true).take(limit) {
        let (sequence, aside) = row?;
        let beginning = aside.payload.iter().take(SHOWN_BYTES).map(|byte| format!("{byte:02x}")).collect();
        found.push(AsideView {
            sequence,
            subject: aside.subject,
            reason: aside.reason,
            at: rfc3339(aside.at_ns),
            bytes: aside.payload.len(),
            beginning,
        });
    }
    Ok(found)
}
