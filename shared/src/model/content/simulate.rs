//! The part of `config` that says how a simulated exchange behaves.

use super::distribution::Distribution;
use super::fields::{Faults, ObjectReader, Range, list, number};
use crate::error::FieldFault;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The keys of `config` that this part reads; all others belong to other parts.
pub const KEYS: [&str; 7] =
    ["network_latency", "latency", "server_time", "error_rate", "timeout_ms", "status_codes", "response_bytes"];

const MAX_STATUS_CODES: usize = 50;

/// How a simulated exchange behaves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SimulateSpec {
    /// Milliseconds on the way, there and back.
    pub latency: Distribution,
    /// Milliseconds of work in the server.
    pub server_time: Distribution,
    /// Chance that no response comes: connection refused, reset, or never answered.
    pub error_rate: f64,
    /// Milliseconds after which a response is given up.
    pub timeout_ms: u32,
    /// Status codes of responses with their weights.
    pub status_codes: Vec<(u16, f64)>,
    /// Bytes of a response.
    pub response_bytes: Distribution,
}

impl Default for SimulateSpec {
    fn default() -> Self {
        Self {
            latency: Distribution::log_normal(40.0, 0.5),
            server_time: Distribution::log_normal(15.0, 0.6),
            error_rate: 0.005,
            timeout_ms: 10_000,
            status_codes: vec![(200, 98.0), (404, 1.0), (500, 0.5), (503, 0.5)],
            response_bytes: Distribution::log_normal(2_048.0, 0.8),
        }
    }
}

/// Reads the keys in [`KEYS`] from `config` and ignores all others.
///
/// # Errors
/// One fault per wrong field.
pub fn parse(config: &Value, path: &str) -> Result<SimulateSpec, Vec<FieldFault>> {
    let mut faults = Faults::default();
    let empty = Map::new();
    // That `config` is an object is its owner's check.
    let mut reader = ObjectReader::new(config.as_object().unwrap_or(&empty), path);
    let mut law = |names: &[&'static str], faults: &mut Faults| {
        let (key, value) = reader.get(names)?;
        faults.take(Distribution::parse(value, &reader.path_of(key)))
    };
    let latency = law(&["network_latency", "latency"], &mut faults);
    let server_time = law(&["server_time"], &mut faults);
    let response_bytes = law(&["response_bytes"], &mut faults);
    let error_rate = reader.number(&["error_rate"], Range::PROBABILITY, &mut faults);
    let timeout_ms = reader.whole(&["timeout_ms"], 1..=600_000, &mut faults);
    let status_codes = status_codes(&mut reader, &mut faults);
    let default = SimulateSpec::default();
    faults.finish(SimulateSpec {
        latency: latency.unwrap_or(default.latency),
        server_time: server_time.unwrap_or(default.server_time),
        error_rate: error_rate.unwrap_or(default.error_rate),
        timeout_ms: timeout_ms.unwrap_or(default.timeout_ms),
        status_codes: status_codes.unwrap_or(default.status_codes),
        response_bytes: response_bytes.unwrap_or(default.response_bytes),
    })
}

/// Weights by code, or a list of codes that are all alike.
fn status_codes(reader: &mut ObjectReader<'_>, faults: &mut Faults) -> Option<Vec<(u16, f64)>> {
    let (key, value) = reader.get(&["status_codes"])?;
    let path = reader.path_of(key);
    let mut pairs: Vec<(String, String, f64)> = Vec::new();
    if let Value::Object(map) = value {
        for (code, weight) in map {
            let field = format!("{path}.{code}");
            let weight = number(weight, &field, Range::new(0.0, 1e9), faults).unwrap_or(1.0);
            pairs.push((field, code.clone(), weight));
        }
    } else {
        let items = list(value, &path, MAX_STATUS_CODES, faults)?;
        for (index, code) in items.iter().enumerate() {
            pairs.push((format!("{path}[{index}]"), code.to_string(), 1.0));
        }
    }
    let mut found: Vec<(u16, f64)> = Vec::new();
    let mut sum = 0.0;
    for (field, code, weight) in pairs.into_iter().take(MAX_STATUS_CODES) {
        match code.parse::<u16>().ok().filter(|code| (200..=599).contains(code)) {
            Some(code) => found.push((code, weight)),
            None => faults.add(field, "must be a status code from 200 to 599"),
        }
        sum += weight;
    }
    if sum <= 0.0 {
        faults.add(path, "needs at least one status code with a weight above 0");
    }
    found.sort_by_key(|(code, _)| *code);
    Some(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use super::super::distribution::Shape;
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_of_other_parts_are_left_alone() {
        let config =
            json!({"mode": "simulate", "latency": {"median_ms": 80}, "status_codes": {"404": 0.03, "200": 0.97}});
        let spec = parse(&config, "config").unwrap();
        assert_eq!(spec.latency.shape, Shape::LogNormal { median: 80.0, sigma: 0.5 });
        assert_eq!(spec.status_codes.iter().map(|pair| pair.0).collect::<Vec<_>>(), [200, 404]);
    }

    #[test]
    fn mistakes_are_named() {
        let cases = [
            (json!({"error_rate": -0.1}), "config.error_rate"),
            (json!({"timeout_ms": 0}), "config.timeout_ms"),
            (json!({"timeout_ms": 1.5}), "config.timeout_ms"),
            (json!({"network_latency": {"median_ms": 0}}), "config.network_latency.median_ms"),
            (json!({"status_codes": {"20": 1}}), "config.status_codes.20"),
            (json!({"status_codes": {"200": 0}}), "config.status_codes"),
            (json!({"status_codes": [200, "x"]}), "config.status_codes[1]"),
            (json!({"status_codes": 200}), "config.status_codes"),
        ];
        for (value, field) in cases {
            assert_eq!(parse(&value, "config").unwrap_err()[0].field, field, "{value}");
        }
    }
}
