//! Random streams that depend on nothing but an entry's identity and the purpose of the draw.

use std::convert::Infallible;

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng, TryRng};

use super::cast;

/// The odd constant of `SplitMix64` (Steele, Lea, Flood 2014).
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// Doubles hold whole numbers up to this exactly.
const TWO_53: f64 = 9_007_199_254_740_992.0;

/// Identity of an entry within a run; the same key always gives the same content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EntryKey {
    /// Seed of the run.
    pub seed: u64,
    /// Shard of the run.
    pub shard: u32,
    /// Second of active time.
    pub slot: u32,
    /// Number of the arrival within the shard's slot.
    pub k: u32,
}

impl EntryKey {
    /// A number that looks random and depends on all parts of the key.
    #[must_use]
    pub const fn hash(self) -> u64 {
        self.state(0)
    }

    /// A random word of its own for `domain`; cheaper than a stream.
    pub(crate) const fn word(self, domain: Domain) -> u64 {
        self.state(domain as u32)
    }

    const fn state(self, domain: u32) -> u64 {
        let place = ((self.shard as u64) << 32) | self.slot as u64;
        let arrival = ((self.k as u64) << 32) | domain as u64;
        let seeded = mix(self.seed.wrapping_add(GOLDEN));
        mix(mix(seeded ^ place.wrapping_mul(GOLDEN)) ^ arrival.wrapping_mul(GOLDEN))
    }
}

/// What a stream is drawn for; each purpose has its own, so that changing one leaves the others alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Domain {
    /// Who visits.
    Visitor = 1,
    /// How the exchange went.
    Exchange = 2,
    /// Who won the auction.
    Auction = 3,
    /// What the ad looks like.
    Markup = 4,
    /// When requests are due.
    Arrivals = 5,
    /// What templates of real requests are filled with.
    Template = 6,
    /// Which session a visit belongs to.
    Session = 30,
    /// What kind and size of ad a page of a session has.
    Placement = 31,
    /// How many impressions a bid request offers.
    Imps = 20,
    /// The details of a full bid request.
    Request = 21,
    /// What became of a real bidder's ad.
    Funnel = 22,
}

/// The random stream of one entry and purpose.
#[derive(Debug, Clone)]
pub struct EntryRng(Xoshiro256PlusPlus);

/// Finalizer of `SplitMix64`: a bijection in which every input bit reaches every output bit.
pub(crate) const fn mix(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

impl EntryRng {
    /// The stream of `key` for `domain`.
    #[must_use]
    pub fn new(key: EntryKey, domain: Domain) -> Self {
        let mut state = key.state(domain as u32);
        let mut bytes = [0; 32];
        for chunk in bytes.chunks_exact_mut(8) {
            state = state.wrapping_add(GOLDEN);
            chunk.copy_from_slice(&mix(state).to_le_bytes());
        }
        Self(Xoshiro256PlusPlus::from_seed(bytes))
    }

    /// 64 random bits.
    pub fn word(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number strictly between 0 and 1.
    pub fn unit(&mut self) -> f64 {
        // 53 bits fit a double exactly; the half keeps 0 out. The highest sum rounds to 1, so it is cut.
        let unit = (cast::float(self.word() >> 11) + 0.5) / TWO_53;
        unit.min(1.0 - f64::EPSILON / 2.0)
    }

    /// A number from 0 to `bound` - 1 by multiplication, which is uneven by at most `bound` / 2^64; 0 for 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        let product = u128::from(self.word()) * u128::from(bound);
        u64::try_from(product >> 64).unwrap_or(0)
    }

    /// A number from 0 to `bound` - 1; 0 for 0.
    pub fn below32(&mut self, bound: u32) -> u32 {
        cast::low32(((self.word() >> 32) * u64::from(bound)) >> 32)
    }

    /// Whether something with this chance happens.
    pub(crate) fn happens(&mut self, chance: Chance) -> bool {
        chance.holds(self.word())
    }
}

/// Lets `rand`'s distributions draw from it.
impl TryRng for EntryRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.0.try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0.try_next_u64()
    }

    fn try_fill_bytes(&mut self, target: &mut [u8]) -> Result<(), Infallible> {
        self.0.try_fill_bytes(target)
    }
}

/// A probability as a whole number of 2^-53, so that the comparison is exact everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(probability: f64) -> Self {
        Self(cast::whole(probability.clamp(0.0, 1.0) * TWO_53))
    }

    /// Whether a random word lets it happen.
    pub(crate) const fn holds(self, word: u64) -> bool {
        (word >> 11) < self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: EntryKey = EntryKey { seed: 7, shard: 1, slot: 2, k: 3 };

    #[test]
    fn neighbouring_keys_and_domains_differ() {
        let first = |key, domain| EntryRng::new(key, domain).word();
        let base = first(KEY, Domain::Visitor);
        assert_eq!(base, first(KEY, Domain::Visitor));
        let others = [
            first(KEY, Domain::Exchange),
            first(EntryKey { seed: 8, ..KEY }, Domain::Visitor),
            first(EntryKey { shard: 2, ..KEY }, Domain::Visitor),
            first(EntryKey { slot: 3, ..KEY }, Domain::Visitor),
            first(EntryKey { k: 4, ..KEY }, Domain::Visitor),
            first(EntryKey { shard: 2, slot: 1, ..KEY }, Domain::Visitor),
        ];
        assert!(others.iter().all(|other| *other != base));
        assert_ne!(KEY.hash(), EntryKey { k: 4, ..KEY }.hash());
    }

    #[test]
    fn the_stream_is_fixed_for_ever() {
        let mut stream = EntryRng::new(KEY, Domain::Visitor);
        let words = [stream.word(), stream.word()];
        assert_eq!(words, [12_183_660_610_108_466_094, 3_971_235_120_114_125_048]);
    }

    #[test]
    fn certain_and_impossible() {
        let mut stream = EntryRng::new(KEY, Domain::Auction);
        for _ in 0..1_000 {
            assert!(stream.happens(Chance::new(1.0)));
            assert!(!stream.happens(Chance::new(0.0)));
            assert!(stream.below32(3) < 3 && stream.below(5) < 5);
            let unit = stream.unit();
            assert!(unit > 0.0 && unit < 1.0);
        }
        assert_eq!((stream.below(0), stream.below32(0)), (0, 0));
    }
}
