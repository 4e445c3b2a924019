//! Private deals of `rtb_config`.

use super::super::fields::{Faults, ObjectReader, Range, list, object, text};
use super::{AuctionType, MAX_CPM};
use serde::{Deserialize, Serialize};
use serde_json::Value;

const MAX_DEALS: usize = 20;
const MAX_ID: usize = 64;

/// A private deal on offer with every request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Deal {
    /// Deal id, as buyers know it.
    pub id: String,
    /// Floor per thousand impressions of this deal.
    pub floor: f64,
    /// Chance that a bid is made under this deal.
    pub rate: f64,
    /// The price is fixed at the floor (`at` 3).
    #[serde(default)]
    pub fixed_price: bool,
    /// Price rule in place of the auction's, when given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auction: Option<AuctionType>,
    /// Seats that may use it; empty means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seats: Vec<String>,
    /// A bid under a deal of a higher priority wins whatever the others offer; 0 competes by price alone.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub priority: u8,
    /// The buyer has committed to it (`guar`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub guaranteed: bool,
    /// Advertiser domains that may use it; empty means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adomains: Vec<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_zero(priority: &u8) -> bool {
    *priority == 0
}

impl Deal {
    /// `Deal.at`, when it differs from the request's.
    #[must_use]
    pub fn at(&self) -> Option<u8> {
        if self.fixed_price {
            return Some(3);
        }
        self.auction.map(AuctionType::at)
    }
}

pub(super) fn deals(reader: &mut ObjectReader<'_>, faults: &mut Faults) -> Vec<Deal> {
    let Some((key, value)) = reader.get(&["deals"]) else {
        return Vec::new();
    };
    let path = reader.path_of(key);
    let items = list(value, &path, MAX_DEALS, faults).unwrap_or_default();
    let mut found: Vec<Deal> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let item_path = format!("{path}[{index}]");
        let Some(deal) = deal(item, &item_path, faults) else {
            continue;
        };
        if found.iter().any(|have| have.id == deal.id) {
            faults.add(format!("{item_path}.id"), "is used by another deal");
        }
        found.push(deal);
    }
    if found.iter().map(|deal| deal.rate).sum::<f64>() > 1.0 + 1e-9 {
        faults.add(path, "the rates of all deals add up to more than 1");
    }
    found
}

fn deal(item: &Value, path: &str, faults: &mut Faults) -> Option<Deal> {
    if item.is_string() {
        return Some(Deal {
            id: text(item, path, MAX_ID, faults)?,
            floor: 0.0,
            rate: 0.05,
            fixed_price: false,
            auction: None,
            seats: Vec::new(),
            priority: 0,
            guaranteed: false,
            adomains: Vec::new(),
        });
    }
    let mut reader = ObjectReader::new(object(item, path, faults)?, path);
    if reader.get(&["id", "deal_id"]).is_none() {
        faults.add(reader.path_of("id"), "is required");
    }
    let id = reader.text(&["id", "deal_id"], MAX_ID, faults);
    let floor = reader.number(&["bid_floor", "bidfloor", "floor_price", "floor"], Range::new(0.0, MAX_CPM), faults);
    let rate = reader.number(&["rate", "probability"], Range::PROBABILITY, faults);
    let at = reader.whole(&["at"], 1..=3, faults);
    let seats = reader.texts(&["wseat", "seats"], 50, faults);
    let priority = reader.whole(&["priority"], 0..=100, faults).unwrap_or(0);
    let guaranteed = reader.flag(&["guaranteed", "guar"], faults).unwrap_or(false);
    let adomains = reader.texts(&["wadomain", "adomains"], 50, faults);
    reader.finish(faults);
    Some(Deal {
        id: id.unwrap_or_default(),
        floor: floor.unwrap_or(0.0),
        rate: rate.unwrap_or(0.05),
        fixed_price: at == Some(3),
        auction: match at {
            Some(1) => Some(AuctionType::FirstPrice),
            Some(2) => Some(AuctionType::SecondPrice),
            _ => None,
        },
        seats,
        priority: u8::try_from(priority).unwrap_or(u8::MAX),
        guaranteed,
        adomains,
    })
}
