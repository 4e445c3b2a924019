//! Figures of a campaign, everything about it, and the health of the service.

use serde_json::{Map, Value, json};
use trafficlab_engine::traffic::content::{ad_format_name, device_name, geo_name};
use trafficlab_engine::traffic::counters::{RtbCounters, Tally};
use trafficlab_shared::model::campaign::CampaignStatus;
use trafficlab_shared::model::error_kind::ErrorKind;

use super::data_types::{InfoData, StatsData, TrafficHealth, TrafficHealthData};
use super::figures::{self, Figures, Times};
use super::{lookup, monitor, verdicts, workers};
use crate::dispatch::registry::Registry;
use crate::http::{App, health};
use crate::store::Store;
use crate::store::campaigns::CAMPAIGNS;
use crate::store::runs::Run;
use crate::systems::Outcome;
use crate::systems::sessions::types::Session;
use crate::systems::time::{self, float, maybe_rfc3339, rfc3339, round3};

/// Campaigns whose figures the health answer shows.
const SHOWN: usize = 100;

/// Exact figures of all runs of a campaign, or of one; from counters, never by looking at entries.
///
/// # Errors
/// 404.
pub fn stats(store: &Store, registry: &Registry, id: &str, job: Option<&str>) -> Outcome<StatsData> {
    let campaign = lookup::campaign(store, id)?;
    let runs = lookup::selected(store, id, job)?;
    let figures = Figures::of(store, &runs)?;
    let times = Times::of(store, &runs)?;
    let workers = workers::of(store, registry, &runs)?;
    let limits = workers::all_limits(figures.limits(&times), &workers);
    let counters = &figures.counters;
    let end = figures.ended_ns.or_else(|| Some(figures.updated_ns).filter(|updated| *updated > 0));
    Ok(StatsData {
        campaign_id: campaign.id,
        run_id: job.map(str::to_owned),
        total_requests: counters.sent,
        successful_requests: counters.succeeded,
        failed_requests: counters.failed,
        success_rate: figures.success_rate(),
        unique_geo_locations: counters.geo.distinct(),
        unique_device_models: counters.device.distinct(),
        unique_ad_formats: counters.ad_format.distinct(),
        start_time: maybe_rfc3339(figures.started_ns),
        end_time: maybe_rfc3339(end.filter(|_| figures.started_ns.is_some())),
        duration_minutes: round3(figures.minutes()),
        requests_per_minute: figures.per_minute(),
        average_response_time: figures.mean_ms(),
        response_times: (&times).into(),
        arrivals: counters.into(),
        generator_limited: !limits.is_empty(),
        generator_limited_reasons: limits,
        workers,
        thresholds: verdicts::of_latest(store, &runs)?,
        stored_entries: figures.entries,
        bytes_in: counters.bytes_in,
        bytes_out: counters.bytes_out,
        status_codes: by(&counters.status, |code| code.to_string()),
        errors: by(&counters.errors, error_name),
        geo_locations: by(&counters.geo, |index| geo_name(index).to_owned()),
        device_models: by(&counters.device, |index| device_name(index).to_owned()),
        ad_formats: by(&counters.ad_format, |code| ad_format_name(u8::try_from(code).unwrap_or(u8::MAX)).to_owned()),
        rtb: funnel(&counters.rtb),
        runs: runs.len(),
    })
}

/// Counts by name.
fn by(tally: &Tally, name: impl Fn(u16) -> String) -> Value {
    let mut counts: Map<String, Value> = Map::new();
    for (index, count) in tally.iter() {
        let name = name(index);
        let before = counts.get(&name).and_then(Value::as_u64).unwrap_or(0);
        counts.insert(name, (before + count).into());
    }
    Value::Object(counts)
}

fn error_name(code: u16) -> String {
    let kind = u8::try_from(code).ok().and_then(ErrorKind::from_code);
    kind.map_or_else(|| code.to_string(), |kind| kind.as_str().to_owned())
}

/// From bid request to conversion, and how the real bidder did.
pub(super) fn funnel(rtb: &RtbCounters) -> Value {
    let bidder = &rtb.bidder;
    json!({
        "requests": rtb.requests,
        "bids": rtb.bids,
        "no_bids": rtb.no_bids,
        "lost": rtb.lost,
        "impressions": rtb.impressions,
        "clicks": rtb.clicks,
        "conversions": rtb.conversions,
        "spend": float(rtb.spend_micros()) / 1e6,
        "bidder": {
            "requests": bidder.asked,
            "wins": bidder.wins,
            "bid_timeouts": bidder.timeouts,
            "invalid_bids": bidder.invalid_bids,
            "notices_sent": bidder.notices_sent,
            "notices_failed": bidder.notices_failed,
            "notices_dropped": bidder.notices_dropped,
        },
    })
}

