//! Adding imported figures to an answer, as far as they can answer the question.

use std::collections::HashMap;
use std::ops::Range;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use trafficlab_engine::visit::property::Property;
use trafficlab_engine::visit::query;
use trafficlab_engine::visit::question::{Answer, Bots, Filter, Group, Operator, Question, Totals};

use super::{Imported, ImportedError};

const HOUR_MS: i64 = 3_600_000;
/// Intervals shorter than this (a day in which clocks go forward has 23 hours, or a little less) cannot hold days.
const SHORTEST_DAY_MS: i64 = 22 * HOUR_MS;

impl Imported {
    /// Adds the imported days that lie wholly in the question's time to `answer`, and says whether there were some that
    /// could be added: without filters, or with filters on one property that is also the group or asked for in all, as
    /// Plausible does. Days are those of `zone`. Reads files.
    ///
    /// # Errors
    /// `Io`, `Damaged`.
    pub fn add_to(
        &self,
        site: &str,
        question: &Question,
        zone: &TimeZone,
        answer: &mut Answer,
    ) -> Result<bool, ImportedError> {
        let Some(days) = whole_days(question, zone) else {
            return Ok(false);
        };
        if self.days(site).is_none_or(|own| own.last < days.start || own.first >= days.end) {
            return Ok(false);
        }
        if question.bots == Bots::Only || !question.traffic.real {
            return Ok(false);
        }
        let filtered = question.filters.first().map(|filter| &filter.property);
        if question.filters.iter().any(|filter| Some(&filter.property) != filtered) {
            return Ok(false);
        }
        match (&question.group, filtered) {
            (Group::None, by) => self.add_split(site, days, by, question, answer, false),
            (Group::Property(group), by) if by.is_none_or(|by| by == group) => {
                self.add_split(site, days, Some(group), question, answer, true)
            }
            (Group::Time(starts), None) => self.add_times(site, days, (starts, zone), answer),
            _ => Ok(false),
        }
    }

    fn add_split(
        &self,
        site: &str,
        days: Range<i32>,
        by: Option<&Property>,
        question: &Question,
        answer: &mut Answer,
        grouped: bool,
    ) -> Result<bool, ImportedError> {
        let Some(rows) = self.figures(site, days.clone(), by)? else {
            return Ok(false);
        };
        let fitting = rows.into_iter().filter(|(name, _)| question.filters.iter().all(|filter| fits(filter, name)));
        let filtered = !question.filters.is_empty();
        let own: HashMap<String, usize> =
            answer.groups.iter().enumerate().map(|(at, (name, _))| (name.clone(), at)).collect();
        for (name, totals) in fitting {
            if filtered || by.is_none() {
                add(&mut answer.total, &totals);
            }
            if !grouped {
                continue;
            }
            match own.get(&name).and_then(|at| answer.groups.get_mut(*at)) {
                Some((_, own)) => add(own, &totals),
                None => answer.groups.push((name, totals)),
            }
        }
        if !filtered && by.is_some() {
            self.figures(site, days, None)?.into_iter().flatten().for_each(|(_, all)| add(&mut answer.total, &all));
        }
        Ok(true)
    }

    fn add_times(
        &self,
        site: &str,
        days: Range<i32>,
        (starts, zone): (&[i64], &TimeZone),
        answer: &mut Answer,
    ) -> Result<bool, ImportedError> {
        if starts.windows(2).any(|pair| matches!(pair, [one, next] if next - one < SHORTEST_DAY_MS)) {
            return Ok(false);
        }
        for (day, totals) in self.by_day(site, days)? {
            let Some(begin) = begin_ms(day, zone) else { continue };
            let interval = starts.partition_point(|start| *start <= begin).checked_sub(1);
            if let Some((_, own)) = interval.and_then(|interval| answer.groups.get_mut(interval)) {
                add(own, &totals);
                add(&mut answer.total, &totals);
            }
        }
        Ok(true)
    }
}

/// The days of `zone` that begin and end within the question's time.
fn whole_days(question: &Question, zone: &TimeZone) -> Option<Range<i32>> {
    let day_of = |ms: i64| day(Timestamp::from_millisecond(ms).ok()?.to_zoned(zone.clone()).date());
    let first = day_of(question.from_ms)?;
    let first = if begin_ms(first, zone)? < question.from_ms { first + 1 } else { first };
    let until = day_of(question.until_ms)?;
    (first < until).then_some(first..until)
}

/// Days from 1970-01-01.
pub(crate) fn day(date: Date) -> Option<i32> {
    let hours = date.duration_since(Date::constant(1970, 1, 1)).as_hours();
    i32::try_from(hours.div_euclid(24)).ok()
}

fn begin_ms(day: i32, zone: &TimeZone) -> Option<i64> {
    let date = Date::constant(1970, 1, 1).checked_add(jiff::SignedDuration::from_hours(i64::from(day) * 24)).ok()?;
    Some(date.to_zoned(zone.clone()).ok()?.timestamp().as_millisecond())
}

fn add(into: &mut Totals, more: &Totals) {
    for (into, more) in [
        (&mut into.visitors, more.visitors),
        (&mut into.visits, more.visits),
        (&mut into.pageviews, more.pageviews),
        (&mut into.events, more.events),
        (&mut into.bounces, more.bounces),
        (&mut into.duration_ms, more.duration_ms),
    ] {
        *into = into.saturating_add(more);
    }
}

fn fits(filter: &Filter, name: &str) -> bool {
    let lower = name.to_lowercase();
    let contains = |value: &String| lower.contains(&value.to_lowercase());
    match filter.operator {
        Operator::Is => filter.values.iter().any(|value| query::fits(value, name)),
        Operator::IsNot => !filter.values.iter().any(|value| query::fits(value, name)),
        Operator::Contains => filter.values.iter().any(contains),
        Operator::ContainsNot => !filter.values.iter().any(contains),
    }
}
