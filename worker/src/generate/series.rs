//! The seconds of a run, for charts: a bounded number of points, however long it runs.

use trafficlab_engine::traffic::histogram::Histogram;

use super::counts::Counts;

/// Points that are kept; with more, two become one and the step doubles. Each holds a coarse histogram of a few KB.
const MOST_POINTS: usize = 1200;

/// Figures of one step of the run, by the moment requests ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Point {
    pub(super) scheduled: u64,
    pub(super) sent: u64,
    pub(super) failed: u64,
    pub(super) lost: u64,
    /// Response times, each off by less than 1 part in 64.
    pub(super) response: Histogram,
}

impl Point {
    fn merge(&mut self, other: &Self) {
        self.scheduled += other.scheduled;
        self.sent += other.sent;
        self.failed += other.failed;
        self.lost += other.lost;
        self.response.merge(&other.response);
    }
}

/// Points from the start on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Series {
    points: Vec<Point>,
    /// Seconds of one point.
    step: u64,
}

impl Default for Series {
    fn default() -> Self {
        Self { points: Vec::new(), step: 1 }
    }
}

impl Series {
    /// Adds what a thread reports of a second.
    pub(super) fn add(&mut self, second: u64, counts: &Counts, response: &Histogram) {
        let most = u64::try_from(MOST_POINTS).unwrap_or(u64::MAX);
        while second / self.step >= most {
            self.halve();
        }
        let place = usize::try_from(second / self.step).unwrap_or(0);
        if self.points.len() <= place {
            self.points.resize(place + 1, Point::default());
        }
        if let Some(point) = self.points.get_mut(place) {
            point.merge(&Point {
                scheduled: counts.scheduled,
                sent: counts.sent,
                failed: counts.failed(),
                lost: counts.dropped + counts.missed,
                response: response.coarsened(),
            });
        }
    }

    fn halve(&mut self) {
        let mut halved: Vec<Point> = Vec::with_capacity(self.points.len().div_ceil(2));
        for pair in self.points.chunks(2) {
            let mut points = pair.iter();
            let mut point = points.next().cloned().unwrap_or_default();
            points.for_each(|other| point.merge(other));
            halved.push(point);
        }
        self.points = halved;
        self.step *= 2;
    }

    pub(super) fn points(&self) -> &[Point] {
        &self.points
    }

    pub(super) const fn step(&self) -> u64 {
        self.step
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, reason = "test code")]
    use super::*;

    #[test]
    fn a_long_run_keeps_its_sums_in_few_points() {
        let mut series = Series::default();
        for second in 0..5000_u64 {
            let counts = Counts { scheduled: 3, sent: 2, succeeded: 1, dropped: 1, ..Counts::default() };
            series.add(second, &counts, &Histogram::of(&mut [second, 10]));
        }
        let points = series.points();
        assert!(points.len() <= MOST_POINTS && series.step() == 8);
        assert_eq!(points.len(), 625);
        let sum = points.iter().fold(Point::default(), |mut sum, point| {
            sum.merge(point);
            sum
        });
        assert_eq!((sum.scheduled, sum.sent, sum.failed, sum.lost), (15_000, 10_000, 5_000, 5_000));
        assert_eq!(sum.response.count(), 10_000);
        assert_eq!(points[1].sent, 16);
    }
}
