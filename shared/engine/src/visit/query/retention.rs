//! Visitors that come back.

use std::sync::Arc;

use super::effort::Effort;
use super::event::Event;
use super::figures::Place;
use super::names::Names;
use super::plan::{Plan, Split};
use super::sessions::sessions;
use super::set::Prepared;
use super::walk::walk;
use crate::visit::data::{DataFault, Slices};
use crate::visit::question::Question;

/// Visitors whose first event within the question lies in one interval.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cohort {
    /// First millisecond of the interval.
    pub start_ms: i64,
    /// How many they are.
    pub size: u64,
    /// How many of them did something in the interval that lies so many intervals later, up to the question's last one.
    /// The first number is `size` again.
    pub returned: Vec<u64>,
}

/// Cohorts by the intervals that begin at `starts` (ascending; the last one ends with the question).
///
/// This tells something only where a visitor is known for longer than a day: by a `user_id` of the sender. Visitors who
/// are told apart by the daily salt are new ones every day. Only chosen events of sessions that count are looked at.
///
/// # Errors
/// `Stopped`, `TooManyGroups` when the table would have more cells, and what reading the data brings.
pub fn retention(
    data: &[Arc<dyn Slices>],
    question: &Question,
    starts: &[i64],
    how: &Effort<'_>,
) -> Result<Vec<Cohort>, DataFault> {
    let cells = starts.len().saturating_mul(starts.len());
    if cells > how.most_groups {
        return Err(DataFault::TooManyGroups(how.most_groups));
    }
    let plan = Plan::new(question, Split::Nothing);
    let prepared = Prepared::new(data, &plan, Names::new(how.most_groups), how)?;
    let (walked, _) = walk(&prepared, how, || vec![0_u64; cells], |table, _, visitor| note(starts, table, visitor))?;
    let mut table = vec![0; cells];
    for counts in walked {
        table.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    let rows = starts.iter().zip(table.chunks(starts.len().max(1))).enumerate();
    Ok(rows.map(|(number, (start_ms, row))| cohort(*start_ms, row.get(number..).unwrap_or_default())).collect())
}

fn cohort(start_ms: i64, returned: &[u64]) -> Cohort {
    Cohort { start_ms, size: returned.first().copied().unwrap_or(0), returned: returned.to_vec() }
}

/// Notes every interval of a visitor once, in the row of its first one.
fn note(starts: &[i64], table: &mut [u64], visitor: &[Event]) {
    let (mut place, mut row, mut last) = (Place::default(), None, None);
    for event in sessions(visitor).flat_map(|session| session.chosen()) {
        let Some(interval) = place.find(starts, event.time_ms) else { continue };
        if last == Some(interval) {
            continue;
        }
        last = Some(interval);
        let row = *row.get_or_insert(interval as usize);
        if let Some(cell) = table.get_mut(row * starts.len() + interval as usize) {
            *cell += 1;
        }
    }
}
