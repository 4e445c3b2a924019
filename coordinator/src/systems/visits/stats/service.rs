//! The figures of one question: in all, over time, by a property.

use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use trafficlab_engine::visit::property::Property;
use trafficlab_engine::visit::question::{Group, LeftOut, Question, Totals};

use super::answer::{self, Answered, Query};
use super::interval::{Bucket, Interval};
use super::metrics::{Figures, Metric, row};
use super::period::{Compare, Period, Stretch};
use super::scope::{self, Asked, Grant, Scope};
use super::sides::{self, COMPARISON, Series, Split, Sums};
use super::{filters, labels, wrong};
use crate::http::App;
use crate::systems::Outcome;
use crate::systems::time::rfc3339;

/// Rows of a breakdown at the most.
const MOST_ROWS: usize = 1000;
/// Rows when nothing is asked, as Plausible has it.
const USUAL_ROWS: usize = 100;
/// Minutes of a realtime series.
const REALTIME_MINUTES: i64 = 30;

/// The parameters beside those of every question, as they came.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Which figures.
    pub metrics: Option<String>,
    /// With what they are compared.
    pub compare: Option<String>,
    /// Length of intervals.
    pub interval: Option<String>,
    /// By what they are split.
    pub property: Option<String>,
    /// The order of rows.
    pub sort: Option<String>,
    /// Rows of a page.
    pub limit: Option<String>,
    /// Which page.
    pub page: Option<String>,
}

/// An answer before it is written.
#[derive(Debug, Clone)]
pub struct View {
    /// The columns of its rows, in order.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Map<String, Value>>,
    /// `results` as JSON, where that is not the rows.
    pub results: Option<Value>,
    /// What the question was understood as.
    pub meta: Value,
}

/// Figures in all.
///
/// # Errors
/// 422 naming a parameter, 404, 403, 503.
pub async fn aggregate(app: &Arc<App>, asked: &Asked, wanted: &Wanted, grant: Option<&Grant>) -> Outcome<View> {
    let scope = Scope::read(app, asked, grant)?;
    let metrics = Metric::read(wanted.metrics.as_deref())?;
    rate_needs_a_goal(&metrics, &scope, None)?;
    let before = before(&scope, wanted)?;
    let mut questions = with_base(&scope.question, &metrics);
    let width = questions.len();
    if let Some(before) = &before {
        questions.extend(with_base(&scope::at(&scope.question, before), &metrics));
    }
    let answers = ask(app, &scope, questions).await?;
    let meta = compared(meta(&scope, &answers), before.as_ref());
    let mut sums = answers.chunks(width).map(Sums::of);
    let now = sums.next().unwrap_or_default();
    let earlier = sums.next();
    let mut rows = Vec::new();
    let mut results = Map::new();
    for metric in metrics {
        let mut figure = Map::new();
        figure.insert("value".into(), metric.value(now.figures()));
        if let Some(earlier) = &earlier {
            figure.insert("change".into(), metric.change(earlier.figures(), now.figures()));
            figure.insert("comparison_value".into(), metric.value(earlier.figures()));
        }
        results.insert(metric.name().to_owned(), Value::Object(figure.clone()));
        figure.insert("metric".into(), metric.name().into());
        rows.push(figure);
    }
    let compared = before.is_some().then_some(["change", "comparison_value"]).into_iter().flatten();
    let columns = ["metric", "value"].into_iter().chain(compared).map(str::to_owned).collect();
    Ok(View { columns, rows, results: Some(Value::Object(results)), meta })
}

/// Figures by interval, each of which is there.
///
/// # Errors
/// As `aggregate`.
pub async fn timeseries(app: &Arc<App>, asked: &Asked, wanted: &Wanted, grant: Option<&Grant>) -> Outcome<View> {
    let mut scope = Scope::read(app, asked, grant)?;
    if matches!(scope.stretch.period, Period::Realtime | Period::HalfHour) {
        last_minutes(&mut scope);
    }
    let metrics = Metric::read(wanted.metrics.as_deref())?;
    rate_needs_a_goal(&metrics, &scope, None)?;
    let interval = Interval::read(wanted.interval.as_deref(), &scope.stretch)?;
    let buckets = interval.buckets(&scope.stretch, &scope.zone)?;
    let before = before(&scope, wanted)?;
    let earlier = before.as_ref().map(|before| buckets_before(&scope, before, interval, &buckets)).transpose()?;
    let by = |buckets: &[Bucket]| {
        scope.by(Group::Time(buckets.iter().map(|bucket| bucket.start.as_millisecond()).collect()))
    };
    let mut questions = with_base(&by(&buckets), &metrics);
    let width = questions.len();
    if let (Some(before), Some(earlier)) = (&before, &earlier) {
        questions.extend(with_base(&scope::at(&by(earlier), before), &metrics));
    }
    let answers = ask(app, &scope, questions).await?;
    let meta = compared(meta(&scope, &answers), before.as_ref());
    let (now, then) = answers.split_at_checked(width).unwrap_or_default();
    let rows = buckets.iter().enumerate().filter_map(|(place, bucket)| {
        let figures = Series(now).at(place)?;
        let mut row = row(&metrics, figures);
        mark(&mut row, bucket);
        if let Some(earlier) = &earlier {
            let then = earlier.get(place).zip(Series(then).at(place)).map(|(bucket, then)| {
                let mut beside = sides::beside(&metrics, then, figures);
                mark(&mut beside, bucket);
                beside
            });
            row.insert(COMPARISON.into(), then.map_or(Value::Null, Value::Object));
        }
        Some(row)
    });
    let columns = columns("date", &metrics, before.is_some());
    Ok(View { columns, rows: rows.collect(), results: None, meta })
}

