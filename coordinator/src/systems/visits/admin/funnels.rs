//! Funnels of a site, and how far its visitors went.

use std::sync::Arc;

use serde_json::{Map, Value};
use trafficlab_engine::visit::query;
use trafficlab_engine::visit::question::GoalTarget;

use super::goals::usual_name;
use super::types::{Deleted, FunnelFigures, FunnelView, FunnelsView, StepFigures, StepView};
use super::{LONGEST_NAME, body, gone, needed, target};
use crate::http::App;
use crate::store::visit_settings::{FunnelRecord, GoalRecord, StepRecord, Target};
use crate::systems::time::{float, rfc3339};
use crate::systems::visits::stats::answer::{data, effort, fault, work};
use crate::systems::visits::stats::scope::{self, Asked, Grant, Scope};
use crate::systems::visits::stats::service::moment;
use crate::systems::visits::stats::wrong;
use crate::systems::{Fault, Outcome};
use crate::visits::book::{funnels, goals};

/// The funnels of a site.
///
/// # Errors
/// 404, 403 when `grant` is another site's.
pub fn list(app: &App, site_id: Option<&str>, grant: Option<&Grant>) -> Outcome<FunnelsView> {
    let site = scope::site(app, site_id, grant)?;
    let funnels = funnels::list(app.store(), &site.domain)?;
    Ok(FunnelsView { success: true, funnels: funnels.iter().map(|funnel| view(&site.domain, funnel)).collect() })
}

/// Makes a funnel.
///
/// # Errors
/// 422 naming the field, 404, 409.
pub async fn add(app: &App, map: &Map<String, Value>) -> Outcome<FunnelView> {
    let (site_id, name, steps) = body(map, |fields| {
        let site_id = fields.text("site_id", 300);
        let name = needed(fields, "name", LONGEST_NAME);
        let steps = fields.list("steps", 8);
        if steps.is_none_or(|steps| steps.len() < 2) {
            fields.fault("steps", "must be a list of two to eight");
        }
        Some((site_id, name?, steps?))
    })?;
    let site = scope::site(app, site_id, None)?;
    let goals = goals::list(app.store(), &site.domain)?;
    let steps = steps.iter().enumerate().map(|(place, value)| step(&goals, place, value));
    let steps = steps.collect::<Outcome<_>>()?;
    let funnel = funnels::add(app.store(), &site.domain, name.to_owned(), steps).await?;
    Ok(view(&site.domain, &funnel))
}

/// A goal's id or name, or an object with a path or an event.
fn step(goals: &[GoalRecord], place: usize, value: &Value) -> Outcome<StepRecord> {
    let field = format!("steps[{place}]");
    if let Some(named) = value.as_str() {
        let goal = goals.iter().find(|goal| goal.id == named || goal.name == named);
        let goal = goal.ok_or_else(|| wrong(&field, "must be the id or the name of a goal of the site"))?;
        return Ok(StepRecord { name: goal.name.clone(), target: goal.target.clone(), goal: Some(goal.id.clone()) });
    }
    let part = |name: &str| value.get(name).and_then(Value::as_str);
    let known = |map: &Map<String, Value>| map.keys().all(|key| matches!(key.as_str(), "path" | "event" | "name"));
    if !value.as_object().is_some_and(known) {
        return Err(wrong(&field, "must be a goal, or an object with `path` or `event`, and `name` if you like"));
    }
    let target = target(part("path"), part("event"), &format!("{field}."))?;
    let name = part("name").map(str::trim).filter(|name| !name.is_empty() && name.len() <= LONGEST_NAME);
    Ok(StepRecord { name: name.map_or_else(|| usual_name(&target), str::to_owned), target, goal: None })
}

/// Removes a funnel.
///
/// # Errors
/// 404.
pub async fn remove(app: &App, id: &str) -> Outcome<Deleted> {
    gone("Funnel", funnels::remove(app.store(), id).await?)?;
    Ok(Deleted { success: true, message: "The funnel is removed; visits stay as they are".to_owned() })
}

/// How many visitors went how far.
///
/// # Errors
/// 404, 422 naming a parameter, 403 when `grant` is another site's, 503.
pub async fn figures(app: &Arc<App>, id: &str, asked: Asked, grant: Option<&Grant>) -> Outcome<FunnelFigures> {
    let (site, funnel) = funnels::find(app.store(), id)?.ok_or_else(|| Fault::not_found("Funnel not found"))?;
    let scope = Scope::read(app, &Asked { site_id: Some(site.clone()), ..asked }, grant)?;
    let targets: Vec<GoalTarget> = funnel.steps.iter().map(|step| (&step.target).into()).collect();
    let (question, domain) = (scope.question.clone(), site.clone());
    let (all, reached) = work(app, move |app, work| {
        let data = data(app, &domain, &question)?;
        let all = query::answer(&data, &question, &effort(work)).map_err(fault)?;
        let reached = query::funnel(&data, &question, &targets, &effort(work)).map_err(fault)?;
        Ok((all.total.visitors, reached))
    })
    .await?;
    let steps = step_figures(&funnel, &reached);
    let (first, last) = (steps.first().map_or(0, |step| step.visitors), steps.last().map_or(0, |step| step.visitors));
    Ok(FunnelFigures {
        id: funnel.id,
        site_id: site,
        name: funnel.name,
        all_visitors: all,
        entering_visitors: first,
        conversion_rate: percent(last, first),
        steps,
        from: moment(scope.stretch.from),
        to: moment(scope.stretch.until),
        timezone: scope.zone_name,
    })
}

fn step_figures(funnel: &FunnelRecord, reached: &[u64]) -> Vec<StepFigures> {
    let first = reached.first().copied().unwrap_or(0);
    let before = std::iter::once(first).chain(reached.iter().copied());
    let steps = funnel.steps.iter().zip(reached).zip(before);
    let figures = steps.map(|((step, visitors), before)| StepFigures {
        name: step.name.clone(),
        visitors: *visitors,
        conversion_rate: percent(*visitors, first),
        conversion_rate_step: percent(*visitors, before),
        dropoff: before.saturating_sub(*visitors),
        dropoff_percentage: percent(before.saturating_sub(*visitors), before),
    });
    figures.collect()
}

/// Percent with one decimal; 0 of nothing.
pub(super) fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { (float(part) / float(whole) * 1000.0).round() / 10.0 }
}

fn view(site: &str, funnel: &FunnelRecord) -> FunnelView {
    let step = |step: &StepRecord| {
        let (path, event) = match &step.target {
            Target::Path(path) => (Some(path.clone()), None),
            Target::Event(event) => (None, Some(event.clone())),
        };
        StepView { name: step.name.clone(), path, event, goal: step.goal.clone() }
    };
    FunnelView {
        id: funnel.id.clone(),
        site_id: site.to_owned(),
        name: funnel.name.clone(),
        steps: funnel.steps.iter().map(step).collect(),
        created_at: rfc3339(funnel.created_ns),
    }
}