/// Everything about a campaign.
///
/// # Errors
/// 404.
pub fn info(app: &App, id: &str) -> Outcome<InfoData> {
    let store = app.store();
    let campaign = lookup::campaign(store, id)?;
    let runs = lookup::runs(store, id)?;
    let figures = Figures::of(store, &runs)?;
    let basic_info = json!({
        "id": campaign.id,
        "name": campaign.name,
        "status": campaign.status.as_str(),
        "reason": campaign.reason,
        "created_at": rfc3339(campaign.created_ns),
        "updated_at": rfc3339(campaign.updated_ns),
        "started_at": maybe_rfc3339(campaign.started_ns),
        "ended_at": maybe_rfc3339(campaign.ended_ns),
    });
    let traffic_stats = json!({
        "total_requests": figures.counters.sent,
        "successful_requests": figures.counters.succeeded,
        "failed_requests": figures.counters.failed,
        "success_rate": figures.success_rate(),
        "average_response_time": figures.mean_ms(),
        "requests_per_minute": figures.per_minute(),
        "stored_entries": figures.entries,
        "start_time": maybe_rfc3339(figures.started_ns),
        "last_updated": monitor::last_updated(&campaign, &figures),
    });
    let session = Session::from(campaign);
    let configuration = json!({
        "target_url": session.target_url,
        "requests_per_minute": session.requests_per_minute,
        "duration_minutes": session.duration_minutes,
        "geo_locations": session.geo_locations,
        "rtb_config": session.rtb_config,
        "config": session.config,
        "user_profiles": session.user_profiles,
    });
    Ok(InfoData {
        campaign_id: session.id,
        basic_info,
        traffic_generation: generation(store, &runs)?,
        traffic_stats,
        configuration,
    })
}

fn generation(store: &Store, runs: &[Run]) -> Outcome<Value> {
    let latest = runs.last();
    let is_running = lookup::is_running(latest);
    let shards = latest.map(|run| figures::shards(store, run)).transpose()?.unwrap_or_default();
    let mut workers: Vec<&str> =
        shards.iter().map(|shard| shard.worker.as_str()).filter(|worker| !worker.is_empty()).collect();
    workers.sort_unstable();
    workers.dedup();
    let run = |run: &Run| {
        json!({
            "run_id": run.job,
            "state": run.state.as_str(),
            "reason": run.why(),
            "created_at": rfc3339(run.created_ns),
            "started_at": maybe_rfc3339(run.started_ns),
            "ended_at": maybe_rfc3339(run.ended_ns),
        })
    };
    Ok(json!({
        "is_running": is_running,
        "is_paused": latest.is_some_and(Run::is_held),
        "thread_id": latest.map(|run| run.job.as_str()),
        "state": latest.map(|run| run.state.as_str()),
        "reason": latest.and_then(Run::why),
        "desired_state": latest.map(|run| monitor::desired(run).state),
        "active_seconds": latest.map(|run| monitor::observed(run, &shards).active_seconds),
        "progress": latest.map(|run| monitor::observed(run, &shards).progress),
        "shards": shards.len(),
        "workers": workers,
        "runs": runs.iter().rev().take(SHOWN).map(run).collect::<Vec<_>>(),
        "total_runs": runs.len(),
    }))
}

/// How the traffic service is.
///
/// # Errors
/// When the store fails.
pub fn traffic_health(app: &App) -> Outcome<TrafficHealth> {
    let store = app.store();
    let mut active = Vec::new();
    let mut stats = Map::new();
    for row in CAMPAIGNS.scan(store, false) {
        let (id, campaign) = row?;
        let run = lookup::active_run(store, &campaign)?.filter(Run::is_generating);
        if let Some(run) = run.filter(|_| campaign.status == CampaignStatus::Running) {
            if stats.len() < SHOWN {
                let figures = Figures::of(store, std::slice::from_ref(&run))?;
                let shown = json!({
                    "total_requests": figures.counters.sent,
                    "successful_requests": figures.counters.succeeded,
                    "success_rate": figures.success_rate(),
                });
                stats.insert(id.clone(), shown);
            }
            active.push(id);
        }
    }
    let health = health::look(app);
    let message = match health.status.as_str() {
        "healthy" => "Traffic generation service is healthy",
        "degraded" => "The message broker is away: stored data can be read, nothing can be started",
        _ => "The store takes no changes since a disk error",
    };
    let data = TrafficHealthData {
        traffic_data_dir: app.config.data_dir.display().to_string(),
        timestamp: time::now(),
        total_active_campaigns: active.len(),
        active_campaigns: active,
        campaign_stats: Value::Object(stats),
        system_info: system_info(app, &health),
    };
    Ok(TrafficHealth { success: health.success, status: health.status, message: message.to_owned(), data })
}

fn system_info(app: &App, health: &health::Health) -> Value {
    let workers = app.dispatch.registry.live();
    let capacity: u32 = workers.iter().map(|worker| worker.beat.capacity).sum();
    let running: u32 = workers.iter().map(|worker| worker.beat.running).sum();
    let space = crate::store::quota::space(&app.config.data_dir).ok();
    json!({
        "version": health.version,
        "uptime_seconds": health.uptime_seconds,
        "database": health.database,
        "broker": health.broker,
        "workers": workers.len(),
        "worker_capacity": capacity,
        "running_shards": running,
        "stored_bytes": app.dispatch.segments.bytes().unwrap_or(0),
        "quota_bytes": app.config.generator.quota_bytes.0,
        "disk_free_bytes": space.map(|space| space.free),
        "disk_total_bytes": space.map(|space| space.total),
    })
}
