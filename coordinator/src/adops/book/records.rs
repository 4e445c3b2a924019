//! What is stored of days: blocks of one campaign and year, and what was restated.
//!
//! A year in a block, because sled keeps much more in memory for many small values than for few large ones: 3.65 million
//! days in blocks of a month took 370 MB there, in blocks of a year 70 MB, and a single day is changed as fast.

use serde::{Deserialize, Serialize};

use super::packed::Packed;
use crate::adops::actor::Who;
use crate::adops::ids::CampaignId;
use crate::adops::table::TenantTable;
use crate::store::FirstVersion;
use crate::store::table::Key;

/// The days of campaigns, by source and year.
pub(super) const DAYS: TenantTable<(CampaignId, Source, u16), YearBlock> = TenantTable::new("ads_days");
/// What was restated, by the moment and the part of it.
pub(super) const RESTATEMENTS: TenantTable<(CampaignId, u64, u16), Restatement> = TenantTable::new("ads_restatement");

/// Where figures come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Platforms and people.
    Real,
    /// Traffic that was generated.
    Synthetic,
}

impl Key for Source {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(match self {
            Self::Real => 0,
            Self::Synthetic => 1,
        });
    }

    fn decode(input: &mut &[u8]) -> Option<Self> {
        match u8::decode(input)? {
            0 => Some(Self::Real),
            1 => Some(Self::Synthetic),
            _ => None,
        }
    }
}

/// The days of a year.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct YearBlock {
    /// Those that have figures.
    #[serde(rename = "d")]
    pub days: Packed,
}

/// Days that had other figures before: at most a year's number of them; what restates more is several parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restatement {
    /// Who restated them.
    pub who: Who,
    /// The request's id.
    pub request_id: String,
    /// As they were.
    pub old: Packed,
    /// The same days as they are.
    pub new: Packed,
}

impl FirstVersion for YearBlock {}
impl FirstVersion for Restatement {}
