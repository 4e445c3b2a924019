//! `config.thresholds` and `config.abort_on`: what must hold of a run, and whether it ends when it does not.

use std::time::Duration;

use serde_json::{Map, Value};
use trafficlab_shared::config::Span;
use trafficlab_shared::error::FieldFault;
use trafficlab_shared::model::threshold::{Threshold, ThresholdRule};

use crate::systems::fields::Fields;
use crate::systems::time;

const MAX_THRESHOLDS: usize = 32;
/// Active time before the first judgement when a rule does not say; the warm-up comes on top.
const AFTER_MS: u64 = 5000;
/// Longest window: its seconds are kept in memory.
const WINDOW_MS: std::ops::RangeInclusive<u64> = 1000..=120_000;
const FORM: &str = "must be a text such as `p99<50ms`, or {\"threshold\", \"abort_on\", \"after\", \"window\"}";

/// Reads the two keys; `warm_up_ms` has no figures to judge.
pub(super) fn read(config: &mut Fields<'_, '_>, warm_up_ms: u64) -> Vec<ThresholdRule> {
    let abort_on = config.flag("abort_on").unwrap_or(false);
    let path = config.path_of("thresholds");
    if abort_on && config.get("thresholds").is_none() {
        // Its owner thinks that the run is guarded.
        config.fault("abort_on", "needs `thresholds`, such as [\"p99<50ms\"]");
    }
    let Some(items) = config.list("thresholds", MAX_THRESHOLDS) else {
        return Vec::new();
    };
    let after_ms = AFTER_MS + warm_up_ms;
    let faults = config.faults();
    let mut rules = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let path = format!("{path}[{index}]");
        match item {
            Value::String(text) => match Threshold::parse(text) {
                Ok(threshold) => rules.push(ThresholdRule { abort_on, after_ms, ..ThresholdRule::of(threshold) }),
                Err(message) => faults.push(FieldFault::new(path, message)),
            },
            Value::Object(members) => {
                let of = |threshold| ThresholdRule { abort_on, after_ms, ..ThresholdRule::of(threshold) };
                rules.extend(rule(members, path, of, faults));
            }
            _ => faults.push(FieldFault::new(path, FORM)),
        }
    }
    rules
}

fn rule(
    members: &Map<String, Value>,
    path: String,
    of: impl Fn(Threshold) -> ThresholdRule,
    faults: &mut Vec<FieldFault>,
) -> Option<ThresholdRule> {
    let mut fields = Fields::new(members, path, faults);
    let text = fields.text("threshold", 200);
    let abort_on = fields.flag("abort_on");
    let after_ms = span(&mut fields, "after");
    let window_ms = span(&mut fields, "window");
    if window_ms.is_some_and(|window| !WINDOW_MS.contains(&window)) {
        fields.fault("window", "must be from 1s to 120s");
    }
    for unknown in fields.unknown(&[]) {
        // A misspelt `abort_on` would let a run go on that its owner thinks is guarded.
        fields.faults().push(FieldFault::new(
            unknown,
            "is not known; a threshold has `threshold`, `abort_on`, `after` and `window`",
        ));
    }
    let threshold = match text.map(Threshold::parse) {
        Some(Ok(threshold)) => threshold,
        Some(Err(message)) => {
            fields.fault("threshold", message);
            return None;
        }
        None => {
            if !members.contains_key("threshold") {
                fields.fault("threshold", "is required, such as `p99<50ms`");
            }
            return None;
        }
    };
    let usual = of(threshold);
    Some(ThresholdRule {
        abort_on: abort_on.unwrap_or(usual.abort_on),
        after_ms: after_ms.unwrap_or(usual.after_ms),
        window_ms,
        ..usual
    })
}

/// Seconds as a number, or a text with a unit; comes back in milliseconds.
fn span(fields: &mut Fields<'_, '_>, key: &'static str) -> Option<u64> {
    let value = fields.get(key)?;
    let longest = super::input::MAX_MINUTES * 60.0;
    let seconds = match value {
        Value::String(text) => text.parse::<Span>().ok().map(|span| Duration::as_secs_f64(&span.duration())),
        value => value.as_f64(),
    };
    let found = seconds.filter(|seconds| (0.0..=longest).contains(seconds));
    if found.is_none() {
        fields.fault(key, format!("must be seconds from 0 to {longest}, or a text such as `10s`"));
    }
    found.map(|seconds| time::whole(seconds * 1000.0))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use serde_json::json;

    use super::*;

    fn read_all(config: &Value) -> (Vec<ThresholdRule>, Vec<String>) {
        let mut faults = Vec::new();
        let mut fields = Fields::new(config.as_object().unwrap(), "config", &mut faults);
        let rules = read(&mut fields, 2000);
        (rules, faults.into_iter().map(|fault| fault.field).collect())
    }

    #[test]
    fn texts_and_objects_become_rules() {
        let object = json!({"threshold": "error_rate<1%", "abort_on": false, "after": 1.5, "window": "10s"});
        let (rules, faults) = read_all(&json!({"abort_on": true, "thresholds": ["p99 < 50ms", object]}));
        assert_eq!(faults, [""; 0]);
        assert_eq!((rules[0].threshold.text(), rules[0].abort_on), ("p99<50ms", true));
        assert_eq!((rules[0].after_ms, rules[0].window_ms), (7000, None), "the warm-up has no figures");
        assert_eq!((rules[1].abort_on, rules[1].after_ms, rules[1].window_ms), (false, 1500, Some(10_000)));
        assert!(read_all(&json!({})).0.is_empty());
        assert_eq!(read_all(&json!({"abort_on": false})), (Vec::new(), Vec::new()));
    }

    #[test]
    fn mistakes_name_their_place() {
        let table = [
            (json!({"thresholds": "p99<5"}), "config.thresholds"),
            (json!({"thresholds": ["p99<5", "p99"]}), "config.thresholds[1]"),
            (json!({"thresholds": [7]}), "config.thresholds[0]"),
            (json!({"thresholds": ["p99<5", {"threshold": "fast"}]}), "config.thresholds[1].threshold"),
            (json!({"thresholds": [{"abort_on": true}]}), "config.thresholds[0].threshold"),
            (json!({"thresholds": [{"threshold": "p99<5", "abort_on": 1}]}), "config.thresholds[0].abort_on"),
            (json!({"thresholds": [{"threshold": "p99<5", "abort": true}]}), "config.thresholds[0].abort"),
            (json!({"thresholds": [{"threshold": "p99<5", "after": "soon"}]}), "config.thresholds[0].after"),
            (json!({"thresholds": [{"threshold": "p99<5", "window": 0.5}]}), "config.thresholds[0].window"),
            (json!({"thresholds": [{"threshold": "p99<5", "window": "3m"}]}), "config.thresholds[0].window"),
            (json!({"abort_on": ["error_rate>5%"]}), "config.abort_on"),
            (json!({"abort_on": true}), "config.abort_on"),
        ];
        for (config, expected) in table {
            assert_eq!(read_all(&config).1, [expected], "{config}");
        }
    }
}
