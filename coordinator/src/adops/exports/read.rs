//! Where exports stand, their links and their files.

use std::path::PathBuf;

use trafficlab_shared::config::ExportsConfig;

use super::{EXPORTS, Export, link as secrets};
use crate::adops::change::{Change, change, note};
use crate::adops::{Actor, AuditEntry, TenantId};
use crate::dispatch::Dispatch;
use crate::store::captures::CaptureState;
use crate::store::exports::EXPORT_JOBS;
use crate::systems::{Fault, Outcome};

/// Links of one export that work; a further one takes the place of the oldest.
const LINKS: usize = 16;

/// Where an export stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It waits for a worker.
    Queued,
    /// A worker writes it.
    Running,
    /// Its file can be downloaded.
    Done,
    /// It came to nothing.
    Failed,
    /// Its file is gone.
    Expired,
}

impl Status {
    /// Its word in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Expired => "expired",
        }
    }
}

/// An export and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its id.
    pub id: String,
    /// As it was asked for.
    pub export: Export,
    /// Where it stands.
    pub status: Status,
    /// Rows written so far.
    pub rows: u64,
    /// Bytes of the file so far.
    pub bytes: u64,
    /// When it was over, nanoseconds since 1970.
    pub ended_ns: Option<u64>,
    /// Why it failed, or what it waits for.
    pub reason: Option<String>,
}

/// One export of the actor's tenant.
///
/// # Errors
/// 404 when the tenant has none of this id.
pub fn get(dispatch: &Dispatch, actor: &Actor, id: &str) -> Outcome<Found> {
    let export = EXPORTS.get(&dispatch.store, actor.tenant, id.to_owned())?.ok_or_else(unknown)?;
    found(dispatch, id.to_owned(), export)
}

/// All exports of the actor's tenant, the newest first.
///
/// # Errors
/// When the store cannot be read.
pub fn list(dispatch: &Dispatch, actor: &Actor) -> Outcome<Vec<Found>> {
    let mut all = Vec::new();
    for row in EXPORTS.scan(&dispatch.store, actor.tenant, true) {
        let (id, export) = row?;
        all.push(found(dispatch, id, export)?);
    }
    Ok(all)
}

/// Exports of a tenant that are not over.
pub(super) fn under_way(dispatch: &Dispatch, tenant: TenantId) -> Outcome<u64> {
    let mut count = 0;
    for row in EXPORTS.scan(&dispatch.store, tenant, true) {
        let (id, export) = row?;
        let open =
            export.over.is_none() && EXPORT_JOBS.get(&dispatch.store, &id)?.is_some_and(|row| !row.state.is_over());
        count += u64::from(open);
    }
    Ok(count)
}

/// A new link to the file of an export that is done.
///
/// # Errors
/// 404 when it is gone meanwhile.
pub async fn link(dispatch: &Dispatch, actor: &Actor, id: &str) -> Outcome<String> {
    let (secret, hash) = secrets::make()?;
    let work = |change: &mut Change<'_>| {
        let mut export = change.get(&EXPORTS, id.to_owned())?.ok_or_else(unknown)?;
        let excess = (export.links.len() + 1).saturating_sub(LINKS);
        export.links.drain(..excess);
        export.links.push(hash);
        Ok(change.put(&EXPORTS, id.to_owned(), &export)?)
    };
    change(&dispatch.store, actor, work).await?;
    Ok(secret)
}

/// The export of a link and its file, for a download, which is noted.
///
/// # Errors
/// 404 when the link is not of this tenant, is too old, or is none.
pub async fn download(
    dispatch: &Dispatch,
    config: &ExportsConfig,
    actor: &Actor,
    secret: &str,
    now_ns: u64,
) -> Outcome<(Found, PathBuf)> {
    let hash = secrets::hash(secret).ok_or_else(unknown)?;
    let mut known = None;
    for row in EXPORTS.scan(&dispatch.store, actor.tenant, true) {
        let (id, export) = row?;
        if export.links.contains(&hash) {
            known = Some(found(dispatch, id, export)?);
        }
    }
    let known =
        known.filter(|found| found.status == Status::Done && now_ns < found.expires_ns(config)).ok_or_else(unknown)?;
    let entry = AuditEntry::new(actor, "export.downloaded", "export", &known.id);
    note(&dispatch.store, actor, &entry).await?;
    let path = dispatch.export_files().table(&known.id);
    Ok((known, path))
}

/// Removes an export with its file; whoever writes it stops.
///
/// # Errors
/// 404 when the tenant has none of this id.
pub async fn remove(dispatch: &Dispatch, actor: &Actor, id: &str) -> Outcome<()> {
    let work = |change: &mut Change<'_>| {
        let key = id.to_owned();
        change.get(&EXPORTS, key.clone())?.ok_or_else(unknown)?;
        change.delete(&EXPORTS, key);
        dispatch.plan_export_removal(change.batch(), id)?;
        Ok(change.audit(&AuditEntry::new(actor, "export.deleted", "export", id))?)
    };
    change(&dispatch.store, actor, work).await?;
    super::drop_files(dispatch, &[id.to_owned()]);
    Ok(())
}

impl Found {
    /// When its file goes, nanoseconds since 1970.
    #[must_use]
    pub fn expires_ns(&self, config: &ExportsConfig) -> u64 {
        let keep = u64::try_from(config.keep.duration().as_nanos()).unwrap_or(u64::MAX);
        self.ended_ns.unwrap_or(self.export.created_ns).saturating_add(keep)
    }
}

fn found(dispatch: &Dispatch, id: String, export: Export) -> Outcome<Found> {
    if let Some(over) = export.over.clone() {
        let status = if over.state == CaptureState::Done { Status::Expired } else { Status::Failed };
        let ended_ns = Some(over.ended_ns);
        return Ok(Found { id, export, status, rows: over.rows, bytes: over.bytes, ended_ns, reason: over.reason });
    }
    let Some(row) = EXPORT_JOBS.get(&dispatch.store, &id)? else {
        return Ok(Found { id, export, status: Status::Expired, rows: 0, bytes: 0, ended_ns: None, reason: None });
    };
    let status = match row.state {
        CaptureState::Queued => Status::Queued,
        CaptureState::Running => Status::Running,
        CaptureState::Done => Status::Done,
        CaptureState::Failed | CaptureState::Stopped => Status::Failed,
    };
    let alone = status == Status::Queued && dispatch.registry.live().is_empty();
    let reason = row.reason.or_else(|| alone.then(|| "it waits for a worker; none is there".to_owned()));
    Ok(Found { id, export, status, rows: row.rows, bytes: row.bytes, ended_ns: row.ended_ns, reason })
}

fn unknown() -> Fault {
    Fault::not_found("Export not found")
}
