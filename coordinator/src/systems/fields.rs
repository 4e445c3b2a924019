//! Reading JSON members while collecting every mistake with its path.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};
use trafficlab_shared::error::FieldFault;

/// One JSON object being read. Null counts as absent.
pub struct Fields<'a, 'f> {
    map: &'a Map<String, Value>,
    path: String,
    known: Vec<&'static str>,
    faults: &'f mut Vec<FieldFault>,
}

impl<'a, 'f> Fields<'a, 'f> {
    /// Reads `map`, whose own path is `path` (empty for the body).
    pub fn new(map: &'a Map<String, Value>, path: impl Into<String>, faults: &'f mut Vec<FieldFault>) -> Self {
        Self { map, path: path.into(), known: Vec::new(), faults }
    }

    /// The path of a member.
    #[must_use]
    pub fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Notes a mistake of a member.
    pub fn fault(&mut self, key: &str, message: impl Into<String>) {
        let path = self.path_of(key);
        self.faults.push(FieldFault::new(path, message));
    }

    /// All mistakes so far, for readers of inner values.
    pub fn faults(&mut self) -> &mut Vec<FieldFault> {
        self.faults
    }

    /// The member, unless absent.
    pub fn get(&mut self, key: &'static str) -> Option<&'a Value> {
        self.known.push(key);
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// A finite number above `low` and at most `high`.
    pub fn number_above(&mut self, key: &'static str, low: f64, high: f64) -> Option<f64> {
        let value = self.get(key)?;
        let found = value.as_f64().filter(|number| number.is_finite() && *number > low && *number <= high);
        if found.is_none() {
            self.fault(key, format!("must be a number above {low} and at most {high}"));
        }
        found
    }

    /// A finite number from `low` to `high`.
    pub fn number(&mut self, key: &'static str, low: f64, high: f64) -> Option<f64> {
        let value = self.get(key)?;
        let found = value.as_f64().filter(|number| (low..=high).contains(number));
        if found.is_none() {
            self.fault(key, format!("must be a number from {low} to {high}"));
        }
        found
    }

    /// A whole number within `range`.
    pub fn whole(&mut self, key: &'static str, range: RangeInclusive<u64>) -> Option<u64> {
        let value = self.get(key)?;
        let found = value.as_u64().filter(|number| range.contains(number));
        if found.is_none() {
            self.fault(key, format!("must be a whole number from {} to {}", range.start(), range.end()));
        }
        found
    }

    /// True or false.
    pub fn flag(&mut self, key: &'static str) -> Option<bool> {
        let value = self.get(key)?;
        if value.as_bool().is_none() {
            self.fault(key, "must be true or false");
        }
        value.as_bool()
    }

    /// A text of at most `max` bytes without control characters other than line breaks and tabs.
    pub fn text(&mut self, key: &'static str, max: usize) -> Option<&'a str> {
        let value = self.get(key)?;
        let control = |letter: char| letter.is_control() && !matches!(letter, '\n' | '\r' | '\t');
        let found = value.as_str().filter(|text| text.len() <= max && !text.chars().any(control));
        if found.is_none() {
            self.fault(key, format!("must be a text of at most {max} bytes"));
        }
        found
    }

    /// An object.
    pub fn object(&mut self, key: &'static str) -> Option<&'a Map<String, Value>> {
        let value = self.get(key)?;
        if !value.is_object() {
            self.fault(key, "must be an object");
        }
        value.as_object()
    }

    /// A list of at most `max` items.
    pub fn list(&mut self, key: &'static str, max: usize) -> Option<&'a [Value]> {
        let value = self.get(key)?;
        let found = value.as_array().filter(|items| items.len() <= max);
        if found.is_none() {
            self.fault(key, format!("must be a list of at most {max}"));
        }
        found.map(Vec::as_slice)
    }

    /// Paths of the members that nobody asked for and `others` does not name either.
    #[must_use]
    pub fn unknown(&self, others: &[&str]) -> Vec<String> {
        let unknown = |key: &&String| !self.known.contains(&key.as_str()) && !others.contains(&key.as_str());
        self.map.keys().filter(unknown).map(|key| self.path_of(key)).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use serde_json::json;

    #[test]
    fn mistakes_are_collected_with_their_paths() {
        let value = json!({"a": "1", "b": 0, "c": -1, "d": null, "e": 1.5, "f": [], "g": "x\u{0}", "z": 1});
        let mut faults = Vec::new();
        let mut fields = Fields::new(value.as_object().unwrap(), "p", &mut faults);
        assert_eq!(fields.number_above("a", 0.0, 9.0), None);
        assert_eq!(fields.number_above("b", 0.0, 9.0), None);
        assert_eq!(fields.whole("c", 0..=9), None);
        assert_eq!(fields.whole("d", 0..=9), None);
        assert_eq!(fields.whole("e", 0..=9), None);
        assert_eq!(fields.object("f"), None);
        assert_eq!(fields.text("g", 9), None);
        assert_eq!(fields.unknown(&[]), ["p.z"]);
        let paths: Vec<_> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(paths, ["p.a", "p.b", "p.c", "p.e", "p.f", "p.g"]);
    }
}
