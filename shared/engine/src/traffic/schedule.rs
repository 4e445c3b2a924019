//! When requests are due: a pure function of seed, rates, shard and slot.
//!
//! A slot is one second of active time. The integrated rate at a slot's start is known in closed
//! form and in integers, so any slot can be asked for without walking there: a takeover, a pause
//! and a replay see the same arrivals.

use trafficlab_shared::model::arrivals::{Arrivals, MICROS_PER_REQUEST, RateChange, Stage};
use trafficlab_shared::model::run::RunSpec;

use super::poisson::poisson;
use super::rng::{Domain, EntryKey, EntryRng};

/// Length of a slot in nanoseconds.
pub const SLOT_NS: u64 = 1_000_000_000;

/// The integrated rate that makes one arrival: a rate is in millionths per minute, a slot a second.
const ARRIVAL: u128 = MICROS_PER_REQUEST as u128 * 60;

/// The arrivals of one shard.
#[derive(Debug, Clone)]
pub struct Schedule {
    seed: u64,
    shard: u32,
    shards: u32,
    poisson: bool,
    stages: Vec<Stage>,
    pieces: Vec<Piece>,
}

/// A change in force, with the integrated rate up to its first slot.
#[derive(Debug, Clone, Copy)]
struct Piece {
    change: RateChange,
    integral: u128,
}

impl Schedule {
    /// The schedule of `shard` with the changes logged so far.
    #[must_use]
    pub fn new(run: &RunSpec, shard: u32, history: &[RateChange]) -> Self {
        let first = RateChange { from_slot: 0, rate: run.rate, duration_ms: run.duration_ms };
        let stages = match &run.arrivals {
            Arrivals::Stages { stages } => stages.clone(),
            Arrivals::Constant | Arrivals::Poisson => Vec::new(),
        };
        let mut schedule = Self {
            seed: run.seed,
            shard,
            shards: run.shards.max(1),
            poisson: run.arrivals == Arrivals::Poisson,
            stages,
            pieces: vec![Piece { change: first, integral: 0 }],
        };
        for change in history {
            schedule.apply(*change);
        }
        schedule
    }

    /// Takes a change that holds from `change.from_slot` on; it ends any ramp there.
    pub fn apply(&mut self, change: RateChange) {
        let integral = self.integral(change.from_slot);
        self.pieces.push(Piece { change, integral });
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
        let piece = self.piece(slot).map_or(0, |(_, piece)| piece.change.duration_ms);
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
        let low = self.integral(slot);
        let high = self.integral(slot.saturating_add(1));
        if high <= low {
            return;
        }
        if self.poisson {
            self.poisson_slot(slot, high - low, due);
        } else {
            self.even_slot(low, high, due);
        }
        for offset in due.iter_mut() {
            *offset += start;
        }
        if start + SLOT_NS > end {
            due.retain(|&at| at < end);
        }
    }

    /// The global index n is due where the integrated rate reaches n arrivals, and belongs to
    /// shard n mod K.
    fn even_slot(&self, low: u128, high: u128, due: &mut Vec<u64>) {
        let shards = u128::from(self.shards);
        let first = low.div_ceil(ARRIVAL);
        let end = high.div_ceil(ARRIVAL);
        let shift = (u128::from(self.shard) + shards - first % shards) % shards;
        let mut index = first + shift;
        while index < end {
            let offset = ((index * ARRIVAL - low) * u128::from(SLOT_NS)) / (high - low);
            due.push(u64::try_from(offset).unwrap_or(SLOT_NS - 1));
            index += shards;
        }
    }

    /// A Poisson count of uniform moments is a Poisson process (Kingman, Poisson Processes, 2.4);
    /// K independent streams of a K-th of the rate add up to one of the whole rate.
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

    /// The change in force in `slot`, with its place among the changes.
    fn piece(&self, slot: u32) -> Option<(usize, &Piece)> {
        let at = self.pieces.iter().rposition(|piece| piece.change.from_slot <= slot)?;
        Some((at, self.pieces.get(at)?))
    }

    /// The integrated rate from the start of the run to the start of `slot`.
    fn integral(&self, slot: u32) -> u128 {
        let Some((index, piece)) = self.piece(slot) else {
            return 0;
        };
        let slots = u128::from(slot - piece.change.from_slot);
        if index == 0 && !self.stages.is_empty() {
            return staged_integral(piece.change.rate, &self.stages, slot);
        }
        piece.integral + slots * u128::from(piece.change.rate)
    }
}

/// The integral of consecutive linear ramps that begin at `rate`, at the start of `slot`;
/// after the last ramp its target holds. Rounded down, so it never falls.
fn staged_integral(rate: u64, stages: &[Stage], slot: u32) -> u128 {
    let mut integral = 0_u128;
    let mut from = u128::from(rate);
    let mut left = u128::from(slot);
    for stage in stages {
        let target = u128::from(stage.target);
        let length = u128::from(stage.seconds);
        if left < length {
            let area = if target >= from {
                from * left + (target - from) * left * left / (2 * length)
            } else {
                from * left - ((from - target) * left * left).div_ceil(2 * length)
            };
            return integral + area;
        }
        integral += (from + target) * length / 2;
        from = target;
        left -= length;
    }
    integral + from * left
}

/// The highest rate the arrivals reach, in millionths of a request per minute.
#[must_use]
pub fn peak_rate(arrivals: &Arrivals, rate: u64) -> u64 {
    match arrivals {
        Arrivals::Constant | Arrivals::Poisson => rate,
        Arrivals::Stages { stages } => stages.iter().map(|stage| stage.target).fold(rate, u64::max),
    }
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
