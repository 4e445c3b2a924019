//! Properties of the schedule: exact counts, shards that add up, changes that leave the past alone.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use proptest::prelude::*;
use trafficlab_shared::model::arrivals::text::parse;
use trafficlab_shared::model::arrivals::{Arrivals, Burst, Process, RateChange, Sine, Stage};

use super::{SLOT_NS, Schedule};
use crate::traffic::replay::{ONCE, Replay};

pub(super) const PER_SECOND: u64 = 60_000_000;

/// A run of seed 42, whose arrivals are looked at as a whole.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) arrivals: Arrivals,
    pub(super) rate: u64,
    pub(super) duration_ms: u64,
    pub(super) shards: u32,
}

impl Run {
    pub(super) fn of(text: &str, per_second: u64, seconds: u64, shards: u32) -> Self {
        let arrivals = parse(text).unwrap();
        Self { arrivals, rate: per_second * PER_SECOND, duration_ms: seconds * 1000, shards }
    }

    pub(super) fn schedule(&self, shard: u32, history: &[RateChange]) -> Schedule {
        let mut schedule = Schedule::plain(42, &self.arrivals, self.rate, self.duration_ms, self.shards, shard);
        for change in history {
            schedule.apply(*change);
        }
        schedule
    }

    /// All due times of all shards in the first `slots` slots, ascending.
    pub(super) fn due(&self, history: &[RateChange], slots: u32) -> Vec<u64> {
        let mut all = Vec::new();
        let mut slot_due = Vec::new();
        for shard in 0..self.shards {
            let schedule = self.schedule(shard, history);
            for slot in 0..slots {
                schedule.slot(slot, &mut slot_due);
                assert!(slot_due.is_sorted());
                assert!(slot_due.iter().all(|at| at / SLOT_NS == u64::from(slot)), "slot {slot}: {slot_due:?}");
                all.extend(&slot_due);
            }
        }
        all.sort_unstable();
        all
    }
}

fn run(arrivals: Arrivals, rate: u64, duration_ms: u64, shards: u32) -> Run {
    Run { arrivals, rate, duration_ms, shards }
}

/// Arrivals of every shape and process.
fn any_arrivals() -> impl Strategy<Value = Arrivals> {
    let stage = (1_u32..5, 0..2000 * PER_SECOND).prop_map(|(seconds, target)| Stage { seconds, target });
    let stages = prop::collection::vec(stage, 1..4);
    let sine = (0.0..=1.0_f64, 1.0..20.0_f64, 0.0..20.0_f64).prop_map(|(a, p, phase)| Sine::new(a, p, phase).unwrap());
    let fixed =
        (0.001..3.0_f64, 0.001..3.0_f64, 0.0..=1.0_f64).prop_map(|(on, off, r)| Burst::fixed(on, off, r).unwrap());
    let pareto = (0.01..3.0_f64, 0.05..1.0_f64, 0.5..3.0_f64, 0.0..=1.0_f64)
        .prop_map(|(cycle, min, alpha, rest)| Burst::pareto(cycle, (cycle * min).max(0.001), alpha, rest).unwrap());
    let shape = prop_oneof![
        Just(Arrivals::Constant),
        stages.prop_map(|stages| Arrivals::Stages { stages, process: Process::Even }),
        sine.prop_map(Arrivals::Sine),
        fixed.prop_map(Arrivals::Burst),
        pareto.prop_map(Arrivals::Burst),
    ];
    let process = prop_oneof![Just(Process::Even), Just(Process::Poisson)];
    let replay = (prop::collection::vec(0..8_000_000_i64, 1..300), any::<bool>()).prop_map(|(moments, repeat)| {
        Arrivals::Replay(Replay::of_moments(moments).unwrap().pack(ONCE, repeat).unwrap())
    });
    prop_oneof![
        4 => (shape, process).prop_map(|(shape, process)| shape.with_process(process).unwrap()),
        1 => replay,
    ]
}

#[test]
fn ten_a_minute_is_one_each_six_seconds() {
    let run = run(Arrivals::Constant, 10_000_000, 60_000, 1);
    let expected: Vec<u64> = (0..10).map(|n| n * 6 * SLOT_NS).collect();
    assert_eq!(run.due(&[], 61), expected);
}

#[test]
fn a_part_of_a_second_has_its_part_of_the_arrivals() {
    let due = run(Arrivals::Constant, 100 * PER_SECOND, 2_500, 8).due(&[], 5);
    assert_eq!(due.len(), 250);
    assert_eq!(due.last(), Some(&2_490_000_000));
}

#[test]
fn a_ramp_has_the_area_under_its_line() {
    let stages = vec![Stage { seconds: 10, target: 200 * PER_SECOND }, Stage { seconds: 10, target: 0 }];
    let run = run(Arrivals::Stages { stages, process: Process::Even }, 0, 20_000, 8);
    assert_eq!(run.due(&[], 21).len(), 2000);
}

#[test]
fn a_rate_change_ends_ramps_and_replays() {
    let change = RateChange { from_slot: 2, rate: 10 * PER_SECOND, duration_ms: 5_000 };
    let replay = Replay::of_moments((0..400).map(|n| n * 10_000).collect()).unwrap().pack(ONCE, false).unwrap();
    for arrivals in [Arrivals::Replay(replay), parse("stages:1s@100,10s@100").unwrap()] {
        let due = run(arrivals, 100 * PER_SECOND, 4_000, 3).due(&[change], 6);
        assert_eq!(due.len(), 230);
        assert_eq!(due[200..203], [2_000_000_000, 2_100_000_000, 2_200_000_000]);
    }
}

