//! Sums by group, counted without sets: visitors and sessions are walked one after the other, so a group only remembers
//! which it saw last.

use std::collections::HashMap;

use super::event::Event;
use super::gather::Gather;
use super::names::Names;
use super::plan::mark;
use super::sessions::Session;
use crate::visit::question::Totals;

/// Sums of one group. One cache line.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    visitors: u64,
    visits: u64,
    pageviews: u64,
    events: u64,
    bounces: u64,
    duration_ms: u64,
    /// The visitor and the session seen last, by number from 1.
    visitor: u64,
    session: u64,
}

impl Tally {
    const fn see_visitor(&mut self, visitor: u64) {
        if self.visitor != visitor {
            self.visitor = visitor;
            self.visitors += 1;
        }
    }

    fn see_session(&mut self, session: &Session<'_>, number: u64) {
        if self.session != number {
            self.session = number;
            self.visits += 1;
            self.bounces += u64::from(session.is_bounce());
            self.duration_ms = self.duration_ms.saturating_add(session.duration_ms());
        }
    }

    fn see_event(&mut self, event: Event) {
        self.events += 1;
        self.pageviews += u64::from(event.has(mark::PAGEVIEW));
    }

    fn see_events(&mut self, session: &Session<'_>) {
        self.events += u64::from(session.chosen);
        self.pageviews += u64::from(session.chosen_pageviews);
    }

    const fn add(&mut self, other: &Self) {
        self.visitors += other.visitors;
        self.visits += other.visits;
        self.pageviews += other.pageviews;
        self.events += other.events;
        self.bounces += other.bounces;
        self.duration_ms = self.duration_ms.saturating_add(other.duration_ms);
    }

    const fn is_empty(&self) -> bool {
        self.events == 0 && self.visits == 0
    }
}

/// Sums in all and by group.
#[derive(Debug, Default)]
pub(super) struct Tallies {
    total: Tally,
    groups: Vec<Tally>,
    /// By group and currency; `None` is the total.
    money: HashMap<(Option<u32>, u32), i64>,
    visitor: u64,
    session: u64,
}

impl Tallies {
    pub(super) fn new(groups: usize) -> Self {
        Self { groups: vec![Tally::default(); groups], ..Self::default() }
    }

    /// Says that what follows is of another visitor.
    pub(super) const fn next_visitor(&mut self) {
        self.visitor += 1;
    }

    /// Counts a session and its chosen events in the total, and says that what follows belongs to it.
    pub(super) fn next_session(&mut self, session: &Session<'_>, gather: &Gather) {
        self.session += 1;
        self.total.see_visitor(self.visitor);
        self.total.see_session(session, self.session);
        self.total.see_events(session);
        self.pay_all(None, session, gather);
    }

    /// Counts the session in a group, once.
    pub(super) fn group_session(&mut self, group: u32, session: &Session<'_>) {
        if let Some(tally) = self.groups.get_mut(group as usize) {
            tally.see_session(session, self.session);
        }
    }

    /// Counts an event and its visitor in a group.
    pub(super) fn group_event(&mut self, group: u32, event: Event, gather: &Gather) {
        if let Some(tally) = self.groups.get_mut(group as usize) {
            tally.see_visitor(self.visitor);
            tally.see_event(event);
            self.pay(Some(group), event, gather);
        }
    }

    /// Counts an event, its visitor and its session in a group, the latter two once.
    pub(super) fn group_both(&mut self, group: u32, session: &Session<'_>, event: Event, gather: &Gather) {
        if let Some(tally) = self.groups.get_mut(group as usize) {
            tally.see_visitor(self.visitor);
            tally.see_session(session, self.session);
            tally.see_event(event);
            self.pay(Some(group), event, gather);
        }
    }

    /// Counts all of a session in a group.
    pub(super) fn group_all(&mut self, group: u32, session: &Session<'_>, gather: &Gather) {
        if let Some(tally) = self.groups.get_mut(group as usize) {
            tally.see_visitor(self.visitor);
            tally.see_session(session, self.session);
            tally.see_events(session);
            self.pay_all(Some(group), session, gather);
        }
    }

    fn pay_all(&mut self, group: Option<u32>, session: &Session<'_>, gather: &Gather) {
        if session.pays {
            session.chosen().for_each(|event| self.pay(group, event, gather));
        }
    }

    fn pay(&mut self, group: Option<u32>, event: Event, gather: &Gather) {
        if event.money() == 0 {
            return;
        }
        if let Some((currency, micros)) = gather.money(event) {
            let sum = self.money.entry((group, currency)).or_default();
            *sum = sum.saturating_add(micros);
        }
    }

    /// Adds what was counted of other visitors, for the same groups.
    pub(super) fn add(&mut self, other: &Self) {
        self.total.add(&other.total);
        for (tally, other) in self.groups.iter_mut().zip(&other.groups) {
            tally.add(other);
        }
        for (key, micros) in &other.money {
            let sum = self.money.entry(*key).or_default();
            *sum = sum.saturating_add(*micros);
        }
    }

    /// The total, and the groups in the order of their codes; `empty` ones only when wanted.
    pub(super) fn totals(&self, names: &Names, empty: bool) -> (Totals, Vec<(u32, Totals)>) {
        let mut revenues: HashMap<Option<u32>, Vec<(String, i64)>> = HashMap::new();
        for ((group, currency), micros) in &self.money {
            revenues.entry(*group).or_default().push((names.currency_text(*currency).to_owned(), *micros));
        }
        revenues.values_mut().for_each(|revenue| revenue.sort());
        let groups = (0..).zip(&self.groups).filter(|(_, tally)| empty || !tally.is_empty());
        let groups = groups.map(|(code, tally)| (code, totals(tally, revenues.remove(&Some(code))))).collect();
        (totals(&self.total, revenues.remove(&None)), groups)
    }
}

fn totals(tally: &Tally, revenue: Option<Vec<(String, i64)>>) -> Totals {
    Totals {
        visitors: tally.visitors,
        visits: tally.visits,
        pageviews: tally.pageviews,
        events: tally.events,
        bounces: tally.bounces,
        duration_ms: tally.duration_ms,
        revenue_micros: revenue.unwrap_or_default(),
    }
}
