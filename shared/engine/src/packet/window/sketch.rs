//! Many times in little room: a histogram whose cells grow with the values.

use std::collections::BTreeMap;

/// Cells per power of two; a value is told within 1/128 of itself.
const CELLS: u32 = 6;
/// What readers are told.
pub(super) const ERROR: &str = "percentiles of round trips within 0.8 %";

/// Counts of values by cell: exact below 128, then 64 cells for each power of two. A log-linear histogram, as in
/// G. Tene's `HdrHistogram`. It needs at most 3 700 cells, and only those that are used are held.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Sketch {
    cells: BTreeMap<u32, u64>,
    pub(super) count: u64,
    pub(super) sum: i128,
    min: u64,
    max: u64,
}

impl Sketch {
    /// Adds a value.
    pub(super) fn add(&mut self, value: u64) {
        *self.cells.entry(cell(value)).or_default() += 1;
        self.min = if self.count == 0 { value } else { self.min.min(value) };
        self.max = self.max.max(value);
        self.count += 1;
        self.sum += i128::from(value);
    }

    /// Adds another's values.
    pub(super) fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        for (&cell, &count) in &other.cells {
            *self.cells.entry(cell).or_default() += count;
        }
        self.min = if self.count == 0 { other.min } else { self.min.min(other.min) };
        self.max = self.max.max(other.max);
        self.count += other.count;
        self.sum += other.sum;
    }

    /// The value of a rank, which counts from 1.
    pub(super) fn rank(&self, rank: u64) -> u64 {
        let mut passed = 0;
        for (&cell, &count) in &self.cells {
            passed += count;
            if passed >= rank {
                return middle(cell).clamp(self.min, self.max);
            }
        }
        self.max
    }

    pub(super) fn min(&self) -> u64 {
        self.min
    }

    pub(super) fn max(&self) -> u64 {
        self.max
    }
}

/// The cell of a value: its power of two, and the six bits below the highest one.
fn cell(value: u64) -> u32 {
    let power = value.max(1).ilog2();
    if power <= CELLS {
        return u32::try_from(value).unwrap_or(u32::MAX);
    }
    let below = (value >> (power - CELLS)) & ((1 << CELLS) - 1);
    ((power - CELLS + 1) << CELLS) + u32::try_from(below).unwrap_or(0)
}

/// The middle of a cell.
fn middle(cell: u32) -> u64 {
    let power = cell >> CELLS;
    if power <= 1 {
        return u64::from(cell);
    }
    let shift = power - 1;
    let low = (u64::from(cell & ((1 << CELLS) - 1)) | 1 << CELLS) << shift;
    low + (1 << shift) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_told_within_the_error() {
        for value in (0..200).chain((8..63).flat_map(|power| [(1 << power) - 1, 1 << power, (1 << power) + 12_345])) {
            let told = middle(cell(value));
            assert!(told.abs_diff(value) <= value / 128, "{value} is told as {told}");
        }
    }

    #[test]
    fn merging_is_the_same_as_adding() {
        let (mut whole, mut left, mut right) = (Sketch::default(), Sketch::default(), Sketch::default());
        for value in 0..1_000_u64 {
            let value = value * value * 977;
            whole.add(value);
            if value % 3 == 0 { left.add(value) } else { right.add(value) }
        }
        left.merge(&right);
        assert_eq!(left, whole);
        let exact = 499_u64 * 499 * 977;
        assert!(whole.rank(500).abs_diff(exact) <= exact / 128);
    }
}
