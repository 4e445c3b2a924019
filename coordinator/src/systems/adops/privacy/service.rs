//! Reads what is asked for and has it done.

use std::sync::Arc;

use serde_json::{Map, Value};
use tokio::runtime::Handle;
use trafficlab_shared::clock;
use trafficlab_shared::error::FieldFault;

use super::types::{DoneView, ExportView};
use crate::adops::privacy::{Done, Wish, consents};
use crate::adops::{Actor, UserId};
use crate::http::{App, idempotency};
use crate::systems::adops::upkeep::erased_parts;
use crate::systems::fields::Fields;
use crate::systems::time::rfc3339;
use crate::systems::{Fault, Outcome};

/// The path of downloads.
pub(super) const DOWNLOAD: &str = "/api/v1/gdpr/export/download/";

fn read<'a, T>(body: &'a Map<String, Value>, of: impl FnOnce(&mut Fields<'a, '_>) -> T) -> Outcome<(UserId, T)> {
    let mut faults = Vec::new();
    let mut fields = Fields::new(body, "", &mut faults);
    let person = fields.whole("user_id", 0..=u64::MAX);
    let rest = of(&mut fields);
    let unknown = fields.unknown(&[]);
    faults.extend(unknown.into_iter().map(|path| FieldFault::new(path, "unknown field")));
    match person {
        Some(person) if faults.is_empty() => return Ok((UserId(person), rest)),
        None if !faults.iter().any(|fault| fault.field == "user_id") => {
            faults.push(FieldFault::new("user_id", "is needed"));
        }
        _ => {}
    }
    Err(Fault::validation(faults))
}

pub(super) async fn export(app: &Arc<App>, actor: &Actor, body: &Map<String, Value>) -> Outcome<ExportView> {
    let (person, ()) = read(body, |fields| {
        if fields.get("format").is_some_and(|format| format.as_str() != Some("json")) {
            fields.fault("format", "must be `json`");
        }
    })?;
    let made = app.adops.privacy.export(app.store(), &app.adops.book, actor, person).await?;
    Ok(ExportView {
        user_id: person.get(),
        format: "json".to_owned(),
        download_url: format!("{DOWNLOAD}{}", made.token),
        expires_at: rfc3339(made.archive.expires_ns),
        file_size: made.archive.bytes,
    })
}

pub(super) async fn anonymise(
    app: &Arc<App>,
    actor: &Actor,
    body: &Map<String, Value>,
    delete_tenant: Option<&str>,
) -> Outcome<DoneView> {
    let (person, reason) = read(body, |fields| {
        let reason = fields.get("reason").map(|reason| reason.as_str().unwrap_or_default());
        if reason.is_some_and(|reason| !consents::is_word(reason)) {
            // Free text could name whom the entry must not name.
            fields.fault("reason", "must be a word of a-z and _ with at most 40 letters");
        }
        reason.map(str::to_owned)
    })?;
    erase(app, actor, person, Wish { row_too: false, delete_tenant: flag(delete_tenant)?, reason }).await
}

pub(super) async fn delete(
    app: &Arc<App>,
    actor: &Actor,
    person: UserId,
    delete_tenant: Option<&str>,
) -> Outcome<DoneView> {
    erase(app, actor, person, Wish { row_too: true, delete_tenant: flag(delete_tenant)?, reason: None }).await
}

fn flag(text: Option<&str>) -> Outcome<bool> {
    match text {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Fault::field("delete_tenant", "must be true or false")),
    }
}

async fn erase(app: &Arc<App>, actor: &Actor, person: UserId, wish: Wish) -> Outcome<DoneView> {
    let row_too = wish.row_too;
    // Once begun it goes on also when the caller goes away.
    let (own, actor) = (Arc::clone(app), actor.clone());
    let work = async move {
        let done = own.adops.privacy.erase(erased_parts(&own), &actor, person, &wish).await?;
        let whose = (done != Done::Tenant).then_some(person);
        idempotency::forget_of(own.store(), actor.tenant, whose).await?;
        Ok::<_, Fault>(done)
    };
    let done = Handle::current().spawn(work).await.map_err(|error| Fault::internal("erasure", &error))??;
    let status = match (done, row_too) {
        (Done::Erased, false) => "anonymised",
        (Done::Erased, true) => "deleted",
        (Done::Already, _) => "already",
        (Done::Tenant, _) => "tenant_deleted",
    };
    let by_ns = clock::wall_ns().saturating_add(app.config.gdpr.erase_within.nanoseconds());
    let complete_by = (done != Done::Already).then(|| rfc3339(by_ns));
    Ok(DoneView { user_id: person.get(), status: status.to_owned(), complete_by })
}
