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
    let wanted = |sample: &Sample| kinds.iter().any(|&kind| sample.is(kind));
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
    values.sort_unstable();
    let count = u64::try_from(values.len()).unwrap_or(u64::MAX);
    let at = |rank: u64| {
        let place = usize::try_from(rank.saturating_sub(1)).unwrap_or(usize::MAX);
        values.get(place).map_or(0, |&value| u64::try_from(value).unwrap_or(0))
    };
    let sum = values.iter().map(|&value| i128::from(value)).sum();
    Distribution {
        count,
        mean_ns: mean(sum, count),
        min_ns: at(1),
        p50_ns: at(nearest_rank(count, 50)),
        p95_ns: at(nearest_rank(count, 95)),
        p99_ns: at(nearest_rank(count, 99)),
        max_ns: at(count),
    }
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
    exact.sort_unstable_by_key(|sample| (sample.serial, sample.direction, sample.ns));
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
