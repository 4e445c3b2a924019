//! Damages files at random, the same way each time for the same seed: to see that nothing falls over on any bytes.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// Numbers that lengths and counts are most likely to go wrong with.
const ODD: [u32; 12] = [0, 1, 3, 4, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];

/// Draws changes from a seed.
#[derive(Debug, Clone)]
pub struct Mutator {
    random: Xoshiro256PlusPlus,
}

impl Mutator {
    /// The changes of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { random: Xoshiro256PlusPlus::seed_from_u64(seed) }
    }

    /// Changes `bytes` in one to eight places: flipped bits, other bytes, odd numbers, parts cut out, doubled or swapped.
    /// The result is at most twice as long.
    pub fn mutate(&mut self, bytes: &mut Vec<u8>) {
        let most = bytes.len() * 2;
        for _ in 0..=self.below(7) {
            self.change(bytes);
        }
        bytes.truncate(most.max(64));
    }

    fn change(&mut self, bytes: &mut Vec<u8>) {
        // Headers are at the start of files and packets, so half of the changes are near the start.
        let reach = if self.below(1) == 0 { bytes.len().min(200) } else { bytes.len() };
        let at = self.below(reach.saturating_sub(1));
        match self.below(7) {
            0 => self.each(bytes, at, 1, |byte, random| byte ^ 1 << (random & 7)),
            1 => self.each(bytes, at, 4, |_, random| random),
            2 | 3 => self.number(bytes, at),
            4 => bytes.truncate(at),
            5 => {
                let end = (at + self.below(64)).min(bytes.len());
                bytes.drain(at.min(end)..end);
            }
            6 => {
                let end = (at + self.below(256)).min(bytes.len());
                let part = bytes.get(at..end).unwrap_or_default().to_vec();
                let place = self.below(bytes.len());
                bytes.splice(place..place, part);
            }
            _ => {
                let other = self.below(bytes.len().saturating_sub(1));
                if at < bytes.len() && other < bytes.len() {
                    bytes.swap(at, other);
                }
            }
        }
    }

    /// Puts an odd number of one, two or four bytes in either order.
    fn number(&mut self, bytes: &mut [u8], at: usize) {
        let odd = ODD.get(self.below(ODD.len() - 1)).copied().unwrap_or(0);
        let written = if self.below(1) == 0 { odd.to_le_bytes() } else { odd.to_be_bytes() };
        let width = 1 << self.below(2);
        let from = if self.below(1) == 0 { 0 } else { 4 - width };
        for (place, byte) in bytes.iter_mut().skip(at).zip(written.iter().skip(from).take(width)) {
            *place = *byte;
        }
    }

    fn each(&mut self, bytes: &mut [u8], at: usize, count: usize, change: fn(u8, u8) -> u8) {
        for byte in bytes.iter_mut().skip(at).take(count) {
            *byte = change(*byte, self.random.next_u64().to_le_bytes()[0]);
        }
    }

    /// A number from 0 to `most`, both possible.
    fn below(&mut self, most: usize) -> usize {
        let most = u64::try_from(most).unwrap_or(u64::MAX - 1);
        usize::try_from(self.random.next_u64() % (most + 1)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_damages_alike_and_another_does_not() {
        let damaged = |seed| {
            let mut bytes: Vec<u8> = (0..=255).collect();
            Mutator::new(seed).mutate(&mut bytes);
            bytes
        };
        assert_eq!(damaged(1), damaged(1));
        assert_ne!(damaged(1), damaged(2));
        Mutator::new(3).mutate(&mut Vec::new());
    }
}
