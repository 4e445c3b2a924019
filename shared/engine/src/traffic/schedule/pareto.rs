//! Bursts with heavy-tailed lengths, one in each cycle of fixed length.
//!
//! Sources that are on for times with a heavy tail make traffic that is bursty on every scale once
//! many of them are added up (Willinger, Taqqu, Sherman, Wilson, "Self-similarity through
//! high-variability: statistical analysis of Ethernet LAN traffic at the source level", IEEE/ACM
//! Transactions on Networking 5, 1997). This is one such source with its lengths cut at the cycle
//! and the same mean count in each cycle: within a cycle bursts differ as theirs do, and over many
//! cycles it is even. It is not self-similar beyond a cycle, and does not claim to be.

use super::cyclic::{Corner, resting};
use crate::traffic::cast;
use crate::traffic::rng::{Domain, EntryKey, EntryRng};

/// No shard has this number: all of them see the same bursts.
const EVERY_SHARD: u32 = u32::MAX;

#[derive(Debug, Clone)]
pub(super) struct Pareto {
    seed: u64,
    cycle: u64,
    min: u64,
    /// One over the distribution's shape.
    exponent: f64,
    rest_ppm: u64,
}

impl Pareto {
    pub(super) fn new(seed: u64, cycle_us: u64, min_us: u64, alpha_ppm: u64, rest_ppm: u64) -> Self {
        let cycle = cycle_us.max(1).saturating_mul(1000);
        let min = min_us.max(1).saturating_mul(1000).min(cycle);
        Self { seed, cycle, min, exponent: 1e6 / cast::float(alpha_ppm.max(1)), rest_ppm }
    }

    /// Length of a cycle in nanoseconds.
    pub(super) const fn cycle(&self) -> u64 {
        self.cycle
    }

    /// Start and end of the burst in a cycle. Its length is drawn by inversion, `min · u^(−1/alpha)`,
    /// and it lies anywhere that leaves it whole.
    fn burst(&self, cycle: u64) -> (u64, u64) {
        let key =
            EntryKey { seed: self.seed, shard: EVERY_SHARD, slot: cast::low32(cycle), k: cast::low32(cycle >> 32) };
        let mut rng = EntryRng::new(key, Domain::Arrivals);
        let stretch = libm::pow(rng.unit(), -self.exponent);
        let length = cast::whole(cast::float(self.min) * stretch).clamp(self.min, self.cycle);
        let start = rng.below(self.cycle - length + 1);
        (start, start + length)
    }

    /// The corners of a cycle, from its start to its end; some may be the same.
    pub(super) fn corners(&self, cycle: u64) -> [Corner; 4] {
        let (start, end) = self.burst(cycle);
        let after = resting(self.cycle - end, self.rest_ppm);
        [
            Corner { at: 0, load: 0 },
            Corner { at: start, load: resting(start, self.rest_ppm) },
            Corner { at: end, load: self.cycle - after },
            Corner { at: self.cycle, load: self.cycle },
        ]
    }
}
