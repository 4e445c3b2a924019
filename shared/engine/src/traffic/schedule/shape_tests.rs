//! Swings and bursts: their counts, where they lie in time, and what a change of rate does to them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use trafficlab_shared::model::arrivals::RateChange;

use super::tests::{PER_SECOND, Run};
use crate::traffic::cast::float;

/// How many of `due` lie in each of `count` windows of `window` nanoseconds.
fn counts(due: &[u64], window: u64, count: usize) -> Vec<f64> {
    let mut counts = vec![0.0; count];
    for at in due {
        counts[usize::try_from(at / window).unwrap()] += 1.0;
    }
    counts
}

/// Variance over mean: 0 is even, 1 Poisson.
fn dispersion(counts: &[f64]) -> f64 {
    let total: f64 = counts.iter().sum();
    let mean = total / float(counts.len() as u64);
    let squares: f64 = counts.iter().map(|count| (count - mean).powi(2)).sum();
    squares / (float(counts.len() as u64) - 1.0) / mean
}

/// The largest distance of a sample's distribution from `law` (Kolmogorov and Smirnov), times the
/// root of its size: above 1.95 once in a thousand samples of that law.
fn distance(mut sample: Vec<f64>, law: impl Fn(f64) -> f64) -> f64 {
    sample.sort_by(f64::total_cmp);
    let size = float(sample.len() as u64);
    let off = |(rank, value): (usize, &f64)| {
        let below = float(rank as u64) / size;
        (law(*value) - below).abs().max((law(*value) - below - 1.0 / size).abs())
    };
    sample.iter().enumerate().map(off).fold(0.0, f64::max) * size.sqrt()
}

