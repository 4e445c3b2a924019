//! Poisson counts with the same bits on every machine.

use super::cast;
use super::rng::EntryRng;

/// Above this mean rejection is faster than adding up probabilities.
const SMALL: f64 = 12.0;

/// Largest count that is given; means are far below it.
const CEILING: f64 = 4_000_000_000.0;

/// A Poisson count. Means that are not above 0, or not finite, give 0.
#[must_use]
pub fn poisson(rng: &mut EntryRng, mean: f64) -> u32 {
    if !mean.is_finite() || mean <= 0.0 {
        0
    } else if mean < SMALL {
        by_inversion(rng, mean)
    } else {
        by_rejection(rng, mean)
    }
}

/// Walks up the distribution until it passes a uniform number.
fn by_inversion(rng: &mut EntryRng, mean: f64) -> u32 {
    let mut left = rng.unit();
    let mut probability = libm::exp(-mean);
    let mut count = 0u32;
    // Past two hundred the rest of the distribution is below the smallest uniform number.
    while left > probability && count < 200 {
        left -= probability;
        count += 1;
        probability *= mean / f64::from(count);
    }
    count
}

/// Hörmann, "The transformed rejection method for generating Poisson random variables" (1993), algorithm PTRS.
fn by_rejection(rng: &mut EntryRng, mean: f64) -> u32 {
    let mean = mean.min(CEILING / 2.0);
    let b = 0.931 + 2.53 * libm::sqrt(mean);
    let a = -0.059 + 0.024_83 * b;
    let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
    let quick = 0.9277 - 3.6224 / (b - 2.0);
    // Three tries in four succeed at the latest; the bound only makes the end certain.
    for _ in 0..1_000 {
        let u = rng.unit() - 0.5;
        let v = rng.unit();
        let edge = 0.5 - u.abs();
        let count = libm::floor((2.0 * a / edge + b) * u + mean + 0.43);
        if edge >= 0.07 && v <= quick {
            return cast::round32(count);
        }
        if !(0.0..=CEILING).contains(&count) || (edge < 0.013 && v > edge) {
            continue;
        }
        let left = libm::log(v * inverse_alpha / (a / (edge * edge) + b));
        if left <= count * libm::log(mean) - mean - libm::lgamma(count + 1.0) {
            return cast::round32(count);
        }
    }
    cast::round32(mean)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic::rng::{Domain, EntryKey};

    #[test]
    fn mean_and_variance_are_those_of_poisson() {
        const DRAWS: u32 = 20_000;
        for mean in [0.05, 1.0, 11.9, 12.0, 80.0, 2_000.0] {
            let (mut sum, mut squares) = (0.0, 0.0);
            for slot in 0..DRAWS {
                let key = EntryKey { seed: 4, shard: 0, slot, k: 0 };
                let count = f64::from(poisson(&mut EntryRng::new(key, Domain::Arrivals), mean));
                sum += count;
                squares += (count - mean) * (count - mean);
            }
            let draws = f64::from(DRAWS);
            // Five standard errors of the mean and, for the fourth moment of these laws, of the variance.
            let error = 5.0 * libm::sqrt(mean / draws);
            assert!((sum / draws - mean).abs() < error, "{mean} {}", sum / draws);
            let spread = 5.0 * libm::sqrt((2.0 * mean * mean + mean) / draws);
            assert!((squares / draws - mean).abs() < spread, "{mean} {}", squares / draws);
        }
    }

    #[test]
    fn strange_means_give_nothing() {
        let mut rng = EntryRng::new(EntryKey { seed: 0, shard: 0, slot: 0, k: 0 }, Domain::Arrivals);
        for mean in [0.0, -3.0, f64::NAN, f64::INFINITY] {
            assert_eq!(poisson(&mut rng, mean), 0);
        }
    }
}
