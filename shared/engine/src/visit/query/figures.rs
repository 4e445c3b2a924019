//! The figures of a question, in all and by group.

use std::sync::Arc;

use super::effort::Effort;
use super::event::Event;
use super::gather::Gather;
use super::names::Names;
use super::plan::{Plan, Split};
use super::sessions::{Session, sessions};
use super::set::Prepared;
use super::tally::Tallies;
use super::walk::walk;
use crate::visit::data::{DataFault, Slices};
use crate::visit::property::Property;
use crate::visit::question::{Answer, Group, Question};

/// The figures of a question.
///
/// Distinct values are counted by the dictionaries of the data that overlaps with the question's time, so some of them
/// may not occur inside of it; those that the question's own filters rule out do not count.
///
/// # Errors
/// `Stopped`, `TooManyGroups`, and what reading the data brings.
pub fn answer(data: &[Arc<dyn Slices>], question: &Question, how: &Effort<'_>) -> Result<Answer, DataFault> {
    let mut names = Names::new(how.most_groups);
    let plan = plan(question, &mut names)?;
    let prepared = Prepared::new(data, &plan, names, how)?;
    let starts = match &question.group {
        Group::Time(starts) if starts.len() > how.most_groups => return Err(DataFault::TooManyGroups(how.most_groups)),
        Group::Time(starts) => Some(starts.as_slice()),
        _ => None,
    };
    let groups = starts.map_or(prepared.names.values(), <[i64]>::len);
    let (counted, left_out) = walk(
        &prepared,
        how,
        || Tallies::new(groups),
        |tallies, gather, visitor| {
            count(&prepared, starts, tallies, gather, visitor);
        },
    )?;
    let mut tallies = Tallies::new(groups);
    counted.iter().for_each(|other| tallies.add(other));
    let (total, groups) = tallies.totals(&prepared.names, starts.is_some());
    let name = |code| if starts.is_some() { String::new() } else { prepared.names.value_text(code).to_owned() };
    Ok(Answer { total, groups: groups.into_iter().map(|(code, totals)| (name(code), totals)).collect(), left_out })
}

fn plan(question: &Question, names: &mut Names) -> Result<Plan, DataFault> {
    if !matches!(question.group, Group::Property(Property::Goal)) {
        return Ok(Plan::of_figures(question));
    }
    // Goals are groups under their names; two of one name are one group.
    let codes = question.goals.iter().map(|goal| names.value(&goal.name)).collect::<Result<Vec<u32>, _>>()?;
    Ok(Plan::of_targets(question, codes.into_iter().zip(question.goals.iter().map(|goal| &goal.target))))
}

/// Counts the sessions of one visitor.
fn count(prepared: &Prepared<'_>, starts: Option<&[i64]>, tallies: &mut Tallies, gather: &Gather, visitor: &[Event]) {
    tallies.next_visitor();
    for session in sessions(visitor) {
        tallies.next_session(&session, gather);
        match &prepared.plan.split {
            _ if starts.is_some() => by_time(starts.unwrap_or_default(), tallies, gather, &session),
            Split::Nothing | Split::Origin => {}
            Split::Session(_) => tallies.group_all(session.first.value, &session, gather),
            Split::Exit => tallies.group_all(session.exit.value, &session, gather),
            Split::Event(_) => {
                for event in session.chosen() {
                    // Events without the property have a value that is no group's.
                    tallies.group_both(event.value, &session, event, gather);
                }
            }
            Split::Targets(_) => {
                for event in session.chosen() {
                    for group in prepared.names.targets(event.value) {
                        tallies.group_both(*group, &session, event, gather);
                    }
                }
            }
        }
    }
}

fn by_time(starts: &[i64], tallies: &mut Tallies, gather: &Gather, session: &Session<'_>) {
    let mut place = Place::default();
    if let Some(group) = place.find(starts, session.first.time_ms) {
        tallies.group_session(group, session);
    }
    for event in session.chosen() {
        if let Some(group) = place.find(starts, event.time_ms) {
            tallies.group_event(group, event, gather);
        }
    }
}

/// The interval in which a time lies; remembers the last one, because events come in the order of time.
#[derive(Debug, Default)]
pub(super) struct Place {
    from_ms: i64,
    until_ms: i64,
    number: Option<u32>,
}

impl Place {
    /// The number of the last start that is not after `time_ms`; none before the first one.
    pub(super) fn find(&mut self, starts: &[i64], time_ms: i64) -> Option<u32> {
        if time_ms < self.from_ms || time_ms >= self.until_ms {
            let after = starts.partition_point(|start| *start <= time_ms);
            let number = after.checked_sub(1);
            self.from_ms = number.and_then(|number| starts.get(number)).copied().unwrap_or(i64::MIN);
            self.until_ms = starts.get(after).copied().unwrap_or(i64::MAX);
            self.number = number.and_then(|number| u32::try_from(number).ok());
        }
        self.number
    }
}
