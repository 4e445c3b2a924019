//! Campaigns as stored: what their owners wrote, and where they stand.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use trafficlab_shared::model::campaign::CampaignStatus;

use super::{FirstVersion, Table};

/// All campaigns by id.
pub const CAMPAIGNS: Table<String, Campaign> = Table::new("campaign");

/// A campaign, which is a session of the sessions document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Campaign {
    /// Its id.
    pub id: String,
    /// A name for people.
    pub name: String,
    /// Where it stands.
    pub status: CampaignStatus,
    /// Why it is in `error`, or why it stopped by itself.
    #[serde(default)]
    pub reason: Option<String>,
    /// Nanoseconds since 1970, as all times here.
    pub created_ns: u64,
    /// Last change of a field or the status.
    pub updated_ns: u64,
    /// Last time it began to run.
    #[serde(default)]
    pub started_ns: Option<u64>,
    /// Last time it left `running` or `paused` for good.
    #[serde(default)]
    pub ended_ns: Option<u64>,
    /// The latest run.
    #[serde(default)]
    pub run: Option<String>,
    /// The fields of the document.
    pub fields: CampaignFields,
}

/// A campaign's own fields, as given and checked; secrets in them are sealed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CampaignFields {
    /// Where real requests go.
    #[serde(default)]
    pub target_url: Option<String>,
    /// Arrival rate.
    pub requests_per_minute: f64,
    /// Length of a run.
    pub duration_minutes: f64,
    /// Countries.
    pub geo_locations: Value,
    /// The auction.
    pub rtb_config: Value,
    /// Everything else.
    pub config: Value,
    /// Kinds of visitors.
    pub user_profiles: Value,
}

impl FirstVersion for Campaign {}
