//! `rtb_config`: the simulated exchange and its bidders.

mod deal;
mod parts;

use super::distribution::Distribution;
use super::fields::{Faults, ObjectReader, Range, object};
use crate::error::FieldFault;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use deal::Deal;

/// Highest price or floor per thousand, in units of the currency; keeps micros within 32 bits.
pub const MAX_CPM: f64 = 4_000.0;

/// What kind of ad an entry asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum AdFormat {
    /// Display.
    Banner = 0,
    /// Video, in stream.
    Video = 1,
    /// Sound.
    Audio = 2,
    /// Native.
    Native = 3,
}

impl AdFormat {
    /// All formats in the order of their stored codes.
    pub const ALL: [Self; 4] = [Self::Banner, Self::Video, Self::Audio, Self::Native];

    /// The stored code.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The format with this stored code.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The word in entries.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Banner => "banner",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Native => "native",
        }
    }
}

/// How the clearing price follows from the bids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuctionType {
    /// The winner pays its bid.
    FirstPrice,
    /// The winner pays the second bid, or the floor, and one cent.
    SecondPrice,
}

impl AuctionType {
    /// `BidRequest.at`.
    #[must_use]
    pub const fn at(self) -> u8 {
        match self {
            Self::FirstPrice => 1,
            Self::SecondPrice => 2,
        }
    }
}

/// Weights of the places where ads are shown.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Inventory {
    /// Web sites.
    pub site: f64,
    /// Apps.
    pub app: f64,
    /// Public screens.
    pub dooh: f64,
}

impl Default for Inventory {
    fn default() -> Self {
        Self { site: 60.0, app: 40.0, dooh: 0.0 }
    }
}

/// The simulated exchange.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RtbSpec {
    /// Weights of the ad formats, by [`AdFormat::code`].
    pub ad_formats: [f64; 4],
    /// Floor per thousand impressions.
    pub floor: f64,
    /// ISO 4217 code of all prices.
    pub currency: String,
    /// Price rule.
    pub auction: AuctionType,
    /// Names of the bidder seats, 1 to 50; empty means `bidders` numbered seats.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub seats: Vec<String>,
    /// Number of bidders.
    pub bidders: u32,
    /// Chance that a bidder bids.
    pub bid_rate: f64,
    /// Law of the bid prices per thousand impressions.
    pub bid_price: Distribution,
    /// Milliseconds the exchange waits.
    pub tmax_ms: u32,
    /// Private deals on offer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deals: Vec<Deal>,
    /// Places where ads are shown.
    pub inventory: Inventory,
}

impl Default for RtbSpec {
    fn default() -> Self {
        Self {
            ad_formats: [55.0, 22.0, 5.0, 18.0],
            floor: 0.5,
            currency: "USD".to_owned(),
            auction: AuctionType::FirstPrice,
            seats: Vec::new(),
            bidders: 5,
            bid_rate: 0.5,
            bid_price: Distribution::log_normal(1.2, 0.7),
            tmax_ms: 120,
            deals: Vec::new(),
            inventory: Inventory::default(),
        }
    }
}

/// Reads the object; null means the default when `on_by_default`, else no auction.
///
/// # Errors
/// One fault per wrong field.
pub fn parse(value: &Value, path: &str, on_by_default: bool) -> Result<Option<RtbSpec>, Vec<FieldFault>> {
    let mut faults = Faults::default();
    if value.is_null() {
        return Ok(on_by_default.then(RtbSpec::default));
    }
    let Some(map) = object(value, path, &mut faults) else {
        return faults.finish(None);
    };
    let mut reader = ObjectReader::new(map, path);
    let enabled = reader.flag(&["enabled"], &mut faults);
    let spec = read(&mut reader, &mut faults);
    reader.finish(&mut faults);
    // Whoever writes a non-empty configuration wants it used, in either mode.
    let on = enabled.unwrap_or(on_by_default || !map.is_empty());
    faults.finish(on.then_some(spec))
}

