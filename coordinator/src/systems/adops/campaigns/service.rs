//! What the routes of campaigns do.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};
use trafficlab_shared::clock;

use super::types::{DeletedView, LabelView};
use super::view::{self, CampaignDetail, CampaignView, detail};
use crate::adops::book::Entry;
use crate::adops::campaigns::labels::Doing;
use crate::adops::campaigns::order::Order;
use crate::adops::campaigns::{Filter, RESTORABLE_NS, edit, labels};
use crate::adops::{Actor, CampaignId, Role, TenantId, campaigns, change};
use crate::http::App;
use crate::http::idempotency::Repeatable;
use crate::systems::adops::envelope::Envelope;
use crate::systems::adops::page::Page;
use crate::systems::time::rfc3339;
use crate::systems::{Code, Fault, Outcome};

/// What a list is asked for.
pub(super) struct Asked {
    pub(super) page: Page,
    pub(super) filter: Filter,
    pub(super) order: Order,
    pub(super) deleted: bool,
}

/// A page of campaigns. Only those of the page become views.
pub(super) fn list(app: &App, actor: &Actor, asked: &Asked) -> Outcome<Envelope<Vec<CampaignView>>> {
    let entries = if asked.deleted { deleted(app, actor)? } else { app.adops.book.all(actor.tenant) };
    let fitting = asked.order.sort(entries.iter().filter(|entry| asked.filter.matches(entry)));
    let total = u64::try_from(fitting.len()).unwrap_or(u64::MAX);
    let views = asked.page.of(fitting.into_iter()).into_iter().map(|entry| view::view(entry)).collect();
    Ok(Envelope::page(views, asked.page.pagination(total)))
}

/// Campaigns that can be restored.
fn deleted(app: &App, actor: &Actor) -> Outcome<Vec<Arc<Entry>>> {
    if actor.role < Role::Admin {
        return Err(Fault::new(Code::Forbidden, "Only an admin sees deleted campaigns"));
    }
    let now = clock::wall_ns();
    let restorable = |at: u64| now.saturating_sub(at) < RESTORABLE_NS;
    let mut entries = app.adops.book.all_any(actor.tenant);
    entries.retain(|entry| entry.campaign.deleted_ns.is_some_and(restorable));
    Ok(entries)
}

/// Makes a campaign; a repeated request gets the first answer.
pub(super) async fn create(
    app: &App,
    actor: &Actor,
    body: &Map<String, Value>,
    repeat: Option<Repeatable>,
) -> Outcome<Value> {
    change(app.store(), actor, |change| {
        if let Some(earlier) = repeat.as_ref().map(|repeat| repeat.earlier(change.store)).transpose()?.flatten() {
            return Ok(earlier);
        }
        let campaign = campaigns::create(change, &app.adops.book, body)?;
        let made = Envelope::done(view::fresh(campaign), "Campaign created");
        let answer = value(&made)?;
        if let Some(repeat) = &repeat {
            repeat.keep(change.batch(), &answer)?;
        }
        Ok(answer)
    })
    .await
}

fn value<T: Serialize>(answer: &T) -> Outcome<Value> {
    serde_json::to_value(answer).map_err(|error| Fault::internal("campaign", &error))
}

/// A campaign in full.
pub(super) fn get(app: &App, tenant: TenantId, id: CampaignId) -> Outcome<CampaignDetail> {
    Ok(detail(&*edit::find(&app.adops.book, tenant, id)?))
}

pub(super) async fn update(
    app: &App,
    actor: &Actor,
    id: CampaignId,
    body: &Map<String, Value>,
) -> Outcome<Envelope<CampaignDetail>> {
    change(app.store(), actor, |change| edit::update(change, &app.adops.book, id, body)).await?;
    Ok(Envelope::done(get(app, actor.tenant, id)?, "Campaign updated"))
}

pub(super) async fn delete(app: &App, actor: &Actor, id: CampaignId) -> Outcome<Envelope<DeletedView>> {
    let until = change(app.store(), actor, |change| edit::delete(change, &app.adops.book, id)).await?;
    let deleted = DeletedView { id: id.get(), restorable_until: rfc3339(until) };
    Ok(Envelope::done(deleted, "Campaign deleted; it can be restored for 30 days"))
}

pub(super) async fn restore(app: &App, actor: &Actor, id: CampaignId) -> Outcome<Envelope<CampaignDetail>> {
    change(app.store(), actor, |change| edit::restore(change, &app.adops.book, id)).await?;
    Ok(Envelope::done(get(app, actor.tenant, id)?, "Campaign restored"))
}

/// Gives labels to a campaign or takes them away.
pub(super) async fn label(
    app: &App,
    actor: &Actor,
    id: CampaignId,
    doing: Doing,
    given: &[String],
) -> Outcome<Envelope<CampaignDetail>> {
    change(app.store(), actor, |change| labels::edit(change, &app.adops.book, id, doing, given)).await?;
    Ok(Envelope::done(get(app, actor.tenant, id)?, "Labels updated"))
}

/// The labels in use.
pub(super) fn all_labels(app: &App, tenant: TenantId) -> Vec<LabelView> {
    let all = labels::all(&app.adops.book, tenant).into_iter();
    all.map(|(label, campaigns)| LabelView { label, campaigns }).collect()
}
