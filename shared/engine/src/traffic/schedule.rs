//! When requests are due: a pure function of seed, rates, shard and slot.
//!
//! A slot is one second of active time. The integrated rate at a slot's start is known in closed
//! form and in integers, so any slot can be asked for without walking there: a takeover, a pause
//! and a replay see the same arrivals. `cyclic` bends time for rates that swing or burst, `place`
//! puts arrivals where the integrated rate says, `stages` adds up ramps, `peak` knows the highest rate.

mod cyclic;
mod pareto;
mod peak;
mod place;
mod stages;

use trafficlab_shared::model::arrivals::{Arrivals, MICROS_PER_REQUEST, Process, RateChange, Stage};
use trafficlab_shared::model::run::RunSpec;

pub use self::peak::{peak_after_change, peak_rate};

use self::cyclic::{Corner, Cyclic};
use self::place::Point;
use super::poisson::poisson;
use super::replay::{self, Timeline};
use super::rng::{Domain, EntryKey, EntryRng};

/// Length of a slot in nanoseconds.
pub const SLOT_NS: u64 = 1_000_000_000;

/// The integrated rate that makes one arrival: a rate is in millionths per minute, a slot a second.
const ARRIVAL: u128 = MICROS_PER_REQUEST as u128 * 60;

/// The arrivals of one shard. Clones share what is large.
#[derive(Debug, Clone)]
pub struct Schedule {
    seed: u64,
    shard: u32,
    shards: u32,
    process: Process,
    shape: Shape,
    /// The highest rate of a later piece, in millionths of its own.
    lift_ppm: u64,
    pieces: Vec<Piece>,
}

/// How the rate moves around its mean.
#[derive(Debug, Clone)]
enum Shape {
    Steady,
    /// Ramps until another rate is set.
    Stages(Vec<Stage>),
    /// For as long as the run lasts; a change of rate scales it and leaves its phase alone.
    Cyclic(Cyclic),
    /// Recorded moments until another rate is set.
    Replay(Timeline),
}

/// A change in force, with what had come together before its first slot.
#[derive(Debug, Clone, Copy)]
struct Piece {
    change: RateChange,
    /// The integrated rate.
    integral: u128,
    /// What the shape had let through.
    load: u64,
    /// The highest rate it reaches, in millionths per minute.
    peak: u64,
    /// Whether ramps and recorded moments are over.
    ended: bool,
}

impl Schedule {
    /// The schedule of `shard` with the changes logged so far.
    #[must_use]
    pub fn new(run: &RunSpec, shard: u32, history: &[RateChange]) -> Self {
        let mut schedule = Self::plain(run.seed, &run.arrivals, run.rate, run.duration_ms, run.shards, shard);
        for change in history {
            schedule.apply(*change);
        }
        schedule
    }

    /// The schedule of one of `shards` shards without a run around it; `rate` is in millionths of a
    /// request per minute.
    #[must_use]
    pub fn plain(seed: u64, arrivals: &Arrivals, rate: u64, duration_ms: u64, shards: u32, shard: u32) -> Self {
        let shape = match arrivals {
            Arrivals::Constant | Arrivals::Poisson => Shape::Steady,
            Arrivals::Stages { stages, .. } => Shape::Stages(stages.clone()),
            Arrivals::Sine(sine) => Shape::Cyclic(Cyclic::sine(sine)),
            Arrivals::Burst(burst) => Shape::Cyclic(Cyclic::burst(burst, seed)),
            Arrivals::Replay(packed) => Shape::Replay(Timeline::unpack(packed).unwrap_or_else(|error| {
                // Whoever takes a plan calls `replay::check` first; a damaged one has no arrivals.
                debug_assert!(false, "a replay was not checked: {error}");
                Timeline::default()
            })),
        };
        let change = RateChange { from_slot: 0, rate, duration_ms };
        Self {
            seed,
            shard,
            shards: shards.max(1),
            process: arrivals.process(),
            shape,
            lift_ppm: peak::lift_ppm(arrivals),
            pieces: vec![Piece { change, integral: 0, load: 0, peak: peak_rate(arrivals, rate), ended: false }],
        }
    }

