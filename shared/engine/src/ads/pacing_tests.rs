//! Tests of pacing.
#![allow(clippy::unwrap_used, reason = "test code")]

use super::*;
use proptest::prelude::*;

fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

fn plan(daily: Option<u64>, lifetime: Option<u64>, start: &str, end: Option<&str>) -> Plan {
    Plan { daily, lifetime, start: day(start), end: end.map(day) }
}

fn done(as_of: &str, spent: u64, recent: u64) -> Done {
    Done { as_of: day(as_of), spent, recent, running: true }
}

const JUNE: fn() -> Period = || Period::Month(day("2024-06-11"));

#[test]
fn a_daily_budget_over_a_month() {
    let plan = plan(Some(100), None, "2024-01-01", None);
    let pacing = Pacing::of(&plan, JUNE(), &done("2024-06-10", 800, 560)).unwrap();
    let expected = Pacing { planned: 3000, planned_to_date: 1000, spent: 800, projected: 800 + 80 * 20 };
    assert_eq!((pacing, pacing.pace(), pacing.off_percent()), (expected, Pace::Under, Some(-20.0)));
}

#[test]
fn a_lifetime_budget_over_its_flight() {
    let plan = plan(None, Some(5000), "2024-06-06", Some("2024-06-15"));
    let pacing = Pacing::of(&plan, Period::Flight, &done("2024-06-10", 3000, 3000)).unwrap();
    // Five days old, so its mean is 600 a day, and five days are left.
    let expected = Pacing { planned: 5000, planned_to_date: 2500, spent: 3000, projected: 6000 };
    assert_eq!((pacing, pacing.pace(), pacing.off_percent()), (expected, Pace::Over, Some(20.0)));
    let month = Pacing::of(&plan, JUNE(), &done("2024-06-10", 3000, 3000)).unwrap();
    assert_eq!(month, expected, "the flight lies within the month");
}

#[test]
fn both_budgets_bound_each_other() {
    let both = plan(Some(100), Some(500), "2024-06-01", Some("2024-06-10"));
    assert_eq!(both.planned(both.days(Period::Flight).unwrap()), Some(500));
    let endless = plan(Some(100), Some(500), "2024-06-01", None);
    assert_eq!(endless.planned(endless.days(JUNE()).unwrap()), Some(500));
    assert_eq!(endless.days(Period::Flight), None);
}

#[test]
fn what_cannot_be_said_is_nothing() {
    let as_of = done("2024-06-10", 0, 0);
    assert_eq!(Pacing::of(&plan(None, Some(5), "2024-06-01", None), JUNE(), &as_of), None, "no end");
    assert_eq!(Pacing::of(&plan(Some(5), None, "2024-06-11", None), JUNE(), &as_of), None, "not begun");
    assert_eq!(Pacing::of(&plan(Some(5), None, "2024-07-01", None), JUNE(), &as_of), None, "another month");
    assert_eq!(Pacing::of(&plan(Some(5), None, "2024-01-01", Some("2024-05-31")), JUNE(), &as_of), None, "over");
}

#[test]
fn the_first_of_a_month_projects_from_the_month_before() {
    let plan = plan(Some(100), None, "2024-01-01", None);
    let period = Period::Month(day("2024-07-01"));
    let pacing = Pacing::of(&plan, period, &done("2024-06-30", 0, 700)).unwrap();
    assert_eq!(pacing, Pacing { planned: 3100, planned_to_date: 0, spent: 0, projected: 3100 });
    assert_eq!(pacing.pace(), Pace::On);
}

#[test]
fn what_stands_still_spends_nothing_more() {
    let plan = plan(Some(100), None, "2024-06-01", None);
    let paused = Done { running: false, ..done("2024-06-10", 1000, 700) };
    let pacing = Pacing::of(&plan, JUNE(), &paused).unwrap();
    assert_eq!((pacing.projected, pacing.pace()), (1000, Pace::Under));
}

#[test]
fn a_tenth_away_is_on() {
    let paces = [899, 900, 1000, 1100, 1101].map(|projected| Pace::of(projected, 1000).as_str());
    assert_eq!(paces, ["under", "on", "on", "on", "over"]);
    assert_eq!((Pace::of(0, 0), Pace::of(1, 0)), (Pace::On, Pace::Over));
}

proptest! {
    #[test]
    fn a_campaign_that_spends_its_budget_each_day_is_on_its_plan(
        daily in 1..1_000_000_u64, start in 18_000..20_000_i32, age in 0..60_i32, len in 1..90_i32, month: bool,
    ) {
        let plan = Plan { daily: Some(daily), lifetime: None, start: Day(start), end: Some(Day(start + len - 1)) };
        let as_of = Day(start + age.min(len - 1));
        let period = if month { Period::Month(as_of) } else { Period::Flight };
        let days = plan.days(period).unwrap();
        let spent = daily * u64::from(Days { first: days.first, last: as_of }.len());
        let recent = daily * u64::from(Days { first: Day(start).max(as_of.plus(1 - RECENT_DAYS)), last: as_of }.len());
        let pacing = Pacing::of(&plan, period, &Done { as_of, spent, recent, running: true }).unwrap();
        prop_assert_eq!(pacing.projected, pacing.planned);
        prop_assert_eq!(pacing.spent, pacing.planned_to_date);
        prop_assert_eq!(pacing.pace(), Pace::On);
    }

    #[test]
    fn no_budget_panics(
        daily: Option<u64>, lifetime: Option<u64>, start: i32, end: Option<i32>, as_of: i32, spent: u64, recent: u64,
    ) {
        let plan = Plan { daily, lifetime, start: Day(start), end: end.map(Day) };
        let done = Done { as_of: Day(as_of), spent, recent, running: true };
        for period in [Period::Month(Day(as_of)), Period::Flight] {
            if let Some(pacing) = Pacing::of(&plan, period, &done) {
                prop_assert!(pacing.projected >= spent);
                prop_assert!(pacing.off_percent().is_none_or(f64::is_finite));
            }
        }
    }
}
