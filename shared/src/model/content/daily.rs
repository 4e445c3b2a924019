//! `config.daily`: visitors are awake by the clock of their country.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fields::{Faults, ObjectReader, Range, list, number};
use crate::error::FieldFault;

/// Hours of a day.
pub const HOURS: usize = 24;

/// Where on the globe it is day.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DailySpec {
    /// The second of UTC at which the run begins, since 1970 or any other midnight. Set when a run starts, unless
    /// the campaign fixes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_utc_s: Option<u64>,
    /// Activity in each hour of the local day, from midnight; empty for the built-in table.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hours: Vec<f64>,
}

/// Reads `config.daily`: `true`, or `{"hours", "start_hour"}`; absent and `false` mean that clocks do not matter.
///
/// # Errors
/// One fault per wrong field.
pub fn parse(config: &Value, path: &str) -> Result<Option<DailySpec>, Vec<FieldFault>> {
    let mut faults = Faults::default();
    let path = format!("{path}.daily");
    let found = match config.get("daily") {
        None | Some(Value::Null | Value::Bool(false)) => None,
        Some(Value::Bool(true)) => Some(DailySpec::default()),
        Some(Value::Object(map)) => {
            let mut reader = ObjectReader::new(map, &path);
            let start = reader.number(&["start_hour"], Range::new(0.0, 24.0), &mut faults);
            let hours = hours(&mut reader, &mut faults);
            reader.finish(&mut faults);
            Some(DailySpec { start_utc_s: start.map(whole_seconds), hours })
        }
        Some(_) => {
            faults.add(path, "must be true, false or an object");
            None
        }
    };
    faults.finish(found)
}

fn hours(reader: &mut ObjectReader<'_>, faults: &mut Faults) -> Vec<f64> {
    let Some((key, value)) = reader.get(&["hours"]) else {
        return Vec::new();
    };
    let field = reader.path_of(key);
    let items = list(value, &field, HOURS, faults).unwrap_or_default();
    // An hour in which nobody is awake could not be given its share.
    let range = Range::new(1e-3, 1e6);
    let read = |(index, item)| number(item, &format!("{field}[{index}]"), range, faults);
    let found: Vec<f64> = items.iter().enumerate().filter_map(read).collect();
    if items.len() != HOURS {
        faults.add(field, "must be 24 numbers, one for each hour of the local day");
    }
    found
}

fn whole_seconds(hour: f64) -> u64 {
    Duration::try_from_secs_f64(hour * 3_600.0).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use super::*;
    use serde_json::json;

    #[test]
    fn all_forms_are_read() {
        let read = |daily: Value| parse(&json!({ "daily": daily }), "config").unwrap();
        assert_eq!(read(json!(false)), None);
        assert_eq!(read(json!(true)), Some(DailySpec::default()));
        let found = read(json!({"start_hour": 6.5, "hours": vec![2; HOURS]})).unwrap();
        assert_eq!((found.start_utc_s, found.hours.len()), (Some(23_400), HOURS));
    }

    #[test]
    fn mistakes_are_named() {
        let cases = [
            (json!("yes"), "config.daily"),
            (json!({"start_hour": 25}), "config.daily.start_hour"),
            (json!({"hours": [1, 2]}), "config.daily.hours"),
            (json!({"hours": vec![0; 24]}), "config.daily.hours[0]"),
            (json!({"hour": 1}), "config.daily.hour"),
        ];
        for (value, field) in cases {
            let faults = parse(&json!({ "daily": value }), "config").unwrap_err();
            assert_eq!(faults[0].field, field, "{value}");
        }
    }
}
