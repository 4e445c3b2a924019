//! Round trips of a window.

use trafficlab_shared::model::capture::counts::Distribution;

use super::sketch::Sketch;

/// What a round trip counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An ACK by Karn's rule.
    Ack,
    /// SYN to SYN/ACK.
    Server,
    /// SYN/ACK to ACK.
    Client,
    /// An ACK as Wireshark counts it.
    Wireshark,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::Ack, Self::Server, Self::Client, Self::Wireshark];

    const fn bit(self) -> u8 {
        match self {
            Self::Ack => 1,
            Self::Server => 2,
            Self::Client => 4,
            Self::Wireshark => 8,
        }
    }
}

/// One time, which may count for several kinds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    /// Negative where time went back.
    pub(super) ns: i64,
    /// The flow.
    pub(super) serial: u32,
    /// The direction whose data was acknowledged.
    pub(super) direction: u8,
    kinds: u8,
}

impl Sample {
    pub(super) fn new(ns: i64, serial: u32, direction: u8, kinds: &[Kind]) -> Self {
        let kinds = kinds.iter().fold(0, |bits, kind| bits | kind.bit());
        Self { ns, serial, direction, kinds }
    }

    pub(super) fn is(&self, kind: Kind) -> bool {
        self.kinds & kind.bit() != 0
    }

    /// Flow, direction and time as one number, which is compared faster than three.
    fn order(&self) -> u128 {
        let ns = self.ns.cast_unsigned() ^ 1 << 63;
        u128::from(self.serial) << 72 | u128::from(self.direction) << 64 | u128::from(ns)
    }

    /// Whether it is one of our own figures.
    pub(super) fn honest(&self) -> bool {
        self.kinds & !Kind::Wireshark.bit() != 0
    }
}

/// Times held one by one while there is room for them, then counted in sketches, one for each kind.
#[derive(Debug, Clone, Default)]
pub(super) struct Samples {
    pub(super) exact: Vec<Sample>,
    sketches: Option<Box<[Sketch; 4]>>,
}

impl Samples {
    /// Adds one; true when it is held by itself.
    pub(super) fn add(&mut self, sample: Sample, room: bool) -> bool {
        if room && self.sketches.is_none() {
            self.exact.push(sample);
            return true;
        }
        let sketches = self.sketches.get_or_insert_default();
        for (sketch, kind) in sketches.iter_mut().zip(Kind::ALL) {
            if sample.is(kind) {
                sketch.add(u64::try_from(sample.ns).unwrap_or(0));
            }
        }
        false
    }

    /// Takes all of another's.
    pub(super) fn absorb(&mut self, other: Self) {
        for sample in other.exact {
            self.add(sample, false);
        }
        if let Some(theirs) = other.sketches {
            let ours = self.sketches.get_or_insert_default();
            for (sketch, more) in ours.iter_mut().zip(theirs.iter()) {
                sketch.merge(more);
            }
        }
    }

    /// Whether some are only counted in sketches.
    pub(super) fn approximate(&self) -> bool {
        self.sketches.is_some()
    }

    /// Figures of all samples of some kinds.
    pub(super) fn figures(&self, kinds: &[Kind]) -> Distribution {
        distribution(std::iter::once(self), kinds)
    }
}

/// Figures of the samples of several windows together.
pub(super) fn distribution<'a>(all: impl Iterator<Item = &'a Samples> + Clone, kinds: &[Kind]) -> Distribution {
    let mask = kinds.iter().fold(0, |bits, kind| bits | kind.bit());
    let wanted = |sample: &Sample| sample.kinds & mask != 0;
    let mut values: Vec<i64> = Vec::new();
    let mut sketch = Sketch::default();
    for samples in all {
        values.extend(samples.exact.iter().filter(|sample| wanted(sample)).map(|sample| sample.ns));
        for (one, kind) in samples.sketches.iter().flat_map(|sketches| sketches.iter()).zip(Kind::ALL) {
            if kinds.contains(&kind) {
                sketch.merge(one);
            }
        }
    }
    if sketch.count == 0 {
        return exactly(values);
    }
    for value in values {
        sketch.add(u64::try_from(value).unwrap_or(0));
    }
    roughly(&sketch)
}