fn mark(row: &mut Map<String, Value>, bucket: &Bucket) {
    row.insert("date".into(), bucket.label.clone().into());
    row.insert("starts_at".into(), moment(bucket.start).into());
}

/// The intervals that those of a series are compared with, one by one.
fn buckets_before(scope: &Scope, before: &Stretch, interval: Interval, buckets: &[Bucket]) -> Outcome<Vec<Bucket>> {
    if before.days.is_some() {
        return interval.buckets(before, &scope.zone);
    }
    // Told by the hour, each lies as far back as the whole.
    let back = scope.stretch.from.duration_since(before.from);
    let shifted = buckets.iter().filter_map(|bucket| {
        let start = bucket.start.checked_sub(back).ok()?;
        Some(Bucket { start, label: interval.label(start, &scope.zone) })
    });
    Ok(shifted.collect())
}

/// Figures by the values of a property.
///
/// # Errors
/// As `aggregate`.
pub async fn breakdown(app: &Arc<App>, asked: &Asked, wanted: &Wanted, grant: Option<&Grant>) -> Outcome<View> {
    let scope = Scope::read(app, asked, grant)?;
    let metrics = Metric::read(wanted.metrics.as_deref())?;
    let name = wanted.property.as_deref().unwrap_or_default();
    let property = filters::property("property", name)?;
    rate_needs_a_goal(&metrics, &scope, Some(&property))?;
    let order = Order::read(wanted.sort.as_deref(), &metrics)?;
    rate_needs_a_goal(&[order.metric], &scope, Some(&property))?;
    let limit = whole("limit", wanted.limit.as_deref(), MOST_ROWS)?.unwrap_or(USUAL_ROWS);
    let page = whole("page", wanted.page.as_deref(), 1_000_000)?.unwrap_or(1);
    let mut shown = metrics.clone();
    shown.push(order.metric);
    let question = scope.by(Group::Property(property.clone()));
    let before = before(&scope, wanted)?;
    let mut questions = with_base(&question, &shown);
    let width = questions.len();
    if let Some(before) = &before {
        questions.extend(with_base(&scope::at(&question, before), &metrics));
    }
    let answers = ask(app, &scope, questions).await?;
    let meta = compared(meta(&scope, &answers), before.as_ref());
    let (now, then) = answers.split_at_checked(width).unwrap_or_default();
    let now = Split::of(now, &property);
    let then = before.is_some().then(|| Split::of(then, &property));
    let earlier = then.as_ref().map(Split::by_name);
    let sorted = order.sorted(now.groups, |name| now.all_visitors(name));
    let column = labels::column(&property);
    let nothing = Totals::default();
    let rows = sorted.into_iter().skip((page - 1).saturating_mul(limit)).take(limit).map(|(name, totals)| {
        let figures = Figures { totals, all_visitors: now.all_visitors(name) };
        let mut row = row(&metrics, figures);
        if let (Some(then), Some(earlier)) = (&then, &earlier) {
            let totals = earlier.get(name.as_str()).copied().unwrap_or(&nothing);
            let before = Figures { totals, all_visitors: then.all_visitors(name) };
            row.insert(COMPARISON.into(), sides::beside(&metrics, before, figures).into());
        }
        row.insert(column.clone(), labels::shown(&property, name.clone()).into());
        row
    });
    let columns = columns(&column, &metrics, before.is_some());
    Ok(View { columns, rows: rows.collect(), results: None, meta })
}

/// With what the figures are compared, if that is asked for.
fn before(scope: &Scope, wanted: &Wanted) -> Outcome<Option<Stretch>> {
    let compare = Compare::read(wanted.compare.as_deref())?;
    compare.map(|compare| scope.reckoned().before(&scope.stretch, compare)).transpose()
}

/// Tells in `meta` with what time the figures are compared.
fn compared(mut meta: Value, before: Option<&Stretch>) -> Value {
    if let (Some(before), Some(members)) = (before, meta.as_object_mut()) {
        let span = json!({"from": moment(before.from), "to": moment(before.until)});
        members.insert("compared_with".into(), span);
    }
    meta
}

