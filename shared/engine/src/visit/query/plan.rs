//! A question taken apart: which filter is judged by which column, and what becomes of a row's values.

use std::borrow::Cow;

use super::pattern::{Matcher, Pattern};
use crate::visit::column::{ColumnSet, Dict, Traffic, field};
use crate::visit::enrich::props::prop;
use crate::visit::property::Property;
use crate::visit::question::{Bots, Filter, Goal, GoalTarget, Group, Question};

/// The name of page views among the events.
pub(super) const PAGEVIEW_NAME: &str = "pageview";

/// What is known of a row by the entries of its dictionaries. A row has a mark when all of its entries have it.
pub(super) mod mark {
    /// The row exists for this question.
    pub(crate) const KEPT: u8 = 1;
    /// The filters on its event's properties hold.
    pub(crate) const EVENT: u8 = 1 << 1;
    /// The filters on a session's properties hold if this is the session's first event.
    pub(crate) const SESSION: u8 = 1 << 2;
    /// The filters on the exit page hold if the session ends here.
    pub(crate) const EXIT: u8 = 1 << 3;
    /// It is a page view.
    pub(crate) const PAGEVIEW: u8 = 1 << 4;
    /// The filters on goals hold if it is a page view.
    pub(crate) const PAGE_GOAL: u8 = 1 << 5;
    /// The filters on goals hold if it is not a page view.
    pub(crate) const EVENT_GOAL: u8 = 1 << 6;
    /// It is of a kind of traffic that counts.
    pub(crate) const TRAFFIC: u8 = 1 << 7;
    /// All of them.
    pub(crate) const ALL: u8 = 0xff;
}

/// A question made ready.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) from_ms: i64,
    pub(super) until_ms: i64,
    pub(super) bots: Bots,
    /// By filters that look at one entry.
    pub(super) judges: Vec<Judge>,
    /// By filters on goals.
    pub(super) goal_judges: Vec<GoalJudge>,
    pub(super) split: Split,
    /// Marks by kind of traffic.
    pub(super) traffic: [u8; 3],
}

/// A filter on the entries of one dictionary.
#[derive(Debug)]
pub(super) struct Judge {
    property: Property,
    /// The mark that an entry loses when it does not pass.
    pub(super) mark: u8,
    matcher: Matcher,
}

/// A filter on goals: a row must fulfil one of the targets, or none when negated.
#[derive(Debug)]
pub(super) struct GoalJudge {
    targets: Vec<Target>,
    negated: bool,
}

/// What value a row has.
#[derive(Debug)]
pub(super) enum Split {
    /// None.
    Nothing,
    /// The group of its event's property.
    Event(Property),
    /// The group that it gives its session if it is the first one.
    Session(Property),
    /// The group that it gives its session if the session ends here.
    Exit,
    /// The set of targets that it fulfils, each under its number.
    Targets(Vec<(u32, Target)>),
    /// Where it was read.
    Origin,
}

/// What fulfils a goal, made ready.
#[derive(Debug)]
pub(super) enum Target {
    Path(Pattern),
    Event(String),
}

impl Target {
    fn new(target: &GoalTarget) -> Self {
        match target {
            GoalTarget::Path(path) => Self::Path(Pattern::new(path)),
            GoalTarget::Event(name) => Self::Event(name.clone()),
        }
    }

    /// Whether a page view with this entry of the pages fulfils it.
    pub(super) fn fits_page(&self, entry: &str) -> bool {
        match self {
            Self::Path(path) => path.fits(field(entry, 1)),
            Self::Event(name) => name == PAGEVIEW_NAME,
        }
    }

    /// Whether a custom event of this name fulfils it.
    pub(super) fn fits_event(&self, name: &str) -> bool {
        matches!(self, Self::Event(wanted) if wanted == name)
    }
}

impl GoalJudge {
    fn new(filter: &Filter, goals: &[Goal]) -> Self {
        let matcher = Matcher::new(filter);
        let named = goals.iter().filter(|goal| matcher.names(&goal.name));
        Self { targets: named.map(|goal| Target::new(&goal.target)).collect(), negated: matcher.is_negated() }
    }