fn gaps(moments: &[f64]) -> Vec<f64> {
    moments.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

#[test]
fn poisson_arrivals_of_many_shards_are_a_poisson_stream() {
    for shards in [1, 8] {
        let due = Run::of("poisson", 100, 200, shards).due(&[], 200);
        let seconds: Vec<f64> = due.iter().map(|at| float(*at) / 1e9).collect();
        let off = distance(gaps(&seconds), |gap| 1.0 - (-100.0 * gap).exp());
        assert!(off < 1.95, "{shards} shards: {off}");
        // Three standard errors of a variance over so many windows, or a tenth where that is less.
        for (window, count, most) in [(1_000_000_000, 200, 0.3), (50_000_000, 4000, 0.1)] {
            let spread = dispersion(&counts(&due, window, count));
            assert!((spread - 1.0).abs() < most, "{shards} shards: {spread}");
        }
    }
}

/// In the time in which an uneven rate looks even, its Poisson arrivals are a Poisson stream.
#[test]
fn poisson_arrivals_follow_an_uneven_rate() {
    let swing = |t: f64| {
        let turn = core::f64::consts::TAU / 10.0;
        t + (1.0 - (turn * t).cos()) / turn
    };
    let bursts = |t: f64| {
        let (cycle, rest) = ((t / 0.4).floor(), t % 0.4);
        cycle * 0.4 + if rest < 0.1 { rest * 3.4 } else { 0.34 + (rest - 0.1) * 0.2 }
    };
    let swinging = "sine:amplitude=1,period=10s,process=poisson";
    let bursting = "burst:on=100ms,off=300ms,rest=0.2,process=poisson";
    for (text, load) in [(swinging, &swing as &dyn Fn(f64) -> f64), (bursting, &bursts)] {
        let due = Run::of(text, 100, 200, 4).due(&[], 200);
        let straightened: Vec<f64> = due.iter().map(|at| load(float(*at) / 1e9)).collect();
        let off = distance(gaps(&straightened), |gap| 1.0 - (-100.0 * gap).exp());
        assert!(off < 1.95, "{text}: {off}");
        assert!((due.len() as u64).abs_diff(20_000) < 600, "{text}: {}", due.len());
    }
}

#[test]
fn a_swing_has_its_peaks_where_it_should_and_its_mean_exactly() {
    let run = Run::of("sine:amplitude=0.8,period=40s", 500, 80, 8);
    let due = run.due(&[], 80);
    assert_eq!(due.len(), 500 * 80);
    let seconds = counts(&due, 1_000_000_000, 80);
    for (second, count) in seconds.iter().enumerate() {
        let middle = float(second as u64) + 0.5;
        let expected = 500.0 * (1.0 + 0.8 * (core::f64::consts::TAU * middle / 40.0).sin());
        assert!((count - expected).abs() < 3.0, "second {second}: {count}, expected {expected}");
    }
    // A quarter of the period later it begins at its peak.
    let shifted = Run::of("sine:amplitude=0.8,period=40s,phase=10s", 500, 80, 8).due(&[], 80);
    assert!(counts(&shifted, 1_000_000_000, 80)[0] > 895.0);
    // A swing within a second is followed within the second.
    let quick = Run::of("sine:amplitude=1,period=1s", 10_000, 4, 2).due(&[], 4);
    let quarters = counts(&quick, 250_000_000, 16);
    assert_eq!(quick.len(), 40_000);
    assert!(quarters.chunks(2).all(|pair| (pair[0] - pair[1]).abs() < 3.0), "{quarters:?}");
    assert!(quarters[0] > 4.0 * quarters[2], "{quarters:?}");
}

#[test]
fn a_day_of_a_swing_is_found_without_walking_there() {
    let schedule = Run::of("sine:amplitude=1", 1000, 40 * 86_400, 1).schedule(0, &[]);
    let mut due = Vec::new();
    let mut count = |slot: u32| {
        schedule.slot(slot, &mut due);
        due.len()
    };
    let (peak, night) = (86_400 * 30 + 21_600, 86_400 * 30 + 64_800);
    assert!(count(peak).abs_diff(2000) <= 2, "{}", count(peak));
    assert!(count(night) <= 1, "{}", count(night));
    assert!(count(86_400 * 30).abs_diff(1000) <= 2);
}

#[test]
fn bursts_hold_all_arrivals_and_the_mean_stays() {
    let due = Run::of("burst:on=100ms,off=900ms", 5000, 4, 3).due(&[], 4);
    assert_eq!(due.len(), 20_000);
    assert!(due.iter().all(|at| at % 1_000_000_000 < 100_000_000));
    let spread = dispersion(&counts(&due, 1_000_000, 4000));
    assert!(spread > 40.0, "{spread}");
    let calm = dispersion(&counts(&Run::of("constant", 5000, 4, 3).due(&[], 4), 1_000_000, 4000));
    assert!(calm < 0.01, "{calm}");
    // With a rest of 0.1 of the mean the times between keep 9 % of the arrivals.
    let resting = Run::of("burst:on=100ms,off=900ms,rest=0.1", 5000, 4, 3).due(&[], 4);
    let between = resting.iter().filter(|at| *at % 1_000_000_000 >= 100_000_000).count();
    assert_eq!((resting.len(), between), (20_000, 1800));
    // Cycles that do not fit into seconds.
    let odd = Run::of("burst:on=700ms,off=900ms", 1000, 16, 3).due(&[], 16);
    assert_eq!(odd.len(), 16_000);
    assert!(odd.iter().all(|at| at % 1_600_000_000 < 700_000_000));
}

#[test]
fn heavy_tailed_bursts_differ_and_every_cycle_holds_the_same() {
    let due = Run::of("burst:pareto,cycle=2s,min=100ms,alpha=1.2", 500, 800, 4).due(&[], 800);
    assert!(counts(&due, 2_000_000_000, 400).iter().all(|count| (count - 1000.0).abs() < 0.5));
    let mut lengths = Vec::new();
    for cycle in due.chunk_by(|one, other| one / 2_000_000_000 == other / 2_000_000_000) {
        // The last arrival lies a thousandth of the burst before its end.
        lengths.push(float(cycle[cycle.len() - 1] - cycle[0]) / 999.0 * 1000.0 / 1e9);
    }
    let cut = |length: &f64| *length < 1.99;
    let whole: Vec<f64> = lengths.iter().copied().filter(cut).collect();
    assert!(whole.iter().all(|length| (0.0999..2.0).contains(length)));
    let tail = |length: f64| (0.1 / length.max(0.1)).powf(1.2);
    let off = distance(whole, |length| (1.0 - tail(length)) / (1.0 - tail(1.99)));
    assert!(off < 1.95, "{off}");
    let uncut = lengths.iter().filter(|length| !cut(length)).count();
    assert!((4..25).contains(&uncut), "{uncut} of 400 were cut, 2.7 % are expected");
}

#[test]
fn a_change_of_rate_scales_a_shape_and_keeps_its_phase() {
    let change = RateChange { from_slot: 30, rate: 1000 * PER_SECOND, duration_ms: 120_000 };
    for (text, period) in [
        ("sine:amplitude=0.9,period=40s,phase=7s", 40),
        ("burst:on=3s,off=5s,rest=0.3", 8),
        ("burst:pareto,cycle=5s,min=100ms,alpha=1.5", 5),
    ] {
        let run = Run::of(text, 100, 120, 3);
        let (before, after) = (run.due(&[], 120), run.due(&[change], 120));
        let (before, after) = (counts(&before, 1_000_000_000, 120), counts(&after, 1_000_000_000, 120));
        assert_eq!(before[..30], after[..30], "{text}");
        for second in 30..120 {
            assert!((before[second] * 10.0 - after[second]).abs() < 12.0, "{text}: second {second}");
        }
        let whole: f64 = after[30..30 + period * 2].iter().sum();
        assert!((whole - float(period as u64) * 2000.0).abs() <= 1.0, "{text}: {whole}");
    }
}
