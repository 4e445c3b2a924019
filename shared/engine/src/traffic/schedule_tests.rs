//! Properties of the schedule: exact counts, shards that add up, changes that leave the past alone.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use proptest::prelude::*;
use trafficlab_shared::model::arrivals::{Arrivals, RateChange, Stage};
use trafficlab_shared::model::content::ContentSpec;
use trafficlab_shared::model::run::{Mode, RunSpec};

use super::{SLOT_NS, Schedule};

fn run(arrivals: Arrivals, rate: u64, duration_ms: u64, shards: u32) -> RunSpec {
    RunSpec {
        job: "job".into(),
        campaign: "campaign".into(),
        seed: 42,
        mode: Mode::Simulate,
        shards,
        arrivals,
        rate,
        duration_ms,
        warm_up_ms: 0,
        catch_up_ms: 1000,
        keep_one_in: 1,
        live_entries: false,
        shown_url: None,
        content: ContentSpec::default(),
        http: None,
    }
}

/// All due times of all shards, ascending.
fn due(spec: &RunSpec, history: &[RateChange], slots: u32) -> Vec<u64> {
    let mut all = Vec::new();
    let mut slot_due = Vec::new();
    for shard in 0..spec.shards {
        let schedule = Schedule::new(spec, shard, history);
        for slot in 0..slots {
            schedule.slot(slot, &mut slot_due);
            assert!(slot_due.is_sorted());
            assert!(slot_due.iter().all(|at| at / SLOT_NS == u64::from(slot)));
            all.extend(&slot_due);
        }
    }
    all.sort_unstable();
    all
}

const PER_SECOND: u64 = 60_000_000;

#[test]
fn ten_a_minute_is_one_each_six_seconds() {
    let spec = run(Arrivals::Constant, 10_000_000, 60_000, 1);
    let expected: Vec<u64> = (0..10).map(|n| n * 6 * SLOT_NS).collect();
    assert_eq!(due(&spec, &[], 61), expected);
}

#[test]
fn a_part_of_a_second_has_its_part_of_the_arrivals() {
    let spec = run(Arrivals::Constant, 100 * PER_SECOND, 2_500, 8);
    let due = due(&spec, &[], 5);
    assert_eq!(due.len(), 250);
    assert_eq!(due.last(), Some(&2_490_000_000));
}

#[test]
fn a_ramp_has_the_area_under_its_line() {
    let stages = vec![Stage { seconds: 10, target: 200 * PER_SECOND }, Stage { seconds: 10, target: 0 }];
    let spec = run(Arrivals::Stages { stages }, 0, 20_000, 8);
    assert_eq!(due(&spec, &[], 21).len(), 2000);
}

#[test]
fn poisson_counts_vary_as_much_as_they_should() {
    let spec = run(Arrivals::Poisson, 50 * PER_SECOND, 2_000_000, 4);
    let due = due(&spec, &[], 2_000);
    let mut counts = vec![0_u32; 2_000];
    for at in due {
        counts[usize::try_from(at / SLOT_NS).unwrap()] += 1;
    }
    let mean = f64::from(counts.iter().sum::<u32>()) / 2000.0;
    let variance = counts.iter().map(|count| (f64::from(*count) - mean).powi(2)).sum::<f64>() / 1999.0;
    assert!((mean - 50.0).abs() < 0.8, "mean {mean}");
    assert!((0.87..1.13).contains(&(variance / mean)), "variance over mean {}", variance / mean);
}

proptest! {
    #[test]
    fn shards_share_the_same_arrivals(rate in 1_u64..5_000 * PER_SECOND, shards in 1_u32..20) {
        let one = run(Arrivals::Constant, rate, 4_000, 1);
        let many = run(Arrivals::Constant, rate, 4_000, shards);
        prop_assert_eq!(due(&one, &[], 4), due(&many, &[], 4));
    }

    #[test]
    fn counts_are_exact(rate in 1_u64..3_000 * PER_SECOND, seconds in 1_u64..8) {
        let spec = run(Arrivals::Constant, rate, seconds * 1000, 3);
        let slots = u32::try_from(seconds).unwrap() + 1;
        prop_assert_eq!(due(&spec, &[], slots).len() as u64, (rate * seconds).div_ceil(PER_SECOND));
    }

    #[test]
    fn a_change_leaves_earlier_slots_alone(
        first in 1_u64..500 * PER_SECOND,
        second in 1_u64..500 * PER_SECOND,
        from_slot in 1_u32..6,
    ) {
        let spec = run(Arrivals::Constant, first, 6_000, 4);
        let change = RateChange { from_slot, rate: second, duration_ms: 8_000 };
        let border = u64::from(from_slot) * SLOT_NS;
        let before: Vec<u64> = due(&spec, &[], 6).into_iter().filter(|at| *at < border).collect();
        let changed = due(&spec, &[change], 9);
        let kept: Vec<u64> = changed.iter().copied().filter(|at| *at < border).collect();
        prop_assert_eq!(before, kept);
        // The integral goes on where it was, so the total is the sum of both areas.
        let area = first * u64::from(from_slot) + second * u64::from(8 - from_slot);
        prop_assert_eq!(changed.len() as u64, area.div_ceil(PER_SECOND));
    }
}
