//! Counts by a small number, in a sorted list.

use serde::{Deserialize, Serialize};

/// Counts by index, sorted by index, without zeros.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Vec<(u16, u64)>")]
pub struct Tally(Vec<(u16, u64)>);

impl From<Vec<(u16, u64)>> for Tally {
    /// Restores the order, so that even a foreign list counts correctly.
    fn from(pairs: Vec<(u16, u64)>) -> Self {
        let mut tally = Self::default();
        for (index, count) in pairs {
            tally.add(index, count);
        }
        tally
    }
}

impl Tally {
    /// Adds `count` to `index`.
    pub fn add(&mut self, index: u16, count: u64) {
        match self.0.binary_search_by_key(&index, |pair| pair.0) {
            Ok(place) => {
                if let Some(pair) = self.0.get_mut(place) {
                    pair.1 += count;
                }
            }
            Err(place) if count > 0 => self.0.insert(place, (index, count)),
            Err(_) => {}
        }
    }

    /// Adds another tally to this one.
    pub fn merge(&mut self, other: &Self) {
        for (index, count) in &other.0 {
            self.add(*index, *count);
        }
    }

    /// The count of `index`.
    #[must_use]
    pub fn get(&self, index: u16) -> u64 {
        let place = self.0.binary_search_by_key(&index, |pair| pair.0);
        place.ok().and_then(|place| self.0.get(place)).map_or(0, |pair| pair.1)
    }

    /// Number of different indices.
    #[must_use]
    pub const fn distinct(&self) -> usize {
        self.0.len()
    }

    /// Sum of all counts.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().map(|pair| pair.1).sum()
    }

    /// Indices with their counts, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (u16, u64)> {
        self.0.iter().copied()
    }
}
