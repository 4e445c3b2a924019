//! What is settled about visits, as callers see and write it.

use poem_openapi::Object;

/// A removal
#[derive(Debug, Clone, Object)]
#[oai(rename = "VisitsRemoved")]
pub struct Deleted {
    /// Always true
    pub success: bool,
    /// For people
    pub message: String,
}

/// A site whose visits are counted; what is null follows the configuration
#[derive(Debug, Clone, Object, serde::Serialize)]
#[oai(rename = "VisitSite")]
pub struct SiteView {
    /// Host in lower case, without `www.`
    pub domain: String,
    /// IANA time zone its days begin in
    pub timezone: String,
    /// Days until visits are removed
    pub keep_days: Option<u32>,
    /// Whether DNT and Sec-GPC are honoured
    pub respect_dnt: Option<bool>,
    /// `accurate`, `masked` or `random`
    pub unique_mode: Option<String>,
    /// Paths whose visits are dropped, with `*` and `**`
    pub excluded_paths: Vec<String>,
    /// Addresses and networks whose visits are dropped
    pub excluded_addresses: Vec<String>,
    /// Further origins that may send visits of this site
    pub origins: Vec<String>,
    /// Visits a second that are taken from all clients together
    pub visits_per_second: Option<u32>,
    /// Whether the fragment of a URL belongs to the path
    pub hash_routing: bool,
    /// Whether visits are taken; not with `tracker.sites` in the configuration that does not name it
    pub counted: bool,
    /// Stored visits, bots and synthetic ones too
    pub visits: u64,
    /// When it was added or first seen
    pub created_at: String,
}

/// All sites
#[derive(Debug, Clone, Object)]
#[oai(rename = "VisitSites")]
pub struct SitesView {
    /// Always true
    pub success: bool,
    /// By domain
    pub sites: Vec<SiteView>,
}

/// A site to add or change; when changing, what is left out stays and null goes back to the configuration
#[derive(Debug, Object)]
#[oai(rename = "VisitSiteBody")]
pub struct SiteBody {
    /// The host, when adding
    domain: Option<String>,
    /// IANA time zone, `UTC` by default
    timezone: Option<String>,
    /// Days until visits are removed
    keep_days: Option<u32>,
    /// Whether DNT and Sec-GPC are honoured
    respect_dnt: Option<bool>,
    /// `accurate`, `masked` or `random`
    unique_mode: Option<String>,
    /// At most 100 paths with `*` and `**`
    excluded_paths: Option<Vec<String>>,
    /// At most 100 addresses and networks
    excluded_addresses: Option<Vec<String>>,
    /// At most 100 origins, with or without scheme and port
    origins: Option<Vec<String>>,
    /// Visits a second that are taken from all clients together
    visits_per_second: Option<u32>,
    /// Whether the fragment of a URL belongs to the path
    hash_routing: Option<bool>,
}

/// A goal
#[derive(Debug, Clone, Object, serde::Serialize)]
#[oai(rename = "VisitGoal")]
pub struct GoalView {
    /// Its id
    pub id: String,
    /// Its site
    pub site_id: String,
    /// Its name
    pub name: String,
    /// Page views that fulfil it
    pub path: Option<String>,
    /// The custom event that fulfils it
    pub event: Option<String>,
    /// Currency of its revenue
    pub currency: Option<String>,
    /// When it was made
    pub created_at: String,
}

/// Goals of a site
#[derive(Debug, Clone, Object)]
#[oai(rename = "VisitGoals")]
pub struct GoalsView {
    /// Always true
    pub success: bool,
    /// The oldest first
    pub goals: Vec<GoalView>,
}

/// A goal to make: a path or an event
#[derive(Debug, Object)]
#[oai(rename = "VisitGoalBody")]
pub struct GoalBody {
    /// The site; needed unless there is only one
    site_id: Option<String>,
    /// Its name, by default `Visit PATH` or the event's
    name: Option<String>,
    /// Page views that fulfil it, with `*` and `**`
    path: Option<String>,
    /// The custom event that fulfils it
    event: Option<String>,
    /// ISO 4217 code of its revenue's currency
    currency: Option<String>,
}

/// A step of a funnel
#[derive(Debug, Clone, Object, serde::Serialize)]
#[oai(rename = "VisitFunnelStep")]
pub struct StepView {
    /// What people read
    pub name: String,
    /// Page views that fulfil it
    pub path: Option<String>,
    /// The custom event that fulfils it
    pub event: Option<String>,
    /// The goal it was made of
    pub goal: Option<String>,
}

/// A funnel
#[derive(Debug, Clone, Object, serde::Serialize)]
#[oai(rename = "VisitFunnel")]
pub struct FunnelView {
    /// Its id
    pub id: String,
    /// Its site
    pub site_id: String,
    /// Its name
    pub name: String,
    /// Two to eight steps
    pub steps: Vec<StepView>,
    /// When it was made
    pub created_at: String,
}

