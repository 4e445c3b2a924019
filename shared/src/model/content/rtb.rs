//! `rtb_config`: the simulated exchange and its bidders.

mod bidder;
mod deal;
mod parts;
mod rules;

use super::distribution::Distribution;
use super::fields::{Faults, ObjectReader, Range, object};
use crate::error::FieldFault;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use bidder::{Bidder, NOTICES_PER_REQUEST};
pub use deal::Deal;
pub use rules::Rules;

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

/// How much of the standard a bid request shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Detail {
    /// What every bidder needs.
    #[default]
    Basic,
    /// Nearly every attribute, each with a value that fits the others.
    Full,
}

impl Detail {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
    const fn is_basic(&self) -> bool {
        matches!(self, Self::Basic)
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
    /// How much of the standard a request shows.
    #[serde(skip_serializing_if = "Detail::is_basic")]
    pub detail: Detail,
    /// What the publisher allows, and what several impressions of a request cost.
    #[serde(skip_serializing_if = "Rules::is_default")]
    pub rules: Rules,
    /// The real bidder that is asked in place of simulated ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bidder: Option<Bidder>,
}

impl RtbSpec {
    /// What a new campaign gets that says nothing.
    #[must_use]
    pub fn full() -> Self {
        Self { detail: Detail::Full, ..Self::default() }
    }
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
            detail: Detail::Basic,
            rules: Rules::default(),
            bidder: None,
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
        return Ok(on_by_default.then(RtbSpec::full));
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
    let bidder = bidder::read(reader, faults);
    // A real bidder has simulated rivals only when the campaign names some.
    let usual = if bidder.is_some() { 0 } else { default.bidders };
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
        bidders: bidders.unwrap_or(usual),
        bid_rate: bid_rate.unwrap_or(default.bid_rate),
        bid_price: bid_price.unwrap_or(default.bid_price),
        tmax_ms: tmax_ms.unwrap_or(default.tmax_ms),
        deals: deal::deals(reader, faults),
        inventory: parts::inventory(reader, faults).unwrap_or_default(),
        detail: parts::detail(reader, faults).unwrap_or(Detail::Full),
        rules: rules::read(reader, faults),
        bidder,
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
    fn the_rules_and_the_real_bidder_are_read() {
        let value = json!({"imps": 3, "floors": {"video": 2.5}, "badv": ["bad.example"], "bcat": ["IAB7"], "wseat": ["a"],
            "private_auction": true, "endpoint": "http://127.0.0.1:9/bid", "notify": false,
            "deals": [{"id": "d", "priority": 2, "guaranteed": true, "wadomain": ["brand.example"]}]});
        let spec = parse(&value, "r", false).unwrap().unwrap();
        assert_eq!(
            (spec.rules.imps, spec.rules.floor(AdFormat::Video), spec.rules.floor(AdFormat::Audio)),
            (3, Some(2.5), None)
        );
        assert!(spec.rules.private_auction && spec.rules.badv == ["bad.example"] && spec.rules.wseat == ["a"]);
        let bidder = spec.bidder.clone().unwrap();
        assert_eq!((bidder.endpoint.as_str(), bidder.notify, spec.bidders), ("http://127.0.0.1:9/bid", false, 0));
        assert_eq!((spec.deals[0].priority, spec.deals[0].guaranteed), (2, true));
        let bytes = rmp_serde::to_vec_named(&spec).unwrap();
        assert_eq!(rmp_serde::from_slice::<RtbSpec>(&bytes).unwrap(), spec);
        let rivals = parse(&json!({"endpoint": "http://127.0.0.1:9/bid", "bidders": 4}), "r", false).unwrap().unwrap();
        assert_eq!(rivals.bidders, 4);
    }

    /// Plans of older versions name none of the later fields, and plans that use none write none.
    #[test]
    fn later_fields_leave_the_old_bytes_alone() {
        let text = serde_json::to_string(&RtbSpec::default()).unwrap();
        for later in ["detail", "rules", "bidder\"", "priority"] {
            assert!(!text.contains(later), "{text}");
        }
        assert_eq!(serde_json::from_str::<RtbSpec>(&text).unwrap(), RtbSpec::default());
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
            (json!({"deals": ["d", ""]}), "r.deals[1]"),
            (json!({"bid_rat": 1}), "r.bid_rat"),
            (json!({"profile": "rich"}), "r.profile"),
            (json!({"imps": 9}), "r.imps"),
            (json!({"floors": {"popup": 1}}), "r.floors.popup"),
            (json!({"badv": "x"}), "r.badv"),
            (json!({"endpoint": "ftp://a/"}), "r.endpoint"),
            (json!({"endpoint": "http://127.0.0.1/{{slot}}"}), "r.endpoint"),
            (json!({"endpoint": "http://127.0.0.1/", "notify": 1}), "r.notify"),
        ];
        for (value, field) in cases {
            assert_eq!(parse(&value, "r", true).unwrap_err()[0].field, field, "{value}");
        }
    }
}
