//! `geo_locations`: countries by weight.

use super::country;
use super::fields::{Faults, ObjectReader, Range, list, unknown};
use crate::error::FieldFault;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// More locations than countries would only be repetition.
const MAX_LOCATIONS: usize = 250;

/// A country and how often visitors come from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GeoWeight {
    /// ISO 3166-1 alpha-2 code.
    pub country: String,
    /// Weight relative to the others, above 0.
    pub weight: f64,
}

/// The location of a campaign that names none.
#[must_use]
pub fn default_locations() -> Vec<GeoWeight> {
    vec![GeoWeight { country: "US".to_owned(), weight: 1.0 }]
}

/// Reads names, ISO codes or `{"country", "weight"}` objects; null and `[]` mean the default.
///
/// # Errors
/// One fault per element that is wrong.
pub fn parse(value: &Value, path: &str) -> Result<Vec<GeoWeight>, Vec<FieldFault>> {
    let mut faults = Faults::default();
    if value.is_null() {
        return Ok(default_locations());
    }
    let items = list(value, path, MAX_LOCATIONS, &mut faults).unwrap_or_default();
    let mut locations: Vec<GeoWeight> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let Some(found) = location(item, &format!("{path}[{index}]"), &mut faults) else {
            continue;
        };
        // A country named twice counts with both weights.
        match locations.iter_mut().find(|have| have.country == found.country) {
            Some(have) => have.weight += found.weight,
            None => locations.push(found),
        }
    }
    if locations.is_empty() {
        locations = default_locations();
    }
    faults.finish(locations)
}

fn location(item: &Value, path: &str, faults: &mut Faults) -> Option<GeoWeight> {
    let (name, weight) = match item {
        Value::String(name) => (Some(name.clone()), 1.0),
        Value::Object(map) => {
            let mut reader = ObjectReader::new(map, path);
            let name = reader.text(&["country", "location", "name"], 64, faults);
            let weight = reader.number(&["weight"], Range::new(1e-6, 1e9), faults);
            if name.is_none() && !["country", "location", "name"].iter().any(|key| map.contains_key(*key)) {
                faults.add(format!("{path}.country"), "is required");
            }
            reader.finish(faults);
            (name, weight.unwrap_or(1.0))
        }
        _ => {
            faults.add(path, "must be a country name, an ISO code or {\"country\", \"weight\"}");
            (None, 1.0)
        }
    };
    let name = name?;
    let Some(country) = country::find(&name) else {
        let names = country::all().iter().map(|country| country.name);
        faults.add(path, format!("country {}", unknown(&name, names)));
        return None;
    };
    Some(GeoWeight { country: country.iso2.to_owned(), weight })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use super::*;
    use serde_json::json;

    #[test]
    fn names_codes_and_objects() {
        let value = json!(["United States", "de", {"country": "France", "weight": 3}, {"location": "UK"}, "USA"]);
        let found = parse(&value, "geo_locations").unwrap();
        let pairs: Vec<_> = found.iter().map(|geo| (geo.country.as_str(), geo.weight)).collect();
        assert_eq!(pairs, [("US", 2.0), ("DE", 1.0), ("FR", 3.0), ("GB", 1.0)]);
    }

    #[test]
    fn nothing_means_the_default() {
        assert_eq!(parse(&json!(null), "g").unwrap(), default_locations());
        assert_eq!(parse(&json!([]), "g").unwrap(), default_locations());
    }

    #[test]
    fn each_wrong_element_is_named() {
        let value = json!(["Germny", 7, {"country": "France", "weight": 0}, {"weight": 1}, {"country": "FR", "x": 1}]);
        let faults = parse(&value, "geo_locations").unwrap_err();
        let fields: Vec<_> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "geo_locations[0]",
                "geo_locations[1]",
                "geo_locations[2].weight",
                "geo_locations[3].country",
                "geo_locations[4].x"
            ]
        );
        assert!(faults[0].message.contains("`Germany`"), "{}", faults[0].message);
        assert!(parse(&json!("US"), "g").is_err());
        assert!(parse(&json!(vec!["US"; 251]), "g").is_err());
    }
}
