//! Round trips as Wireshark counts them, one by one, in the order of the packets that end them.

use std::collections::BTreeMap;

use super::{Figures, rounded};

/// Samples while there is room, and the windows they lie in.
#[derive(Debug, Default)]
pub(super) struct Rtts {
    all: Vec<i64>,
    /// Where samples of another window begin: its number, and the place in `all`.
    runs: Vec<(i64, usize)>,
    /// Samples there was no room for.
    left_out: u64,
    negative: bool,
}

impl Rtts {
    /// Adds one that was taken in a window.
    pub(super) fn add(&mut self, rtt: i64, window: i64, room: u64) {
        if !u64::try_from(self.all.len()).is_ok_and(|held| held < room) {
            self.left_out += 1;
            return;
        }
        if self.runs.last().is_none_or(|(last, _)| *last != window) {
            self.runs.push((window, self.all.len()));
        }
        self.negative |= rtt < 0;
        self.all.push(rtt);
    }

    pub(super) const fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Figures of all samples.
    pub(super) fn figures(mut self) -> Figures {
        rounded::figures(&mut self.all)
    }

    /// Figures of windows that have times below zero, which the windows themselves cannot tell.
    pub(super) fn odd_windows(&self) -> BTreeMap<i64, Figures> {
        if !self.negative {
            return BTreeMap::new();
        }
        let mut samples: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        let ends = self.runs.iter().skip(1).map(|(_, start)| *start).chain([self.all.len()]);
        for ((window, start), end) in self.runs.iter().zip(ends) {
            samples.entry(*window).or_default().extend(self.all.get(*start..end).unwrap_or_default());
        }
        samples.retain(|_, times| times.iter().any(|time| *time < 0));
        samples.into_iter().map(|(window, mut times)| (window, rounded::figures(&mut times))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_with_times_below_zero_are_told_apart() {
        let mut rtts = Rtts::default();
        for (rtt, window) in [(5, 0), (7, 0), (-3, 1), (6, 0), (9, 1), (1, 2)] {
            rtts.add(rtt, window, 6);
        }
        rtts.add(1, 2, 6);
        assert_eq!(rtts.left_out(), 1);
        let odd = rtts.odd_windows();
        assert_eq!(odd.keys().copied().collect::<Vec<_>>(), [1]);
        assert_eq!(
            odd.get(&1).and_then(|figures| figures.times).map(|times| (times.p50_ns, times.max_ns)),
            Some((-3, 9))
        );
        assert_eq!(rtts.figures().count, 6);
    }
}
