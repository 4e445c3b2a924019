//! Sessions: made, listed, changed, removed.

use std::sync::Arc;

use serde_json::{Map, Value};
use trafficlab_shared::clock;
use trafficlab_shared::error::FieldFault;
use trafficlab_shared::model::campaign::CampaignStatus;
use trafficlab_shared::model::run::Mode;
use uuid::Uuid;

use super::arrivals;
use super::input::{self, Input};
use super::secrets;
use super::settings::{self, Settings};
use super::types::Session;
use crate::dispatch::runs::{self, Change};
use crate::http::App;
use crate::http::idempotency::Repeatable;
use crate::store::campaigns::{CAMPAIGNS, Campaign, CampaignFields};
use crate::store::{Batch, Store};
use crate::systems::traffic::{cleanup, lookup, targets};
use crate::systems::{Fault, Outcome};

/// Fields that were read and checked.
#[derive(Debug)]
pub struct Checked {
    /// As they will be stored.
    pub input: Input,
    /// As a run needs them.
    pub settings: Settings,
}

/// Lays `body` over `base` and checks everything; secrets are sealed for the campaign `id`.
///
/// # Errors
/// Every mistake of every field, or a target off the allow-list.
pub fn check(
    app: &App,
    id: &str,
    body: &Map<String, Value>,
    base: CampaignFields,
    mut faults: Vec<FieldFault>,
) -> Outcome<Checked> {
    let max_rate = app.config.generator.max_rate;
    let before = base.config.clone();
    let mut input = input::read(body, base, max_rate, &mut faults);
    secrets::seal(&mut input.fields.config, &before, app.sealer.as_ref(), id, &mut faults);
    let settings = match settings::check(&input.fields, max_rate) {
        Ok(settings) if faults.is_empty() => settings,
        Ok(_) => return Err(Fault::validation(faults)),
        Err(mut more) => {
            more.retain(|fault| !faults.iter().any(|known| known.field == fault.field));
            faults.append(&mut more);
            return Err(Fault::validation(faults));
        }
    };
    arrivals::compact(&mut input.fields.config, &settings.arrivals);
    if settings.mode == Mode::Http {
        targets::check_name(app, &settings)?;
    }
    Ok(Checked { input, settings })
}

/// A new campaign with these fields.
pub fn campaign(id: &str, name: Option<String>, status: CampaignStatus, fields: CampaignFields) -> Campaign {
    let now = clock::wall_ns();
    Campaign {
        name: name.unwrap_or_else(|| format!("Session {id}")),
        id: id.to_owned(),
        status,
        reason: None,
        created_ns: now,
        updated_ns: now,
        started_ns: None,
        ended_ns: None,
        run: None,
        fields,
    }
}

/// Makes a session.
///
/// # Errors
/// Wrong fields, a target off the allow-list, an id that is taken.
pub async fn create(app: &App, body: &Map<String, Value>, repeat: Option<Repeatable>) -> Outcome<Value> {
    let store = app.store();
    if let Some(earlier) = repeat.as_ref().map(|repeat| repeat.earlier(store)).transpose()?.flatten() {
        store.durable().await?;
        return Ok(earlier);
    }
    let mut faults = Vec::new();
    let id = input::chosen_id(body, &["campaign_id", "id"], &mut faults);
    let id = id.unwrap_or_else(|| Uuid::now_v7().to_string());
    let Checked { input, settings } = check(app, &id, body, input::default_fields(), faults)?;
    let campaign = campaign(&id, input.name, CampaignStatus::Draft, input.fields);
    let answer = view(campaign.clone(), settings, input.unknown)?;
    if let Some(earlier) = insert(store, &campaign, repeat.as_ref(), &answer)? {
        store.durable().await?;
        return Ok(earlier);
    }
    store.durable().await?;
    tracing::info!(campaign = %campaign.id, "session is created");
    Ok(answer)
}

/// Stores a new campaign unless the same request did already.
fn insert(store: &Store, campaign: &Campaign, repeat: Option<&Repeatable>, answer: &Value) -> Outcome<Option<Value>> {
    let _guard = store.lock();
    if let Some(earlier) = repeat.map(|repeat| repeat.earlier(store)).transpose()?.flatten() {
        return Ok(Some(earlier));
    }
    free_id(store, &campaign.id)?;
    let mut batch = Batch::new();
    CAMPAIGNS.put(&mut batch, &campaign.id, campaign)?;
    if let Some(repeat) = repeat {
        repeat.keep(&mut batch, answer)?;
    }
    store.apply(batch)?;
    Ok(None)
}