/// Funnels of a site
#[derive(Debug, Clone, Object)]
#[oai(rename = "VisitFunnels")]
pub struct FunnelsView {
    /// Always true
    pub success: bool,
    /// The oldest first
    pub funnels: Vec<FunnelView>,
}

/// A step to make; in its place the id or the name of a goal may stand
#[derive(Debug, Object)]
#[oai(rename = "VisitFunnelStepBody")]
pub struct StepBody {
    /// What people read
    name: Option<String>,
    /// Page views that fulfil it, with `*` and `**`
    path: Option<String>,
    /// The custom event that fulfils it
    event: Option<String>,
}

/// A funnel to make
#[derive(Debug, Object)]
#[oai(rename = "VisitFunnelBody")]
pub struct FunnelBody {
    /// The site; needed unless there is only one
    site_id: Option<String>,
    /// Its name
    name: String,
    /// Two to eight steps, each an object like this or the id or name of a goal
    steps: Vec<StepBody>,
}

/// How many visitors went as far as a step
#[derive(Debug, Clone, Object)]
#[oai(rename = "VisitFunnelStepFigures")]
pub struct StepFigures {
    /// What people read
    pub name: String,
    /// Visitors that did it, after all steps before it
    pub visitors: u64,
    /// Percentage of those that entered
    pub conversion_rate: f64,
    /// Percentage of those that did the step before
    pub conversion_rate_step: f64,
    /// Visitors that did the step before and not this one
    pub dropoff: u64,
    /// Percentage of those that did the step before
    pub dropoff_percentage: f64,
}

/// How far visitors went through a funnel
#[derive(Debug, Clone, Object)]
#[oai(rename = "VisitFunnelFigures")]
pub struct FunnelFigures {
    /// The funnel
    pub id: String,
    /// Its site
    pub site_id: String,
    /// Its name
    pub name: String,
    /// Visitors of the site in this time
    pub all_visitors: u64,
    /// Visitors that did the first step
    pub entering_visitors: u64,
    /// Percentage of them that did the last one
    pub conversion_rate: f64,
    /// In order
    pub steps: Vec<StepFigures>,
    /// The first moment, RFC 3339 in UTC
    pub from: String,
    /// The first moment behind it
    pub to: String,
    /// The zone that days begin in
    pub timezone: String,
}

/// Visitors whose first event lies in one interval
#[derive(Debug, Clone, Object)]
#[oai(rename = "VisitCohort")]
pub struct CohortView {
    /// The interval's first day in the zone
    pub date: String,
    /// Its first moment, RFC 3339 in UTC
    pub starts_at: String,
    /// How many they are
    pub visitors: u64,
    /// How many of them were there so many intervals later, beginning with the interval itself
    pub returned: Vec<u64>,
    /// The same in percent
    pub percentages: Vec<f64>,
}

/// Who comes back. Only visitors that are known over days can: those with a `user_id`
#[derive(Debug, Clone, Object)]
#[oai(rename = "VisitRetention")]
pub struct RetentionView {
    /// The site
    pub site_id: String,
    /// `day`, `week` or `month`
    pub interval: String,
    /// One of each interval
    pub cohorts: Vec<CohortView>,
    /// The first moment, RFC 3339 in UTC
    pub from: String,
    /// The first moment behind it
    pub to: String,
    /// The zone that days begin in
    pub timezone: String,
}

/// A link that shows a site's figures
#[derive(Debug, Clone, Object, serde::Serialize)]
#[oai(rename = "VisitShare")]
pub struct ShareView {
    /// Its id
    pub id: String,
    /// Its site
    pub site_id: String,
    /// A name for people
    pub name: String,
    /// When it was made
    pub created_at: String,
    /// When it ends by itself; null for never
    pub expires_at: Option<String>,
}

/// Links
#[derive(Debug, Clone, Object)]
#[oai(rename = "VisitShares")]
pub struct SharesView {
    /// Always true
    pub success: bool,
    /// The oldest first
    pub shares: Vec<ShareView>,
}

/// A link to make
#[derive(Debug, Object)]
#[oai(rename = "VisitShareBody")]
pub struct ShareBody {
    /// The site; needed unless there is only one
    site_id: Option<String>,
    /// A name for people
    name: String,
    /// When it ends by itself, RFC 3339
    expires_at: Option<String>,
}

/// A new link
#[derive(Debug, Clone, Object, serde::Serialize)]
#[oai(rename = "VisitShareMade")]
pub struct ShareMade {
    /// Always true
    pub success: bool,
    /// The link
    pub share: ShareView,
    /// The token. It is shown this once and stored as a hash only
    pub token: String,
    /// The page it opens; without the host unless `public_url` is configured
    pub url: String,
}
