//! The parameters of each distribution.

use super::super::fields::{Faults, ObjectReader, Range};
use super::{LARGEST, Shape};

const ANY: Range = Range::new(0.0, LARGEST);
const POSITIVE: Range = Range::new(1e-9, LARGEST);
const FORM: Range = Range::new(0.01, 100.0);

const LOW: &[&str] = &["min", "min_ms", "low", "low_ms"];
const HIGH: &[&str] = &["max", "max_ms", "high", "high_ms"];
const MEAN: &[&str] = &["mean", "mean_ms"];
const SCALE: &[&str] = &["scale", "scale_ms"];

/// Reads required parameters, each under one of several names.
struct Parameters<'r, 'a> {
    kind: &'r str,
    path: &'r str,
    reader: &'r mut ObjectReader<'a>,
    faults: &'r mut Faults,
}

impl Parameters<'_, '_> {
    fn need(&mut self, names: &[&'static str], range: Range) -> Option<f64> {
        if self.reader.get(names).is_none() {
            let field = format!("{}.{}", self.path, names.first().unwrap_or(&""));
            self.faults.add(field, format!("is required by `{}`", self.kind));
        }
        self.reader.number(names, range, self.faults)
    }

    /// Both are read before either is missed, so that one answer names all mistakes.
    fn pair(&mut self, first: (&[&'static str], Range), second: (&[&'static str], Range)) -> Option<(f64, f64)> {
        let (first, second) = (self.need(first.0, first.1), self.need(second.0, second.1));
        first.zip(second)
    }

    fn ordered(&mut self, low: f64, high: f64, field: &str, message: &str) {
        if low > high {
            self.faults.add(format!("{}.{field}", self.path), message);
        }
    }
}

pub(super) fn read(kind: &str, reader: &mut ObjectReader<'_>, path: &str, faults: &mut Faults) -> Option<Shape> {
    let mut parameters = Parameters { kind, path, reader, faults };
    let from = &mut parameters;
    Some(match kind {
        "constant" => Shape::Constant { value: from.need(&["value", "value_ms", "ms"], ANY)? },
        "uniform" => uniform(from)?,
        "normal" => {
            let deviation = (&["std_dev", "std_dev_ms", "stddev", "stddev_ms", "sd"][..], ANY);
            let (mean, std_dev) = from.pair((MEAN, ANY), deviation)?;
            Shape::Normal { mean, std_dev }
        }
        "exponential" => Shape::Exponential { mean: from.need(MEAN, POSITIVE)? },
        "gamma" => {
            let (shape, scale) = from.pair((&["shape"], FORM), (SCALE, POSITIVE))?;
            Shape::Gamma { shape, scale }
        }
        "weibull" => {
            let (shape, scale) = from.pair((&["shape"], FORM), (SCALE, POSITIVE))?;
            Shape::Weibull { shape, scale }
        }
        "pareto" => {
            let least = (&["scale", "scale_ms", "min", "min_ms"][..], POSITIVE);
            let (scale, shape) = from.pair(least, (&["shape", "alpha"], FORM))?;
            Shape::Pareto { scale, shape }
        }
        "triangular" => triangular(from)?,
        _ => log_normal(from)?,
    })
}

fn uniform(from: &mut Parameters<'_, '_>) -> Option<Shape> {
    let (low, high) = from.pair((LOW, ANY), (HIGH, ANY))?;
    from.ordered(low, high, "max", "must not be below `min`");
    Some(Shape::Uniform { low, high })
}

fn triangular(from: &mut Parameters<'_, '_>) -> Option<Shape> {
    let mode = from.need(&["mode", "mode_ms"], ANY);
    let (low, high) = from.pair((LOW, ANY), (HIGH, ANY))?;
    let mode = mode?;
    from.ordered(low, mode, "mode", "must not be below `min`");
    from.ordered(mode, high, "mode", "must not be above `max`");
    Some(Shape::Triangular { low, mode, high })
}

fn log_normal(from: &mut Parameters<'_, '_>) -> Option<Shape> {
    let median = from.need(&["median", "median_ms"], POSITIVE);
    let sigma = from.reader.number(&["sigma"], Range::new(0.0, 4.0), from.faults);
    Some(Shape::LogNormal { median: median?, sigma: sigma.unwrap_or(0.5) })
}
