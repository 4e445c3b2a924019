//! Checks bid requests and responses against the tables of `OpenRTB` 2.6: required, unknown and mistyped attributes,
//! and the rules between attributes that this exchange depends on.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::LazyLock;

use serde_json::Value;

static TABLE: LazyLock<Table> = LazyLock::new(|| read_table(include_str!("../../data/openrtb26.tsv")));

/// Attributes of which only one may stand in an object.
const EITHER: [(&str, &str); 5] =
    [("wseat", "bseat"), ("wlang", "wlangb"), ("acat", "bcat"), ("keywords", "kwarray"), ("language", "langb")];

/// One attribute of an object.
#[derive(Debug)]
struct Attribute {
    kind: &'static str,
    required: bool,
    deprecated: bool,
    child: Option<&'static str>,
}

/// Attributes by the name of their object.
type Table = BTreeMap<&'static str, HashMap<&'static str, Attribute>>;

fn read_table(text: &'static str) -> Table {
    let mut table = Table::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut cells = line.split('\t');
        let mut cell = || cells.next().unwrap_or_default();
        let (object, name, kind, flags, child) = (cell(), cell(), cell(), cell(), cell());
        let attribute = Attribute {
            kind,
            required: flags.contains('r'),
            deprecated: flags.contains('d'),
            child: (child != "-").then_some(child),
        };
        table.entry(object).or_default().insert(name, attribute);
    }
    table
}

/// Which attributes documents used.
#[derive(Debug, Default)]
pub struct Coverage(BTreeSet<(&'static str, &'static str)>);

impl Coverage {
    /// Used and existing attributes that are not deprecated.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        let all = TABLE.values().flat_map(HashMap::values).filter(|attribute| !attribute.deprecated).count();
        (self.0.len(), all)
    }

    /// `Object.attribute` of those that were not used.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        let unused = |object: &'static str, name: &'static str, attribute: &Attribute| {
            (!attribute.deprecated && !self.0.contains(&(object, name))).then(|| format!("{object}.{name}"))
        };
        let mut names: Vec<String> = TABLE
            .iter()
            .flat_map(|(object, attributes)| attributes.iter().filter_map(|(name, one)| unused(object, name, one)))
            .collect();
        names.sort();
        names
    }
}

/// Everything wrong with a bid request; used attributes are noted in `coverage`.
#[must_use]
pub fn check_request(request: &Value, coverage: &mut Coverage) -> Vec<String> {
    let mut faults = Vec::new();
    check("BidRequest", request, "$", coverage, &mut faults);
    let places = ["site", "app", "dooh"].iter().filter(|place| request.get(**place).is_some()).count();
    if places != 1 {
        faults.push(format!("$: {places} of site, app and dooh"));
    }
    if request.get("test") != Some(&Value::from(1)) {
        faults.push("$.test: must be 1".to_owned());
    }
    let mut ids = BTreeSet::new();
    for imp in list(request, "imp") {
        let formats = ["banner", "video", "audio", "native"].iter().filter(|format| imp.get(**format).is_some());
        if formats.count() == 0 {
            faults.push("$.imp: an impression without a format".to_owned());
        }
        if !ids.insert(imp.get("id").and_then(Value::as_str).unwrap_or_default()) {
            faults.push("$.imp: an id twice".to_owned());
        }
    }
    if ids.is_empty() {
        faults.push("$.imp: no impression".to_owned());
    }
    faults
}

/// Everything wrong with the response to `request`.
#[must_use]
pub fn check_response(response: &Value, request: &Value, coverage: &mut Coverage) -> Vec<String> {
    let mut faults = Vec::new();
    check("BidResponse", response, "$", coverage, &mut faults);
    if response.get("id") != request.get("id") {
        faults.push("$.id: is not the request's".to_owned());
    }
    let bids = list(response, "seatbid").flat_map(|seat| list(seat, "bid"));
    for bid in bids {
        if !list(request, "imp").any(|imp| imp.get("id") == bid.get("impid")) {
            faults.push("$.seatbid.bid.impid: names no impression of the request".to_owned());
        }
        if bid.get("price").and_then(Value::as_f64).is_none_or(|price| price <= 0.0) {
            faults.push("$.seatbid.bid.price: must be above 0".to_owned());
        }
    }
    if list(response, "seatbid").next().is_none() && response.get("nbr").is_none() {
        faults.push("$: neither bids nor a reason for none".to_owned());
    }
    faults
}

fn list<'a>(object: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    object.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn check(kind: &str, value: &Value, path: &str, coverage: &mut Coverage, faults: &mut Vec<String>) {
    let (Some((object, attributes)), Some(members)) = (TABLE.get_key_value(kind), value.as_object()) else {
        faults.push(format!("{path}: is no object"));
        return;
    };
    for (name, _) in attributes.iter().filter(|(_, attribute)| attribute.required) {
        if !members.contains_key(*name) {
            faults.push(format!("{path}.{name}: is required"));
        }
    }
    for (one, other) in EITHER {
        if members.contains_key(one) && members.contains_key(other) {
            faults.push(format!("{path}: both `{one}` and `{other}`"));
        }
    }
    for (name, member) in members {
        let Some((name, attribute)) = attributes.get_key_value(name.as_str()) else {
            faults.push(format!("{path}.{name}: is not known"));
            continue;
        };
        if !attribute.deprecated {
            coverage.0.insert((object, name));
        }
        if !fits(attribute.kind, member) {
            faults.push(format!("{path}.{name}: is no {}", attribute.kind));
        }
        let Some(child) = attribute.child else { continue };
        match member {
            Value::Array(items) => {
                items.iter().for_each(|item| check(child, item, &format!("{path}.{name}"), coverage, faults));
            }
            one => check(child, one, &format!("{path}.{name}"), coverage, faults),
        }
    }
}

fn fits(kind: &str, value: &Value) -> bool {
    match kind {
        "array" => value.is_array(),
        "object" => value.is_object(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "float" => value.is_number(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn mistakes_are_found() {
        let good = json!({"id": "a", "test": 1, "imp": [{"id": "1", "banner": {"w": 1}}], "site": {"id": "s"}});
        let none: Vec<String> = Vec::new();
        assert_eq!(check_request(&good, &mut Coverage::default()), none);
        for (member, value, said) in [
            ("id", json!(7), "$.id: is no string"),
            ("imp", json!([{"banner": {}}]), "$.imp.id: is required"),
            ("imp", json!([]), "$.imp: no impression"),
            ("imp", json!([{"id": "1", "banner": {"w": 1.5}}]), "$.imp.banner.w: is no integer"),
            ("app", json!({}), "$: 2 of site, app and dooh"),
            ("test", json!(0), "$.test: must be 1"),
            ("tset", json!(1), "$.tset: is not known"),
            ("site", json!({"keywords": "a", "kwarray": ["a"]}), "$.site: both `keywords` and `kwarray`"),
        ] {
            let mut bad = good.clone();
            bad[member] = value;
            let faults = check_request(&bad, &mut Coverage::default());
            assert!(faults.iter().any(|fault| fault == said), "{said}: {faults:?}");
        }
        let response = json!({"id": "a", "seatbid": [{"bid": [{"id": "1", "impid": "2", "price": 0}]}]});
        assert_eq!(check_response(&response, &good, &mut Coverage::default()).len(), 2);
    }
}
