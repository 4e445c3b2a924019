//! What a publisher allows, and what the impressions of a request cost.

use super::super::fields::{Faults, ObjectReader, Range, number, object, unknown};
use super::{AdFormat, MAX_CPM};
use serde::{Deserialize, Serialize};

const MAX_IMPS: u32 = 8;
const MAX_LIST: usize = 100;

/// Limits of the publisher; the default allows everything.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rules {
    /// A request offers 1 to this many impressions, each number alike.
    pub imps: u32,
    /// Floors per thousand by [`AdFormat::code`] where they differ from the general one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub floors: Vec<(AdFormat, f64)>,
    /// Advertiser domains that are refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub badv: Vec<String>,
    /// Categories that are refused, in place of the usual ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bcat: Vec<String>,
    /// Seats that may bid; empty means all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub wseat: Vec<String>,
    /// Only bids under a deal are taken.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub private_auction: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            imps: 1,
            floors: Vec::new(),
            badv: Vec::new(),
            bcat: Vec::new(),
            wseat: Vec::new(),
            private_auction: false,
        }
    }
}

impl Rules {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The floor of a format, when it has one of its own.
    #[must_use]
    pub fn floor(&self, format: AdFormat) -> Option<f64> {
        self.floors.iter().find(|(own, _)| *own == format).map(|(_, floor)| *floor)
    }
}

pub(super) fn read(reader: &mut ObjectReader<'_>, faults: &mut Faults) -> Rules {
    let default = Rules::default();
    Rules {
        imps: reader.whole(&["imps", "impressions"], 1..=MAX_IMPS, faults).unwrap_or(default.imps),
        floors: floors(reader, faults),
        badv: reader.texts(&["badv", "blocked_advertisers"], MAX_LIST, faults),
        bcat: reader.texts(&["bcat", "blocked_categories"], MAX_LIST, faults),
        wseat: reader.texts(&["wseat"], 50, faults),
        private_auction: reader.flag(&["private_auction"], faults).unwrap_or(false),
    }
}

fn floors(reader: &mut ObjectReader<'_>, faults: &mut Faults) -> Vec<(AdFormat, f64)> {
    let Some((key, value)) = reader.get(&["floors"]) else {
        return Vec::new();
    };
    let path = reader.path_of(key);
    let mut found = Vec::new();
    for (name, floor) in object(value, &path, faults).into_iter().flatten() {
        let field = format!("{path}.{name}");
        let names = AdFormat::ALL.into_iter().map(AdFormat::as_str);
        match AdFormat::ALL.into_iter().find(|format| format.as_str() == name) {
            None => faults.add(field, format!("ad format {}", unknown(name, names))),
            Some(format) => {
                found.extend(number(floor, &field, Range::new(0.0, MAX_CPM), faults).map(|at| (format, at)))
            }
        }
    }
    found
}
