//! What a campaign did: counts and money, of a day or summed over many.

use std::ops::{Add, AddAssign};

use serde::{Deserialize, Serialize};

/// Thousandths in one conversion: platforms that share a conversion between clicks report fractions.
pub const MILLI: u64 = 1000;

/// Counts and money of a day or of many. Money is in minor units of the campaign's currency. Sums saturate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Figures {
    /// How often the ad was shown.
    #[serde(rename = "i", default)]
    pub impressions: u64,
    /// How often it was clicked.
    #[serde(rename = "c", default)]
    pub clicks: u64,
    /// Conversions, in thousandths.
    #[serde(rename = "n", default)]
    pub conversions_milli: u64,
    /// Money spent, in minor units.
    #[serde(rename = "s", default)]
    pub spend: u64,
    /// Value of the conversions, in minor units.
    #[serde(rename = "r", default)]
    pub revenue: u64,
}

impl Add for Figures {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            impressions: self.impressions.saturating_add(other.impressions),
            clicks: self.clicks.saturating_add(other.clicks),
            conversions_milli: self.conversions_milli.saturating_add(other.conversions_milli),
            spend: self.spend.saturating_add(other.spend),
            revenue: self.revenue.saturating_add(other.revenue),
        }
    }
}

impl AddAssign for Figures {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl std::iter::Sum for Figures {
    fn sum<I: Iterator<Item = Self>>(figures: I) -> Self {
        figures.fold(Self::default(), Add::add)
    }
}
