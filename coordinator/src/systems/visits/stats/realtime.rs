//! What happens right now: the last five minutes, and the last thirty by the minute.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use trafficlab_engine::visit::column::Dict;
use trafficlab_engine::visit::property::Property;
use trafficlab_engine::visit::question::{Answer, Group, Totals};

use super::interval::Interval;
use super::labels;
use super::scope::{Asked, Grant, Scope};
use super::service::{ask, last_minutes, meta};
use crate::http::App;
use crate::systems::Outcome;

/// Rows of each list.
const ROWS: usize = 10;

/// The lists and the properties they are split by.
const LISTS: [(&str, Property); 3] = [
    ("pages", Property::Field(Dict::Page, 1)),
    ("sources", Property::Field(Dict::Acquisition, 1)),
    ("countries", Property::Field(Dict::Place, 0)),
];

/// The figures as JSON. Lists are of the last half hour.
///
/// # Errors
/// 422 naming a parameter, 404, 403, 503.
pub async fn realtime(app: &Arc<App>, asked: &Asked, grant: Option<&Grant>) -> Outcome<Value> {
    let asked = Asked { period: Some("realtime".to_owned()), date: None, ..asked.clone() };
    let now = Scope::read(app, &asked, grant)?;
    let mut lately = now.clone();
    last_minutes(&mut lately);
    let buckets = Interval::Minute.buckets(&lately.stretch, &lately.zone)?;
    let starts = buckets.iter().map(|bucket| bucket.start.as_millisecond()).collect();
    let mut questions = vec![now.question.clone(), lately.by(Group::Time(starts))];
    questions.extend(LISTS.iter().map(|(_, property)| lately.by(Group::Property(property.clone()))));
    let answers = ask(app, &now, questions).await?;
    let meta = meta(&now, &answers);
    let mut answers = answers.into_iter().map(|answered| answered.answer);
    let Totals { visitors, visits, pageviews, events, .. } = answers.next().unwrap_or_default().total;
    let minutes = answers.next().unwrap_or_default().groups;
    let mut body = json!({
        "results": {"visitors": visitors, "visits": visits, "pageviews": pageviews, "events": events},
        "by_minute": minutes.iter().map(|(_, totals)| totals.visitors).collect::<Vec<_>>(),
        "pageviews_by_minute": minutes.iter().map(|(_, totals)| totals.pageviews).collect::<Vec<_>>(),
        "meta": meta,
    });
    for ((name, property), answer) in LISTS.iter().zip(answers) {
        if let Value::Object(members) = &mut body {
            members.insert((*name).to_owned(), list(property, answer));
        }
    }
    Ok(body)
}

fn list(property: &Property, answer: Answer) -> Value {
    let mut groups = answer.groups;
    groups.sort_by(|(first, a), (second, b)| b.visitors.cmp(&a.visitors).then_with(|| first.cmp(second)));
    let column = labels::column(property);
    let row = |(name, totals): (String, Totals)| {
        let mut row = Map::new();
        row.insert(column.clone(), labels::shown(property, name).into());
        row.insert("visitors".into(), totals.visitors.into());
        row.insert("pageviews".into(), totals.pageviews.into());
        Value::Object(row)
    };
    groups.into_iter().take(ROWS).map(row).collect()
}
