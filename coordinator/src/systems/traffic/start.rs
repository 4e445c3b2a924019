//! `generate`: the three cases of the contract, and everything that must hold before a run starts.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use trafficlab_shared::clock;
use trafficlab_shared::model::campaign::CampaignStatus;
use trafficlab_shared::model::run::RunSpec;
use uuid::Uuid;

use super::{cleanup, lookup, retention, spec, targets};
use crate::adops::linked;
use crate::dispatch::runs;
use crate::http::App;
use crate::http::idempotency::Repeatable;
use crate::store::Batch;
use crate::store::campaigns::{CAMPAIGNS, Campaign};
use crate::store::thresholds::{RULES, Rules};
use crate::systems::sessions::input::{self, default_fields};
use crate::systems::sessions::service::{self, Checked};
use crate::systems::sessions::settings::Settings;
use crate::systems::sessions::{bidder, secrets};
use crate::systems::{Fault, Outcome};

/// A start that was read and checked, and not yet done.
struct Asked {
    campaign: Campaign,
    /// Whether the campaign is made by this request.
    new: bool,
    settings: Settings,
    effective: Value,
}

/// Starts a run. When this comes back the run is on disk and will be carried out.
///
/// # Errors
/// Everything of the contract: wrong fields, an unknown campaign, a status that does not permit it, a refused target,
/// a broker that is away, no room.
pub async fn start(app: &Arc<App>, body: &Map<String, Value>, repeat: Option<Repeatable>) -> Outcome<Value> {
    let store = app.store();
    if let Some(earlier) = repeat.as_ref().map(|repeat| repeat.earlier(store)).transpose()?.flatten() {
        store.durable().await?;
        return Ok(earlier);
    }
    let asked = ask(app, body)?;
    if !app.dispatch.broker.is_connected() {
        return Err(Fault::broker_away());
    }
    let proven = targets::admit(app, &asked.settings).await?;
    retention::make_room(app).await?;
    let job = Uuid::now_v7().to_string();
    let plan = spec::build(&app.config.generator, &asked.campaign.id, &job, &asked.settings, proven)?;
    let (answer, started) = commit(app, asked, &plan, repeat.as_ref())?;
    store.durable().await?;
    if started {
        tracing::info!(campaign = %plan.campaign, job = %plan.job, shards = plan.shards, mode = plan.mode.as_str(), "run starts");
        // The tracker knows the mark of the requests before the first of them is sent.
        app.visits.intake.marks.begin(&plan.job, &plan.campaign);
        app.dispatch.attend(&job);
    }
    Ok(answer)
}

fn ask(app: &App, body: &Map<String, Value>) -> Outcome<Asked> {
    let mut faults = Vec::new();
    let Some(id) = input::chosen_id(body, &["campaign_id"], &mut faults) else {
        if faults.is_empty() {
            return Err(Fault::field("campaign_id", "is required"));
        }
        return Err(Fault::validation(faults));
    };
    let known = CAMPAIGNS.get(app.store(), &id)?;
    let new = known.is_none();
    let given = |key: &str| body.get(key).is_some_and(|value| !value.is_null());
    let aimed = given("target_url") || body.get("rtb_config").is_some_and(bidder::is_named);
    if new && !(aimed && given("requests_per_minute")) {
        return Err(Fault::no_campaign(&id));
    }
    cleanup::refuse_pending(app.store(), &id)?;
    if let Some(campaign) = &known {
        check_startable(app, campaign)?;
    }
    let base = known.as_ref().map_or_else(default_fields, |campaign| campaign.fields.clone());
    let body = over(body, &base.config);
    let Checked { input, settings } = service::check(app, &id, &body, base, Vec::new())?;
    let effective = effective(&input.fields, &settings);
    let campaign = match known {
        Some(campaign) => campaign,
        None => service::campaign(&id, input.name, CampaignStatus::Running, input.fields),
    };
    Ok(Asked { campaign, new, settings, effective })
}