#[test]
fn another_length_leaves_ramps_and_replays_alone() {
    let replay = Replay::of_moments((0..400).map(|n| n * n * 25).collect()).unwrap().pack(ONCE, false).unwrap();
    for arrivals in [Arrivals::Replay(replay), parse("stages:4s@300,4s@50").unwrap()] {
        let run = run(arrivals, 100 * PER_SECOND, 4_000, 3);
        let longer = RateChange { from_slot: 2, rate: run.rate, duration_ms: 3_500 };
        let again = RateChange { from_slot: 3, duration_ms: 8_000, ..longer };
        let whole = Run { duration_ms: 8_000, ..run.clone() }.due(&[], 8);
        assert_eq!(run.due(&[longer, again], 8), whole);
        // A rate that is set and taken back has ended them all the same.
        let other = RateChange { rate: 1, ..longer };
        assert_ne!(run.due(&[other, again], 8), whole);
    }
}

proptest! {
    #[test]
    fn shards_share_the_same_arrivals(
        arrivals in any_arrivals(), rate in 1_u64..5_000 * PER_SECOND, shards in 1_u32..20,
    ) {
        prop_assume!(arrivals.process() == Process::Even);
        let one = run(arrivals, rate, 3_000, 1);
        let many = Run { shards, ..one.clone() };
        prop_assert_eq!(one.due(&[], 4), many.due(&[], 4));
    }

    #[test]
    fn counts_are_exact(rate in 1_u64..3_000 * PER_SECOND, seconds in 1_u64..8) {
        let run = run(Arrivals::Constant, rate, seconds * 1000, 3);
        let slots = u32::try_from(seconds).unwrap() + 1;
        prop_assert_eq!(run.due(&[], slots).len() as u64, (rate * seconds).div_ceil(PER_SECOND));
    }

    /// Whatever the shape: over whole seconds of it the even arrivals are as many as the rate's integral says.
    #[test]
    fn counts_are_the_integral(arrivals in any_arrivals(), rate in 1_u64..2_000 * PER_SECOND, from in 0_u32..4) {
        prop_assume!(arrivals.process() == Process::Even);
        let schedule = run(arrivals, rate, 8_000, 1).schedule(0, &[]);
        let mut due = Vec::new();
        let count = (from..8).map(|slot| { schedule.slot(slot, &mut due); due.len() as u128 }).sum::<u128>();
        let area = schedule.integral(8) - schedule.integral(from);
        prop_assert!(count.abs_diff(area / super::ARRIVAL) <= 1, "{count} {area}");
    }

    /// What a worker needs that takes over at any slot: no slot depends on having walked there, nor on
    /// when the changes before it were learnt of.
    #[test]
    fn every_slot_is_the_same_to_whoever_asks(
        arrivals in any_arrivals(), rate in 1_u64..1_000 * PER_SECOND, changed in 0_u64..1_000 * PER_SECOND,
        at in 1_u32..6, shards in 1_u32..4,
    ) {
        let run = run(arrivals, rate, 8_000, shards);
        let change = RateChange { from_slot: at, rate: changed, duration_ms: 8_000 };
        let (mut walked, mut due, mut again) = (run.schedule(shards - 1, &[]), Vec::new(), Vec::new());
        for slot in 0..9 {
            if slot == at {
                walked.apply(change);
            }
            walked.slot(slot, &mut due);
            let history = if slot < at { Vec::new() } else { vec![change] };
            run.schedule(shards - 1, &history).slot(slot, &mut again);
            prop_assert_eq!(&due, &again, "slot {}", slot);
            run.schedule(shards - 1, &[change]).slot(slot, &mut again);
            prop_assert_eq!(&due, &again, "slot {} with the change known", slot);
            let mut made = run.schedule(0, &[RateChange { rate: 7, ..change }]).of_shard(shards - 1);
            made.apply(change);
            made.slot(slot, &mut again);
            prop_assert_eq!(&due, &again, "slot {} of a schedule made from another shard's", slot);
        }
    }

    #[test]
    fn a_change_leaves_earlier_slots_alone(
        first in 1_u64..500 * PER_SECOND,
        second in 1_u64..500 * PER_SECOND,
        from_slot in 1_u32..6,
    ) {
        let run = run(Arrivals::Constant, first, 6_000, 4);
        let change = RateChange { from_slot, rate: second, duration_ms: 8_000 };
        let border = u64::from(from_slot) * SLOT_NS;
        let before: Vec<u64> = run.due(&[], 6).into_iter().filter(|at| *at < border).collect();
        let changed = run.due(&[change], 9);
        let kept: Vec<u64> = changed.iter().copied().filter(|at| *at < border).collect();
        prop_assert_eq!(before, kept);
        // The integral goes on where it was, so the total is the sum of both areas.
        let area = first * u64::from(from_slot) + second * u64::from(8 - from_slot);
        prop_assert_eq!(changed.len() as u64, area.div_ceil(PER_SECOND));
    }
}
