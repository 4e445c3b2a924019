//! Shapes that come again and again: what they let through, as straight lines between corners.
//!
//! A shape has a mean of one. Its *load* at a moment is the time in which an even rate would have let
//! as much through; at the end of each cycle load and time are the same, so counts over whole cycles
//! are those of the mean rate exactly.

use std::sync::Arc;

use trafficlab_shared::model::arrivals::{Burst, Cycle, Sine};

use super::pareto::Pareto;
use crate::traffic::cast;

/// Straight lines that a swing is made of: at most, at least, and the shortest worth drawing.
const MOST_LINES: u64 = 4096;
const FEWEST_LINES: u64 = 64;
const SHORTEST_NS: u64 = 10_000_000;

/// A moment and the load until then, both in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Corner {
    pub(super) at: u64,
    pub(super) load: u64,
}

/// A shape that repeats. Clones share its table.
#[derive(Debug, Clone)]
pub(super) enum Cyclic {
    /// Every cycle is the same.
    Same {
        /// From (0, 0) to (period, period); neither member ever falls.
        corners: Arc<[Corner]>,
        period: u64,
        /// How far into a cycle time begins, with the load there.
        phase: Corner,
    },
    /// One burst of random length in each.
    Pareto(Pareto),
}

impl Cyclic {
    /// The integral of `1 + a · sin(2πx)`, which is `x + a · (1 − cos(2πx)) / 2π`, at evenly spaced corners.
    pub(super) fn sine(sine: &Sine) -> Self {
        let period = sine.period_us.max(1).saturating_mul(1000);
        let lines = (period / SHORTEST_NS).clamp(FEWEST_LINES, MOST_LINES);
        let turn = 2.0 * core::f64::consts::PI;
        let swing = cast::float(sine.amplitude_ppm) / 1e6 * cast::float(period) / turn;
        let mut reached = 0;
        let corner = |line: u64| {
            let share = cast::float(line) / cast::float(lines);
            let exact = share * cast::float(period) + swing * (1.0 - libm::cos(turn * share));
            // Rounding must never let the load fall, nor miss the end of the cycle.
            reached = if line == lines { period } else { cast::whole(exact + 0.5).clamp(reached, period) };
            let at = u128::from(period) * u128::from(line) / u128::from(lines);
            Corner { at: u64::try_from(at).unwrap_or(period), load: reached }
        };
        Self::same((0..=lines).map(corner).collect(), period, sine.phase_us.saturating_mul(1000))
    }

    /// Bursts; `seed` decides lengths that are random.
    pub(super) fn burst(burst: &Burst, seed: u64) -> Self {
        match burst.cycle {
            Cycle::Fixed { on_us, off_us } => {
                let (on, off) = (on_us.saturating_mul(1000), off_us.saturating_mul(1000));
                let period = on.saturating_add(off).max(1);
                let end = Corner { at: on, load: period - resting(off, burst.rest_ppm) };
                let corners = [Corner { at: 0, load: 0 }, end, Corner { at: period, load: period }];
                Self::same(corners.into(), period, 0)
            }
            Cycle::Pareto { cycle_us, min_us, alpha_ppm } => {
                Self::Pareto(Pareto::new(seed, cycle_us, min_us, alpha_ppm, burst.rest_ppm))
            }
        }
    }

    fn same(corners: Arc<[Corner]>, period: u64, phase: u64) -> Self {
        let load = load_among(&corners, phase);
        Self::Same { corners, period, phase: Corner { at: phase, load } }
    }

    /// The load at `at`, counted from time 0.
    pub(super) fn load(&self, at: u64) -> u64 {
        match self {
            Self::Same { corners, period, phase } => {
                let (cycle, rest) = ((at + phase.at) / period, (at + phase.at) % period);
                cycle * period + load_among(corners, rest) - phase.load
            }
            Self::Pareto(pareto) => {
                let (cycle, rest) = (at / pareto.cycle(), at % pareto.cycle());
                cycle * pareto.cycle() + load_among(&pareto.corners(cycle), rest)
            }
        }
    }

    /// Shows the corners strictly between `from` and `to`, ascending.
    pub(super) fn corners(&self, from: u64, to: u64, mut show: impl FnMut(Corner)) {
        let (period, phase) = match self {
            Self::Same { period, phase, .. } => (*period, *phase),
            Self::Pareto(pareto) => (pareto.cycle(), Corner { at: 0, load: 0 }),
        };
        let (begin, end) = (from + phase.at, to + phase.at);
        for cycle in begin / period..=end / period {
            let base = cycle * period;
            let mut shift = |corner: &Corner| {
                show(Corner { at: base + corner.at - phase.at, load: base + corner.load - phase.load });
            };
            // A cycle's last corner is the next one's first.
            let within = |corners: &[Corner]| {
                let first = corners.partition_point(|corner| base + corner.at <= begin);
                let last = corners.partition_point(|corner| base + corner.at < end && corner.at < period);
                first..last
            };
            match self {
                Self::Same { corners, .. } => corners.get(within(corners)).unwrap_or_default().iter().for_each(shift),
                Self::Pareto(pareto) => {
                    let corners = pareto.corners(cycle);
                    corners.get(within(&corners)).unwrap_or_default().iter().for_each(&mut shift);
                }
            }
        }
    }
}

/// The load of a time at rest.
pub(super) fn resting(time: u64, rest_ppm: u64) -> u64 {
    let load = u128::from(time) * u128::from(rest_ppm.min(1_000_000)) / 1_000_000;
    u64::try_from(load).unwrap_or(time)
}

/// The load at `at` within a cycle, on the line between its neighbours; rounded down, so it never falls.
fn load_among(corners: &[Corner], at: u64) -> u64 {
    let next = corners.partition_point(|corner| corner.at <= at);
    let (Some(from), Some(to)) = (next.checked_sub(1).and_then(|place| corners.get(place)), corners.get(next)) else {
        return corners.last().map_or(at, |last| last.load);
    };
    let part = u128::from(to.load - from.load) * u128::from(at - from.at) / u128::from(to.at - from.at);
    from.load + u64::try_from(part).unwrap_or(0)
}
