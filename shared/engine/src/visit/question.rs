//! What can be asked about visits, and the figures of an answer.

use super::column::Traffic;
use super::property::Property;

/// A session ends after this long without an event.
pub const SESSION_GAP_MS: i64 = 30 * 60 * 1000;

/// A question about the visits of one site.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// First millisecond of the Unix epoch that counts.
    pub from_ms: i64,
    /// First millisecond that does not count any more.
    pub until_ms: i64,
    /// All of them must hold.
    pub filters: Vec<Filter>,
    /// What happens to visits of bots.
    pub bots: Bots,
    /// Whose traffic counts.
    pub traffic: TrafficSet,
    /// By what the figures are split.
    pub group: Group,
    /// The goals that `Property::Goal` speaks of.
    pub goals: Vec<Goal>,
}

/// By what figures are split.
#[derive(Debug, Clone, Default)]
pub enum Group {
    /// By nothing.
    #[default]
    None,
    /// By the values of a property.
    Property(Property),
    /// By time: the first milliseconds of the intervals, ascending; the last one ends with the question.
    Time(Vec<i64>),
}

/// What happens to visits of bots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Bots {
    /// Left out.
    #[default]
    Exclude,
    /// Counted like people.
    Include,
    /// Nothing else counts.
    Only,
}

/// Whose traffic counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrafficSet {
    /// Of people and bots.
    pub real: bool,
    /// Of our campaigns.
    pub synthetic: bool,
    /// With a mark that no campaign of ours explains.
    pub unverified: bool,
}

impl Default for TrafficSet {
    fn default() -> Self {
        Self { real: true, synthetic: false, unverified: false }
    }
}

impl TrafficSet {
    /// Whether `traffic` counts.
    #[must_use]
    pub const fn has(self, traffic: Traffic) -> bool {
        match traffic {
            Traffic::Real => self.real,
            Traffic::Synthetic => self.synthetic,
            Traffic::Unverified => self.unverified,
        }
    }
}

/// A condition on a property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// On what.
    pub property: Property,
    /// How the values are meant.
    pub operator: Operator,
    /// One of them must fit; for the negated operators none may.
    pub values: Vec<String>,
}

/// How a filter's values are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// Equal, where `*` stands for anything but `/` and `**` for anything.
    Is,
    /// Not equal to any.
    IsNot,
    /// Contained, without regard to case.
    Contains,
    /// Not contained.
    ContainsNot,
}

/// Something that visitors should do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goal {
    /// Its name.
    pub name: String,
    /// What fulfils it.
    pub target: GoalTarget,
}

/// What fulfils a goal or a step of a funnel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GoalTarget {
    /// A page view whose path fits, with `*` and `**` as in filters.
    Path(String),
    /// A custom event of this name.
    Event(String),
}

/// Sums of a group; ratios are made of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Totals {
    /// Distinct visitors.
    pub visitors: u64,
    /// Sessions.
    pub visits: u64,
    /// Page views.
    pub pageviews: u64,
    /// Page views and custom events.
    pub events: u64,
    /// Sessions of one page view and nothing else.
    pub bounces: u64,
    /// Sum of the sessions' lengths in milliseconds.
    pub duration_ms: u64,
    /// Revenue by currency code, in millionths, ordered by code.
    pub revenue_micros: Vec<(String, i64)>,
}

/// Figures in all and by group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// Of everything that fits.
    pub total: Totals,
    /// By value of the property, in no order; for `Group::Time` by interval, in the order of the question, under empty
    /// names.
    pub groups: Vec<(String, Totals)>,
    /// What did not count.
    pub left_out: LeftOut,
}

/// Events in the question's time that were left out for whose they are, before filters were looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LeftOut {
    /// Of bots, among the traffic that counts.
    pub bots: u64,
    /// Of our campaigns.
    pub synthetic: u64,
    /// With a mark that no campaign of ours explains.
    pub unverified: u64,
}
