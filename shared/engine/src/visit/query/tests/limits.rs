//! What a question may take, and data that is damaged.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::data::Made;
use super::{effort, sets};
use crate::visit::column::{ColumnSet, Dict};
use crate::visit::data::{Columns, DataFault, Slices};
use crate::visit::dictionary::Dictionary;
use crate::visit::property::Property;
use crate::visit::query::{Effort, answer, retention, scan};
use crate::visit::question::{Filter, Group, Operator, Question};
use crate::visit::record::{Page, Visit};

/// Page views of as many visitors, spread over all slices, on pages of their own.
fn many(count: u64) -> Vec<Visit<'static>> {
    let path = |number: u64| -> &'static str { format!("/{number}").leak() };
    let visit = |number: u64| Visit {
        visitor: number.wrapping_mul(0x9e37_79b9_7f4a_7c15),
        time_ms: number.cast_signed(),
        page: Page { host: "a.example", path: path(number) },
        event: "pageview",
        ..Visit::default()
    };
    (0..count).map(visit).collect()
}

fn by_page() -> Question {
    Question { until_ms: i64::MAX, group: Group::Property(Property::Field(Dict::Page, 1)), ..Question::default() }
}

#[test]
fn too_many_groups_are_refused_and_a_filter_helps() {
    let data = sets(&[many(900), many(1001)]);
    let mut question = by_page();
    assert!(matches!(answer(&data, &question, &effort()), Err(DataFault::TooManyGroups(1000))));
    question.filters = vec![Filter {
        property: Property::Field(Dict::Page, 1),
        operator: Operator::IsNot,
        values: vec!["/7".to_owned()],
    }];
    assert_eq!(answer(&data, &question, &effort()).unwrap().groups.len(), 1000);
    question.group = Group::Time((0..1001).collect());
    assert!(matches!(answer(&data, &question, &effort()), Err(DataFault::TooManyGroups(1000))));
    let starts: Vec<i64> = (0..32).collect();
    assert!(matches!(retention(&data, &question, &starts, &effort()), Err(DataFault::TooManyGroups(1000))));
}

#[test]
fn any_number_of_threads_gives_the_same_figures() {
    let data = sets(&[many(60_000)]);
    let alone = answer(&data, &Question { group: Group::None, ..by_page() }, &effort()).unwrap();
    assert_eq!(alone.total.visitors, 60_000);
    for threads in [1, 3, 300] {
        let how = Effort { threads: NonZeroUsize::new(threads).unwrap(), most_groups: 100_000, ..effort() };
        let found = answer(&data, &by_page(), &how).unwrap();
        assert_eq!((found.total, found.groups.len()), (alone.total.clone(), 60_000));
    }
}

/// Data with something about its slices changed.
struct Changed<F> {
    inner: Made,
    change: F,
}

impl<F: Fn(&mut Columns) + Send + Sync> Slices for Changed<F> {
    fn rows(&self) -> u64 {
        self.inner.rows()
    }

    fn time_range(&self) -> Option<(i64, i64)> {
        self.inner.time_range()
    }

    fn dictionary(&self, dict: Dict) -> Result<Arc<Dictionary>, DataFault> {
        self.inner.dictionary(dict)
    }

    fn load(&self, slice: u8, want: ColumnSet, into: &mut Columns) -> Result<(), DataFault> {
        self.inner.load(slice, want, into)?;
        (self.change)(into);
        Ok(())
    }
}

fn changed(change: impl Fn(&mut Columns) + Send + Sync + 'static) -> Vec<Arc<dyn Slices>> {
    vec![Arc::new(Changed { inner: Made::new(&many(300)), change })]
}

#[test]
fn a_question_that_is_given_up_ends() {
    static STOP: AtomicBool = AtomicBool::new(false);
    let data = changed(|_| STOP.store(true, Ordering::Relaxed));
    let how = Effort { stop: &STOP, ..effort() };
    assert!(matches!(answer(&data, &by_page(), &how), Err(DataFault::Stopped)));
    assert!(STOP.load(Ordering::Relaxed), "it was given up within the walk");
    assert!(matches!(scan(&data, &by_page(), &how, &mut |_| ControlFlow::Continue(())), Err(DataFault::Stopped)));
}

#[test]
fn showing_ends_when_it_is_broken_off() {
    let mut seen = 0;
    let mut each = |_: &Visit<'_>| {
        seen += 1;
        if seen == 10 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    scan(&sets(&[many(300)]), &by_page(), &effort(), &mut each).unwrap();
    assert_eq!(seen, 10);
}

#[test]
fn damaged_data_is_said_to_be() {
    let damages: [fn(&mut Columns); 4] = [
        |columns| columns.codes[Dict::Page.index()].iter_mut().for_each(|code| *code = 1 << 20),
        |columns| columns.codes[Dict::Page.index()].truncate(0),
        |columns| columns.codes[Dict::Event.index()].iter_mut().for_each(|code| *code = 1 << 20),
        |columns| columns.time_ms.truncate(0),
    ];
    for (number, damage) in damages.into_iter().enumerate() {
        let found = answer(&changed(damage), &by_page(), &effort());
        assert!(matches!(found, Err(DataFault::Damaged(_))), "damage {number}: {found:?}");
    }
}
