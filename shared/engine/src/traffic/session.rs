//! Sessions: which visitor an arrival is, and which of the visitor's page views.
//!
//! Arrivals stay exactly as the schedule has them; sessions only say who comes. Time is cut into beats of one or more
//! seconds. The k-th arrivals of all seconds form a *column*, and each column has a round of R beats, with R the think
//! time. In every round each of the column's R *seats* has one visit, at a beat that a rotation chooses anew: between
//! two visits of a seat lie R beats in the mean and 1 to 2R - 1, in a triangular distribution. A seat is taken by one
//! session after another; where sessions begin is cut at random, so that their lengths are geometric.
//!
//! Everything comes in constant time from (seed, shard, slot, k), so that any worker goes on with the same visitors.
//! Where the schedule has no k-th arrival, the visit is left out: a session then skips a page number and its visitor
//! thinks for longer. With even arrivals that happens in one column only, with Poisson arrivals in the last few.

mod pages;
mod visit;

use trafficlab_shared::model::content::SessionsSpec;

use self::pages::Pages;
pub use self::visit::Visit;
use super::cast;
use super::rng::{Chance, Domain, EntryKey, mix};

/// Paces of visitors around the mean think time; each pair averages 1, so that few columns have the mean as well.
const PACES: [f64; 8] = [1.0, 1.0, 0.7, 1.3, 0.85, 1.15, 0.4, 1.6];
const SLOWEST: f64 = 0.4;
/// Rounds after which every seat changes its visitor; as many as a word has bits.
const FRAME: u32 = u64::BITS;
/// Ready-made cuts of a frame into sessions. More would not fit beside the rest of a core's nearest cache.
const CUTS: u64 = 1_024;
/// 2^32, the whole of a fraction in 32 bits.
const ONE: f64 = 4_294_967_296.0;

/// `SessionsSpec` made ready for drawing.
#[derive(Debug, Clone)]
pub(super) struct PreparedSessions {
    beat_s: u32,
    /// By `k` modulo their number.
    rounds: [Round; PACES.len()],
    /// Bit v is set when a session begins with visit v of a frame; bit 0 always is.
    cuts: Box<[u64]>,
    pages: Option<Pages>,
}

/// Length of a round in beats: `beats`, or one more in this share of the columns.
#[derive(Debug, Clone, Copy)]
struct Round {
    beats: u32,
    longer: u32,
}

impl PreparedSessions {
    pub(super) fn new(spec: &SessionsSpec) -> Self {
        let beat_s = spec.beat_s.max(1);
        let mean = spec.think_time / f64::from(beat_s);
        Self {
            beat_s,
            rounds: PACES.map(|pace| Round::new(mean, pace)),
            cuts: cuts(spec.pages),
            pages: Pages::new(&spec.paths),
        }
    }

    pub(super) const fn has_pages(&self) -> bool {
        self.pages.is_some()
    }

    /// The visit that the arrival with this key is.
    pub(super) fn visit(&self, key: EntryKey) -> Visit<'_> {
        let (beat, second) = self.beat(key.slot);
        // The first arrivals of a beat's seconds are one column, since rare arrivals fall into any of them.
        let second = if key.k == 0 { 0 } else { second };
        let column = EntryKey { slot: second, ..key }.word(Domain::Session);
        let beats = self.round(key.k).beats(column, key.k);
        let (round, place) = (beat / beats, beat % beats);
        let seat = (place + rotation(column, round, beats)) % beats;
        let back = self.back(column, seat, round).min(round);
        let first = round - back;
        let place = match back {
            0 => place,
            _ => (seat + beats - rotation(column, first, beats)) % beats,
        };
        let slot = (first * beats + place) * self.beat_s + second;
        Visit::new(EntryKey { slot, ..key }, back + 1, self.pages.as_ref())
    }

    /// Number of the beat, and the second within it.
    const fn beat(&self, slot: u32) -> (u32, u32) {
        if self.beat_s == 1 { (slot, 0) } else { (slot / self.beat_s, slot % self.beat_s) }
    }

    fn round(&self, k: u32) -> Round {
        let class = cast::index(k) % PACES.len();
        self.rounds.get(class).copied().unwrap_or(Round { beats: 1, longer: 0 })
    }

    /// How many visits ago the session on the seat began.
    fn back(&self, column: u64, seat: u32, round: u32) -> u32 {
        let seat = mix(column ^ mix(u64::from(seat) + 1));
        // Seats change their visitors at different times.
        let visit = u64::from(round) + seat % u64::from(FRAME);
        let (frame, visit) = (visit / u64::from(FRAME), cast::low32(visit % u64::from(FRAME)));
        let cut = mix(seat.wrapping_add(frame)) % CUTS;
        let starts = self.cuts.get(cast::index(cast::low32(cut))).copied().unwrap_or(1);
        let until_now = (starts | 1) << (FRAME - 1 - visit);
        until_now.leading_zeros()
    }
}

impl Round {
    fn new(mean: f64, pace: f64) -> Self {
        // Paces move towards the mean until the slowest still has a whole beat; so the mean stays what it is.
        let spread = ((1.0 - 1.0 / mean.max(1.0)) / (1.0 - SLOWEST)).min(1.0);
        let beats = mean.max(1.0) * (1.0 + (pace - 1.0) * spread);
        let whole = cast::whole(beats);
        let longer = cast::whole((beats - cast::float(whole)) * ONE);
        Self { beats: cast::low32(whole).max(1), longer: cast::low32(longer) }
    }

    /// The first column takes the nearest whole number, since with rare arrivals it is the only one.
    fn beats(self, column: u64, k: u32) -> u32 {
        let longer = if k == 0 { self.longer >= 1 << 31 } else { cast::low32(column) < self.longer };
        self.beats + u32::from(longer)
    }
}

/// How far the seats of a column are turned in a round.
fn rotation(column: u64, round: u32, beats: u32) -> u32 {
    let word = mix(column.wrapping_add(u64::from(round) << 32));
    cast::low32(((word >> 32) * u64::from(beats)) >> 32)
}

/// Cuts of a frame such that sessions have `pages` visits in the mean, though frames end some of them early.
fn cuts(pages: f64) -> Box<[u64]> {
    let visits = f64::from(FRAME);
    let start = Chance::new((visits / pages.max(1.0) - 1.0) / (visits - 1.0));
    let one = |number: u64| {
        let begins = |visit: &u32| start.holds(mix(mix(number + 1) ^ mix(u64::from(*visit))));
        (1..FRAME).filter(begins).fold(1_u64, |cut, visit| cut | 1 << visit)
    };
    (0..CUTS).map(one).collect()
}

#[cfg(test)]
mod tests;
