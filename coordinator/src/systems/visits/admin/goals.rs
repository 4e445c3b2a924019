//! Goals of a site.

use serde_json::{Map, Value};

use super::types::{Deleted, GoalView, GoalsView};
use super::{LONGEST_NAME, LONGEST_TARGET, body, gone, needed, target};
use crate::http::App;
use crate::store::visit_settings::{GoalRecord, Target};
use crate::systems::Outcome;
use crate::systems::time::rfc3339;
use crate::systems::visits::stats::scope::{self, Grant};
use crate::systems::visits::stats::wrong;
use crate::visits::book::goals::{self, NewGoal};

/// The goals of a site.
///
/// # Errors
/// 404, 403 when `grant` is another site's.
pub fn list(app: &App, site_id: Option<&str>, grant: Option<&Grant>) -> Outcome<GoalsView> {
    let site = scope::site(app, site_id, grant)?;
    let goals = goals::list(app.store(), &site.domain)?;
    Ok(GoalsView { success: true, goals: goals.iter().map(|goal| view(&site.domain, goal)).collect() })
}

/// Makes a goal.
///
/// # Errors
/// 422 naming the field, 404, 409.
pub async fn add(app: &App, map: &Map<String, Value>) -> Outcome<GoalView> {
    let (site_id, name, path, event, currency) = body(map, |fields| {
        let site_id = fields.text("site_id", 300);
        let name = fields.get("name").and_then(|_| needed(fields, "name", LONGEST_NAME));
        let (path, event) = (fields.text("path", LONGEST_TARGET), fields.text("event", LONGEST_TARGET));
        Some((site_id, name, path, event, fields.text("currency", 3)))
    })?;
    let site = scope::site(app, site_id, None)?;
    let target = target(path, event, "")?;
    let currency = currency.map(self::currency).transpose()?;
    // Plausible names goals like this.
    let name = name.map(str::to_owned).unwrap_or_else(|| usual_name(&target));
    let goal = goals::add(app.store(), &site.domain, NewGoal { name, target, currency }).await?;
    Ok(view(&site.domain, &goal))
}

/// Removes a goal.
///
/// # Errors
/// 404.
pub async fn remove(app: &App, id: &str) -> Outcome<Deleted> {
    gone("Goal", goals::remove(app.store(), id).await?)?;
    Ok(Deleted { success: true, message: "The goal is removed; visits stay as they are".to_owned() })
}

/// The name of a goal or step that nobody named.
pub(super) fn usual_name(target: &Target) -> String {
    match target {
        Target::Path(path) => format!("Visit {path}"),
        Target::Event(event) => event.clone(),
    }
}

fn currency(text: &str) -> Outcome<String> {
    let upper = text.to_ascii_uppercase();
    let usable = upper.len() == 3 && upper.bytes().all(|byte| byte.is_ascii_uppercase());
    if usable { Ok(upper) } else { Err(wrong("currency", "must be an ISO 4217 code such as EUR")) }
}

fn view(site: &str, goal: &GoalRecord) -> GoalView {
    let (path, event) = match &goal.target {
        Target::Path(path) => (Some(path.clone()), None),
        Target::Event(event) => (None, Some(event.clone())),
    };
    GoalView {
        id: goal.id.clone(),
        site_id: site.to_owned(),
        name: goal.name.clone(),
        path,
        event,
        currency: goal.currency.clone(),
        created_at: rfc3339(goal.created_ns),
    }
}
