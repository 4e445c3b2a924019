//! Pacing: how much of a plan is spent, and where the present rate leads.
//!
//! A projection is what was spent, and the daily mean of the last seven full days for each day that is left.

use super::day::{Day, Days};
use super::ratio::{change_percent, rounded};

/// Days whose mean is projected.
pub const RECENT_DAYS: i32 = 7;
/// How far a projection may lie from its plan and still be on it, in tenths of the plan.
const TOLERANCE_TENTHS: u128 = 1;

/// What a campaign may spend, in minor units. At least one of the budgets is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Money a day.
    pub daily: Option<u64>,
    /// Money over the whole flight.
    pub lifetime: Option<u64>,
    /// First day of the flight.
    pub start: Day,
    /// Its last day; none when it has no end.
    pub end: Option<Day>,
}

/// The time that is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// The calendar month of a day.
    Month(Day),
    /// Each campaign's own flight.
    Flight,
}

impl Plan {
    /// The days of the period in which the campaign is to run; none when its flight has no end, or lies outside.
    #[must_use]
    pub fn days(&self, period: Period) -> Option<Days> {
        let days = match period {
            Period::Month(day) => Days {
                first: day.first_of_month().max(self.start),
                last: self.end.map_or(day.last_of_month(), |end| end.min(day.last_of_month())),
            },
            Period::Flight => Days { first: self.start, last: self.end? },
        };
        (!days.is_empty()).then_some(days)
    }

    /// Money planned for `days` of the flight: the daily budget for each, the lifetime budget in equal parts over the
    /// flight, the smaller when there are both. Nothing when that cannot be said: a lifetime budget without an end.
    #[must_use]
    pub fn planned(&self, days: Days) -> Option<u64> {
        let daily = self.daily.map(|budget| budget.saturating_mul(days.len().into()));
        let lifetime = self.lifetime.zip(self.end).and_then(|(budget, end)| {
            let flight = Days { first: self.start, last: end };
            let part = rounded(u128::from(budget) * u128::from(days.len()), flight.len().into(), 0)?;
            u64::try_from(part).ok()
        });
        match (daily, lifetime) {
            (Some(daily), Some(lifetime)) => Some(daily.min(lifetime)),
            // Without an end the lifetime budget is only a bound.
            (Some(daily), None) => Some(self.lifetime.map_or(daily, |most| daily.min(most))),
            (None, lifetime) => lifetime,
        }
    }
}

/// What a campaign has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// The last full day.
    pub as_of: Day,
    /// Money spent in the period until then, minor units.
    pub spent: u64,
    /// Money spent in the last [`RECENT_DAYS`] days until then, whether they lie in the period or not.
    pub recent: u64,
    /// Whether it goes on spending.
    pub running: bool,
}

/// Where a projection lies beside its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// More than a tenth below.
    Under,
    /// At most a tenth away.
    On,
    /// More than a tenth above.
    Over,
}

impl Pace {
    /// Its word in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Under => "under",
            Self::On => "on",
            Self::Over => "over",
        }
    }

    /// Where `projected` lies beside `planned`.
    #[must_use]
    pub fn of(projected: u64, planned: u64) -> Self {
        let (projected, planned) = (u128::from(projected) * 10, u128::from(planned));
        if projected < planned * (10 - TOLERANCE_TENTHS) {
            Self::Under
        } else if projected > planned * (10 + TOLERANCE_TENTHS) {
            Self::Over
        } else {
            Self::On
        }
    }
}

/// The pace of one campaign or of several, in minor units of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pacing {
    /// Money planned for the period.
    pub planned: u64,
    /// Of it, for the days that have passed.
    pub planned_to_date: u64,
    /// Money spent in the period.
    pub spent: u64,
    /// Money that will have been spent at its end at the present rate.
    pub projected: u64,
}

impl Pacing {
    /// The pace of a campaign; nothing when it has no plan for the period or has not begun, since there is no rate then.
    #[must_use]
    pub fn of(plan: &Plan, period: Period, done: &Done) -> Option<Self> {
        let days = plan.days(period)?;
        let planned = plan.planned(days)?;
        if done.as_of < plan.start {
            return None;
        }
        let past = Days { first: days.first, last: days.last.min(done.as_of) };
        let left = Days { first: days.first.max(done.as_of.plus(1)), last: days.last };
        // A campaign that is younger than a week has the mean of its own days.
        let known = Days { first: plan.start.max(done.as_of.plus(1 - RECENT_DAYS)), last: done.as_of };
        let rest = if done.running {
            rounded(u128::from(done.recent) * u128::from(left.len()), known.len().into(), 0)?
        } else {
            0
        };
        Some(Self {
            planned,
            planned_to_date: if past.is_empty() { 0 } else { plan.planned(past)? },
            spent: done.spent,
            projected: done.spent.saturating_add(u64::try_from(rest).unwrap_or(u64::MAX)),
        })
    }

    /// Where the projection lies.
    #[must_use]
    pub fn pace(&self) -> Pace {
        Pace::of(self.projected, self.planned)
    }

    /// How far the projection lies from the plan, in percent with one digit; nothing without a plan.
    #[must_use]
    pub fn off_percent(&self) -> Option<f64> {
        change_percent(self.projected.into(), self.planned.into())
    }

    /// Each amount turned into another.
    #[must_use]
    pub fn each(&self, turn: impl Fn(u64) -> u64) -> Self {
        Self {
            planned: turn(self.planned),
            planned_to_date: turn(self.planned_to_date),
            spent: turn(self.spent),
            projected: turn(self.projected),
        }
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            planned: self.planned.saturating_add(other.planned),
            planned_to_date: self.planned_to_date.saturating_add(other.planned_to_date),
            spent: self.spent.saturating_add(other.spent),
            projected: self.projected.saturating_add(other.projected),
        }
    }
}

#[cfg(test)]
#[path = "pacing_tests.rs"]
mod tests;
