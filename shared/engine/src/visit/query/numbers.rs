//! Dense numbers for the visitors of a slice.

/// Numbers visitors from 0 in the order of their first appearance: a table with open addressing, emptied for each slice.
#[derive(Debug)]
pub(super) struct Numbers {
    visitors: Vec<u64>,
    /// Number plus one, 0 for a free place. A power of two of them, at most half taken.
    places: Vec<u32>,
}

const FIRST_PLACES: usize = 1 << 10;

impl Default for Numbers {
    fn default() -> Self {
        Self { visitors: Vec::new(), places: vec![0; FIRST_PLACES] }
    }
}

impl Numbers {
    pub(super) fn clear(&mut self) {
        self.visitors.clear();
        self.places.fill(0);
    }

    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        self.visitors.len()
    }

    /// The visitor's number, and whether it is new.
    pub(super) fn number(&mut self, visitor: u64) -> (u32, bool) {
        let mut place = self.home(visitor);
        loop {
            match self.places.get(place).copied().unwrap_or(0).checked_sub(1) {
                Some(number) if self.visitors.get(number as usize) == Some(&visitor) => return (number, false),
                Some(_) => place = (place + 1) & (self.places.len() - 1),
                None => return (self.add(visitor, place), true),
            }
        }
    }

    fn add(&mut self, visitor: u64, place: usize) -> u32 {
        // A slice has fewer rows than 2^32, which its reader sees to.
        let number = u32::try_from(self.visitors.len()).unwrap_or(u32::MAX - 1);
        self.visitors.push(visitor);
        self.put(place, number);
        if self.visitors.len() * 2 > self.places.len() {
            self.grow();
        }
        number
    }

    fn put(&mut self, place: usize, number: u32) {
        if let Some(place) = self.places.get_mut(place) {
            *place = number + 1;
        }
    }

    fn grow(&mut self) {
        let wanted = self.places.len() * 4;
        self.places.clear();
        self.places.resize(wanted, 0);
        for number in (0..).take(self.visitors.len()) {
            let mut place = self.home(self.visitors.get(number as usize).copied().unwrap_or(0));
            while self.places.get(place).is_some_and(|taken| *taken != 0) {
                place = (place + 1) & (wanted - 1);
            }
            self.put(place, number);
        }
    }

    /// Visitors are keyed hashes already. The multiplication (by 2^64 over the golden ratio) only spreads the numbers
    /// that tests and hand-made data have.
    fn home(&self, visitor: u64) -> usize {
        let spread = visitor.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        usize::try_from(spread).unwrap_or(0) & (self.places.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visitors_keep_their_numbers_while_the_table_grows() {
        let mut numbers = Numbers::default();
        for round in 0..2 {
            for (expected, visitor) in (0..20_000_u32).map(|visitor| (visitor, u64::from(visitor) << 13)) {
                assert_eq!(numbers.number(visitor), (expected, round == 0));
            }
        }
        numbers.clear();
        assert_eq!(numbers.number(5), (0, true));
    }
}