    /// The schedule of one of `shards` shards that plays recorded moments.
    #[must_use]
    pub fn replay(timeline: &Timeline, duration_ms: u64, shards: u32, shard: u32) -> Self {
        let change = RateChange { from_slot: 0, rate: 0, duration_ms };
        let peak = timeline.peak_per_second().saturating_mul(60 * MICROS_PER_REQUEST);
        Self {
            seed: 0,
            shard,
            shards: shards.max(1),
            process: Process::Even,
            shape: Shape::Replay(timeline.clone()),
            lift_ppm: replay::ONCE,
            pieces: vec![Piece { change, integral: 0, load: 0, peak, ended: false }],
        }
    }

    /// The same run's schedule of another shard, from its start: without changes that were learnt of later.
    #[must_use]
    pub fn of_shard(&self, shard: u32) -> Self {
        let pieces = self.pieces.first().copied().into_iter().collect();
        Self { shard, pieces, ..self.clone() }
    }

    /// Takes a change that holds from `change.from_slot` on. Another rate ends ramps and replays
    /// there; another length leaves them alone.
    pub fn apply(&mut self, change: RateChange) {
        let integral = self.integral(change.from_slot);
        let load = self.load(u64::from(change.from_slot) * SLOT_NS);
        let before = self.pieces.last().filter(|before| before.change.rate == change.rate);
        let peak = before.map_or_else(|| peak::lifted(change.rate, self.lift_ppm), |before| before.peak);
        let ended = before.is_none_or(|before| before.ended);
        self.pieces.push(Piece { change, integral, load, peak, ended });
    }

    /// The changes after the start, in order.
    #[must_use]
    pub fn history(&self) -> Vec<RateChange> {
        self.pieces.iter().skip(1).map(|piece| piece.change).collect()
    }

    /// Rate and length in force now (the last change).
    #[must_use]
    pub fn current(&self) -> RateChange {
        self.pieces.last().map_or(RateChange { from_slot: 0, rate: 0, duration_ms: 0 }, |piece| piece.change)
    }

    /// The most arrivals a second of all shards together that the rate in force now reaches.
    #[must_use]
    pub fn peak_per_second(&self) -> u64 {
        self.pieces.last().map_or(0, |piece| piece.peak / 60 / MICROS_PER_REQUEST)
    }

    /// The active time in nanoseconds at which the run ends, when no slot comes after `slot`.
    #[must_use]
    pub fn over_at(&self, slot: u32) -> Option<u64> {
        let next = slot.saturating_add(1);
        let end = self.end_ns(next);
        (u64::from(next) * SLOT_NS >= end).then_some(end)
    }

    /// Active time in nanoseconds at which the run ends by the change in force in `slot`: a later
    /// change of length does not rewrite the slots before it.
    fn end_ns(&self, slot: u32) -> u64 {
        let piece = self.piece(slot).map_or(0, |piece| piece.change.duration_ms);
        piece.saturating_mul(1_000_000)
    }

    /// Whether a change of rate or length would alter anything.
    #[must_use]
    pub fn differs(&self, rate: u64, duration_ms: u64) -> bool {
        let current = self.current();
        current.rate != rate || current.duration_ms != duration_ms
    }

    /// Due times of this shard's arrivals in `slot`, in nanoseconds of active time, ascending.
    /// Arrival `k` of the slot is element `k`. `due` is cleared first.
    pub fn slot(&self, slot: u32, due: &mut Vec<u64>) {
        due.clear();
        let start = u64::from(slot) * SLOT_NS;
        let end = self.end_ns(slot);
        if start >= end {
            return;
        }
        match (&self.shape, self.piece(slot)) {
            (Shape::Replay(timeline), Some(piece)) if !piece.ended => {
                timeline.moments(start, start + SLOT_NS, self.shard, self.shards, due);
            }
            (shape, Some(piece)) => self.rated_slot(slot, shape, piece, due),
            (_, None) => return,
        }
        if start + SLOT_NS > end {
            due.retain(|&at| at < end);
        }
    }

