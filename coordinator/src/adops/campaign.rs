//! A campaign as it is kept. Its figures are not part of it: they are computed from its days.

use serde::{Deserialize, Serialize};
use trafficlab_engine::ads::day::Day;
use trafficlab_engine::ads::money::Currency;

use super::ids::{CampaignId, UserId};
use super::table::TenantTable;
use crate::store::FirstVersion;

/// Campaigns, deleted ones that can be restored included.
pub(super) const CAMPAIGNS: TenantTable<CampaignId, Campaign> = TenantTable::new("ads_campaign");

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$variant_doc])* $variant),* }

        impl $name {
            /// All, in the order of their words.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its word in the API.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            /// The one of a word.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == word)
            }
        }
    };
}

words! {
    /// Where a campaign runs.
    Platform {
        /// Google Ads.
        Google = "google",
        /// `LinkedIn`.
        Linkedin = "linkedin",
        /// Facebook and Instagram.
        Meta = "meta",
        /// Snapchat.
        Snapchat = "snapchat",
        /// `TikTok`.
        Tiktok = "tiktok",
    }
}

words! {
    /// How far a campaign is.
    Status {
        /// It runs.
        Active = "active",
        /// It is out of the way.
        Archived = "archived",
        /// It is over.
        Completed = "completed",
        /// It is being made.
        Draft = "draft",
        /// It stands still.
        Paused = "paused",
    }
}

impl Status {
    /// The statuses it may change to; staying the same is always allowed.
    #[must_use]
    pub const fn next(self) -> &'static [Self] {
        match self {
            Self::Draft => &[Self::Active, Self::Archived],
            Self::Active => &[Self::Paused, Self::Completed, Self::Archived],
            Self::Paused => &[Self::Active, Self::Completed, Self::Archived],
            Self::Completed => &[Self::Active, Self::Archived],
            Self::Archived => &[Self::Paused],
        }
    }
}

/// Whom a campaign is shown to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Targeting {
    /// Years, from 13 to 120.
    pub age_min: Option<u8>,
    /// Years, not below `age_min`.
    pub age_max: Option<u8>,
    /// Genders.
    pub genders: Vec<String>,
    /// Places, most often two-letter countries.
    pub locations: Vec<String>,
    /// Interests.
    pub interests: Vec<String>,
}

/// An ad campaign.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Campaign {
    /// Its number.
    pub id: CampaignId,
    /// Its name.
    pub name: String,
    /// Where it runs.
    pub platform: Platform,
    /// How far it is.
    pub status: Status,
    /// What it is for, in the platform's words.
    pub objective: Option<String>,
    /// Its id at the platform; there is one campaign of an id at a platform.
    pub external_id: Option<String>,
    /// The account at the platform.
    pub account_id: Option<String>,
    /// Money a day, minor units.
    pub daily_budget: Option<u64>,
    /// Money in all, minor units.
    pub lifetime_budget: Option<u64>,
    /// The currency of its budgets and figures.
    pub currency: Currency,
    /// Whom it is shown to.
    #[serde(default)]
    pub targeting: Targeting,
    /// Who saw it: shares in percent by a group of `age`, `gender` and the like. JSON text of an object, or empty.
    #[serde(default)]
    pub demographics: String,
    /// Its first day.
    pub start: Option<Day>,
    /// Its last day.
    pub end: Option<Day>,
    /// Labels in the order they were given, each once.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Who made it.
    #[serde(default)]
    pub created_by: Option<UserId>,
    /// Nanoseconds since 1970.
    pub created_ns: u64,
    /// Nanoseconds since 1970.
    pub updated_ns: u64,
    /// When its figures last came, nanoseconds since 1970.
    #[serde(default)]
    pub synced_ns: Option<u64>,
    /// When it was deleted; it can be restored for 30 days.
    #[serde(default)]
    pub deleted_ns: Option<u64>,
}

impl FirstVersion for Campaign {}
