//! The events themselves, with their texts.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::effort::Effort;
use super::event::Event;
use super::gather::Gather;
use super::names::Names;
use super::plan::{Plan, Split};
use super::sessions::sessions;
use super::set::Prepared;
use crate::visit::data::{DataFault, SLICES, Slices};
use crate::visit::question::Question;
use crate::visit::record::Visit;
use crate::visit::view::RowView;

/// Is shown a visit, and says whether it wants more.
pub type Each<'a> = dyn FnMut(&Visit<'_>) -> ControlFlow<()> + 'a;

/// Shows every chosen event of the sessions that count, until `each` breaks off: the very rows that `answer` counts.
///
/// A visitor's events come together and in the order of time; visitors come in no order. The site is empty and the
/// event id 0, because parts do not hold them. One slice of all the data is in memory at a time. How the question is
/// grouped is not looked at.
///
/// # Errors
/// `Stopped`, and what reading the data brings.
pub fn scan(
    data: &[Arc<dyn Slices>],
    question: &Question,
    how: &Effort<'_>,
    each: &mut Each<'_>,
) -> Result<(), DataFault> {
    let plan = Plan::new(question, Split::Origin);
    let prepared = Prepared::new(data, &plan, Names::new(how.most_groups), how)?;
    let mut gather = Gather::default();
    for slice in (0..SLICES).filter_map(|slice| u8::try_from(slice).ok()) {
        how.go_on()?;
        gather.load(&prepared, slice)?;
        for event in gather.visitors().flat_map(sessions).flat_map(|session| session.chosen()) {
            if show(&prepared, &gather, event, each).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn show(prepared: &Prepared<'_>, gather: &Gather, event: Event, each: &mut Each<'_>) -> ControlFlow<()> {
    let Some((set, row, columns)) = gather.origin(event) else { return ControlFlow::Continue(()) };
    let texts = prepared.sets.get(set).and_then(|set| set.texts.as_deref());
    texts.map_or(ControlFlow::Continue(()), |texts| each(&RowView::new(columns, row, texts).visit("")))
}
