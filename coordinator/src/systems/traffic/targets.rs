//! Which real targets a run may have, and how much all runs together may send to one.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use trafficlab_engine::traffic::schedule::{peak_after_change, peak_rate};
use trafficlab_shared::allow::Refusal;
use trafficlab_shared::config::Secret;
use trafficlab_shared::model::content::NOTICES_PER_REQUEST;
use trafficlab_shared::model::run::{Mode, RunSpec};
use trafficlab_shared::target::TargetUrl;

use super::{ownership, resolve};
use crate::http::App;
use crate::store::Store;
use crate::store::runs::{PLANS, RUNS, Run};
use crate::systems::sessions::settings::Settings;
use crate::systems::{Code, Fault, Outcome};

/// The runs that send real requests, by job, with what they may send at most.
#[derive(Debug, Default)]
pub struct ActiveTargets {
    jobs: Mutex<HashMap<String, Sending>>,
}

#[derive(Debug, Clone)]
struct Sending {
    origin: String,
    /// Millionths of a request per minute.
    rate: u64,
}

impl ActiveTargets {
    fn jobs(&self) -> MutexGuard<'_, HashMap<String, Sending>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Learns of the runs that were active before a restart.
    ///
    /// # Errors
    /// When the store fails.
    pub fn remember(&self, store: &Store) -> Outcome<()> {
        for row in RUNS.scan(store, false) {
            let (job, run) = row?;
            if (run.is_generating() || run.is_held())
                && let Some(plan) = PLANS.get(store, &job)?
            {
                self.add(&plan, highest(&plan, run.desired.rate));
            }
        }
        Ok(())
    }

    /// A run begins.
    pub fn add(&self, plan: &RunSpec, peak: u64) {
        if let Some(origin) = origin(plan) {
            self.jobs().insert(plan.job.clone(), Sending { origin, rate: with_notices(plan, peak) });
        }
    }

    /// Forgets runs that are over.
    pub fn prune(&self, store: &Store) {
        self.jobs().retain(|job, _| is_active(store, job));
    }

    /// The jobs that send real requests.
    #[must_use]
    pub fn active(&self, store: &Store) -> Vec<String> {
        self.prune(store);
        self.jobs().keys().cloned().collect()
    }

    /// The rate of all active runs but `except` against `origin`.
    fn total(&self, store: &Store, origin: &str, except: &str) -> u64 {
        let mut jobs = self.jobs();
        jobs.retain(|job, sending| sending.origin != origin || is_active(store, job));
        let against = jobs.iter().filter(|(job, sending)| sending.origin == origin && *job != except);
        against.map(|(_, sending)| sending.rate).sum()
    }
}

/// The highest rate of a run whose mean rate is `rate` now; a change of it ends ramps and replays.
fn highest(plan: &RunSpec, rate: u64) -> u64 {
    if rate == plan.rate { peak_rate(&plan.arrivals, rate) } else { peak_after_change(&plan.arrivals, rate) }
}

/// What a run may send at most when its arrivals reach `peak`: a real bidder is also told what became of its bids.
fn with_notices(plan: &RunSpec, peak: u64) -> u64 {
    let told = plan.content.rtb.as_ref().and_then(|rtb| rtb.bidder.as_ref()).is_some_and(|bidder| bidder.notify);
    if told { peak.saturating_mul(1 + NOTICES_PER_REQUEST as u64) } else { peak }
}

fn origin(plan: &RunSpec) -> Option<String> {
    let target = plan.http.as_ref().and_then(|http| TargetUrl::parse(&http.url).ok());
    target.map(|target| target.origin())
}

fn is_active(store: &Store, job: &str) -> bool {
    let run = RUNS.get(store, &job.to_owned()).ok().flatten();
    run.as_ref().is_some_and(|run: &Run| run.is_generating() || run.is_held())
}

/// 403 with the line to add.
#[must_use]
pub fn refused(refusal: &Refusal) -> Fault {
    refused_at(refusal, "target_url")
}

fn refused_at(refusal: &Refusal, field: &str) -> Fault {
    let fault = Fault::new(Code::TargetNotAllowed, format!("The target is not allowed: {refusal}"));
    let fault = fault.detail(field, refusal.to_string());
    match &refusal.line_to_add {
        Some(line) => fault.with("line_to_add", line.as_str()),
        None => fault,
    }
}

