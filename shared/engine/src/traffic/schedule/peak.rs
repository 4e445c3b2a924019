//! The highest rate that arrivals reach, which decides the number of shards and the limits.

use trafficlab_shared::model::arrivals::{Arrivals, Burst, Cycle, MICROS_PER_REQUEST};

const WHOLE_PPM: u64 = 1_000_000;

/// The highest rate the arrivals reach, in millionths of a request per minute. For independent
/// arrivals it is the highest mean.
#[must_use]
pub fn peak_rate(arrivals: &Arrivals, rate: u64) -> u64 {
    match arrivals {
        Arrivals::Constant | Arrivals::Poisson => rate,
        Arrivals::Stages { stages, .. } => stages.iter().map(|stage| stage.target).fold(rate, u64::max),
        Arrivals::Sine(_) | Arrivals::Burst(_) => lifted(rate, lift_ppm(arrivals)),
        Arrivals::Replay(replay) => replay.peak.saturating_mul(60 * MICROS_PER_REQUEST),
    }
}

/// The highest rate after a change to `rate`, which ends ramps and replays and scales the rest.
#[must_use]
pub fn peak_after_change(arrivals: &Arrivals, rate: u64) -> u64 {
    lifted(rate, lift_ppm(arrivals))
}

/// The highest rate in millionths of the mean, for shapes that outlast a change of rate.
pub(super) fn lift_ppm(arrivals: &Arrivals) -> u64 {
    match arrivals {
        Arrivals::Constant | Arrivals::Poisson | Arrivals::Stages { .. } | Arrivals::Replay(_) => WHOLE_PPM,
        Arrivals::Sine(sine) => WHOLE_PPM + sine.amplitude_ppm,
        Arrivals::Burst(burst) => burst_lift(burst),
    }
}

/// What the rest of a cycle leaves for its shortest burst.
fn burst_lift(burst: &Burst) -> u64 {
    let (on, cycle) = match burst.cycle {
        Cycle::Fixed { on_us, off_us } => (on_us, on_us + off_us),
        Cycle::Pareto { cycle_us, min_us, .. } => (min_us, cycle_us),
    };
    let whole = u128::from(cycle) * u128::from(WHOLE_PPM);
    let rest = u128::from(cycle.saturating_sub(on)) * u128::from(burst.rest_ppm);
    let lift = whole.saturating_sub(rest).div_ceil(u128::from(on.max(1)));
    u64::try_from(lift).unwrap_or(u64::MAX)
}

/// A rate times a factor in millionths, rounded up.
pub(super) fn lifted(rate: u64, lift_ppm: u64) -> u64 {
    let lifted = (u128::from(rate) * u128::from(lift_ppm)).div_ceil(u128::from(WHOLE_PPM));
    u64::try_from(lifted).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use trafficlab_shared::model::arrivals::text::parse;

    #[test]
    fn bursts_and_swings_rise_above_their_mean() {
        let table = [
            ("constant", 100, 100),
            ("poisson", 100, 100),
            ("stages:1s@0.000005,1s@0.000001", 300, 100),
            ("sine:amplitude=0.5", 150, 150),
            ("burst:on=100ms,off=900ms", 1000, 1000),
            ("burst:on=100ms,off=900ms,rest=1", 100, 100),
            ("burst:on=100ms,off=900ms,rest=0.5", 550, 550),
            ("burst:pareto,cycle=10s,min=200ms,alpha=1.5", 5000, 5000),
        ];
        for (text, peak, changed) in table {
            let arrivals = parse(text).unwrap();
            assert_eq!((peak_rate(&arrivals, 100), peak_after_change(&arrivals, 100)), (peak, changed), "{text}");
        }
    }
}
