//! The three charts of a report: rate and percentiles over time, and times over percentiles.

use trafficlab_engine::traffic::histogram::Histogram;

use super::axis::Axis;
use super::chart::{Chart, Line};
use crate::generate::figures::{float, millis};
use crate::generate::series::Point;
use crate::generate::summary::Summary;

/// Spread of values from which an axis is logarithmic.
const WIDE: f64 = 20.0;

/// Points with the part of their step, 0 to 1, in which arrivals came, and the middle of that in seconds.
fn over_time(summary: &Summary) -> impl Iterator<Item = (f64, f64, &Point)> {
    let step = float(summary.series.step());
    let starts = (0_u64..).map(move |index| float(index) * step);
    starts.zip(summary.series.points()).map(move |(start, point)| {
        let covered = ((summary.duration_s - start) / step).clamp(0.0, 1.0);
        // What comes after the arrivals is answers only.
        let middle = if covered > 0.0 { covered / 2.0 } else { 0.5 };
        (start + step * middle, covered, point)
    })
}

/// Until the last answer that there is a point of.
fn seconds(summary: &Summary) -> Axis {
    let step = float(summary.series.step());
    let last = over_time(summary).filter(|(_, _, point)| point.sent > 0).map(|(at, _, _)| at + step / 2.0);
    Axis::until((summary.duration_s + summary.wait_s).min(last.fold(step, f64::max)), 8.0)
}

pub(super) fn rates(summary: &Summary) -> String {
    let step = float(summary.series.step());
    let rate = |of: fn(&Point) -> u64| -> Vec<(f64, f64)> {
        // A tenth of a step is too short for a rate.
        let points = over_time(summary).filter(|(_, covered, _)| *covered >= 0.1);
        points.map(|(at, covered, point)| (at, float(of(point)) / step / covered)).collect()
    };
    let mut lines = vec![Line { name: "answered or failed", class: "one", points: rate(|point| point.sent) }];
    if summary.mode == "open" {
        lines.push(Line { name: "scheduled", class: "two", points: rate(|point| point.scheduled) });
    }
    if summary.counts.failed() > 0 {
        lines.push(Line { name: "failed", class: "fail", points: rate(|point| point.failed) });
    }
    if summary.counts.dropped + summary.counts.missed > 0 {
        lines.push(Line { name: "dropped or missed", class: "three", points: rate(|point| point.lost) });
    }
    let (_, highest) = range(&lines);
    Chart {
        title: "Requests a second over time",
        unit: "requests a second",
        x_name: "seconds since the start",
        x: seconds(summary),
        y: Axis::even(highest, 5.0),
        lines,
    }
    .render()
}

pub(super) fn percentiles(summary: &Summary) -> String {
    let at = |per_million: u32| -> Vec<(f64, f64)> {
        let measured = over_time(summary).filter(|(_, _, point)| point.response.count() > 0);
        measured.map(|(at, _, point)| (at, millis(point.response.quantile(per_million)))).collect()
    };
    let lines = vec![
        Line { name: "p50", class: "one", points: at(500_000) },
        Line { name: "p95", class: "two", points: at(950_000) },
        Line { name: "p99", class: "three", points: at(990_000) },
    ];
    Chart {
        title: "Response time percentiles over time",
        unit: "response time, ms",
        x_name: "seconds since the start",
        x: seconds(summary),
        y: fitting(&lines),
        lines,
    }
    .render()
}

/// Gil Tene's percentile plot: time over the number of nines.
pub(super) fn distribution(summary: &Summary) -> String {
    let response = nines(&summary.times.response);
    let mut lines = vec![Line { name: "response, from the intended moment", class: "one", points: response }];
    if summary.times.service.count() > 0 {
        lines.push(Line { name: "service, from the real send", class: "two", points: nines(&summary.times.service) });
    }
    if summary.times.lag.count() > 0 {
        lines.push(Line { name: "send lag", class: "three", points: nines(&summary.times.lag) });
    }
    Chart {
        title: "Times by percentile",
        unit: "ms",
        x_name: "percentile",
        x: Axis::nines(float(summary.times.response.count())),
        y: fitting(&lines),
        lines,
    }
    .render()
}

/// (number of nines, milliseconds) of every bucket: 2 is the 99th percentile.
fn nines(histogram: &Histogram) -> Vec<(f64, f64)> {
    let count = float(histogram.count());
    let mut seen = 0;
    let mut points = vec![(0.0, millis(histogram.min()))];
    for (top, held) in histogram.steps() {
        seen += held;
        // The last value stands where half of one would be left.
        let left = (count - float(seen)).max(0.5) / count;
        points.push((-left.log10(), millis(top.min(histogram.max()))));
    }
    if histogram.count() == 0 { Vec::new() } else { thinned(points) }
}

/// At most a few hundred points, the last of them always.
fn thinned(points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    const CLOSE: f64 = 0.01;
    let mut kept: Vec<(f64, f64)> = Vec::new();
    let last = points.last().copied();
    for point in points {
        if kept.last().is_none_or(|before| point.0 - before.0 >= CLOSE || Some(point) == last) {
            kept.push(point);
        }
    }
    kept
}

/// Even from 0, or logarithmic when the values are far apart.
fn fitting(lines: &[Line]) -> Axis {
    let (lowest, highest) = range(lines);
    if highest > lowest * WIDE { Axis::log(lowest, highest) } else { Axis::even(highest, 5.0) }
}

/// The smallest value above 0 and the largest.
fn range(lines: &[Line]) -> (f64, f64) {
    let values = || lines.iter().flat_map(|line| line.points.iter().map(|point| point.1));
    let lowest = values().filter(|value| *value > 0.0).fold(f64::INFINITY, f64::min);
    let highest = values().fold(0.0, f64::max);
    (if lowest.is_finite() { lowest } else { 1.0 }, if highest > 0.0 { highest } else { 1.0 })
}
