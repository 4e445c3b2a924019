//! Finding campaigns and their runs.

use trafficlab_shared::model::campaign::is_campaign_id;

use crate::store::Store;
use crate::store::campaigns::{CAMPAIGNS, Campaign};
use crate::store::runs::{RUNS, RUNS_OF, Run};
use crate::systems::{Fault, Outcome};

/// The campaign with this id.
///
/// # Errors
/// 404.
pub fn campaign(store: &Store, id: &str) -> Outcome<Campaign> {
    if !is_campaign_id(id) {
        return Err(Fault::no_campaign(id));
    }
    CAMPAIGNS.get(store, &id.to_owned())?.ok_or_else(|| Fault::no_campaign(id))
}

/// The ids of a campaign's runs, oldest first.
///
/// # Errors
/// When the store fails.
pub fn jobs(store: &Store, campaign: &str) -> Outcome<Vec<String>> {
    let rows = RUNS_OF.scan_prefix(store, &campaign.to_owned(), false);
    Ok(rows.map(|row| row.map(|((_, job), ())| job)).collect::<Result<_, _>>()?)
}

/// A campaign's runs, oldest first.
///
/// # Errors
/// When the store fails.
pub fn runs(store: &Store, campaign: &str) -> Outcome<Vec<Run>> {
    let mut found = Vec::new();
    for job in jobs(store, campaign)? {
        found.extend(RUNS.get(store, &job)?);
    }
    Ok(found)
}

/// One run of a campaign.
///
/// # Errors
/// 404 when the campaign has no such run.
pub fn run(store: &Store, campaign: &str, job: &str) -> Outcome<Run> {
    let run = if job.len() <= 64 { RUNS.get(store, &job.to_owned())? } else { None };
    run.filter(|run| run.campaign == campaign).ok_or_else(|| {
        let shown: String = job.chars().take(64).collect();
        Fault::not_found(format!("Campaign `{campaign}` has no run `{}`", shown.escape_default()))
    })
}

/// The runs that a request is about: all of them, or the one it names.
///
/// # Errors
/// 404 when there is no such run.
pub fn selected(store: &Store, campaign: &str, job: Option<&str>) -> Outcome<Vec<Run>> {
    match job {
        Some(job) => Ok(vec![run(store, campaign, job)?]),
        None => runs(store, campaign),
    }
}

/// The newest run.
///
/// # Errors
/// When the store fails.
pub fn latest(store: &Store, campaign: &str) -> Outcome<Option<Run>> {
    let newest = RUNS_OF.scan_prefix(store, &campaign.to_owned(), true).next().transpose()?;
    let Some(((_, job), ())) = newest else {
        return Ok(None);
    };
    Ok(RUNS.get(store, &job)?)
}

/// The run that generates or is held.
///
/// # Errors
/// When the store fails.
pub fn active_run(store: &Store, campaign: &Campaign) -> Outcome<Option<Run>> {
    let Some(job) = &campaign.run else {
        return Ok(None);
    };
    let run = RUNS.get(store, job)?;
    Ok(run.filter(|run| run.is_generating() || run.is_held()))
}

/// Whether the campaign generates now.
#[must_use]
pub fn is_running(run: Option<&Run>) -> bool {
    run.is_some_and(Run::is_generating)
}