/// The member that names the target.
fn field_of(settings: &Settings) -> &'static str {
    let asks_bidder = settings.content.rtb.as_ref().is_some_and(|rtb| rtb.bidder.is_some());
    if asks_bidder { "rtb_config.endpoint" } else { "target_url" }
}

/// Judges the target's name, without network.
///
/// # Errors
/// 403.
pub fn check_name(app: &App, settings: &Settings) -> Outcome<()> {
    let Some(target) = &settings.target else {
        return Ok(());
    };
    app.targets.check_name(&target.host, target.port).map_err(|refusal| refused_at(&refusal, field_of(settings)))
}

/// Judges the target's addresses and asks for its owner's proof where that is needed; true when it was given.
///
/// # Errors
/// 403, or 422 when the name cannot be resolved.
pub async fn admit(app: &App, settings: &Settings) -> Outcome<bool> {
    let (Mode::Http, Some(target)) = (settings.mode, &settings.target) else {
        return Ok(false);
    };
    let addresses = resolve::addresses(&app.targets, target).await?;
    let Some(address) = resolve::public(&addresses) else {
        return Ok(false);
    };
    let Some(secret) = app.config.generator.ownership_secret.as_ref() else {
        let message = "Public targets need `generator.ownership_secret` in the server's configuration";
        return Err(Fault::new(Code::TargetNotAllowed, message).detail(field_of(settings), message));
    };
    match ownership::prove(secret, target, address).await {
        Ok(()) => Ok(true),
        Err(unproven) => Err(not_agreed(secret, target, &unproven.0, field_of(settings))),
    }
}

fn not_agreed(secret: &Secret, target: &TargetUrl, why: &str, field: &str) -> Fault {
    let origin = target.origin();
    let line = ownership::line_for(secret, target);
    let message = format!("The owner of `{origin}` must agree first: {why}");
    let remedy = format!("publish the line `{line}` in `{origin}{}`", ownership::PATH);
    Fault::new(Code::TargetNotAllowed, message).detail(field, remedy).with("verification_line", line)
}

/// Refuses a run that would lift all runs together over the cap of its target. The store's lock is held.
///
/// # Errors
/// 409 naming the target.
pub fn check_cap(app: &App, plan: &RunSpec, peak: u64) -> Outcome<()> {
    let Some(origin) = origin(plan) else {
        return Ok(());
    };
    let cap = app.config.generator.max_rate_per_target;
    let own = with_notices(plan, peak);
    let others = app.active_targets.total(app.store(), &origin, &plan.job);
    let per_second = |rate: u64| rate / 60_000_000;
    if u128::from(others) + u128::from(own) <= u128::from(cap) * 60_000_000 {
        return Ok(());
    }
    let (others, asked) = (per_second(others), per_second(own));
    let notices =
        if own > peak { format!(" with {NOTICES_PER_REQUEST} notices for each bid request") } else { String::new() };
    let message = format!(
        "All campaigns together may send {cap} requests/s to `{origin}` (`generator.max_rate_per_target`); \
         others send {others}/s already and this one asks for {asked}/s{notices}"
    );
    Err(Fault::conflict(message).with("target", origin).with("max_rate_per_target", cap))
}

/// Takes back a run that goes on after it failed. The store's lock is held.
///
/// # Errors
/// 409 when the cap does not permit it.
pub fn readmit(app: &App, job: &str) -> Outcome<()> {
    let key = job.to_owned();
    let (Some(plan), Some(run)) = (PLANS.get(app.store(), &key)?, RUNS.get(app.store(), &key)?) else {
        return Ok(());
    };
    let peak = highest(&plan, run.desired.rate);
    check_cap(app, &plan, peak)?;
    app.active_targets.add(&plan, peak);
    Ok(())
}

/// Takes a new rate of a run that may send real requests.
///
/// # Errors
/// 409 when the cap does not permit it.
pub fn repace(app: &App, job: &str, rate: u64) -> Outcome<()> {
    if !app.active_targets.jobs().contains_key(job) {
        return Ok(());
    }
    let Some(plan) = PLANS.get(app.store(), &job.to_owned())? else {
        return Ok(());
    };
    let peak = highest(&plan, rate);
    check_cap(app, &plan, peak)?;
    app.active_targets.add(&plan, peak);
    Ok(())
}
