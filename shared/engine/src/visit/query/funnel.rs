//! How far visitors come through the steps of a funnel.

use std::sync::Arc;

use super::effort::Effort;
use super::event::Event;
use super::names::Names;
use super::plan::Plan;
use super::sessions::sessions;
use super::set::Prepared;
use super::walk::walk;
use crate::visit::data::{DataFault, Slices};
use crate::visit::question::{GoalTarget, Question};

/// Visitors by step: how many did the first step, how many of them the second one after it, and so on.
///
/// Steps follow each other in the order of the events, which may lie in several sessions; anything may happen between
/// them, and one event is one step at most. Only chosen events of sessions that count are looked at; how the question
/// is grouped is not.
///
/// # Errors
/// `Stopped`, and what reading the data brings.
pub fn funnel(
    data: &[Arc<dyn Slices>],
    question: &Question,
    steps: &[GoalTarget],
    how: &Effort<'_>,
) -> Result<Vec<u64>, DataFault> {
    let plan = Plan::of_targets(question, (0..).zip(steps));
    let prepared = Prepared::new(data, &plan, Names::new(how.most_groups), how)?;
    let (walked, _) = walk(
        &prepared,
        how,
        || vec![0_u64; steps.len()],
        |reached, _, visitor| {
            let done = depth(&prepared.names, visitor);
            reached.iter_mut().take(done as usize).for_each(|count| *count += 1);
        },
    )?;
    let mut reached = vec![0; steps.len()];
    for counts in walked {
        reached.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    Ok(reached)
}

/// How many steps a visitor did. Taking each step at its first chance leaves the most chances for the next one.
fn depth(names: &Names, visitor: &[Event]) -> u32 {
    let mut done = 0;
    for event in sessions(visitor).flat_map(|session| session.chosen()) {
        done += u32::from(names.targets(event.value).contains(&done));
    }
    done
}
