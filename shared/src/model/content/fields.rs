//! Reading JSON fields while collecting every mistake with its path.

use crate::error::FieldFault;
use serde_json::{Map, Value};

/// How the message about a key that nobody asked for begins.
const UNKNOWN_KEY: &str = "this key has no effect";

/// Whether the fault is about a key that nobody asked for.
pub(super) fn is_unknown_key(fault: &FieldFault) -> bool {
    fault.message.starts_with(UNKNOWN_KEY)
}

/// `value` without the members whose paths are in `paths`; `path` is its own.
pub(super) fn without(value: &Value, path: &str, paths: &[String]) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, member)| (key, member, format!("{path}.{key}")))
            .filter(|(_, _, path)| !paths.contains(path))
            .map(|(key, member, path)| (key.clone(), without(member, &path, paths)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => {
            let item = |(index, item)| without(item, &format!("{path}[{index}]"), paths);
            items.iter().enumerate().map(item).collect()
        }
        other => other.clone(),
    }
}

/// Mistakes found so far.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<FieldFault>);

impl Faults {
    pub(super) fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.0.push(FieldFault::new(field, message));
    }

    pub(super) fn take<T>(&mut self, parsed: Result<T, Vec<FieldFault>>) -> Option<T> {
        parsed.map_err(|mut found| self.0.append(&mut found)).ok()
    }

    pub(super) fn finish<T>(self, value: T) -> Result<T, Vec<FieldFault>> {
        if self.0.is_empty() { Ok(value) } else { Err(self.0) }
    }
}

/// The allowed range of a number and how to say it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Range {
    pub(super) const PROBABILITY: Self = Self::new(0.0, 1.0);

    pub(super) const fn new(low: f64, high: f64) -> Self {
        Self { low, high }
    }
}

/// One JSON object being read; keys nobody asked for are mistakes.
#[derive(Debug)]
pub(super) struct ObjectReader<'a> {
    map: &'a Map<String, Value>,
    path: &'a str,
    known: Vec<&'static str>,
}

impl<'a> ObjectReader<'a> {
    pub(super) const fn new(map: &'a Map<String, Value>, path: &'a str) -> Self {
        Self { map, path, known: Vec::new() }
    }

    pub(super) fn path_of(&self, key: &str) -> String {
        format!("{}.{key}", self.path)
    }

    /// The first of the synonyms that is present and not null.
    pub(super) fn get(&mut self, names: &[&'static str]) -> Option<(&'static str, &'a Value)> {
        self.known.extend_from_slice(names);
        names.iter().find_map(|name| self.map.get(*name).filter(|value| !value.is_null()).map(|value| (*name, value)))
    }

    pub(super) fn number(&mut self, names: &[&'static str], range: Range, faults: &mut Faults) -> Option<f64> {
        let (key, value) = self.get(names)?;
        number(value, &self.path_of(key), range, faults)
    }

    pub(super) fn whole(
        &mut self,
        names: &[&'static str],
        range: std::ops::RangeInclusive<u32>,
        faults: &mut Faults,
    ) -> Option<u32> {
        let (key, value) = self.get(names)?;
        let found =
            value.as_u64().and_then(|number| u32::try_from(number).ok()).filter(|number| range.contains(number));
        if found.is_none() {
            faults.add(self.path_of(key), format!("must be a whole number from {} to {}", range.start(), range.end()));
        }
        found
    }

    pub(super) fn flag(&mut self, names: &[&'static str], faults: &mut Faults) -> Option<bool> {
        let (key, value) = self.get(names)?;
        if value.as_bool().is_none() {
            faults.add(self.path_of(key), "must be true or false");
        }
        value.as_bool()
    }

    pub(super) fn text(&mut self, names: &[&'static str], max_bytes: usize, faults: &mut Faults) -> Option<String> {
        let (key, value) = self.get(names)?;
        text(value, &self.path_of(key), max_bytes, faults)
    }

    pub(super) fn texts(&mut self, names: &[&'static str], max_items: usize, faults: &mut Faults) -> Vec<String> {
        let Some((key, value)) = self.get(names) else {
            return Vec::new();
        };
        let path = self.path_of(key);
        let Some(items) = list(value, &path, max_items, faults) else {
            return Vec::new();
        };
        let read = |(index, item)| text(item, &format!("{path}[{index}]"), 64, faults);
        items.iter().enumerate().filter_map(read).collect()
    }

    /// Reports keys that no getter asked for.
    pub(super) fn finish(self, faults: &mut Faults) {
        for key in self.map.keys() {
            if !self.known.contains(&key.as_str()) {
                let hint = unknown(key, self.known.iter().copied());
                faults.add(self.path_of(key), format!("{UNKNOWN_KEY}: {hint}"));
            }
        }
    }
}

pub(super) fn number(value: &Value, path: &str, range: Range, faults: &mut Faults) -> Option<f64> {
    let found = value.as_f64().filter(|number| number.is_finite() && (range.low..=range.high).contains(number));
    if found.is_none() {
        faults.add(path, format!("must be a number from {} to {}", range.low, range.high));
    }
    found
}

pub(super) fn text(value: &Value, path: &str, max_bytes: usize, faults: &mut Faults) -> Option<String> {
    let found = value
        .as_str()
        .map(str::trim)
        .filter(|text| !text.is_empty() && text.len() <= max_bytes)
        .filter(|text| !text.chars().any(char::is_control));
    if found.is_none() {
        faults.add(path, format!("must be a text of 1 to {max_bytes} bytes without control characters"));
    }
    found.map(str::to_owned)
}

pub(super) fn list<'a>(value: &'a Value, path: &str, max_items: usize, faults: &mut Faults) -> Option<&'a [Value]> {
    let found = value.as_array().filter(|items| items.len() <= max_items);
    if found.is_none() {
        faults.add(path, format!("must be a list of at most {max_items}"));
    }
    found.map(Vec::as_slice)
}

pub(super) fn object<'a>(value: &'a Value, path: &str, faults: &mut Faults) -> Option<&'a Map<String, Value>> {
    if !value.is_object() {
        faults.add(path, "must be an object");
    }
    value.as_object()
}

/// A sentence about a word that is none of the known ones, with the closest of them.
pub(super) fn unknown<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    let word = word.to_lowercase();
    let closest = known
        .map(|name| (distance(&word, &name.to_lowercase()), name))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, name)| *distance <= 1 + name.len() / 4);
    match closest {
        Some((_, name)) => format!("`{word}` is not known, did you mean `{name}`?"),
        None => format!("`{word}` is not known"),
    }
}

/// Levenshtein distance in bytes, one row at a time.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, from) in left.bytes().enumerate().take(64) {
        let mut diagonal = line;
        let mut before = line + 1;
        for (cell, to) in row.iter_mut().skip(1).zip(right.bytes()) {
            let substituted = diagonal + usize::from(from != to);
            diagonal = *cell;
            before = substituted.min(before + 1).min(diagonal + 1);
            *cell = before;
        }
        if let Some(first) = row.first_mut() {
            *first = line + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_of_known_words() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("same", "same"), 0);
    }

    #[test]
    fn a_near_miss_gets_a_hint() {
        let names = ["bid_floor", "bidders"];
        assert!(unknown("bidder", names.into_iter()).contains("`bidders`"));
        assert!(!unknown("zebra", names.into_iter()).contains("mean"));
    }
}