fn exactly(mut values: Vec<i64>) -> Distribution {
    let count = u64::try_from(values.len()).unwrap_or(u64::MAX);
    let sum = values.iter().map(|&value| i128::from(value)).sum();
    let positive = |value: i64| u64::try_from(value).unwrap_or(0);
    let [p50, p95, p99] = ranked(&mut values, [50, 95, 99].map(|percent| nearest_rank(count, percent)));
    Distribution {
        count,
        mean_ns: mean(sum, count),
        min_ns: values.iter().min().map_or(0, |&value| positive(value)),
        p50_ns: positive(p50),
        p95_ns: positive(p95),
        p99_ns: positive(p99),
        max_ns: values.iter().max().map_or(0, |&value| positive(value)),
    }
}

/// The values of some rising ranks, which count from 1; 0 where there is no such rank. Puts the values in another order,
/// and sorts no more of them than it must.
pub(crate) fn ranked<const N: usize>(values: &mut [i64], ranks: [u64; N]) -> [i64; N] {
    let (mut rest, mut passed) = (values, 0);
    ranks.map(|rank| {
        let place = usize::try_from(rank.saturating_sub(1)).unwrap_or(usize::MAX).saturating_sub(passed);
        if place >= rest.len() {
            return 0;
        }
        let value = *rest.select_nth_unstable(place).1;
        // The next rank may be the same one again.
        rest = std::mem::take(&mut rest).get_mut(place..).unwrap_or_default();
        passed += place;
        value
    })
}

fn roughly(sketch: &Sketch) -> Distribution {
    Distribution {
        count: sketch.count,
        mean_ns: mean(sketch.sum, sketch.count),
        min_ns: sketch.min(),
        p50_ns: sketch.rank(nearest_rank(sketch.count, 50)),
        p95_ns: sketch.rank(nearest_rank(sketch.count, 95)),
        p99_ns: sketch.rank(nearest_rank(sketch.count, 99)),
        max_ns: sketch.max(),
    }
}

/// The place, counted from 1, of a percentile by nearest rank: the least that has at least so many values up to it.
pub(crate) fn nearest_rank(count: u64, percent: u64) -> u64 {
    let product = u128::from(count) * u128::from(percent);
    u64::try_from(product.div_ceil(100)).unwrap_or(u64::MAX)
}

/// To a tenth of a nanosecond.
fn mean(sum: i128, count: u64) -> f64 {
    if count == 0 {
        return 0.0;
    }
    #[allow(clippy::cast_precision_loss, reason = "a mean is a float; sums beyond 2^53 ns of tenths are rounded")]
    let mean = sum as f64 / count as f64;
    (mean * 10.0).round_ties_even() / 10.0
}

/// The 95th percentile of round trips of each direction of each flow: serial, direction, samples, percentile.
/// Sorts the samples by flow.
pub(super) fn by_flow(samples: &mut Samples) -> Vec<(u32, u8, u64, u64)> {
    let key = |sample: &Sample| (sample.serial, sample.direction);
    let exact = &mut samples.exact;
    exact.sort_unstable_by_key(Sample::order);
    let mut flows = Vec::new();
    for run in exact.chunk_by(|a, b| key(a) == key(b)) {
        let honest = || run.iter().filter(|sample| sample.honest());
        let count = u64::try_from(honest().count()).unwrap_or(0);
        let place = usize::try_from(nearest_rank(count, 95).saturating_sub(1)).unwrap_or(usize::MAX);
        if let Some(sample) = honest().nth(place) {
            flows.push((sample.serial, sample.direction, count, u64::try_from(sample.ns).unwrap_or(0)));
        }
    }
    flows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_those_of_the_sorted_values() {
        for count in 0..40_u64 {
            let mut values: Vec<i64> = (0..count).map(|at| (at * 7 % 11).cast_signed() - 5).collect();
            let mut sorted = values.clone();
            sorted.sort_unstable();
            let ranks = [50, 50, 95, 99, 100].map(|percent| nearest_rank(count, percent));
            let place = |rank: u64| usize::try_from(rank.max(1) - 1).unwrap_or(usize::MAX);
            let expected = ranks.map(|rank| sorted.get(place(rank)).copied().unwrap_or(0));
            assert_eq!(ranked(&mut values, ranks), expected, "{count} values");
        }
    }
}
