//! Who comes back: visitors by the interval of their first event, and how many of them were there later.

use std::sync::Arc;

use trafficlab_engine::visit::query;

use super::funnels::percent;
use super::types::{CohortView, RetentionView};
use crate::http::App;
use crate::systems::Outcome;
use crate::systems::visits::stats::answer::{data, effort, fault, work};
use crate::systems::visits::stats::interval::Interval;
use crate::systems::visits::stats::scope::{Asked, Grant, Scope};
use crate::systems::visits::stats::service::moment;
use crate::systems::visits::stats::wrong;

/// Intervals at the most; the table has half their square.
const MOST: usize = 120;

/// The cohorts of a site.
///
/// # Errors
/// 422 naming a parameter, 404, 403 when `grant` is another site's, 503.
pub async fn retention(
    app: &Arc<App>,
    asked: &Asked,
    interval: Option<&str>,
    grant: Option<&Grant>,
) -> Outcome<RetentionView> {
    let scope = Scope::read(app, asked, grant)?;
    let name = interval.filter(|name| !name.is_empty()).unwrap_or("week");
    if !matches!(name, "day" | "date" | "week" | "month") {
        return Err(wrong("interval", "must be `day`, `week` or `month`"));
    }
    let buckets = Interval::read(Some(name), &scope.stretch)?.buckets(&scope.stretch, &scope.zone)?;
    if buckets.len() > MOST {
        return Err(wrong("interval", format!("is too short: the time would have more than {MOST} of them")));
    }
    let starts: Vec<i64> = buckets.iter().map(|bucket| bucket.start.as_millisecond()).collect();
    let (question, site) = (scope.question.clone(), scope.site.domain.clone());
    let cohorts = work(app, move |app, work| {
        let data = data(app, &site, &question)?;
        query::retention(&data, &question, &starts, &effort(work)).map_err(fault)
    })
    .await?;
    let cohorts = cohorts.into_iter().zip(&buckets).map(|(cohort, bucket)| CohortView {
        date: bucket.label.clone(),
        starts_at: moment(bucket.start),
        visitors: cohort.size,
        percentages: cohort.returned.iter().map(|returned| percent(*returned, cohort.size)).collect(),
        returned: cohort.returned,
    });
    Ok(RetentionView {
        site_id: scope.site.domain.clone(),
        interval: if name == "date" { "day".to_owned() } else { name.to_owned() },
        cohorts: cohorts.collect(),
        from: moment(scope.stretch.from),
        to: moment(scope.stretch.until),
        timezone: scope.zone_name,
    })
}