/// The keys of the body's `config` lie over the stored ones, since one key is usually all that a run changes.
fn over(body: &Map<String, Value>, stored: &Value) -> Map<String, Value> {
    let mut body = body.clone();
    if let (Some(Value::Object(given)), Value::Object(stored)) = (body.get_mut("config"), stored) {
        let mut merged = secrets::masked(&Value::Object(stored.clone()));
        if let Value::Object(merged) = &mut merged {
            merged.append(given);
            *given = std::mem::take(merged);
        }
    }
    body
}

fn effective(fields: &crate::store::campaigns::CampaignFields, settings: &Settings) -> Value {
    json!({
        "mode": settings.mode.as_str(),
        "target_url": fields.target_url,
        "requests_per_minute": fields.requests_per_minute,
        "duration_minutes": fields.duration_minutes,
        "geo_locations": fields.geo_locations,
        "rtb_config": fields.rtb_config,
        "config": secrets::masked(&fields.config),
        "user_profiles": fields.user_profiles,
    })
}

/// Only a campaign in `running` that does not generate yet can start.
fn check_startable(app: &App, campaign: &Campaign) -> Outcome<()> {
    let status = campaign.status.as_str();
    if campaign.status != CampaignStatus::Running {
        let message =
            format!("Campaign `{}` is in status `{status}`; traffic can only be generated in `running`", campaign.id);
        return Err(Fault::conflict(message).with("status", status));
    }
    match lookup::active_run(app.store(), campaign)? {
        Some(run) => {
            let message = format!("Traffic generation is already running for campaign `{}`", campaign.id);
            Err(Fault::conflict(message).with("status", status).with("thread_id", run.job))
        }
        None => Ok(()),
    }
}

/// Checks once more under the lock and stores run, campaign and answer together; false when the same request was
/// answered before.
fn commit(app: &App, asked: Asked, plan: &RunSpec, repeat: Option<&Repeatable>) -> Outcome<(Value, bool)> {
    let store = app.store();
    let _guard = store.lock();
    if let Some(earlier) = repeat.map(|repeat| repeat.earlier(store)).transpose()?.flatten() {
        return Ok((earlier, false));
    }
    let mut campaign = if asked.new {
        service::free_id(store, &asked.campaign.id)?;
        asked.campaign
    } else {
        let campaign = lookup::campaign(store, &asked.campaign.id)?;
        cleanup::refuse_pending(store, &campaign.id)?;
        check_startable(app, &campaign)?;
        campaign
    };
    targets::check_cap(app, plan, asked.settings.peak)?;
    let mut batch = Batch::new();
    runs::plan(&mut batch, plan)?;
    if !asked.settings.thresholds.is_empty() {
        RULES.put(&mut batch, &plan.job, &Rules::new(asked.settings.thresholds.clone()))?;
    }
    let now = clock::wall_ns();
    if let Some(id) = asked.settings.ad_campaign_id {
        linked::put(&mut batch, &campaign.id, &linked::named(&app.adops.book, id, now)?)?;
    }
    campaign.run = Some(plan.job.clone());
    campaign.started_ns = Some(now);
    campaign.updated_ns = now;
    campaign.ended_ns = None;
    campaign.reason = None;
    CAMPAIGNS.put(&mut batch, &campaign.id, &campaign)?;
    let answer = answer(plan, asked.effective);
    if let Some(repeat) = repeat {
        repeat.keep(&mut batch, &answer)?;
    }
    store.apply(batch)?;
    app.active_targets.add(plan, asked.settings.peak);
    Ok((answer, true))
}

fn answer(plan: &RunSpec, mut config: Value) -> Value {
    if let Value::Object(members) = &mut config {
        members.insert("seed".to_owned(), plan.seed.into());
        members.insert("shards".to_owned(), plan.shards.into());
    }
    json!({
        "success": true,
        "message": "Traffic generation started successfully",
        "campaign_id": plan.campaign,
        "status": "running",
        "thread_id": plan.job,
        "run_id": plan.job,
        "config": config,
        "data": { "campaign_id": plan.campaign },
    })
}
