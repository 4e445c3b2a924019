//! What a campaign does now: status and monitor.

use trafficlab_engine::traffic::timings::SecondPoint;
use trafficlab_shared::clock;
use trafficlab_shared::protocol::control::DesiredState;

use super::data_types::{DesiredView, MonitorData, ObservedView, ShardView, StatusData};
use super::figures::{self, Figures, Times};
use super::stream::last_entry;
use super::{lookup, verdicts, workers};
use crate::http::App;
use crate::store::Store;
use crate::store::campaigns::Campaign;
use crate::store::runs::{Run, Shard, ShardState};
use crate::store::series::{BLOCK_SECONDS, SERIES};
use crate::systems::Outcome;
use crate::systems::time::{self, SECOND_NS, float, ratio, rfc3339, round3};

/// Where a campaign stands.
///
/// # Errors
/// 404.
pub fn status(app: &App, id: &str) -> Outcome<StatusData> {
    let store = app.store();
    let campaign = lookup::campaign(store, id)?;
    let runs = lookup::runs(store, id)?;
    let figures = Figures::of(store, &runs)?;
    Ok(StatusData {
        is_running: runs.iter().any(Run::is_generating),
        has_data: figures.has_data(),
        last_updated: last_updated(&campaign, &figures),
        total_requests: figures.counters.sent,
        successful_requests: figures.counters.succeeded,
        last_request: last_entry(store, &app.dispatch.segments, id)?,
        run_id: runs.last().map(|run| run.job.clone()),
        status: campaign.status.as_str().to_owned(),
        reason: campaign.reason,
        campaign_id: campaign.id,
    })
}

/// A campaign, live to the second.
///
/// # Errors
/// 404.
pub fn monitor(app: &App, id: &str) -> Outcome<MonitorData> {
    let store = app.store();
    let campaign = lookup::campaign(store, id)?;
    let runs = lookup::runs(store, id)?;
    let figures = Figures::of(store, &runs)?;
    let latest = runs.last();
    let shards = latest.map(|run| figures::shards(store, run)).transpose()?.unwrap_or_default();
    let times = latest.map_or_else(|| Ok(Times::default()), |run| Times::of(store, std::slice::from_ref(run)))?;
    let workers = workers::of(store, &app.dispatch.registry, latest.map_or(&[], std::slice::from_ref))?;
    let limits = latest.map_or_else(|| Ok(Vec::new()), |run| latest_limits(store, run, &times))?;
    let limits = workers::all_limits(limits, &workers);
    Ok(MonitorData {
        is_running: runs.iter().any(Run::is_generating),
        has_data: figures.has_data(),
        last_updated: last_updated(&campaign, &figures),
        total_requests: figures.counters.sent,
        successful_requests: figures.counters.succeeded,
        failed_requests: figures.counters.failed,
        last_request: last_entry(store, &app.dispatch.segments, id)?,
        requests_per_minute: latest.map_or(Ok(0.0), |run| last_minute(store, run, &shards))?,
        success_rate: figures.success_rate(),
        average_response_time: figures.mean_ms(),
        response_times: (&times).into(),
        arrivals: (&figures.counters).into(),
        generator_limited: !limits.is_empty(),
        generator_limited_reasons: limits,
        workers,
        thresholds: verdicts::of_latest(store, &runs)?,
        rtb: super::info::funnel(&figures.counters.rtb),
        stored_entries: figures.entries,
        run_id: latest.map(|run| run.job.clone()),
        desired: latest.map(desired),
        observed: latest.map(|run| observed(run, &shards)),
        shards: shard_views(&shards),
        broker_connected: app.dispatch.broker.is_connected(),
        as_of: time::now(),
        status: campaign.status.as_str().to_owned(),
        reason: campaign.reason,
        campaign_id: campaign.id,
    })
}

fn latest_limits(store: &Store, run: &Run, times: &Times) -> Outcome<Vec<String>> {
    Ok(Figures::of(store, std::slice::from_ref(run))?.limits(times))
}

pub(super) fn last_updated(campaign: &Campaign, figures: &Figures) -> String {
    rfc3339(if figures.updated_ns > 0 { figures.updated_ns } else { campaign.updated_ns })
}

