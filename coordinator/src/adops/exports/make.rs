//! Asking for an export: its rows are written down, then it is a job like others.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use trafficlab_shared::clock;
use trafficlab_shared::config::ExportsConfig;
use trafficlab_shared::model::export::ExportSpec;
use uuid::Uuid;

use super::read::{self, Found};
use super::{Asked, EXPORTS, Export, rows};
use crate::adops::change::{Change, change};
use crate::adops::{Actor, Adops, AuditEntry, tenant};
use crate::dispatch::Dispatch;
use crate::systems::{Code, Fault, Outcome, blocking};

/// How long somebody with too many exports is asked to wait, in seconds.
const COME_BACK: u32 = 10;

/// Begins an export; comes back when it is durable.
///
/// # Errors
/// 400 and 422 for what is asked, 429 with too many under way, 503 while the broker is away, 507 when the disk's share
/// is used up.
pub async fn make(
    dispatch: &Arc<Dispatch>,
    adops: &Adops,
    config: &ExportsConfig,
    actor: &Actor,
    body: &Map<String, Value>,
) -> Outcome<Found> {
    let asked = super::read(&tenant::get(&dispatch.store, actor)?, body, clock::wall_ns())?;
    if !dispatch.broker.is_connected() {
        return Err(Fault::broker_away());
    }
    // Both files of an export count, the rows while it is under way.
    let writing = adops.exports.writing.acquire().await;
    let _alone = writing.map_err(|error| Fault::internal("exports are not taken any more", &error))?;
    check_room(dispatch, config, actor)?;
    let job = Uuid::now_v7().to_string();
    let rows = write_rows(dispatch, adops, &job, &asked, actor).await?;
    let kept = keep(dispatch, config, actor, &job, &asked, rows).await;
    match kept {
        Ok(()) => dispatch.attend_export(&job),
        Err(fault) => {
            super::drop_files(dispatch, std::slice::from_ref(&job));
            return Err(fault);
        }
    }
    read::get(dispatch, actor, &job)
}

async fn write_rows(dispatch: &Arc<Dispatch>, adops: &Adops, job: &str, asked: &Asked, actor: &Actor) -> Outcome<u64> {
    let entries = adops.book.all(actor.tenant);
    let (own, name, asked) = (Arc::clone(dispatch), job.to_owned(), asked.clone());
    blocking(move || {
        let files = own.export_files();
        let written = files.create_rows(&name).and_then(|file| {
            let (file, rows) = rows::write(&entries, &asked, file)?;
            files.keep(&file)?;
            Ok(rows)
        });
        written.map_err(|error| {
            super::drop_files(&own, std::slice::from_ref(&name));
            no_room(&error)
        })
    })
    .await
}

fn no_room(error: &std::io::Error) -> Fault {
    if error.kind() == std::io::ErrorKind::StorageFull {
        return Fault::new(Code::InsufficientStorage, "There is no room on the disk for exports");
    }
    Fault::internal("the rows of an export cannot be written", error)
}

async fn keep(
    dispatch: &Arc<Dispatch>,
    config: &ExportsConfig,
    actor: &Actor,
    job: &str,
    asked: &Asked,
    rows: u64,
) -> Outcome<()> {
    let spec = ExportSpec { table: asked.table, format: asked.format, columns: asked.columns.clone(), rows };
    let work = |change: &mut Change<'_>| {
        check_count(dispatch, config, actor)?;
        let created_ns = change.at_ns;
        let export =
            Export { spec: spec.clone(), days: asked.days, who: actor.who, created_ns, links: Vec::new(), over: None };
        change.put(&EXPORTS, job.to_owned(), &export)?;
        dispatch.plan_export(change.batch(), job, spec)?;
        let told = json!({
            "type": asked.table.as_str(), "format": asked.format.as_str(), "rows": rows,
            "date_from": asked.days.first.to_string(), "date_to": asked.days.last.to_string(),
        });
        Ok(change.audit(&AuditEntry::new(actor, "export.created", "export", job).change(&Value::Null, &told))?)
    };
    change(&dispatch.store, actor, work).await
}

fn check_room(dispatch: &Dispatch, config: &ExportsConfig, actor: &Actor) -> Outcome<()> {
    check_count(dispatch, config, actor)?;
    let used = dispatch.export_files().bytes().map_err(|error| Fault::internal("files of exports", &error))?;
    if used >= config.quota_bytes.0 {
        let message =
            "The files of exports fill their share of the disk (`exports.quota_bytes`); they go within the hour";
        return Err(Fault::new(Code::InsufficientStorage, message));
    }
    Ok(())
}

fn check_count(dispatch: &Dispatch, config: &ExportsConfig, actor: &Actor) -> Outcome<()> {
    let under_way = read::under_way(dispatch, actor.tenant)?;
    if under_way < u64::from(config.per_tenant) {
        return Ok(());
    }
    let message = format!("{under_way} exports are under way; wait until one of them is done");
    Err(Fault { retry_after: Some(COME_BACK), ..Fault::new(Code::RateLimited, message) })
}
