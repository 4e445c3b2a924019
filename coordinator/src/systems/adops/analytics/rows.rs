//! Rows of breakdowns, time series, cohorts and pacing as callers see them.

use poem_openapi::Object;
use serde::Serialize;
use trafficlab_engine::ads::figures::Figures;
use trafficlab_engine::ads::kpi::Kpis;
use trafficlab_engine::ads::money::Currency;
use trafficlab_engine::ads::pacing::Pacing;

use super::types::shown;

/// Figures of a row; ratios have four decimals and are null when their divisor is 0
#[derive(Debug, Clone, PartialEq, Serialize, Object)]
#[oai(rename = "AdPeriodFigures")]
pub struct FiguresView {
    /// ISO 4217: the tenant's, or that of campaigns without a rate
    pub currency: String,
    /// Money spent
    pub spend: f64,
    /// Value of the conversions
    pub revenue: f64,
    /// Revenue for a unit of money
    pub roas: Option<f64>,
    /// Conversions, with up to three decimals
    #[serde(serialize_with = "shown")]
    pub conversions: f64,
    /// How often ads were shown
    pub impressions: u64,
    /// How often they were clicked
    pub clicks: u64,
    /// Clicks in percent of impressions
    pub ctr: Option<f64>,
    /// Money a click
    pub cpc: Option<f64>,
    /// Money for a thousand impressions
    pub cpm: Option<f64>,
    /// Money a conversion
    pub cpa: Option<f64>,
}

impl FiguresView {
    /// What is shown of figures in a currency.
    pub fn new(figures: &Figures, currency: Currency) -> Self {
        let Kpis { spend, revenue, impressions, clicks, conversions, ratios } = Kpis::of(figures, currency);
        Self {
            currency: currency.to_string(),
            spend,
            revenue,
            roas: ratios.roas,
            conversions,
            impressions,
            clicks,
            ctr: ratios.ctr,
            cpc: ratios.cpc,
            cpm: ratios.cpm,
            cpa: ratios.cpa,
        }
    }
}

/// A platform
#[derive(Debug, Clone, PartialEq, Serialize, Object)]
#[oai(rename = "AdPlatformFigures")]
pub struct PlatformView {
    /// Which
    pub platform: String,
    /// Campaigns with figures on one of the days
    pub campaigns: u64,
    /// Their figures
    #[serde(flatten)]
    #[oai(flatten)]
    pub figures: FiguresView,
}

/// A label
#[derive(Debug, Clone, PartialEq, Serialize, Object)]
#[oai(rename = "AdLabelFigures")]
pub struct LabelView {
    /// Which
    pub label: String,
    /// Campaigns with figures on one of the days
    pub campaigns: u64,
    /// Their figures; a campaign counts for each of its labels
    #[serde(flatten)]
    #[oai(flatten)]
    pub figures: FiguresView,
}

/// A campaign
#[derive(Debug, Clone, PartialEq, Serialize, Object)]
#[oai(rename = "AdCampaignFigures")]
pub struct CampaignView {
    /// Its id
    pub campaign_id: u64,
    /// Its name
    pub name: String,
    /// Where it runs
    pub platform: String,
    /// How far it is
    pub status: String,
    /// Its figures, in its own currency
    #[serde(flatten)]
    #[oai(flatten)]
    pub figures: FiguresView,
}

/// A day, week or month
#[derive(Debug, Clone, PartialEq, Serialize, Object)]
#[oai(rename = "AdPoint")]
pub struct PointView {
    /// The day, the Monday of the week, or the first of the month; it may lie before `date_from`, whose days alone count
    pub date: String,
    /// The figures, zeros when there are none
    #[serde(flatten)]
    #[oai(flatten)]
    pub figures: FiguresView,
}

/// Campaigns that began in the same week or month
#[derive(Debug, Clone, PartialEq, Serialize, Object)]
#[oai(rename = "AdCohort")]
pub struct CohortView {
    /// The Monday of the week or the first of the month
    pub cohort: String,
    /// How many
    pub campaigns: u64,
    /// All that they did until `date_to`
    #[serde(flatten)]
    #[oai(flatten)]
    pub figures: FiguresView,
    /// What they did in each week or month since, from the one they began in
    pub intervals: Vec<IntervalView>,
}

/// A week or month of a cohort
#[derive(Debug, Clone, PartialEq, Serialize, Object)]
#[oai(rename = "AdCohortInterval")]
pub struct IntervalView {
    /// Weeks or months since the cohort's own, which is 0
    pub index: u64,
    /// Its figures
    #[serde(flatten)]
    #[oai(flatten)]
    pub figures: FiguresView,
}

/// Money planned, spent and projected
#[derive(Debug, Clone, PartialEq, Serialize, Object)]
#[oai(rename = "AdPace")]
pub struct PaceView {
    /// ISO 4217
    pub currency: String,
    /// Money planned for the period
    pub planned: f64,
    /// Of it, for the days until `as_of`
    pub planned_to_date: f64,
    /// Money spent in the period until `as_of`
    pub spent: f64,
    /// Money that will be spent by its end: what was spent, and the daily mean of the last 7 days for each day left
    pub projected: f64,
    /// How far `projected` lies from `planned` in percent; null without a plan
    pub projected_change: Option<f64>,
    /// `under`: more than 10 percent below the plan, `over`: more than 10 percent above, else `on`
    pub pace: String,
}

impl PaceView {
    /// What is shown of a pace in a currency.
    pub fn new(pacing: &Pacing, currency: Currency) -> Self {
        Self {
            currency: currency.to_string(),
            planned: currency.major(pacing.planned),
            planned_to_date: currency.major(pacing.planned_to_date),
            spent: currency.major(pacing.spent),
            projected: currency.major(pacing.projected),
            projected_change: pacing.off_percent(),
            pace: pacing.pace().as_str().to_owned(),
        }
    }
}

/// The pace of a campaign
#[derive(Debug, Clone, PartialEq, Serialize, Object)]
#[oai(rename = "AdCampaignPace")]
pub struct CampaignPaceView {
    /// Its id
    pub campaign_id: u64,
    /// Its name
    pub name: String,
    /// Where it runs
    pub platform: String,
    /// How far it is; only an active campaign goes on spending
    pub status: String,
    /// First day of the period in which it is to run; null when its flight has no end
    pub date_from: Option<String>,
    /// Last day of them
    pub date_to: Option<String>,
    /// Its pace; null when nothing can be projected
    pub pacing: Option<PaceView>,
    /// Why there is none: `no_end_date`, `not_started`; else null
    pub reason: Option<String>,
}

/// The pace of everything that has a budget
#[derive(Debug, Clone, PartialEq, Serialize, Object)]
#[oai(rename = "AdPacing")]
pub struct PacingView {
    /// `month` or `flight`
    pub period: String,
    /// The last full day
    pub as_of: String,
    /// All campaigns that have a pace, in the tenant's currency
    pub total: PaceView,
    /// Those in currencies without a rate
    pub by_currency: Vec<PaceView>,
    /// One page of the campaigns, by id
    pub campaigns: Vec<CampaignPaceView>,
}