/// What a run should do.
#[must_use]
pub fn desired(run: &Run) -> DesiredView {
    let state = match run.desired.state {
        DesiredState::Run => "run",
        DesiredState::Pause => "pause",
        DesiredState::Stop | DesiredState::Tombstone => "stop",
    };
    DesiredView {
        state: state.to_owned(),
        revision: run.desired.revision,
        requests_per_minute: float(run.desired.rate) / 1e6,
        duration_minutes: float(run.desired.duration_ms) / 60_000.0,
    }
}

/// What a run does.
#[must_use]
pub fn observed(run: &Run, shards: &[Shard]) -> ObservedView {
    let active = float(figures::active_ns(run, shards)) / 1e9;
    ObservedView {
        state: run.state.as_str().to_owned(),
        revision: shards.iter().map(|shard| shard.revision).min().unwrap_or(0),
        active_seconds: round3(active),
        progress: round3(100.0 * ratio(active, float(run.desired.duration_ms) / 1000.0)),
    }
}

fn shard_views(shards: &[Shard]) -> Vec<ShardView> {
    let view = |(number, shard): (u32, &Shard)| ShardView {
        shard: number,
        state: word(shard.state).to_owned(),
        worker: Some(shard.worker.clone()).filter(|worker| !worker.is_empty()),
        epoch: shard.epoch,
        slot: shard.next.slot,
        revision: shard.revision,
        reason: shard.reason.clone(),
    };
    (0..).zip(shards).map(view).collect()
}

const fn word(state: ShardState) -> &'static str {
    match state {
        ShardState::Waiting => "waiting",
        ShardState::Running => "running",
        ShardState::Yielded => "yielded",
        ShardState::Paused => "paused",
        ShardState::Ended => "ended",
        ShardState::Stopped => "stopped",
        ShardState::Failed => "failed",
        ShardState::Quarantined => "quarantined",
    }
}

/// Seconds that results may need to arrive; what is younger is not judged yet.
const ARRIVES_WITHIN: u64 = 3;

/// Requests per minute over the last 60 whole seconds, or since the start when that is less; of a run that is over,
/// its last 60.
fn last_minute(store: &Store, run: &Run, shards: &[Shard]) -> Outcome<f64> {
    let Some(started_ns) = run.started_ns else {
        return Ok(0.0);
    };
    if !run.is_generating() && figures::active_ns(run, shards) < 60 * SECOND_NS {
        return Ok(Figures::of(store, std::slice::from_ref(run))?.per_minute());
    }
    let end = if run.is_generating() {
        let now = clock::wall_ns() / SECOND_NS;
        let reported = shards.iter().filter_map(reported_ns).min().unwrap_or(0) / SECOND_NS;
        reported.clamp(now.saturating_sub(ARRIVES_WITHIN), now)
    } else {
        let last = SERIES.scan_prefix(store, &run.job, true).next().transpose()?;
        last.and_then(|(_, block)| block.points.last().map(|point| point.second + 1)).unwrap_or(0)
    };
    let begin_ns = (end.saturating_sub(60) * SECOND_NS).max(started_ns);
    let sent: u64 = points(store, &run.job, begin_ns / SECOND_NS, end)?.iter().map(|point| point.sent).sum();
    let minutes = float((end * SECOND_NS).saturating_sub(begin_ns)) / 60e9;
    Ok(round3(ratio(float(sent), minutes)))
}

/// The moment up to which a shard has told what became of its arrivals.
fn reported_ns(shard: &Shard) -> Option<u64> {
    let origin = shard.origin.filter(|_| !shard.state.is_over())?;
    Some((origin.wall_ns + u64::from(shard.next.slot) * SECOND_NS).saturating_sub(origin.active_ns))
}

/// The points of a run from second `from` to second `to` (excluded).
///
/// # Errors
/// When the store fails.
pub fn points(store: &Store, job: &str, from: u64, to: u64) -> Outcome<Vec<SecondPoint>> {
    let key = |second: u64| (job.to_owned(), second);
    let (first, behind) = (key(from / BLOCK_SECONDS), key(to.div_ceil(BLOCK_SECONDS)));
    let mut found = Vec::new();
    for row in SERIES.range(store, &first, &behind, false) {
        let (_, block) = row?;
        found.extend(block.points.into_iter().filter(|point| (from..to).contains(&point.second)));
    }
    Ok(found)
}
