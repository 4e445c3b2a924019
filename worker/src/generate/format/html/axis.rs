//! Axes of charts: where a value stands, and which marks are named.

use crate::generate::figures::three;

/// A range of values, even or logarithmic.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    log: bool,
    /// Values that are marked, with their names.
    pub(super) ticks: Vec<(f64, String)>,
}

impl Axis {
    /// From 0 to at least `high`, in round steps.
    pub(super) fn even(high: f64, steps: f64) -> Self {
        let step = round_step(high.max(1e-9) / steps);
        let count = (high / step).ceil().max(1.0);
        let high = step * count;
        let mut ticks = Vec::new();
        let mut tick = 0.0;
        while tick <= high + step / 2.0 {
            ticks.push((tick, label(tick)));
            tick += step;
        }
        Self { low: 0.0, high, log: false, ticks }
    }

    /// From 0 to exactly `high`, with marks in round steps.
    pub(super) fn until(high: f64, steps: f64) -> Self {
        let even = Self::even(high, steps);
        let high = high.max(1e-9);
        let ticks = even.ticks.into_iter().filter(|(tick, _)| *tick <= high * 1.001).collect();
        Self { high, ticks, ..even }
    }

    /// A little more than a range above 0, with whole powers of ten marked, and steps between them when there are few.
    pub(super) fn log(low: f64, high: f64) -> Self {
        let (low, high) = (low.max(1e-3) * 0.8, high.max(1e-3) * 1.25);
        let between: &[f64] = if high / low <= 300.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let mut ticks = Vec::new();
        let mut power = low.log10().floor();
        while power <= high.log10() {
            let marks = between.iter().map(|factor| factor * 10_f64.powf(power));
            ticks.extend(marks.filter(|mark| (low..=high).contains(mark)).map(|mark| (mark, label(mark))));
            power += 1.0;
        }
        Self { low, high, log: true, ticks }
    }

    /// Percentiles as HdrHistogram plots them: even in the number of nines.
    pub(super) fn nines(count: f64) -> Self {
        let most = count.max(10.0).log10().ceil().min(7.0);
        let names = ["0 %", "90 %", "99 %", "99.9 %", "99.99 %", "99.999 %", "99.9999 %", "99.99999 %"];
        let mut ticks = Vec::new();
        let mut nines = 0.0;
        for name in names {
            if nines <= most {
                ticks.push((nines, name.to_owned()));
            }
            nines += 1.0;
        }
        Self { low: 0.0, high: most, log: false, ticks }
    }

    /// The place of a value, 0 at the low end and 1 at the high one.
    pub(super) fn place(&self, value: f64) -> f64 {
        let part = if self.log {
            (value.max(self.low) / self.low).log10() / (self.high / self.low).log10()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        part.clamp(0.0, 1.0)
    }
}

/// 1, 2 or 5 times a power of ten, at least `step`.
fn round_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= step * 0.999_999);
    factor.unwrap_or(10.0) * power
}

fn label(value: f64) -> String {
    let (value, unit) = match value {
        value if value >= 1e6 => (value / 1e6, "M"),
        value if value >= 1e4 => (value / 1e3, "k"),
        value => (value, ""),
    };
    let text = if value > 0.0 && value < 0.1 { format!("{value:.3}") } else { three(value) };
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, name)| name.as_str()).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(names(&Axis::even(5_100.0, 5.0)), ["0", "2 000", "4 000", "6 000"]);
        assert_eq!(names(&Axis::even(41_000.0, 4.0)), ["0", "20k", "40k", "60k"]);
        assert_eq!(names(&Axis::even(0.0, 4.0)).first(), Some(&"0"));
        assert_eq!(names(&Axis::log(0.08, 950.0)), ["0.1", "1", "10", "100", "1 000"]);
        assert_eq!(names(&Axis::log(2.0, 9.0)), ["2", "5", "10"]);
        assert_eq!(names(&Axis::until(10.5, 8.0)), ["0", "2", "4", "6", "8", "10"]);
        assert_eq!(names(&Axis::nines(5_000.0)), ["0 %", "90 %", "99 %", "99.9 %", "99.99 %"]);
    }

    #[test]
    fn places_are_within_the_axis() {
        let log = Axis::log(0.125, 80.0);
        assert!((log.place(1.0) - 1.0 / 3.0).abs() < 1e-9);
        assert!(log.place(0.0) < 1e-9 && log.place(1e9) > 1.0 - 1e-9);
        assert!((Axis::even(10.0, 5.0).place(5.0) - 0.5).abs() < 1e-9);
    }
}