/// The order of a breakdown's rows; ties are in the order of names.
#[derive(Debug, Clone, Copy)]
struct Order {
    metric: Metric,
    ascending: bool,
}

impl Order {
    fn read(text: Option<&str>, metrics: &[Metric]) -> Outcome<Self> {
        let first = metrics.first().copied().unwrap_or(Metric::Visitors);
        let Some(text) = text.filter(|text| !text.is_empty()) else {
            return Ok(Self { metric: first, ascending: false });
        };
        let (name, direction) = text.split_once(':').unwrap_or((text, "desc"));
        let unusable = || wrong("sort", "must be a metric, with `:asc` for the smallest first");
        let metric = Metric::parse(name).ok_or_else(unusable)?;
        match direction {
            "asc" => Ok(Self { metric, ascending: true }),
            "desc" => Ok(Self { metric, ascending: false }),
            _ => Err(unusable()),
        }
    }

    fn sorted(self, groups: &[(String, Totals)], all: impl Fn(&str) -> u64) -> Vec<&(String, Totals)> {
        let key = |(name, totals): &(String, Totals)| {
            let all_visitors = if self.metric == Metric::ConversionRate { all(name) } else { 0 };
            self.metric.number(Figures { totals, all_visitors }).unwrap_or(-1.0)
        };
        let mut keyed: Vec<(f64, &(String, Totals))> = groups.iter().map(|group| (key(group), group)).collect();
        keyed.sort_by(|(a, (first, _)), (b, (second, _))| {
            let order = a.partial_cmp(b).unwrap_or(Ordering::Equal);
            let order = if self.ascending { order } else { order.reverse() };
            order.then_with(|| first.cmp(second))
        });
        keyed.into_iter().map(|(_, group)| group).collect()
    }
}

/// Asks all questions about the scope's site.
pub(super) async fn ask(app: &Arc<App>, scope: &Scope, questions: Vec<Question>) -> Outcome<Vec<Answered>> {
    let query = |question| Query { site: scope.site.domain.clone(), zone: scope.zone.clone(), question };
    answer::ask(app, questions.into_iter().map(query).collect()).await
}

/// The question, and the one a conversion rate is reckoned against when it is asked for.
fn with_base(question: &Question, metrics: &[Metric]) -> Vec<Question> {
    let base = metrics.contains(&Metric::ConversionRate).then(|| scope::without_goals(question));
    std::iter::once(question.clone()).chain(base).collect()
}

fn rate_needs_a_goal(metrics: &[Metric], scope: &Scope, property: Option<&Property>) -> Outcome<()> {
    let of_goals = scope.has_goal_filter() || property == Some(&Property::Goal);
    if metrics.contains(&Metric::ConversionRate) && !of_goals {
        return Err(wrong(
            "metrics",
            "can have `conversion_rate` with a filter on, or a breakdown by, `event:goal` only",
        ));
    }
    Ok(())
}

/// A whole number from 1 on.
fn whole(field: &str, text: Option<&str>, most: usize) -> Outcome<Option<usize>> {
    let Some(text) = text else { return Ok(None) };
    let number = text.parse().ok().filter(|number| (1..=most).contains(number));
    number.map(Some).ok_or_else(|| wrong(field, format!("must be a whole number from 1 to {most}")))
}

/// Makes the scope the last half hour in whole minutes.
pub(super) fn last_minutes(scope: &mut Scope) {
    let now = scope.now.as_second();
    let first = now - now.rem_euclid(60) - (REALTIME_MINUTES - 1) * 60;
    if let Ok(from) = jiff::Timestamp::from_second(first) {
        scope.stretch.from = from;
        scope.question.from_ms = from.as_millisecond();
    }
}

/// What the question was understood as, and what did not count.
pub(super) fn meta(scope: &Scope, answers: &[Answered]) -> Value {
    let LeftOut { bots, synthetic, unverified } =
        answers.first().map(|first| first.answer.left_out).unwrap_or_default();
    json!({
        "site_id": scope.site.domain,
        "from": moment(scope.stretch.from),
        "to": moment(scope.stretch.until),
        "timezone": scope.zone_name,
        "left_out": {"bots": bots, "synthetic": synthetic, "unverified": unverified},
        "imported": answers.iter().any(|answered| answered.imported),
        "as_of": moment(scope.now),
    })
}

/// A moment as the API shows it.
pub fn moment(at: jiff::Timestamp) -> String {
    rfc3339(u64::try_from(at.as_nanosecond()).unwrap_or(0))
}

fn columns(first: &str, metrics: &[Metric], compared: bool) -> Vec<String> {
    let own = std::iter::once(first).chain(metrics.iter().map(|metric| metric.name())).map(str::to_owned);
    own.chain(compared.then(|| sides::columns(metrics)).into_iter().flatten()).collect()
}
