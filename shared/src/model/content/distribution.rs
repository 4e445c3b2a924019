//! Probability distributions as users write them.

mod shape;

use super::fields::{Faults, ObjectReader, Range, number, unknown};
use crate::error::FieldFault;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Largest value a parameter may have, so that nothing drawn overflows.
const LARGEST: f64 = 1e9;

const NAMES: [&str; 9] =
    ["log_normal", "normal", "uniform", "exponential", "gamma", "weibull", "pareto", "triangular", "constant"];

/// A shape and the bounds that everything drawn is held within.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// The law that values follow.
    pub shape: Shape,
    /// Lowest value; what is drawn below it becomes it.
    #[serde(default)]
    pub min: f64,
    /// Highest value; what is drawn above it becomes it.
    #[serde(default = "largest")]
    pub max: f64,
}

const fn largest() -> f64 {
    LARGEST
}

/// The law that values follow; parameters are in the unit of the field (milliseconds, CPM, bytes).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the parameters have their textbook names")]
pub enum Shape {
    /// Always the same.
    Constant { value: f64 },
    /// Every value from `low` to `high` alike.
    Uniform { low: f64, high: f64 },
    /// Bell curve.
    Normal { mean: f64, std_dev: f64 },
    /// Bell curve of the logarithm; `sigma` is the deviation of the natural logarithm.
    LogNormal { median: f64, sigma: f64 },
    /// Waiting time without memory.
    Exponential { mean: f64 },
    /// Sum of waiting times.
    Gamma { shape: f64, scale: f64 },
    /// Time to failure.
    Weibull { shape: f64, scale: f64 },
    /// Power-law tail above `scale`.
    Pareto { scale: f64, shape: f64 },
    /// Rising to `mode`, then falling.
    Triangular { low: f64, mode: f64, high: f64 },
}

impl Distribution {
    /// A log-normal law, the default for times and prices.
    #[must_use]
    pub const fn log_normal(median: f64, sigma: f64) -> Self {
        Self::of(Shape::LogNormal { median, sigma })
    }

    const fn of(shape: Shape) -> Self {
        Self { shape, min: 0.0, max: LARGEST }
    }

    /// Reads a number (always that value) or `{"distribution": name, …parameters}`; the parameters may
    /// also stand in an object `params`, and names of quantities may carry `_ms`.
    ///
    /// # Errors
    /// One fault per wrong parameter.
    pub fn parse(value: &Value, path: &str) -> Result<Self, Vec<FieldFault>> {
        let mut faults = Faults::default();
        let found = match value {
            Value::Number(_) => number(value, path, Range::new(0.0, LARGEST), &mut faults)
                .map(|value| Self::of(Shape::Constant { value })),
            Value::Object(map) => {
                let mut reader = ObjectReader::new(map, path);
                let kind = kind(&mut reader, &mut faults);
                if let Some((key, Value::Object(inner))) = reader.get(&["params", "parameters"]) {
                    let inner_path = reader.path_of(key);
                    reader.finish(&mut faults);
                    let inner = ObjectReader::new(inner, &inner_path);
                    kind.and_then(|kind| with_parameters(kind, inner, &inner_path, &mut faults))
                } else {
                    kind.and_then(|kind| with_parameters(kind, reader, path, &mut faults))
                }
            }
            _ => {
                faults.add(path, "must be a number or {\"distribution\": …}");
                None
            }
        };
        let found = found.unwrap_or_else(|| Self::of(Shape::Constant { value: 0.0 }));
        faults.finish(found)
    }
}

