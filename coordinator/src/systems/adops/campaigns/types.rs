//! The bodies of campaigns, as callers write them.

#![allow(dead_code, reason = "these types describe bodies that are read member by member")]

use poem_openapi::Object;
use serde::Serialize;
use serde_json::Value;

/// Whom a campaign is shown to; when changing, what is left out stays and null clears
#[derive(Debug, Object)]
#[oai(rename = "AdTargetingBody")]
pub struct TargetingBody {
    /// Years, 13 to 120
    age_min: Option<u8>,
    /// Years, not below `age_min`
    age_max: Option<u8>,
    /// At most 250
    genders: Option<Vec<String>>,
    /// At most 250, most often two-letter countries
    locations: Option<Vec<String>>,
    /// At most 250
    interests: Option<Vec<String>>,
}

/// A campaign to make or change; when changing, what is left out stays and null clears. What the server makes itself
/// (`id`, `created_at`, figures and the like) may stand there and has no effect; other members are refused
#[derive(Debug, Object)]
#[oai(rename = "AdCampaignBody")]
pub struct CampaignBody {
    /// 1 to 200 letters; needed when making one
    name: Option<String>,
    /// `meta`, `google`, `tiktok`, `snapchat` or `linkedin`; needed when making one, fixed once there are figures
    platform: Option<String>,
    /// A new one is `draft` (default) or `active`. Then `draft` → `active`, `archived`;
    /// `active` → `paused`, `completed`, `archived`; `paused` → `active`, `completed`, `archived`;
    /// `completed` → `active`, `archived`; `archived` → `paused`
    status: Option<String>,
    /// At most 100 letters
    objective: Option<String>,
    /// Its id at the platform, where it names one campaign
    external_id: Option<String>,
    /// The account at the platform
    account_id: Option<String>,
    /// Money a day, above 0
    daily_budget: Option<f64>,
    /// Money in all, above 0
    lifetime_budget: Option<f64>,
    /// ISO 4217, the tenant's by default; fixed once there are figures
    currency: Option<String>,
    /// Its first day
    start_date: Option<String>,
    /// Its last day
    end_date: Option<String>,
    /// Whom it is shown to
    targeting: Option<TargetingBody>,
    /// Shares from 0 to 100 by group, such as `{"age": {"18-24": 15}}`; replaced as a whole
    demographics: Option<Value>,
    /// At most 50 of at most 50 letters
    labels: Option<Vec<String>>,
}

/// Labels to give or take away
#[derive(Debug, Object)]
#[oai(rename = "AdLabelsBody")]
pub struct LabelsBody {
    /// 1 to 50
    labels: Option<Vec<String>>,
}

/// A deleted campaign
#[derive(Debug, Clone, Serialize, Object)]
#[oai(rename = "AdCampaignDeleted")]
pub struct DeletedView {
    /// Its number
    pub id: u64,
    /// Until when it can be restored, RFC 3339 in UTC
    pub restorable_until: String,
}

/// A label in use
#[derive(Debug, Clone, Serialize, Object)]
#[oai(rename = "AdLabel")]
pub struct LabelView {
    /// The label
    pub label: String,
    /// Campaigns that have it
    pub campaigns: u64,
}
