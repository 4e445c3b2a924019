//! Takes the figures of days.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::value::RawValue;
use serde_json::{Value, json};
use trafficlab_shared::clock;

use super::read::{campaign, tenant};
use super::rows::{self, Rows};
use super::types::UpsertedView;
use crate::adops::book::Source;
use crate::adops::{Actor, AuditEntry, change};
use crate::http::App;
use crate::systems::{Fault, Outcome, blocking};

/// Writes the days of a body: all of them or, when anything is wrong, none.
///
/// # Errors
/// 404 for an unknown campaign, 400 and 422 for what is wrong with the days.
pub(super) async fn upsert(
    app: &Arc<App>,
    actor: &Actor,
    id: u64,
    body: BTreeMap<String, Box<RawValue>>,
) -> Outcome<UpsertedView> {
    let entry = campaign(app, actor, id)?;
    let (id, currency) = (entry.campaign.id, entry.campaign.currency);
    let last = tenant(app, actor)?.day_at(clock::wall_ns()).plus(1);
    let (book, own) = (app.adops.book.clone(), actor.tenant);
    let work = move || {
        let Rows { days, warnings } = rows::read(&body, currency, last)?;
        let edges = days.iter().map(|(day, _)| *day).min().zip(days.iter().map(|(day, _)| *day).max());
        Ok((book.prepare(own, Source::Real, vec![(id, days)])?, edges, warnings))
    };
    let (prepared, edges, warnings) = blocking(work).await?;
    let book = &app.adops.book;
    let upserted = change(app.store(), actor, |change| {
        // It may have been deleted, or have got another currency, while the body was read.
        let now = campaign(app, actor, id.get())?;
        if now.campaign.currency != currency {
            return Err(Fault::conflict("The campaign's currency was changed meanwhile"));
        }
        let upserted = book.commit(change, prepared)?;
        let told = json!({
            "inserted": upserted.inserted, "updated": upserted.updated, "unchanged": upserted.unchanged,
            "date_from": edges.map(|(first, _)| first.to_string()),
            "date_to": edges.map(|(_, last)| last.to_string()),
        });
        let entry = AuditEntry::new(change.actor, "campaign.metrics", "campaign", id).change(&Value::Null, &told);
        change.audit(&entry)?;
        Ok(upserted)
    });
    Ok(UpsertedView::of(upserted.await?, warnings))
}