fn kind(reader: &mut ObjectReader<'_>, faults: &mut Faults) -> Option<&'static str> {
    let Some((key, value)) = reader.get(&["distribution", "type"]) else {
        return Some("log_normal");
    };
    let word = value.as_str().unwrap_or_default().to_lowercase().replace(['-', ' '], "_");
    let word = match word.as_str() {
        "lognormal" => "log_normal",
        "gaussian" => "normal",
        "exp" => "exponential",
        "fixed" => "constant",
        other => other,
    };
    let found = NAMES.into_iter().find(|name| *name == word);
    if found.is_none() {
        faults.add(
            reader.path_of(key),
            format!("distribution {}; one of {}", unknown(word, NAMES.into_iter()), NAMES.join(", ")),
        );
    }
    found
}

fn with_parameters(kind: &str, mut reader: ObjectReader<'_>, path: &str, faults: &mut Faults) -> Option<Distribution> {
    let shape = shape::read(kind, &mut reader, path, faults);
    // For these two `min` and `max` are the parameters themselves.
    let bounded = !matches!(kind, "uniform" | "triangular" | "constant");
    let any = Range::new(0.0, LARGEST);
    let (min, max) = if bounded {
        let low = if kind == "pareto" { None } else { reader.number(&["min", "min_ms"], any, faults) };
        (low, reader.number(&["max", "max_ms"], any, faults))
    } else {
        (None, None)
    };
    reader.finish(faults);
    let (min, max) = (min.unwrap_or(0.0), max.unwrap_or(LARGEST));
    if min > max {
        faults.add(format!("{path}.max"), "must not be below `min`");
    }
    shape.map(|shape| Distribution { shape, min, max })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use super::*;
    use serde_json::json;

    /// What a user writes, and the shape as it travels.
    #[test]
    fn every_kind_is_read() {
        let cases = [
            (json!(50), json!({"constant": {"value": 50.0}})),
            (json!({"median_ms": 40}), json!({"log_normal": {"median": 40.0, "sigma": 0.5}})),
            (
                json!({"distribution": "lognormal", "params": {"median": 40, "sigma": 1}}),
                json!({"log_normal": {"median": 40.0, "sigma": 1.0}}),
            ),
            (
                json!({"distribution": "normal", "mean_ms": 20, "std_dev_ms": 3}),
                json!({"normal": {"mean": 20.0, "std_dev": 3.0}}),
            ),
            (
                json!({"distribution": "uniform", "min_ms": 1, "max_ms": 3}),
                json!({"uniform": {"low": 1.0, "high": 3.0}}),
            ),
            (json!({"distribution": "exponential", "mean": 3}), json!({"exponential": {"mean": 3.0}})),
            (json!({"distribution": "gamma", "shape": 2, "scale": 3}), json!({"gamma": {"shape": 2.0, "scale": 3.0}})),
            (
                json!({"distribution": "weibull", "shape": 2, "scale": 3}),
                json!({"weibull": {"shape": 2.0, "scale": 3.0}}),
            ),
            (json!({"distribution": "pareto", "min": 2, "alpha": 3}), json!({"pareto": {"scale": 2.0, "shape": 3.0}})),
            (
                json!({"distribution": "triangular", "min": 2, "mode": 3, "max": 5}),
                json!({"triangular": {"low": 2.0, "mode": 3.0, "high": 5.0}}),
            ),
            (json!({"distribution": "constant", "value": 2}), json!({"constant": {"value": 2.0}})),
        ];
        for (written, shape) in cases {
            let found = Distribution::parse(&written, "d").unwrap();
            assert_eq!(serde_json::to_value(found.shape).unwrap(), shape, "{written}");
        }
    }

    #[test]
    fn mistakes_name_the_parameter() {
        let cases = [
            (json!({"distribution": "nomral", "mean": 1}), "d.distribution"),
            (json!({"distribution": "normal", "mean": 1}), "d.std_dev"),
            (json!({"distribution": "normal", "mean": -1, "sd": 1}), "d.mean"),
            (json!({"distribution": "uniform", "min": 5, "max": 1}), "d.max"),
            (json!({"median": 5, "sigma": "x"}), "d.sigma"),
            (json!({"median": 5, "min": 9, "max": 8}), "d.max"),
            (json!({"median": 5, "mean": 8}), "d.mean"),
            (json!({"distribution": "gamma", "params": {"shape": 2}}), "d.params.scale"),
            (json!(-1), "d"),
            (json!("fast"), "d"),
        ];
        for (value, field) in cases {
            let faults = Distribution::parse(&value, "d").unwrap_err();
            assert_eq!(faults[0].field, field, "{value} {faults:?}");
        }
    }
}