fn read(reader: &mut ObjectReader<'_>, faults: &mut Faults) -> RtbSpec {
    let default = RtbSpec::default();
    let price = Range::new(0.0, MAX_CPM);
    let floor = reader.number(&["floor_price", "bid_floor", "bidfloor", "floor"], price, faults);
    let (bidders, seats) = parts::bidders(reader, faults);
    let bid_rate = reader.number(&["bid_rate", "bid_probability"], Range::PROBABILITY, faults);
    let bid_price = reader
        .get(&["bid_price", "bid_prices"])
        .and_then(|(key, value)| faults.take(Distribution::parse(value, &reader.path_of(key))));
    let tmax_ms = reader.whole(&["tmax_ms", "tmax"], 1..=60_000, faults);
    RtbSpec {
        ad_formats: parts::ad_formats(reader, faults).unwrap_or(default.ad_formats),
        floor: floor.unwrap_or(default.floor),
        currency: parts::currency(reader, faults).unwrap_or(default.currency),
        auction: parts::auction_type(reader, faults).unwrap_or(default.auction),
        seats,
        bidders: bidders.unwrap_or(default.bidders),
        bid_rate: bid_rate.unwrap_or(default.bid_rate),
        bid_price: bid_price.unwrap_or(default.bid_price),
        tmax_ms: tmax_ms.unwrap_or(default.tmax_ms),
        deals: deal::deals(reader, faults),
        inventory: parts::inventory(reader, faults).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use super::*;
    use serde_json::json;

    #[test]
    fn a_full_configuration_is_read() {
        let value = json!({"enabled": true, "ad_formats": {"video": 3, "banner": 1}, "floor_price": 0.85, "currency": "eur",
            "auction_type": 2, "bidders": ["alpha", "beta"], "bid_rate": 1, "bid_price": {"distribution": "uniform", "min": 1, "max": 2},
            "tmax_ms": 200, "deals": [{"id": "d1", "bid_floor": 2, "rate": 0.5}], "inventory": {"app": 1}});
        let spec = parse(&value, "rtb_config", false).unwrap().unwrap();
        assert_eq!(format!("{:?}", spec.ad_formats), "[1.0, 3.0, 0.0, 0.0]");
        assert_eq!((spec.currency.as_str(), spec.auction), ("EUR", AuctionType::SecondPrice));
        assert_eq!((spec.bidders, spec.seats.len(), spec.deals.len()), (2, 2, 1));
        assert!(spec.inventory.site.abs() < 1e-9);
    }

    #[test]
    fn when_it_is_on() {
        assert!(parse(&json!(null), "r", true).unwrap().is_some());
        assert!(parse(&json!({}), "r", true).unwrap().is_some());
        assert!(parse(&json!(null), "r", false).unwrap().is_none());
        assert!(parse(&json!({}), "r", false).unwrap().is_none());
        assert!(parse(&json!({"bidders": 3}), "r", false).unwrap().is_some());
        assert!(parse(&json!({"enabled": false}), "r", true).unwrap().is_none());
    }

    #[test]
    fn mistakes_are_named() {
        let cases = [
            (json!([]), "r"),
            (json!({"enabled": 1}), "r.enabled"),
            (json!({"bidders": 51}), "r.bidders"),
            (json!({"bidders": [""]}), "r.bidders[0]"),
            (json!({"floor_price": -1}), "r.floor_price"),
            (json!({"ad_formats": ["banner", "popup"]}), "r.ad_formats[1]"),
            (json!({"ad_formats": {"banner": 0}}), "r.ad_formats"),
            (json!({"auction_type": 3}), "r.auction_type"),
            (json!({"currency": "dollar"}), "r.currency"),
            (json!({"inventory": {"web": 1}}), "r.inventory.web"),
            (json!({"bid_price": {"median": -1}}), "r.bid_price.median"),
            (json!({"deals": [{}]}), "r.deals[0].id"),
            (json!({"bid_rat": 1}), "r.bid_rat"),
        ];
        for (value, field) in cases {
            assert_eq!(parse(&value, "r", true).unwrap_err()[0].field, field, "{value}");
        }
    }
}
