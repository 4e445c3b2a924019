//! The end of exports: files go when their time is over, or when those who asked for them are erased.

use std::sync::Arc;
use std::time::Duration;

use trafficlab_shared::clock;
use trafficlab_shared::config::ExportsConfig;

use super::{EXPORTS, Export, Over};
use crate::adops::change::{Change, change};
use crate::adops::{Actor, AuditEntry, TenantId, UserId};
use crate::dispatch::Dispatch;
use crate::store::StoreError;
use crate::store::captures::CaptureState;
use crate::store::exports::{EXPORT_JOBS, ExportJobRow};
use crate::systems::{Fault, Outcome, blocking};

/// An export that no worker took for so long is over; its rows went from the broker by then as well.
const UNTAKEN: Duration = Duration::from_secs(24 * 3600);
/// What became of an export is shown for so long.
const SHOWN: Duration = Duration::from_secs(7 * 24 * 3600);
/// A file of no export is removed when it is as old as this; younger ones may be those of an export being made.
const SWEPT: Duration = Duration::from_secs(600);

/// Adds to a change that the tenant's exports are gone, or those that one person asked for. When the change is made,
/// `drop_files` takes the ids that come back.
///
/// # Errors
/// When the store cannot be read.
pub fn plan_forget(
    change: &mut Change<'_>,
    dispatch: &Dispatch,
    user: Option<UserId>,
) -> Result<Vec<String>, StoreError> {
    let mut gone = Vec::new();
    for row in EXPORTS.scan(change.store, change.actor.tenant, false) {
        let (id, export) = row?;
        if user.is_none() || export.who.user() == user {
            gone.push(id);
        }
    }
    for id in &gone {
        change.delete(&EXPORTS, id.clone());
        dispatch.plan_export_removal(change.batch(), id)?;
    }
    Ok(gone)
}

/// Removes the exports of the actor's tenant, or those that one person asked for, with their files; jobs under way stop.
/// Answers how many.
///
/// # Errors
/// When the store fails.
pub async fn forget(dispatch: &Dispatch, actor: &Actor, user: Option<UserId>) -> Outcome<usize> {
    let work = |change: &mut Change<'_>| {
        let gone = plan_forget(change, dispatch, user)?;
        if !gone.is_empty() {
            change.audit(&AuditEntry::new(actor, "export.forgotten", "export", ""))?;
        }
        Ok(gone)
    };
    let gone = change(&dispatch.store, actor, work).await?;
    drop_files(dispatch, &gone);
    Ok(gone.len())
}

/// Lets the broker and the disk forget exports that the store has forgotten. What cannot be removed now is swept later.
pub fn drop_files(dispatch: &Dispatch, jobs: &[String]) {
    for job in jobs {
        dispatch.attend_export(job);
        if let Err(error) = dispatch.export_files().remove(job) {
            tracing::warn!(%job, %error, "the files of a removed export stay until the next round");
        }
    }
}

/// Removes files whose time is over, records that nobody needs any more, and files of no export; looks after exports that
/// wait.
///
/// # Errors
/// When the store or the disk fails; the next round tries again.
pub async fn upkeep(dispatch: &Arc<Dispatch>, config: &ExportsConfig) -> Outcome<()> {
    let now_ns = clock::wall_ns();
    attend_waiting(dispatch)?;
    let due: Vec<(TenantId, String)> = due(dispatch, config, now_ns)?;
    for (tenant, id) in due {
        let actor = Actor::system(tenant, "end of exports");
        let work = |change: &mut Change<'_>| expire(change, dispatch, config, &id, now_ns);
        change(&dispatch.store, &actor, work).await?;
        drop_files(dispatch, &[id]);
    }
    let own = Arc::clone(dispatch);
    blocking(move || {
        let known = |job: &str| EXPORT_JOBS.contains(&own.store, &job.to_owned()).map_err(std::io::Error::other);
        let swept = own.export_files().sweep(SWEPT, known);
        swept.map_err(|error| Fault::internal("files of exports", &error))
    })
    .await
}

/// A request that goes away while its export becomes durable never says that there is one: here it is seen. Those that are
/// looked after already are not touched.
fn attend_waiting(dispatch: &Dispatch) -> Result<(), StoreError> {
    for row in EXPORT_JOBS.scan(&dispatch.store, false) {
        let (job, row) = row?;
        if row.state == CaptureState::Queued {
            dispatch.attend_export(&job);
        }
    }
    Ok(())
}

/// The exports for which something is to be done.
fn due(dispatch: &Dispatch, config: &ExportsConfig, now_ns: u64) -> Result<Vec<(TenantId, String)>, StoreError> {
    let mut due = Vec::new();
    for row in EXPORTS.everyone(&dispatch.store) {
        let ((tenant, id), export) = row?;
        if ends(&export, EXPORT_JOBS.get(&dispatch.store, &id)?.as_ref(), config, now_ns).is_some() {
            due.push((tenant, id));
        }
    }
    Ok(due)
}

/// What becomes of an export now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Its file goes; this is kept.
    Over(Over),
    /// All of it goes.
    Gone,
}

pub(super) fn ends(export: &Export, row: Option<&ExportJobRow>, config: &ExportsConfig, now_ns: u64) -> Option<End> {
    let past = |since: u64, time: Duration| Duration::from_nanos(now_ns.saturating_sub(since)) >= time;
    if let Some(over) = &export.over {
        return past(over.ended_ns, SHOWN).then_some(End::Gone);
    }
    let Some(row) = row else {
        return Some(End::Gone);
    };
    let (state, rows, bytes) = (row.state, row.rows, row.bytes);
    if let Some(ended_ns) = row.ended_ns {
        let over = Over { state, bytes, rows, ended_ns, reason: row.reason.clone() };
        return past(ended_ns, config.keep.duration()).then_some(End::Over(over));
    }
    let reason = Some("no worker finished it within a day".to_owned());
    let state = CaptureState::Failed;
    past(row.created_ns, UNTAKEN).then_some(End::Over(Over { state, bytes: 0, rows: 0, ended_ns: now_ns, reason }))
}

fn expire(
    change: &mut Change<'_>,
    dispatch: &Dispatch,
    config: &ExportsConfig,
    id: &String,
    now_ns: u64,
) -> Outcome<()> {
    let Some(mut export) = change.get(&EXPORTS, id.clone())? else {
        return Ok(());
    };
    let row = EXPORT_JOBS.get(change.store, id)?;
    match ends(&export, row.as_ref(), config, now_ns) {
        Some(End::Over(over)) => {
            export.over = Some(over);
            export.links.clear();
            change.put(&EXPORTS, id.clone(), &export)?;
        }
        Some(End::Gone) => change.delete(&EXPORTS, id.clone()),
        None => return Ok(()),
    }
    if row.is_some() {
        dispatch.plan_export_removal(change.batch(), id)?;
    }
    Ok(())
}
