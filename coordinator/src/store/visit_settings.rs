//! What people settle about visits, as stored: sites, goals, funnels, and links that show figures to others.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use trafficlab_shared::config::UniqueMode;

use super::{FirstVersion, Table};

/// Sites by domain.
pub const VISIT_SITES: Table<String, Site> = Table::new("visit_site");
/// Goals by site and id.
pub const VISIT_GOALS: Table<(String, String), GoalRecord> = Table::new("visit_goal");
/// Funnels by site and id.
pub const VISIT_FUNNELS: Table<(String, String), FunnelRecord> = Table::new("visit_funnel");
/// Links that show a site's figures, by the SHA-256 of their token.
pub const VISIT_SHARES: Table<[u8; 32], ShareRecord> = Table::new("visit_share");

/// A site whose visits are counted, with what is settled differently from the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// Host in lower case, without `www.`.
    pub domain: String,
    /// IANA name of the zone its days begin in.
    pub timezone: String,
    /// Days until visits are removed, in place of `tracker.keep_days`.
    #[serde(default)]
    pub keep_days: Option<u32>,
    /// Whether DNT and Sec-GPC are honoured, in place of `tracker.respect_dnt`.
    #[serde(default)]
    pub respect_dnt: Option<bool>,
    /// How visitors are told apart, in place of `tracker.unique_mode`.
    #[serde(default)]
    pub unique_mode: Option<UniqueMode>,
    /// Paths whose visits are dropped, with `*` and `**` as in filters.
    #[serde(default)]
    pub excluded_paths: Vec<String>,
    /// Networks whose visits are dropped.
    #[serde(default)]
    pub excluded_addresses: Vec<IpNet>,
    /// Origins that may send visits of this site, beside its own.
    #[serde(default)]
    pub origins: Vec<String>,
    /// Visits a second that are taken from all clients together.
    #[serde(default)]
    pub visits_per_second: Option<u32>,
    /// Whether the fragment of a URL belongs to the path.
    #[serde(default)]
    pub hash_routing: bool,
    /// Whether it was added by the API, which keeps it counted beside the configured sites.
    #[serde(default)]
    pub added: bool,
    /// When it was added or first seen, nanoseconds since 1970.
    pub created_ns: u64,
}

/// A goal of a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoalRecord {
    /// Its id.
    pub id: String,
    /// Its name, which no other goal of the site has.
    pub name: String,
    /// What fulfils it.
    pub target: Target,
    /// Currency of its revenue.
    #[serde(default)]
    pub currency: Option<String>,
    /// When it was made, nanoseconds since 1970.
    pub created_ns: u64,
}

/// What fulfils a goal or a step of a funnel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// A page view whose path fits, with `*` and `**`.
    Path(String),
    /// A custom event of this name.
    Event(String),
}

/// A funnel of a site: steps that visitors take one after another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunnelRecord {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Two to eight steps.
    pub steps: Vec<StepRecord>,
    /// When it was made, nanoseconds since 1970.
    pub created_ns: u64,
}

/// A step of a funnel, as it was when the funnel was made: a goal that is removed later does not change it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRecord {
    /// What people read.
    pub name: String,
    /// What fulfils it.
    pub target: Target,
    /// The goal it was made of.
    #[serde(default)]
    pub goal: Option<String>,
}

/// A link that shows a site's figures; its token is stored nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareRecord {
    /// Its id, by which it is revoked.
    pub id: String,
    /// The site.
    pub site: String,
    /// A name for people.
    pub name: String,
    /// When it ends by itself, nanoseconds since 1970.
    #[serde(default)]
    pub expires_ns: Option<u64>,
    /// When it was made, nanoseconds since 1970.
    pub created_ns: u64,
}

impl FirstVersion for Site {}
impl FirstVersion for GoalRecord {}
impl FirstVersion for FunnelRecord {}
impl FirstVersion for ShareRecord {}