    /// A slot whose arrivals follow a rate.
    fn rated_slot(&self, slot: u32, shape: &Shape, piece: &Piece, due: &mut Vec<u64>) {
        let start = u64::from(slot) * SLOT_NS;
        let low = self.integral(slot);
        let high = self.integral(slot.saturating_add(1));
        if high <= low {
            return;
        }
        let mut points = vec![Point { at: start, integral: low }];
        if let Shape::Cyclic(cyclic) = shape {
            let corner =
                |corner: Corner| Point { at: corner.at, integral: piece.at_load(corner.load).clamp(low, high) };
            cyclic.corners(start, start + SLOT_NS, |found| points.push(corner(found)));
        }
        points.push(Point { at: start + SLOT_NS, integral: high });
        match self.process {
            Process::Even => place::even(&points, self.shard, self.shards, due),
            Process::Poisson => {
                self.poisson_slot(slot, high - low, due);
                place::bend(&points, due);
            }
        }
    }

    /// A Poisson count of uniform moments is a Poisson process (Kingman, Poisson Processes, 2.4);
    /// K independent streams of a K-th of the rate add up to one of the whole rate. The moments are
    /// offsets in the slot, ascending, as if the rate were the same all through it.
    fn poisson_slot(&self, slot: u32, area: u128, due: &mut Vec<u64>) {
        #[allow(clippy::cast_precision_loss, reason = "a mean, not a count")]
        let mean = (area as f64) / (ARRIVAL as f64) / f64::from(self.shards);
        let key = EntryKey { seed: self.seed, shard: self.shard, slot, k: 0 };
        let mut rng = EntryRng::new(key, Domain::Arrivals);
        let count = poisson(&mut rng, mean);
        for _ in 0..count {
            due.push(rng.below(SLOT_NS));
        }
        due.sort_unstable();
    }

    /// The change in force in `slot`.
    fn piece(&self, slot: u32) -> Option<&Piece> {
        self.pieces.iter().rfind(|piece| piece.change.from_slot <= slot)
    }

    /// The integrated rate from the start of the run to the start of `slot`.
    fn integral(&self, slot: u32) -> u128 {
        let Some(piece) = self.piece(slot) else {
            return 0;
        };
        let start = u64::from(slot) * SLOT_NS;
        match &self.shape {
            Shape::Stages(stages) if !piece.ended => stages::integral(piece.change.rate, stages, slot),
            Shape::Replay(timeline) if !piece.ended => timeline.before(start) * ARRIVAL,
            Shape::Cyclic(_) => piece.at_load(self.load(start)),
            Shape::Steady | Shape::Stages(_) | Shape::Replay(_) => {
                let slots = u128::from(slot - piece.change.from_slot);
                piece.integral + slots * u128::from(piece.change.rate)
            }
        }
    }

    /// What the shape lets through until `at`, in nanoseconds of its mean rate.
    fn load(&self, at: u64) -> u64 {
        match &self.shape {
            Shape::Cyclic(cyclic) => cyclic.load(at),
            Shape::Steady | Shape::Stages(_) | Shape::Replay(_) => at,
        }
    }
}

impl Piece {
    /// The integrated rate where the shape has let `load` through. Rounded down, so it never falls.
    fn at_load(&self, load: u64) -> u128 {
        let passed = u128::from(load.saturating_sub(self.load));
        self.integral + passed * u128::from(self.change.rate) / u128::from(SLOT_NS)
    }
}

#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod shape_tests;
#[cfg(test)]
mod tests;