    /// Whether a page view with this entry of the pages passes.
    pub(super) fn passes_page(&self, entry: &str) -> bool {
        self.targets.iter().any(|target| target.fits_page(entry)) != self.negated
    }

    /// Whether a custom event of this name passes.
    pub(super) fn passes_event(&self, name: &str) -> bool {
        self.targets.iter().any(|target| target.fits_event(name)) != self.negated
    }
}

impl Judge {
    fn new(filter: &Filter) -> Self {
        let mark = match filter.property {
            Property::ExitPage => mark::EXIT,
            _ if filter.property.is_of_event() => mark::EVENT,
            _ => mark::SESSION,
        };
        Self { property: filter.property.clone(), mark, matcher: Matcher::new(filter) }
    }

    pub(super) const fn dict(&self) -> Dict {
        self.property.dict()
    }

    /// Whether an entry passes; one that does not have the property is judged as empty.
    pub(super) fn passes(&self, entry: &str) -> bool {
        self.matcher.passes(&value(&self.property, entry).unwrap_or_default())
    }
}

impl Plan {
    /// Of the figures that are asked for.
    pub(super) fn of_figures(question: &Question) -> Self {
        let split = match &question.group {
            // Intervals are found by the time.
            Group::None | Group::Time(_) => Split::Nothing,
            Group::Property(Property::Goal) => Split::Nothing,
            Group::Property(Property::ExitPage) => Split::Exit,
            Group::Property(property) if property.is_of_event() => Split::Event(property.clone()),
            Group::Property(property) => Split::Session(property.clone()),
        };
        Self::new(question, split)
    }

    /// With rows that tell which of these targets they fulfil, by number.
    pub(super) fn of_targets<'a>(question: &Question, targets: impl Iterator<Item = (u32, &'a GoalTarget)>) -> Self {
        let targets = targets.map(|(number, target)| (number, Target::new(target))).collect();
        Self::new(question, Split::Targets(targets))
    }

    pub(super) fn new(question: &Question, split: Split) -> Self {
        let (of_goals, of_values): (Vec<_>, Vec<_>) =
            question.filters.iter().partition(|filter| filter.property == Property::Goal);
        let marks = |traffic| if question.traffic.has(traffic) { mark::ALL } else { 0 };
        Self {
            from_ms: question.from_ms,
            until_ms: question.until_ms,
            bots: question.bots,
            judges: of_values.into_iter().map(Judge::new).collect(),
            goal_judges: of_goals.into_iter().map(|filter| GoalJudge::new(filter, &question.goals)).collect(),
            split,
            traffic: [Traffic::Real, Traffic::Synthetic, Traffic::Unverified].map(marks),
        }
    }

    /// The dictionaries that say something about a row.
    pub(super) fn dicts(&self) -> ColumnSet {
        let mut dicts =
            self.judges.iter().fold(ColumnSet::default().with(Dict::Event), |set, judge| set.with(judge.dict()));
        if self.bots != Bots::Include {
            dicts = dicts.with(Dict::Agent);
        }
        if !self.goal_judges.is_empty() {
            dicts = dicts.with(Dict::Page);
        }
        match &self.split {
            Split::Nothing => dicts,
            Split::Event(property) | Split::Session(property) => dicts.with(property.dict()),
            Split::Exit | Split::Targets(_) => dicts.with(Dict::Page),
            Split::Origin => ColumnSet::all(),
        }
    }

    /// Whether an event with these times exists for the question.
    pub(super) const fn overlaps(&self, first_ms: i64, last_ms: i64) -> bool {
        first_ms < self.until_ms && last_ms >= self.from_ms
    }
}

/// The value of a property in an entry of its dictionary; nothing when the event does not have it.
pub(super) fn value<'a>(property: &Property, entry: &'a str) -> Option<Cow<'a, str>> {
    match property {
        Property::Field(_, index) => Some(Cow::Borrowed(field(entry, *index))),
        Property::EntryPage | Property::ExitPage => Some(Cow::Borrowed(field(entry, 1))),
        Property::Prop(key) => prop(entry, key),
        Property::Goal => None,
    }
}
