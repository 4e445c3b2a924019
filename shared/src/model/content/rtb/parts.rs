//! The smaller parts of `rtb_config`.

use super::super::fields::{Faults, ObjectReader, Range, list, number, object, text, unknown};
use super::{AdFormat, AuctionType, Detail, Inventory};
use serde_json::Value;

const MAX_BIDDERS: u32 = 50;
const WEIGHT: Range = Range::new(0.0, 1e9);

/// A number of bidders, or the names of their seats.
pub(super) fn bidders(reader: &mut ObjectReader<'_>, faults: &mut Faults) -> (Option<u32>, Vec<String>) {
    let Some((key, value)) = reader.get(&["bidders", "num_bidders"]) else {
        return (None, Vec::new());
    };
    let path = reader.path_of(key);
    if !value.is_array() {
        return (reader.whole(&["bidders", "num_bidders"], 1..=MAX_BIDDERS, faults), Vec::new());
    }
    let items = list(value, &path, 50, faults).unwrap_or_default();
    let read = |(index, item)| text(item, &format!("{path}[{index}]"), 32, faults);
    let seats: Vec<String> = items.iter().enumerate().filter_map(read).collect();
    if items.is_empty() {
        faults.add(path, "must not be empty");
    }
    (u32::try_from(seats.len()).ok(), seats)
}

/// A list of formats, all alike, or an object of weights.
pub(super) fn ad_formats(reader: &mut ObjectReader<'_>, faults: &mut Faults) -> Option<[f64; 4]> {
    let (key, value) = reader.get(&["ad_formats", "formats"])?;
    let path = reader.path_of(key);
    let mut weights = [0.0; 4];
    let mut sum = 0.0;
    let mut put = |name: &str, weight: f64, field: String, faults: &mut Faults| {
        let place = AdFormat::ALL
            .into_iter()
            .zip(weights.iter_mut())
            .find(|(format, _)| format.as_str() == name.to_lowercase());
        if let Some((_, slot)) = place {
            *slot += weight;
            sum += weight;
        } else {
            let names = AdFormat::ALL.into_iter().map(AdFormat::as_str);
            faults.add(field, format!("ad format {}; one of banner, video, audio, native", unknown(name, names)));
            sum += 1.0;
        }
    };
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                put(item.as_str().unwrap_or_default(), 1.0, format!("{path}[{index}]"), faults);
            }
        }
        Value::Object(map) => {
            for (name, weight) in map {
                let field = format!("{path}.{name}");
                let weight = number(weight, &field, WEIGHT, faults).unwrap_or(1.0);
                put(name, weight, field, faults);
            }
        }
        _ => {
            faults.add(path, "must be a list of formats or an object of weights");
            return None;
        }
    }
    if sum <= 0.0 {
        faults.add(path, "needs at least one format with a weight above 0");
    }
    Some(weights)
}

pub(super) fn currency(reader: &mut ObjectReader<'_>, faults: &mut Faults) -> Option<String> {
    let (key, value) = reader.get(&["currency", "bid_currency", "cur"])?;
    let code = value.as_str().unwrap_or_default().to_uppercase();
    if code.len() != 3 || !code.bytes().all(|byte| byte.is_ascii_uppercase()) {
        faults.add(reader.path_of(key), "must be an ISO 4217 code such as `USD`");
    }
    Some(code)
}

pub(super) fn auction_type(reader: &mut ObjectReader<'_>, faults: &mut Faults) -> Option<AuctionType> {
    let (key, value) = reader.get(&["auction_type", "at"])?;
    let word = value.as_str().map(|word| word.to_lowercase().replace(['-', ' '], "_"));
    match (word.as_deref(), value.as_u64()) {
        (Some("first_price" | "first" | "1"), _) | (None, Some(1)) => Some(AuctionType::FirstPrice),
        (Some("second_price" | "second" | "2"), _) | (None, Some(2)) => Some(AuctionType::SecondPrice),
        _ => {
            faults.add(reader.path_of(key), "must be `first_price`, `second_price`, 1 or 2");
            None
        }
    }
}

pub(super) fn detail(reader: &mut ObjectReader<'_>, faults: &mut Faults) -> Option<Detail> {
    let (key, value) = reader.get(&["profile", "detail"])?;
    match value.as_str() {
        Some("full") => Some(Detail::Full),
        Some("basic") => Some(Detail::Basic),
        _ => {
            faults.add(reader.path_of(key), "must be `full` or `basic`");
            None
        }
    }
}

pub(super) fn inventory(reader: &mut ObjectReader<'_>, faults: &mut Faults) -> Option<Inventory> {
    let (key, value) = reader.get(&["inventory"])?;
    let path = reader.path_of(key);
    let mut inner = ObjectReader::new(object(value, &path, faults)?, &path);
    let mut weight = |name| inner.number(&[name], WEIGHT, faults);
    let (site, app, dooh) = (weight("site"), weight("app"), weight("dooh"));
    inner.finish(faults);
    let found = Inventory { site: site.unwrap_or(0.0), app: app.unwrap_or(0.0), dooh: dooh.unwrap_or(0.0) };
    if found.site + found.app + found.dooh <= 0.0 {
        faults.add(path, "needs at least one of `site`, `app`, `dooh` above 0");
    }
    Some(found)
}