/// Refuses an id that is taken or still being cleared away.
///
/// # Errors
/// 409.
pub fn free_id(store: &Store, id: &str) -> Outcome<()> {
    if CAMPAIGNS.contains(store, &id.to_owned())? {
        return Err(Fault::conflict(format!("A session with the id `{id}` exists already")));
    }
    cleanup::refuse_pending(store, id)
}

fn view(campaign: Campaign, settings: Settings, unknown: Vec<String>) -> Outcome<Value> {
    let mut session = Session::from(campaign);
    let sentence = |member: String| format!("`{member}` is kept and has no effect");
    session.warnings = unknown.into_iter().chain(settings.warnings).map(sentence).chain(settings.notes).collect();
    serde_json::to_value(session).map_err(|error| Fault::internal("session", &error))
}

/// A page of all sessions in the order of their creation, and how many there are.
///
/// # Errors
/// When the store fails.
pub fn list(store: &Store, limit: usize, offset: usize) -> Outcome<(Vec<Session>, usize)> {
    let mut all: Vec<Campaign> =
        CAMPAIGNS.scan(store, false).map(|row| row.map(|(_, campaign)| campaign)).collect::<Result<_, _>>()?;
    all.sort_by(|one, other| (one.created_ns, &one.id).cmp(&(other.created_ns, &other.id)));
    let total = all.len();
    Ok((all.into_iter().skip(offset).take(limit).map(Session::from).collect(), total))
}

/// Changes a session. During a run only its rate, length and name may change.
///
/// # Errors
/// Wrong fields, no such session, a running generation.
pub async fn update(app: &App, id: &str, body: &Map<String, Value>) -> Outcome<Value> {
    let (answer, job) = apply_update(app, id, body)?;
    app.store().durable().await?;
    tracing::info!(campaign = %id, "session is changed");
    if let Some(job) = job {
        app.dispatch.attend(&job);
    }
    Ok(answer)
}

fn apply_update(app: &App, id: &str, body: &Map<String, Value>) -> Outcome<(Value, Option<String>)> {
    let store = app.store();
    let _guard = store.lock();
    let mut campaign = lookup::campaign(store, id)?;
    let Checked { input, settings } = check(app, id, body, campaign.fields.clone(), Vec::new())?;
    let mut batch = Batch::new();
    let mut changed = None;
    if let Some(run) = lookup::active_run(store, &campaign)? {
        if !settings::differs_only_in_pace(&campaign.fields, &input.fields) {
            let message = "Only `requests_per_minute`, `duration_minutes` and `name` can change while traffic is generated; stop it first";
            return Err(Fault::conflict(message));
        }
        if run.desired.revision >= runs::MAX_CHANGES {
            return Err(Fault::conflict(format!(
                "A run takes at most {} changes; stop it and start another",
                runs::MAX_CHANGES
            )));
        }
        let bits = |before: f64, after: f64| before.to_bits() != after.to_bits();
        // What the caller left alone stays as the run has it, which may be an override of its start.
        let rate = if bits(campaign.fields.requests_per_minute, input.fields.requests_per_minute) {
            settings.rate
        } else {
            run.desired.rate
        };
        let duration_ms = if bits(campaign.fields.duration_minutes, input.fields.duration_minutes) {
            settings.duration_ms
        } else {
            run.desired.duration_ms
        };
        if (run.desired.rate, run.desired.duration_ms) != (rate, duration_ms) {
            targets::repace(app, &run.job, rate)?;
            runs::change(store, &mut batch, &run.job, Change::Pace { rate, duration_ms })?;
            changed = Some(run.job);
        }
    }
    campaign.fields = input.fields;
    campaign.name = input.name.unwrap_or(campaign.name);
    campaign.updated_ns = clock::wall_ns();
    CAMPAIGNS.put(&mut batch, &campaign.id, &campaign)?;
    store.apply(batch)?;
    Ok((view(campaign, settings, input.unknown)?, changed))
}

/// Removes a session with its data; one that is running only when `force` says so.
///
/// # Errors
/// No such session, or it runs.
pub async fn delete(app: &Arc<App>, id: &str, force: bool) -> Outcome<()> {
    cleanup::remove_campaign(app, id, force).await?;
    tracing::info!(campaign = %id, "session is deleted");
    Ok(())
}
